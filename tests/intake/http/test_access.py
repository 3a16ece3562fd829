"""Who may do what: tokens, scopes, workflows, agents."""

import pytest
from fastapi import Request

from faultbook.base.errors import UnauthenticatedError
from faultbook.intake.http.callers import Callers
from faultbook.model.policy import Policy
from faultbook.model.run import RunStart, SeriesKey
from faultbook.model.token import Scope
from faultbook.operations import recording, tokens
from faultbook.store.engine import Store
from tests.conftest import START, FrozenClock
from tests.intake.http.conftest import Api, make_token, problem

RECORD = {"workflow": "w", "exit_code": 0}
PROTECTED = [
    ("POST", "/v1/runs"),
    ("POST", "/v1/runs:record"),
    ("POST", "/v1/runs:batch"),
    ("POST", "/v1/runs/01a1f7fd-fbb8-7515-b532-b672fba52c8f/events"),
    ("PUT", "/v1/runs/01a1f7fd-fbb8-7515-b532-b672fba52c8f/artifacts/a"),
    ("POST", "/v1/runs/01a1f7fd-fbb8-7515-b532-b672fba52c8f/close"),
    ("GET", "/v1/runs/01a1f7fd-fbb8-7515-b532-b672fba52c8f"),
    ("GET", "/v1/failing"),
]
TASKS = [
    ("POST", "/v1/tasks", "tasks:write"),
    ("GET", "/v1/tasks", "tasks:read"),
    ("POST", "/v1/tasks:claim", "tasks:work"),
    ("GET", "/v1/tasks/T-1", "tasks:read"),
    ("POST", "/v1/tasks/T-1/cancel", "tasks:write"),
    ("POST", "/v1/tasks/T-1/retry", "tasks:write"),
    ("POST", "/v1/tasks/T-1/heartbeat", "tasks:work"),
    ("POST", "/v1/tasks/T-1/progress", "tasks:work"),
    ("POST", "/v1/tasks/T-1/release", "tasks:work"),
    ("POST", "/v1/tasks/T-1/close", "tasks:work"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_without_a_token_nothing_is_told_or_taken(sqlite_api: Api, method: str, path: str) -> None:
    response = sqlite_api.bearer(None).request(method, path, content=b"{}")
    document = problem(response, 401, "auth_required")
    assert document["failure_class"] == "auth"
    assert response.headers["www-authenticate"] == 'Bearer realm="faultbook"'


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Basic dXNlcjpwYXNz",
        "Bearer fb_short",
        "Bearer fb_" + "0" * 38,
        "Bearer a b",
        "Bearer x,Bearer y",
        "fb_" + "0" * 38,
        "Bearer " + "9" * 5000,
    ],
)
def test_a_header_that_holds_no_token_of_ours_is_rejected(sqlite_api: Api, header: str) -> None:
    client = sqlite_api.bearer(None)
    response = client.get("/v1/failing", headers={"Authorization": header})
    problem(response, 401, "auth_rejected")
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_a_header_outside_ascii_is_rejected(sqlite_api: Api) -> None:
    client = sqlite_api.bearer(None)
    response = client.get("/v1/failing", headers=[(b"Authorization", b"Bearer \xff\xe9")])
    problem(response, 401, "auth_rejected")


def test_two_tokens_at_once_are_rejected(sqlite_api: Api) -> None:
    secret = make_token(sqlite_api.store)
    given = [("Authorization", f"Bearer {secret}"), ("Authorization", "Bearer other")]
    response = sqlite_api.bearer(None).get("/v1/failing", headers=given)
    problem(response, 401, "auth_rejected")


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_each_endpoint_wants_its_scope(sqlite_api: Api, method: str, path: str) -> None:
    other = "runs:write" if method == "GET" else "runs:read"
    response = sqlite_api.client(other).request(method, path, content=b"{}")
    document = problem(response, 403, "missing_scope")
    assert ("runs:read" if method == "GET" else "runs:write") in document["detail"]


@pytest.mark.parametrize(("method", "path", "scope"), TASKS)
def test_each_endpoint_of_tasks_wants_a_token_and_its_scope(
    sqlite_api: Api, method: str, path: str, scope: str
) -> None:
    nobody = sqlite_api.bearer(None).request(method, path, content=b"{}")
    problem(nobody, 401, "auth_required")
    others = {"runs:write", "runs:read", "tasks:work", "tasks:write", "tasks:read"} - {scope}
    lacking = sqlite_api.client(*others).request(method, path, content=b"{}")
    assert scope in problem(lacking, 403, "missing_scope")["detail"]


async def test_a_revoked_token_is_refused_within_seconds(sqlite_store: Store) -> None:
    now = 100.0
    callers = Callers(sqlite_store, monotonic=lambda: now)
    secret = make_token(sqlite_store)
    header = (b"authorization", f"Bearer {secret}".encode())
    request = Request({"type": "http", "headers": [header]})
    token = await callers.identify(request, Scope.RUNS_READ)
    sqlite_store.write(tokens.revoke_token, token.id)
    assert await callers.identify(request, Scope.RUNS_READ) == token
    now += 2.1
    with pytest.raises(UnauthenticatedError, match="revoked"):
        await callers.identify(request, Scope.RUNS_READ)


def test_a_token_is_held_to_its_workflows(api: Api) -> None:
    client = api.client(workflows=("invoice-sync",))
    for path, end in (("/v1/runs", {}), ("/v1/runs:record", {"exit_code": 0})):
        refused = client.post(path, json={"workflow": "w", **end})
        assert "invoice-sync" in problem(refused, 403, "workflow_not_allowed")["next_step"]
        assert client.post(path, json={"workflow": "invoice-sync", **end}).status_code == 201
    line = client.post("/v1/runs:batch", content=b'{"workflow":"w","exit_code":0}').json()
    assert line["problem"]["code"] == "workflow_not_allowed"
    stranger = api.client()
    run_id = stranger.post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    for method, path in (("POST", "close"), ("POST", "events"), ("PUT", "artifacts/a")):
        body = {"POST": b'{"exit_code":0}', "PUT": b"x"}[method]
        body = b'{"kind":"log"}' if path == "events" else body
        response = client.request(method, f"/v1/runs/{run_id}/{path}", content=body)
        problem(response, 403, "workflow_not_allowed")
    problem(client.get(f"/v1/runs/{run_id}"), 403, "workflow_not_allowed")
    problem(client.get("/v1/failing"), 403, "workflow_not_allowed")
    problem(client.get("/v1/failing?workflow=w"), 403, "workflow_not_allowed")
    assert client.get("/v1/failing?workflow=invoice-sync").status_code == 200


def test_a_run_belongs_to_the_agent_of_its_token(api: Api) -> None:
    client, other = api.client(agent="invoice-bot"), api.client(agent="price-bot")
    claimed = client.post("/v1/runs:record", json=RECORD | {"agent_name": "price-bot"})
    problem(claimed, 403, "agent_mismatch")
    assert client.post("/v1/runs:record", json=RECORD | {"agent_name": "invoice-bot"}).is_success
    run_id = client.post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    response = other.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0})
    problem(response, 403, "agent_mismatch")
    assert client.get(f"/v1/runs/{run_id}").json()["state"] == "running"


def test_a_run_that_was_begun_on_the_servers_own_host_is_no_agents(api: Api) -> None:
    start = RunStart(SeriesKey("w", "production", "main"), START, START)
    run_id = api.store.write(recording.start_run, start, Policy()).run_id
    client = api.client()
    for method, path, body in (
        ("POST", "close", b'{"exit_code":1}'),
        ("POST", "events", b'{"kind":"log"}'),
        ("PUT", "artifacts/a", b"x"),
    ):
        response = client.request(method, f"/v1/runs/{run_id}/{path}", content=body)
        problem(response, 403, "agent_mismatch")
    assert client.get(f"/v1/runs/{run_id}").json()["state"] == "running"


def test_only_a_token_that_attests_is_believed_that_it_verified(sqlite_api: Api) -> None:
    artifact = {"name": "a", "check": "verified", "sha256": "ab" * 32, "size": 3, "excerpt": "x"}
    document = RECORD | {"artifacts": [artifact]}
    plain = sqlite_api.client("runs:write").post("/v1/runs:record", json=document).json()
    assert (plain["verdict"], plain["reason"]) == ("inconclusive", "artifact_unreachable")
    attesting = sqlite_api.client("runs:write", "runs:attest")
    assert attesting.post("/v1/runs:record", json=document).json()["verdict"] == "passed"
    unnamed = document | {"artifacts": [{"name": "a", "check": "verified"}]}
    assert attesting.post("/v1/runs:record", json=unnamed).json()["verdict"] == "inconclusive"


def test_a_bare_success_counts_only_where_the_settings_say_so(
    sqlite_api: Api, clock: FrozenClock
) -> None:
    client = sqlite_api.client()
    clock.advance(1)
    said = [
        client.post("/v1/runs:record", json=RECORD | {"workflow": w}).json() for w in ("w", "ping")
    ]
    assert [(run["verdict"], run["reason"]) for run in said] == [
        ("inconclusive", "no_evidence_promised"),
        ("passed", "heartbeat_accepted"),
    ]
