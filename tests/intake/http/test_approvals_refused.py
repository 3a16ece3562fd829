"""Bad input about approvals: a clear error each time, nothing stored, nobody asked."""

import json
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from faultbook.store.engine import Store
from tests.conftest import FrozenClock
from tests.intake.http.approving import ANA, ASKER, BEN, REFUND, Desk, desk, desk_of, sqlite_desk
from tests.intake.http.conftest import problem
from tests.intake.http.working import add, claim, worker

__all__ = ["desk", "sqlite_desk"]

KEY = "sk_live_" + "a1B2" * 6


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"parameters": {"amount": 120.5}}, 422, "float_in_action", "parameters.amount"),
        ({"parameters": {"amount": 120.0}}, 422, "float_in_action", "parameters.amount"),
        ({"parameters": {"a": [{"b": 1e3}]}}, 422, "float_in_action", "parameters.a[0].b"),
        ({"parameters": {"n": 2**53}}, 422, "unfit_in_action", "parameters.n"),
        ({"parameters": {"key": KEY}}, 422, "secret_in_action", "parameters.key"),
        ({"parameters": {"password": "hunter2"}}, 422, "secret_in_action", "parameters.password"),
        ({"parameters": {"k": f"secret:{KEY}"}}, 422, "secret_in_action", "parameters.k"),
        ({"parameters": {KEY: "x"}}, 422, "secret_in_action", "parameters (a key)"),
        ({"target": KEY}, 422, "secret_in_action", "action.target"),
        ({"parameters": {"text": "x" * 64_001}}, 413, "action_too_large", "parameters"),
        ({"parameters": {"text": "x" * 200_000}}, 413, "too_large", "body"),
        ({"parameters": []}, 422, "bad_field", "parameters"),
        ({"parameters": None}, 422, "bad_field", "parameters"),
        ({"kind": ""}, 422, "bad_field", "kind"),
        ({"kind": 7}, 422, "bad_field", "kind"),
        ({"kind": "x" * 201}, 422, "bad_field", "kind"),
        ({"target": "a\nb"}, 422, "bad_field", "target"),
        ({"environment": " "}, 422, "bad_field", "environment"),
        ({"why": " \n"}, 422, "bad_field", "why"),
        ({"why": "x" * 3_001}, 422, "bad_field", "why"),
        ({"ttl_seconds": 0}, 422, "bad_field", "ttl_seconds"),
        ({"ttl_seconds": 90_000}, 422, "bad_ttl", "ttl_seconds"),
        ({"ttl_seconds": 0.5}, 422, "bad_ttl", "ttl_seconds"),
        ({"task": "T-x"}, 422, "bad_field", "task"),
        ({"task": "T-999999999999"}, 404, "task_not_found", "task"),
        ({"supersedes": "A-999999999999"}, 404, "approval_not_found", "approval"),
        ({"supersedes": "-1"}, 422, "bad_field", "supersedes"),
        (
            {"evidence": [{"name": "e", "url": "javascript:alert(1)"}]},
            422,
            "bad_field",
            "evidence.0.url",
        ),
        ({"evidence": [{"name": "e", "url": "https://x/"}] * 21}, 422, "bad_field", "evidence"),
        ({"webhook": "file:///etc/passwd"}, 422, "bad_field", "webhook"),
        ({"webhook": "https://127.0.0.1/x"}, 422, None, "webhook"),
        ({"approved": True}, 422, "unknown_field", "approved"),
        ({"policy": "refund-prod"}, 422, "unknown_field", "policy"),
        ({"agent": "other"}, 422, "unknown_field", "agent"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_by_its_field(
    desk: Desk, fields: dict[str, Any], status: int, code: str | None, field: str
) -> None:
    answer = desk.agent.post("/v1/approvals", json=REFUND | fields)
    told = problem(answer, status, code or answer.json()["code"])
    assert told["field"] == field
    assert told["next_step"]
    assert KEY not in answer.text
    assert desk.agent.get("/v1/approvals", params={"state": "all"}).json() == {"approvals": []}


def test_with_slack_who_owns_a_token_is_a_member_id_or_its_requests_are_refused(
    sqlite_store: Store, clock: FrozenClock
) -> None:
    with contextmanager(desk_of)(sqlite_store, clock, has_slack=True) as desk:
        refused = desk.agent.post("/v1/approvals", json=REFUND)  # its token is owned by "ana"
        told = problem(refused, 403, "owner_unknown")
        assert "The token's owner `ana` is no Slack member id" in told["detail"]
        assert '--agent "refund-bot" --owner MEMBER-ID' in told["next_step"]
        assert desk.audited() == ["approval.refused"]
        agent = desk.api.client(*ASKER, agent="refund-bot", owner=ANA)
        asked = agent.post("/v1/approvals", json=REFUND)
        assert asked.status_code == 201, asked.text
        problem(desk.decide(asked.json(), ANA), 403, "self_review")
        assert desk.decide(asked.json(), BEN).status_code == 200


def _raw(parameters: str) -> bytes:
    whole = json.dumps(REFUND | {"parameters": "HERE"})
    return whole.replace('"HERE"', parameters).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"[]", "bad_field"),
        (b"null", "bad_field"),
        (b"{", "malformed_json"),
        (b"\xff\xfe{}", "malformed_json"),
        (_raw('{"a": NaN}'), "float_in_action"),
        (_raw('{"a": Infinity}'), "float_in_action"),
        (_raw('{"a": -Infinity}'), "float_in_action"),
        (_raw('{"a": 1e999}'), "float_in_action"),
        (_raw('{"a": 1E2}'), "float_in_action"),
        (_raw('{"a": ' + "9" * 400 + "}"), "unfit_in_action"),
        (_raw('{"a": ' + "9" * 5_000 + "}"), None),
        (_raw('{"amount": "1.00", "amount": "9000.00"}'), "duplicate_key"),
        (_raw('{"a": {"b": 1, "b": 1}}'), "duplicate_key"),
        (_raw('{"a": [{"b": 1, "\\u0062": 2}]}'), "duplicate_key"),
        (_raw('{}, "kind": "deploy"'), "duplicate_key"),
        (_raw('{"a": "\\ud800"}'), "malformed_json"),
        (_raw('{"\\udc00": 1}'), "malformed_json"),
        (_raw('{"a": "\ud800"}'), "malformed_json"),
        (_raw('{"a":' * 40 + "1" + "}" * 40), "unfit_in_action"),
        (_raw('{"a":' * 9_000 + "1" + "}" * 9_000), "malformed_json"),
        (_raw("[" * 9_000 + "]" * 9_000), "malformed_json"),
    ],
)
def test_what_no_two_readers_read_alike_is_refused(
    sqlite_desk: Desk, body: bytes, code: str | None
) -> None:
    answer = sqlite_desk.agent.post("/v1/approvals", content=body)
    problem(answer, 422, code or answer.json()["code"])
    assert sqlite_desk.agent.get("/v1/approvals").json() == {"approvals": []}
    assert sqlite_desk.audited() == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"text": "\u202egnp.exe \x00\x1b[31m\u200b\u2066"},
        {"": "", "\u0000": "\u0000", "é": "e\u0301"},
        {"n": 2**53 - 1, "m": -(2**53 - 1), "null": None, "bool": True, "deep": [[[{}]]]},
        {"emoji": "😀" * 100, "key": "secret:stripe-prod"},
        {"__proto__": "x", "constructor": {"prototype": 1}},
        {"text": "x" * 60_000},
    ],
)
def test_what_is_strange_and_fits_is_kept_shown_and_run_as_it_is(
    desk: Desk, parameters: dict[str, Any]
) -> None:
    asked = desk.approved(parameters=parameters, why="why\x00\u202e", effect="\x00")
    assert asked["action"]["parameters"] == parameters
    grant = desk.tell(asked, "execute", digest=asked["digest"]).json()
    assert grant["action"]["parameters"] == parameters
    done = desk.tell(asked, "failed", grant=grant["grant"], words="\x00\u202e" + "x" * 2_900)
    assert done.status_code == 200
    assert len(done.json()["outcome"]) == 1_000


@pytest.mark.parametrize(
    "digest", ["", "0" * 11, "0" * 65, "A" * 64, "g" * 64, "0" * 63 + "\n", None, 7]
)
@pytest.mark.parametrize("verb", ["approve", "deny", "break-glass"])
def test_a_decision_names_what_was_seen(sqlite_desk: Desk, verb: str, digest: object) -> None:
    asked = sqlite_desk.ask()
    path = f"/v1/approvals/{asked['id']}/{verb}"
    answer = sqlite_desk.person(BEN).post(path, json={"digest": digest, "reason": "r"})
    assert problem(answer, 422, "bad_field")["field"] == "digest"
    assert sqlite_desk.read(asked)["state"] == "pending"


def test_a_decision_about_something_else_is_refused_and_audited(desk: Desk) -> None:
    asked, other = desk.ask(), desk.ask(target="c_882")
    for verb in ("approve", "deny", "break-glass"):
        refused = desk.decide({**asked, "digest": other["digest"]}, verb=verb, reason="r")
        problem(refused, 409, "digest_mismatch")
    assert desk.decide({**asked, "digest": asked["digest"][:12]}).status_code == 200
    kinds = desk.audited()
    assert kinds.count("vote.refused") == 2
    assert kinds.count("bypass.refused") == 1


def test_what_is_not_what_was_approved_does_not_run(desk: Desk) -> None:
    asked, other = desk.approved(), desk.approved(target="c_882")
    problem(desk.tell(asked, "execute", digest=other["digest"]), 409, "digest_mismatch")
    problem(desk.tell(asked, "execute", digest="0" * 64), 409, "digest_mismatch")
    for digest in (asked["digest"][:12], asked["digest"].upper(), None):
        problem(desk.tell(asked, "execute", digest=digest), 422, "bad_field")
    problem(desk.tell(asked, "execute"), 422, "missing_field")
    assert desk.read(asked)["state"] == "approved"


@pytest.mark.parametrize("grant", ["", "0" * 32, "x", "\u00e9" * 4, None])
def test_a_report_needs_the_grant(sqlite_desk: Desk, grant: object) -> None:
    asked = sqlite_desk.approved()
    sqlite_desk.tell(asked, "execute", digest=asked["digest"])
    answer = sqlite_desk.tell(asked, "executed", grant=grant)
    assert answer.status_code in {403, 422}, answer.text
    assert sqlite_desk.read(asked)["state"] == "executing"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("A-99", 404, "approval_not_found"),
        ("99", 404, "approval_not_found"),
        ("a-999999999999", 404, "approval_not_found"),
        ("T-1", 422, "bad_approval_id"),
        ("-1", 422, "bad_approval_id"),
        ("9999999999999", 422, "bad_approval_id"),
        ("%00", 422, "bad_approval_id"),
        ("A-1?wait=31", 422, "bad_field"),
        ("A-1?wait=-1", 422, "bad_field"),
        ("A-1?wait=nan", 422, "bad_field"),
        ("A-1?wait=x", 422, None),
        ("A-1?weit=1", 422, "unknown_field"),
        ("?state=open", 422, "unknown_word"),
        ("?limit=0", 422, "bad_field"),
    ],
)
def test_what_is_not_there_is_named(desk: Desk, path: str, status: int, code: str | None) -> None:
    desk.ask()
    address = "/v1/approvals" + (path if path.startswith("?") else f"/{path}")
    answer = desk.agent.get(address)
    problem(answer, status, code or answer.json()["code"])


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("execute", {"digest": "0" * 64}),
        ("executed", {"grant": "0" * 32}),
        ("failed", {"grant": "0" * 32}),
        ("cancel", {}),
    ],
)
def test_what_an_agent_tells_of_an_approval_that_is_not_there_is_404(
    desk: Desk, verb: str, body: dict[str, Any]
) -> None:
    problem(desk.agent.post(f"/v1/approvals/A-9/{verb}", json=body), 404, "approval_not_found")


@pytest.mark.parametrize("verb", ["approve", "deny", "break-glass", "review", "outcome"])
def test_what_a_person_tells_of_an_approval_that_is_not_there_is_404(desk: Desk, verb: str) -> None:
    decision = {"digest": "0" * 64, "reason": "r"}
    others: dict[str, dict[str, Any]] = {
        "review": {"note": "n"},
        "outcome": {"happened": True, "words": "w"},
    }
    body = others.get(verb, decision)
    answer = desk.person(BEN).post(f"/v1/approvals/A-9/{verb}", json=body)
    problem(answer, 404, "approval_not_found")


def test_who_asks_has_a_token_with_the_scope(sqlite_desk: Desk) -> None:
    api = sqlite_desk.api
    problem(api.bearer(None).post("/v1/approvals", json=REFUND), 401, "auth_required")
    for client in (
        api.client("approvals:read"),
        api.client("runs:write"),
        api.client("approvals:decide", person=BEN),
    ):
        problem(client.post("/v1/approvals", json=REFUND), 403, "missing_scope")
    problem(api.client("runs:read").get("/v1/approvals"), 403, "missing_scope")


def test_a_foreign_task_and_a_foreign_request_are_refused_and_audited(desk: Desk) -> None:
    task = add(worker(desk.api))
    claim(worker(desk.api, agent="invoice-bot"))
    problem(desk.agent.post("/v1/approvals", json=REFUND | {"task": task}), 403, "agent_mismatch")
    other = desk.api.client("approvals:request", agent="other-bot")
    foreign: httpx.Response = other.post("/v1/approvals", json=REFUND)
    replacing = REFUND | {"supersedes": foreign.json()["id"], "target": "x"}
    problem(desk.agent.post("/v1/approvals", json=replacing), 403, "agent_mismatch")
    still = other.get(f"/v1/approvals/{foreign.json()['id']}").json()
    assert still["state"] == "pending"
    assert desk.audited().count("approval.refused") == 2
