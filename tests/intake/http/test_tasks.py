"""Tasks over HTTP: from the request to the verdict, on both stores."""

import pytest

from faultbook.operations.work import sweep_tasks
from tests.conftest import FrozenClock
from tests.intake.http.conftest import POLICY, ROUTES, Api, problem
from tests.intake.http.working import add, claim, worker


def test_a_task_is_taken_worked_on_and_done_with_its_evidence(api: Api, clock: FrozenClock) -> None:
    client = worker(api)
    added = client.post(
        "/v1/tasks",
        json={
            "text": "export the March invoices",
            "links": [{"name": "list", "url": "https://files.example/list"}],
            "requester": "Ana",
        },
    )
    assert added.status_code == 201
    task = added.json()
    assert added.headers["location"] == f"/v1/tasks/{task['id']}"
    assert (task["state"], task["route"], task["before"]) == ("queued", "invoices", 0)
    assert (task["requester"], task["source"]) == ("Ana", "http")
    held = claim(client, worker="invoice-bot-3")
    assert held.id == task["id"]
    assert (held.document["attempt"], held.document["timeout_seconds"]) == (1, 600)
    assert held.document["task"]["links"] == task["links"]
    assert "lease" not in held.document["task"]
    clock.advance(10)
    first = held.document["lease"]["until"]
    assert held.tell("heartbeat").json()["lease"]["until"] > first
    assert held.tell("progress", text="page 2 of 4").json()["lease"]["id"] == held.lease
    assert held.bring().json()["check"] == "verified"
    closed = held.tell("close", exit_code=0)
    assert closed.status_code == 200
    assert closed.json()["outcome"] == "closed"
    assert closed.json()["run"] == {
        "run_id": held.run_id,
        "verdict": "passed",
        "reason": None,
        "failure_reason": "",
    }
    whole = held.task()
    assert (whole["state"], whole["verdict"], whole["worker"]) == (
        "done", "passed", "invoice-bot-3",
    )  # fmt: skip
    assert whole["progress"] == "page 2 of 4"
    assert [event["kind"] for event in whole["events"]] == [
        "received", "claimed", "progress", "closed",
    ]  # fmt: skip
    run = whole["run"]
    assert (run["workflow"], run["task_id"], run["attempt"]) == ("invoice-export", held.id, 1)
    assert [artifact["name"] for artifact in run["artifacts"]] == ["report.csv"]


def test_a_worker_that_brings_no_evidence_has_not_proven_it(api: Api) -> None:
    client = worker(api)
    add(client)
    closed = claim(client).tell("close", verdict="passed").json()
    assert (closed["run"]["verdict"], closed["run"]["reason"]) == (
        "inconclusive", "no_evidence_promised",
    )  # fmt: skip
    assert (closed["task"]["state"], closed["task"]["verdict"]) == ("failed", "inconclusive")


def test_a_close_that_says_nothing_of_the_outcome_is_refused_and_nothing_is_lost(
    api: Api,
) -> None:
    client = worker(api)
    add(client)
    held = claim(client)
    assert problem(held.tell("close"), 422, "missing_field")["field"] == "verdict"
    assert held.tell("close", exit_code=1).json()["task"]["state"] == "failed"


def test_a_report_that_was_brought_before_says_the_outcome(api: Api) -> None:
    client = worker(api)
    add(client)
    held = claim(client)
    report = b'<testsuite><testcase name="a"/></testsuite>'
    path = f"/v1/runs/{held.run_id}/artifacts/report.xml"
    client.put(path, content=report, headers={"Content-Type": "application/junit+xml"})
    assert held.tell("close").json()["task"]["state"] == "done"


def test_a_failure_that_may_pass_by_itself_is_tried_again_as_often_as_the_route_allows(
    api: Api, clock: FrozenClock
) -> None:
    client = worker(api)
    add(client)
    again = claim(client).tell("close", exit_code=75).json()["task"]
    assert (again["state"], again["attempts"], again["reason"]) == ("queued", 1, "nonzero_exit")
    assert client.post("/v1/tasks:claim", json={}).status_code == 204
    clock.advance(5.1)
    held = claim(client)
    assert held.document["attempt"] == 2
    assert held.tell("close", exit_code=75).json()["task"]["state"] == "failed"
    assert held.task()["run"]["failure_class"] == "transient"


def test_the_same_close_again_is_answered_with_the_stored_result(
    api: Api, clock: FrozenClock
) -> None:
    client = worker(api)
    add(client)
    held = claim(client)
    held.bring()
    first = held.tell("close", exit_code=0, sent_at="2026-11-18T11:06:40Z").json()
    clock.advance(5)
    again = held.tell("close", exit_code=0, sent_at="2026-11-18T11:06:45Z").json()
    assert (first["outcome"], again["outcome"]) == ("closed", "repeated")
    assert (first["run"], first["task"]) == (again["run"], again["task"])
    other = problem(held.tell("close", exit_code=1), 409, "task_ended")
    assert other["detail"] == (f"{held.id} was done at 11:06 UTC; this result was not used.")


def test_a_close_past_the_time_limit_is_told_so(api: Api, clock: FrozenClock) -> None:
    client = worker(api)
    add(client)
    held = claim(client)
    clock.advance(600 + 121)
    late = problem(held.tell("close", exit_code=0), 409, "late_close")
    assert late["run"]["reason"] == "run_abandoned"
    assert late["task"]["state"] == "queued"  # it may be tried once more


def test_a_worker_whose_lease_ran_out_changes_nothing_any_more(
    api: Api, clock: FrozenClock
) -> None:
    client = worker(api)
    add(client)
    slow = claim(client, worker="slow")
    slow.bring("old.txt", b"old")
    clock.advance(31)
    api.store.write(sweep_tasks, POLICY, ROUTES)
    back = problem(slow.tell("heartbeat"), 409, "lease_lost")
    assert back["detail"] == f"{slow.id} went back to the queue; this result was not used."
    quick = claim(client, worker="quick")
    assert (quick.id, quick.document["attempt"]) == (slow.id, 2)
    for verb, fields in (
        ("heartbeat", {}),
        ("progress", {"text": "done soon"}),
        ("close", {"exit_code": 0}),
        ("release", {}),
    ):
        told = problem(slow.tell(verb, **fields), 409, "lease_lost")
        assert told["detail"] == (
            f"{slow.id} went to another worker at 11:07 UTC; this result was not used."
        )
        assert told["next_step"]
    assert problem(slow.bring(), 409, "run_closed")
    now = quick.task()
    assert (now["state"], now["worker"], now["progress"]) == ("running", "quick", "")


def test_a_cancelled_task_tells_its_worker_who_cancelled_it(api: Api) -> None:
    client, desk = worker(api), worker(api, agent="desk")
    add(client)
    held = claim(client)
    cancelled = desk.post(f"/v1/tasks/{held.id}/cancel", json={}).json()
    assert (cancelled["state"], cancelled["cancelled_by"]) == ("cancelled", "desk")
    gone = problem(held.tell("progress", text="half"), 409, "task_cancelled")
    assert gone["detail"].startswith(f"{held.id} was cancelled by desk at 11:06 UTC")
    problem(desk.post(f"/v1/tasks/{held.id}/cancel", json={}), 409, "task_ended")
    retried = desk.post(f"/v1/tasks/{held.id}/retry").json()
    assert (retried["state"], retried["before"]) == ("queued", 0)
    problem(desk.post(f"/v1/tasks/{held.id}/retry"), 409, "task_not_ended")
    assert held.task()["run"]["reason"] == "cancelled"


def test_a_released_task_is_queued_again_at_once(api: Api) -> None:
    client = worker(api)
    add(client)
    held = claim(client)
    assert held.tell("release").json()["state"] == "queued"
    assert claim(client).id == held.id


def test_progress_is_refused_on_a_task_that_has_ended(api: Api) -> None:
    client = worker(api)
    add(client)
    held = claim(client)
    held.tell("close", exit_code=2)
    told = problem(held.tell("progress", text="half"), 409, "task_ended")
    assert "failed" in told["detail"]
    assert held.task()["progress"] == ""


def test_what_is_told_is_redacted_and_fits_one_line(api: Api) -> None:
    client = worker(api)
    secret = "xoxb-" + "1234567890-abcdefghij"
    identifier = add(client, f"export with {secret}", requester=f"Ana {secret}")
    held = claim(client, worker=f"w {secret}")
    held.tell("progress", text=f"line 1\n{secret}\0" + "x" * 600)
    text = client.get(f"/v1/tasks/{identifier}").text
    assert secret not in text
    assert "[REDACTED:slack-bot-token]" in text
    assert len(held.task()["progress"]) == 500


def test_a_lease_without_a_new_length_never_gets_shorter(api: Api, clock: FrozenClock) -> None:
    client = worker(api)
    add(client)
    held = claim(client, lease_seconds=600)
    clock.advance(1)
    until = held.document["lease"]["until"]
    assert held.tell("progress", text="half").json()["lease"]["until"] == until
    assert held.tell("heartbeat").json()["lease"]["until"] == until
    longer = held.tell("heartbeat", lease_seconds=600).json()["lease"]["until"]
    assert longer > until


def test_lists_are_in_the_queues_order_and_say_how_many_are_before(api: Api) -> None:
    client = worker(api)
    first, second = add(client), add(client)
    sooner = add(client, priority=5)
    listed = client.get("/v1/tasks").json()["tasks"]
    assert [(task["id"], task["before"]) for task in listed] == [
        (sooner, 0), (first, 1), (second, 2),
    ]  # fmt: skip
    held = claim(client)
    assert held.id == sooner
    held.tell("close", exit_code=1)
    assert [task["id"] for task in client.get("/v1/tasks?state=failed").json()["tasks"]] == [sooner]
    everything = client.get("/v1/tasks?state=all&route=invoices&limit=2").json()["tasks"]
    assert [task["id"] for task in everything] == [sooner, second]
    assert client.get("/v1/tasks?route=letters").json() == {"tasks": []}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("state=gone", "unknown_word"),
        ("limit=0", "bad_field"),
        ("limit=many", "bad_field"),
        ("agent=x", "unknown_field"),
        ("route=invoice", "unknown_route"),
    ],
)
def test_a_list_that_can_not_be_is_refused(shared_api: Api, query: str, code: str) -> None:
    problem(worker(shared_api).get(f"/v1/tasks?{query}"), 422, code)


def test_the_same_key_gives_a_task_once(api: Api) -> None:
    client = worker(api)
    headers = {"Idempotency-Key": "one"}
    said = [client.post("/v1/tasks", json={"text": "export"}, headers=headers) for _ in range(2)]
    assert said[0].json() == said[1].json()
    assert len(client.get("/v1/tasks").json()["tasks"]) == 1
