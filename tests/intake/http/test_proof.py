"""No way around the bytes: what was read is never bettered, and never passed over, by a word."""

from typing import Any

import httpx
import pytest

from faultbook.model.run import RunEvent
from faultbook.operations.recording import read_run
from faultbook.store import runs
from faultbook.store.transaction import Transaction
from tests.conftest import START
from tests.intake.http.conftest import Api, problem

OTHER = "ab" * 32
RED = (
    b'<?xml version="1.0"?>\n<!-- by hand -->\n'
    b'<testsuite><testcase name="a"><failure/></testcase></testsuite>'
)
GREEN = RED.replace(b"<failure/>", b"")


def _uploaded(client: httpx.Client, data: bytes, **options: Any) -> str:  # noqa: ANN401 - httpx's own
    run_id = client.post("/v1/runs", json={"workflow": "w", "promised": ["a"]}).json()["run_id"]
    assert client.put(f"/v1/runs/{run_id}/artifacts/a", content=data, **options).is_success
    return str(run_id)


def _closed(
    client: httpx.Client, run_id: str, *artifacts: dict[str, Any]
) -> tuple[str, str | None]:
    body = {"exit_code": 0, "artifacts": artifacts}
    closed = client.post(f"/v1/runs/{run_id}/close", json=body).json()
    return closed["verdict"], closed["reason"]


def test_a_close_that_names_another_digest_than_was_uploaded_is_a_mismatch(api: Api) -> None:
    client = api.client()
    run_id = _uploaded(client, b"40 invoices")
    named = {"name": "a", "sha256": OTHER}
    assert _closed(client, run_id, named) == ("failed", "digest_mismatch")
    [artifact] = client.get(f"/v1/runs/{run_id}").json()["artifacts"]
    assert (artifact["check"], artifact["excerpt"]) == ("mismatch", "40 invoices")
    assert "abababababab was announced" in artifact["detail"]
    assert "announced" not in artifact


def test_a_close_that_names_the_digest_that_was_uploaded_passes(api: Api) -> None:
    client = api.client()
    run_id = client.post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    sha256 = client.put(f"/v1/runs/{run_id}/artifacts/a", content=b"40").json()["sha256"]
    assert _closed(client, run_id, {"name": "a", "sha256": sha256.upper()}) == ("passed", None)


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (b"  \n", {}, ("inconclusive", "empty_output")),
        (b"40", {"params": {"sha256": OTHER}}, ("failed", "digest_mismatch")),
    ],
)
def test_even_a_token_that_attests_can_not_better_what_the_server_read(
    sqlite_api: Api, data: bytes, options: dict[str, Any], expected: tuple[str, str]
) -> None:
    client = sqlite_api.client("runs:write", "runs:attest")
    run_id = _uploaded(client, data, **options)
    read = client.put(f"/v1/runs/{run_id}/artifacts/a", content=data, **options).json()["sha256"]
    assert _closed(client, run_id, {"name": "a", "check": "verified", "sha256": read}) == expected


def test_a_later_word_that_an_upload_is_stale_counts(sqlite_api: Api) -> None:
    client = sqlite_api.client()
    run_id = _uploaded(client, b"40")
    named = {"name": "a", "check": "stale", "detail": "of yesterday"}
    assert _closed(client, run_id, named) == ("inconclusive", "stale_artifact")


def test_a_report_is_never_verified_without_its_tests_being_counted(sqlite_api: Api) -> None:
    artifact = {
        "name": "a",
        "media_type": "application/junit+xml",
        "check": "verified",
        "sha256": OTHER,
    }
    client = sqlite_api.client("runs:write", "runs:attest")
    body = {"workflow": "w", "exit_code": 0, "artifacts": [artifact]}
    recorded = client.post("/v1/runs:record", json=body).json()
    assert (recorded["verdict"], recorded["reason"]) == ("inconclusive", "artifact_unreachable")


@pytest.mark.parametrize("media_type", ["application/xml", "text/xml; charset=utf-8", ""])
@pytest.mark.parametrize(("report", "expected"), [(RED, "failed"), (GREEN, "passed")])
def test_a_report_is_known_by_its_root_whatever_it_is_called(
    sqlite_api: Api, media_type: str, report: bytes, expected: str
) -> None:
    client = sqlite_api.client()
    run_id = client.post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    headers = {"Content-Type": media_type} if media_type else {}
    path = f"/v1/runs/{run_id}/artifacts/report.xml"
    put = client.put(path, content=report, headers=headers).json()
    assert put["media_type"] == "application/junit+xml"
    assert _closed(client, run_id)[0] == expected
    inline = {"name": "report.xml", "text": report.decode()}
    if media_type:
        inline["media_type"] = media_type
    body = {"workflow": "w", "exit_code": 0, "artifacts": [inline]}
    assert client.post("/v1/runs:record", json=body).json()["verdict"] == expected


def test_a_report_with_a_doctype_is_refused_under_any_name(sqlite_api: Api) -> None:
    client = sqlite_api.client()
    run_id = client.post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase name="a"/></testsuite>'
    refused = client.put(f"/v1/runs/{run_id}/artifacts/r.xml", content=bomb)
    problem(refused, 422, "report_has_doctype")
    assert client.put(f"/v1/runs/{run_id}/artifacts/r.xml", content=b"<html/>").is_success


def test_a_tool_that_is_not_allowed_is_seen_however_many_calls_there_were(api: Api) -> None:
    client = api.client()
    body = {"workflow": "w", "tool_allowlist": ["a"]}
    run_id = client.post("/v1/runs", json=body).json()["run_id"]

    def call_many(tx: Transaction) -> None:
        run = read_run(tx, run_id)
        for number in range(1001):
            name = "a" if number < 1000 else "shell"
            event = RunEvent("tool", name, "", None, START)
            runs.append_event(tx, run.sequence, event)

    api.store.write(call_many)
    named = {"name": "a", "text": "40 invoices"}
    assert _closed(client, run_id, named) == ("failed", "tool_not_allowed")
    told = client.get(f"/v1/runs/{run_id}").json()
    assert (len(told["events"]), told["more_events"]) == (1000, True)
