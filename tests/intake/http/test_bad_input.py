"""Bad input: each gets a clear problem that names what and where, and nothing is half-written."""

import json
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from faultbook.base.clock import HOUR, SECOND, iso
from faultbook.store.engine import Store
from faultbook.store.schema import artifacts, events, idempotency_keys, runs, series
from faultbook.store.transaction import Transaction
from tests.conftest import START
from tests.intake.http.conftest import Api, problem

FINE = {"workflow": "w", "exit_code": 0}


def rows(store: Store) -> list[int]:
    """Count every row that a report can leave."""

    def count(tx: Transaction) -> list[int]:
        tables = (runs, series, artifacts, events, idempotency_keys)
        counts = (select(func.count()).select_from(table) for table in tables)
        return [int(tx.execute(statement).scalar_one()) for statement in counts]

    return store.read(count)


BAD_FIELDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("an unknown verdict", {"verdict": "pased"}, "unknown_verdict", "verdict"),
    (
        "an unknown reason",
        {"verdict": "failed", "reason": "timed_uot"},
        "unknown_reason",
        "reason",
    ),
    (
        "an unknown class",
        {"verdict": "failed", "failure_class": "bad"},
        "unknown_failure_class",
        "failure_class",
    ),
    ("an unknown field", {"workfow": "w"}, "unknown_field", "workfow"),
    ("a naive time", {"started_at": "2026-11-18T11:00:00"}, "bad_time", "started_at"),
    ("a date only", {"started_at": "2026-11-18"}, "bad_time", "started_at"),
    ("a second 60", {"started_at": "2026-11-18T11:00:60Z"}, "bad_time", "started_at"),
    ("the month 13", {"started_at": "2026-13-18T11:00:00Z"}, "bad_time", "started_at"),
    ("a time before 2000", {"started_at": "1999-12-31T23:59:59Z"}, "bad_time", "started_at"),
    ("the year 9999", {"ended_at": "9999-12-31T23:59:59-23:59"}, "bad_time", "ended_at"),
    ("the year 1", {"ended_at": "0001-01-01T00:00:00+23:59"}, "bad_time", "ended_at"),
    ("a number as time", {"started_at": 1795000000}, "bad_time", "started_at"),
    ("Arabic digits", {"started_at": "٢٠٢٦-11-18T11:00:00Z"}, "bad_time", "started_at"),
    ("a time ahead", {"started_at": iso(START + 301 * SECOND)}, "bad_time", "started_at"),
    ("a clock ahead", {"sent_at": iso(START + 25 * HOUR)}, "bad_time", "sent_at"),
    (
        "an end before its start",
        {"started_at": iso(START), "ended_at": iso(START - 400 * SECOND)},
        "bad_time",
        "ended_at",
    ),
    (
        "an event ahead",
        {"events": [{"kind": "log", "occurred_at": iso(START + 301 * SECOND)}]},
        "bad_time",
        "occurred_at",
    ),
    ("negative tokens", {"input_tokens": -1}, "bad_field", "input_tokens"),
    ("boolean tokens", {"input_tokens": True}, "bad_field", "input_tokens"),
    ("fractional tokens", {"output_tokens": 1.5}, "bad_field", "output_tokens"),
    ("huge tokens", {"output_tokens": 2**64}, "bad_field", "output_tokens"),
    ("a negative cost", {"cost": -0.01}, "bad_field", "cost"),
    ("a huge cost", {"cost": 1e30}, "bad_field", "cost"),
    ("a negative exit code", {"exit_code": -9}, "bad_field", "exit_code"),
    ("an exit code as text", {"exit_code": "0"}, "bad_field", "exit_code"),
    ("no timeout at all", {"timeout_seconds": 0}, "bad_field", "timeout_seconds"),
    ("a timeout of a century", {"timeout_seconds": 1e18}, "bad_field", "timeout_seconds"),
    ("a name with a newline", {"workflow": "a\nb"}, "bad_field", "workflow"),
    ("a name that ends in one", {"workflow": "ok\n"}, "bad_field", "workflow"),
    ("a name with NUL", {"workflow": "a\0b"}, "bad_field", "workflow"),
    ("a line separator", {"workflow": "a\u2028b"}, "bad_field", "workflow"),
    ("a name of 10 000 characters", {"workflow": "w" * 10_000}, "bad_field", "workflow"),
    ("an empty name", {"environment": ""}, "bad_field", "environment"),
    ("a blank name", {"branch": " "}, "bad_field", "branch"),
    ("a name that is a number", {"workflow": 7}, "bad_field", "workflow"),
    ("a file as link", {"url": "file:///etc/passwd"}, "bad_field", "url"),
    ("a script as link", {"url": "javascript:alert(1)"}, "bad_field", "url"),
    ("gopher as link", {"url": "gopher://x/"}, "bad_field", "url"),
    ("a link with a user", {"url": "https://good@evil/"}, "bad_field", "url"),
    ("a link with a password", {"url": "https://a:b@evil/"}, "bad_field", "url"),
    ("a link with a backslash", {"url": "https://evil\\@good"}, "bad_field", "url"),
    ("a link with Slack's bar", {"url": "https://evil|https://good"}, "bad_field", "url"),
    ("a digest that is none", {"input_sha256": "abc"}, "bad_field", "input_sha256"),
    (
        "blocked without a class",
        {"verdict": "blocked", "reason": "disabled"},
        "missing_field",
        "failure_class",
    ),
    ("skipped without a reason", {"verdict": "skipped"}, "missing_field", "reason"),
    ("a reason without verdict", {"reason": "disabled"}, "missing_field", "reason"),
    ("lateness of no schedule", {"due_grace_seconds": 5}, "missing_field", "every_seconds"),
    ("another agent", {"agent_name": "other"}, "agent_mismatch", "agent_name"),
    (
        "two artifacts of one name",
        {"artifacts": [{"name": "a"}, {"name": "a", "text": "x"}]},
        "duplicate_artifact",
        "artifacts.1.name",
    ),
    (
        "no base64",
        {"artifacts": [{"name": "a", "content": "§"}]},
        "bad_field",
        "artifacts.0.content",
    ),
    (
        "bytes and text",
        {"artifacts": [{"name": "a", "content": "", "text": ""}]},
        "bad_field",
        "artifacts.0.text",
    ),
    (
        "an unknown field within",
        {"artifacts": [{"name": "a", "shaa256": "x"}]},
        "unknown_field",
        "artifacts.0.shaa256",
    ),
    (
        "201 artifacts",
        {"artifacts": [{"name": f"{n}"} for n in range(201)]},
        "bad_field",
        "artifacts",
    ),
    (
        "a report with a DOCTYPE",
        {
            "artifacts": [
                {
                    "name": "j",
                    "media_type": "application/junit+xml",
                    "text": "<!DOCTYPE a [<!ENTITY b 'c'>]><testsuite/>",
                }
            ]
        },
        "doctype_refused",
        "",
    ),
]


@pytest.mark.parametrize(
    ("fields", "code", "where"),
    [case[1:] for case in BAD_FIELDS],
    ids=[case[0] for case in BAD_FIELDS],
)
def test_a_field_that_does_not_fit_is_named(
    shared_api: Api, fields: dict[str, Any], code: str, where: str
) -> None:
    before = rows(shared_api.store)
    response = shared_api.same_client().post("/v1/runs:record", json=FINE | fields)
    if code == "doctype_refused":
        assert response.status_code == 422
        assert response.json()["next_step"]
    else:
        status = 403 if code == "agent_mismatch" else 422
        document = problem(response, status, code)
        assert document["field"] == where
        assert where.split(".", maxsplit=1)[0] in document["detail"] or document["next_step"]
    assert rows(shared_api.store) == before


BAD_BODIES: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "malformed_json"),
    ("half an object", b'{"workflow": "w"', "malformed_json"),
    ("a list", b"[]", "bad_field"),
    ("null", b"null", "bad_field"),
    ("nesting without end", b'{"workflow":' + b"[" * 50_000, "malformed_json"),
    ("objects without end", b'{"a":' * 15_000, "malformed_json"),
    ("NaN", b'{"workflow":"w","exit_code":0,"cost":NaN}', "bad_field"),
    ("Infinity", b'{"workflow":"w","exit_code":0,"cpu_seconds":Infinity}', "bad_field"),
    ("a number past doubles", b'{"workflow":"w","exit_code":0,"cost":1e999}', "bad_field"),
    ("5000 digits", b'{"workflow":"w","exit_code":' + b"9" * 5000 + b"}", "malformed_json"),
    ("a lone surrogate", b'{"workflow":"\\ud800","exit_code":0}', "malformed_json"),
    ("no UTF-8", b'{"workflow":"\xff\xfe","exit_code":0}', "malformed_json"),
    ("UTF-16", '{"workflow":"w"}'.encode("utf-16"), "malformed_json"),
    ("a secret in a wrong field", b'{"workflow":"w","ghp_' + b"a" * 36 + b'":1}', "unknown_field"),
]


@pytest.mark.parametrize(
    ("body", "code"), [case[1:] for case in BAD_BODIES], ids=[case[0] for case in BAD_BODIES]
)
def test_a_body_that_is_no_document_is_told_so(shared_api: Api, body: bytes, code: str) -> None:
    before = rows(shared_api.store)
    client = shared_api.same_client()
    run_id = "01a1f7fd-fbb8-7515-b532-b672fba52c8f"
    response = client.post("/v1/runs:record", content=body)
    problem(response, 422, code)
    assert "aaaaaaaaaa" not in response.text
    for path in ("/v1/runs", f"/v1/runs/{run_id}/events", f"/v1/runs/{run_id}/close"):
        assert client.post(path, content=body).status_code == 422
    line = client.post("/v1/runs:batch", content=body.replace(b"\n", b" ") or b"x").text
    assert json.loads(line.splitlines()[0])["problem"]["status"] == 422
    assert rows(shared_api.store) == before


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "%2e%2e/x", "CON", "~/.ssh/id_rsa"]
)
def test_a_name_like_a_path_is_only_a_name(shared_api: Api, name: str) -> None:
    artifact = {"name": name, "uri": "http://169.254.169.254/latest/meta-data/"}
    client = shared_api.same_client()
    recorded = client.post("/v1/runs:record", json=FINE | {"artifacts": [artifact]}).json()
    assert recorded["reason"] == "artifact_unreachable"
    [stored] = client.get(f"/v1/runs/{recorded['run_id']}").json()["artifacts"]
    assert (stored["name"], stored["uri"]) == (name, artifact["uri"])
    assert (stored["sha256"], stored["excerpt"]) == (None, None)


@pytest.mark.parametrize("key", ["", '"', "é", "a" * 201, '"a" "b"', "a b"])
def test_a_key_that_can_not_be_read_is_refused(shared_api: Api, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode())]
    response = shared_api.same_client().post("/v1/runs:record", json=FINE, headers=headers)
    problem(response, 422, "bad_idempotency_key")


def test_a_request_that_breaks_off_leaves_nothing_and_the_server_goes_on(shared_api: Api) -> None:
    before = rows(shared_api.store)
    client = shared_api.same_client()
    host, port = shared_api.url.removeprefix("http://").split(":")
    for path in (b"/v1/runs:record", b"/v1/runs:batch"):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"POST %b HTTP/1.1\r\nHost: x\r\nAuthorization: %b\r\nContent-Length: 99\r\n\r\n{"
                % (path, client.headers["authorization"].encode())
            )
    assert client.get("/v1/failing").status_code == 200
    assert rows(shared_api.store) == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    (
        *("workflow", "environment", "branch", "exit_code", "signal", "verdict", "reason"),
        *("failure_class", "detail", "artifacts", "events", "promised", "started_at", "ended_at"),
        *("sent_at", "cost", "input_tokens", "url", "kind", "name", "text", "timed_out"),
        *("timeout_seconds", "tool_allowlist", "every_seconds", "stdout_tail", "attempt"),
    )
)
plausible = st.one_of(
    json_values,
    st.sampled_from((0, 1, 137, 255, 1e308, -0.0, 2**53 - 1, "passed", "blocked", "disabled")),
    st.sampled_from(("auth", "w", "2026-11-18T11:00:00Z", "https://x.y/z", [], {}, ["a", "b"])),
    st.lists(
        st.fixed_dictionaries(
            {"name": st.text(min_size=1, max_size=5)},
            optional={"text": st.text(max_size=30), "check": json_values, "kind": st.text()},
        ),
        max_size=3,
    ),
)
documents = st.dictionaries(names, plausible, max_size=8).map(
    lambda found: {"workflow": "w"} | found
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=documents | json_values)
def test_no_json_at_all_makes_the_server_fail_or_write_half(api: Api, document: object) -> None:
    body = json.dumps(document, ensure_ascii=True).encode()
    client = api.same_client()
    run_id = client.post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    addresses = (
        ("POST", "/v1/runs"),
        ("POST", "/v1/runs:record"),
        ("POST", "/v1/runs:batch"),
        ("POST", f"/v1/runs/{run_id}/events"),
        ("PUT", f"/v1/runs/{run_id}/artifacts/a"),
        ("POST", f"/v1/runs/{run_id}/close"),
    )
    for method, path in addresses:
        before = rows(api.store)
        response = client.request(method, path, content=body)
        assert response.status_code < 500, (path, body, response.text)
        if response.status_code >= 400 and response.json().get("code") != "late_close":
            assert response.json()["next_step"]
            assert rows(api.store) == before, (path, body)
        assert '"E-' not in response.text
    assert client.get(f"/v1/runs/{run_id}").status_code == 200
    assert client.get("/v1/failing").status_code == 200
