"""Bad input about tasks: clear errors, and nothing lost."""

from typing import Any

import pytest

from tests.conftest import FrozenClock
from tests.intake.http.conftest import Api, problem
from tests.intake.http.working import add, claim, worker

LEASE = "0" * 32
FIELDS: dict[str, dict[str, Any]] = {
    "heartbeat": {},
    "progress": {"text": "x"},
    "close": {"exit_code": 0},
    "release": {},
}


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"text": " \n"}, "task_empty", "text"),
        ({"text": "x" * 40_000}, "task_too_long", "text"),
        ({}, "missing_field", "text"),
        ({"text": 7}, "bad_field", "text"),
        ({"text": "x", "route": "invoice"}, "unknown_route", "route"),
        ({"text": "x", "priority": "high"}, "bad_field", "priority"),
        ({"text": "x", "priority": 10**30}, "bad_field", "priority"),
        ({"text": "x", "links": [{"name": "a"}]}, "missing_field", "links.0.url"),
        (
            {"text": "x", "links": [{"name": "a", "url": "javascript:x"}]},
            "bad_field",
            "links.0.url",
        ),
        ({"text": "x", "requester": "a\nb"}, "bad_field", "requester"),
        ({"text": "x", "proirity": 1}, "unknown_field", "proirity"),
    ],
)
def test_a_task_that_does_not_fit_is_refused_by_its_field(
    shared_api: Api, body: dict[str, Any], code: str, field: str
) -> None:
    client = worker(shared_api)
    told = problem(client.post("/v1/tasks", json=body), 422, code)
    assert told["field"] == field
    assert told["next_step"]
    assert client.get("/v1/tasks").json() == {"tasks": []}


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"wait_seconds": 31}, 422, "bad_field", "wait_seconds"),
        ({"wait_seconds": -1}, 422, "bad_field", "wait_seconds"),
        ({"lease_seconds": 4}, 422, "bad_field", "lease_seconds"),
        ({"lease_seconds": 601}, 422, "bad_field", "lease_seconds"),
        ({"worker": ""}, 422, "bad_field", "worker"),
        ({"routes": ["invoice"]}, 422, "unknown_route", "route"),
        ({"routes": ["prices"]}, 403, "agent_mismatch", "routes"),
        ({"agent": "price-bot"}, 403, "agent_mismatch", "agent"),
        ({"wait": 1}, 422, "unknown_field", "wait"),
    ],
)
def test_a_claim_that_does_not_fit_is_refused_by_its_field(
    shared_api: Api, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    told = problem(worker(shared_api).post("/v1/tasks:claim", json=body), status, code)
    assert told["field"] == field
    assert told["next_step"]


def test_an_agent_that_no_route_names_is_told_so(shared_api: Api) -> None:
    answer = worker(shared_api, agent="stranger").post("/v1/tasks:claim", json={})
    assert "stranger" in problem(answer, 422, "no_route")["next_step"]


@pytest.mark.parametrize("verb", ["heartbeat", "progress", "close", "release"])
def test_a_bad_lease_is_refused(sqlite_api: Api, verb: str) -> None:
    client = worker(sqlite_api)
    add(client)
    held = claim(client)
    fields = FIELDS[verb]
    path = f"/v1/tasks/{held.id}/{verb}"
    problem(client.post(path, json=fields), 422, "missing_field")
    for lease in ("", "a b", "x" * 65, 7):
        told = problem(client.post(path, json={"lease": lease, **fields}), 422, "bad_field")
        assert told["field"] == "lease"
    problem(client.post(path, json={"lease": LEASE, **fields}), 409, "lease_lost")
    assert held.task()["state"] == "running"


@pytest.mark.parametrize("verb", ["heartbeat", "progress", "close", "release"])
def test_a_foreign_token_can_do_nothing_even_with_the_lease(sqlite_api: Api, verb: str) -> None:
    client, other = worker(sqlite_api), worker(sqlite_api, agent="price-bot")
    add(client)
    held = claim(client)
    fields = FIELDS[verb]
    body = {"lease": held.lease, **fields}
    told = problem(other.post(f"/v1/tasks/{held.id}/{verb}", json=body), 403, "agent_mismatch")
    assert "price-bot" in told["detail"]
    path = f"/v1/runs/{held.run_id}/artifacts/a"
    problem(other.put(path, content=b"x"), 403, "agent_mismatch")
    now = held.task()
    assert (now["state"], now["progress"], now["run"]["artifacts"]) == ("running", "", [])


@pytest.mark.parametrize(
    ("task", "status", "code"),
    [
        ("T-999", 404, "task_not_found"),
        ("999999999999", 404, "task_not_found"),
        ("T-", 422, "bad_task_id"),
        ("T-1x", 422, "bad_task_id"),
        ("9999999999999", 422, "bad_task_id"),
        ("%00", 422, "bad_task_id"),
    ],
)
def test_a_task_that_is_not_there_is_not_found(
    shared_api: Api, task: str, status: int, code: str
) -> None:
    client = worker(shared_api)
    problem(client.get(f"/v1/tasks/{task}"), status, code)
    for verb, body in (
        ("cancel", {}),
        ("retry", {}),
        ("heartbeat", {"lease": LEASE}),
        ("progress", {"lease": LEASE, "text": "x"}),
        ("release", {"lease": LEASE}),
        ("close", {"lease": LEASE, "exit_code": 0}),
    ):
        problem(client.post(f"/v1/tasks/{task}/{verb}", json=body), status, code)


def test_a_task_that_says_what_nobody_heeds_is_not_cancelled(sqlite_api: Api) -> None:
    client = worker(sqlite_api)
    task = add(client)
    path = f"/v1/tasks/{task}/cancel"
    problem(client.post(path, json={"reason": "no"}), 422, "unknown_field")
    assert client.get(f"/v1/tasks/{task}").json()["state"] == "queued"


def test_uploads_with_the_scope_for_tasks_are_for_attempts_at_tasks_alone(api: Api) -> None:
    client = worker(api)
    run_id = api.client("runs:write").post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    refused = client.put(f"/v1/runs/{run_id}/artifacts/a", content=b"x")
    assert "runs:write" in problem(refused, 403, "missing_scope")["detail"]
    add(client)
    assert claim(client).bring().is_success


def test_a_bound_token_has_to_do_with_its_own_workflows_only(api: Api, clock: FrozenClock) -> None:
    free = worker(api)
    bound = worker(api, workflows=("letter-run",))
    invoice = add(free)
    clock.advance(1)
    letter = add(bound, "write to the client")
    assert [task["id"] for task in bound.get("/v1/tasks").json()["tasks"]] == [letter]
    assert claim(bound).id == letter
    assert bound.post("/v1/tasks:claim", json={}).status_code == 204
    refused = (
        bound.post("/v1/tasks:claim", json={"routes": ["invoices"]}),
        bound.post("/v1/tasks", json={"text": "export the invoices"}),
        bound.get(f"/v1/tasks/{invoice}"),
        bound.get("/v1/tasks?route=invoices"),
        bound.post(f"/v1/tasks/{invoice}/cancel", json={}),
    )
    for answer in refused:
        problem(answer, 403, "workflow_not_allowed")
    assert len(free.get("/v1/tasks").json()["tasks"]) == 2
    elsewhere = worker(api, workflows=("price-check",))
    problem(elsewhere.post("/v1/tasks:claim", json={}), 403, "workflow_not_allowed")
    held = claim(free)
    body = {"lease": held.lease, "exit_code": 0}
    answer = bound.post(f"/v1/tasks/{invoice}/close", json=body)
    problem(answer, 403, "workflow_not_allowed")
