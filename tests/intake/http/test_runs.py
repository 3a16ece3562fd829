"""A run's life over HTTP, on both stores."""

import base64
import hashlib
import threading
from typing import Any

import httpx
import pytest

from faultbook.base.clock import DAY, SECOND, iso
from tests.conftest import START
from tests.intake.http.conftest import Api, problem

GREEN = b'<testsuite><testcase name="a"/><testcase name="b"/></testsuite>'
RED = (
    b'<testsuite tests="0"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>'
)
JUNIT = {"Content-Type": "application/junit+xml"}


def start(client: httpx.Client, **fields: Any) -> str:  # noqa: ANN401 - whatever a document holds
    response = client.post("/v1/runs", json={"workflow": "invoice-sync", **fields})
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/v1/runs/{response.json()['run_id']}"
    return str(response.json()["run_id"])


def test_a_run_is_started_told_of_proven_and_closed(api: Api) -> None:
    client = api.client()
    run_id = start(client, promised=["report.txt"], code_version="a1b2c3d", environment="prod")
    event = {"kind": "tool", "name": "stripe.list", "text": "40 invoices", "duration_ms": 1100}
    assert client.post(f"/v1/runs/{run_id}/events", json=event).status_code == 201
    put = client.put(f"/v1/runs/{run_id}/artifacts/report.txt", content=b"40 invoices\n")
    assert put.json() | {"run_id": ""} == {
        "run_id": "",
        "name": "report.txt",
        "check": "verified",
        "sha256": hashlib.sha256(b"40 invoices\n").hexdigest(),
        "size": 12,
        "media_type": None,
        "detail": "",
    }
    api.clock.advance(10)
    closed = client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0, "input_tokens": 7})
    assert closed.status_code == 200
    assert (closed.json()["outcome"], closed.json()["verdict"]) == ("closed", "passed")
    run = client.get(f"/v1/runs/{run_id[-8:]}").json()
    assert (run["run_id"], run["verdict"], run["state"]) == (run_id, "passed", "closed")
    assert (run["agent_name"], run["environment"], run["branch"]) == ("invoice-bot", "prod", "main")
    assert run["artifacts"][0]["excerpt"] == "40 invoices\n"
    assert [event["name"] for event in run["events"]] == ["stripe.list"]
    assert run["ended_at"] == iso(START + 10 * SECOND)


def test_a_promise_that_is_not_kept_is_inconclusive(api: Api) -> None:
    client = api.client()
    run_id = start(client, promised=["report.txt"])
    closed = client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0}).json()
    assert (closed["verdict"], closed["reason"]) == ("inconclusive", "missing_artifact_ref")


def test_naming_what_was_uploaded_keeps_the_upload(api: Api) -> None:
    client = api.client()
    run_id = start(client)
    client.put(f"/v1/runs/{run_id}/artifacts/out/report.txt", content=b"fine")
    end = {"exit_code": 0, "artifacts": [{"name": "out/report.txt", "uri": "s3://b/report.txt"}]}
    assert client.post(f"/v1/runs/{run_id}/close", json=end).json()["verdict"] == "passed"


@pytest.mark.parametrize(
    ("report", "verdict", "reason"),
    [(GREEN, "passed", None), (RED, "failed", "tests_failed")],
)
def test_an_uploaded_report_is_judged_by_its_elements(
    api: Api, report: bytes, verdict: str, reason: str | None
) -> None:
    client = api.client()
    run_id = start(client)
    put = client.put(f"/v1/runs/{run_id}/artifacts/junit.xml", content=report, headers=JUNIT)
    assert put.json()["check"] == "verified"
    closed = client.post(f"/v1/runs/{run_id}/close", json={}).json()
    assert (closed["verdict"], closed["reason"]) == (verdict, reason)
    assert closed["tests"]["total"] == 2


def test_reports_of_one_run_add_up_and_none_replaces_another(api: Api) -> None:
    client = api.client()
    run_id = start(client)
    for _ in range(2):  # the same upload again counts once
        client.put(f"/v1/runs/{run_id}/artifacts/a.xml", content=GREEN, headers=JUNIT)
    client.put(f"/v1/runs/{run_id}/artifacts/b.xml", content=RED, headers=JUNIT)
    again = client.put(f"/v1/runs/{run_id}/artifacts/b.xml", content=GREEN, headers=JUNIT)
    problem(again, 409, "report_counted")
    closed = client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0}).json()
    assert closed["verdict"] == "failed"
    assert closed["tests"] == {"total": 4, "executed": 4, "failed": 1, "failed_names": ["b"]}


@pytest.mark.parametrize("by", ["query", "header"])
def test_other_bytes_than_announced_are_a_mismatch(api: Api, by: str) -> None:
    client = api.client()
    run_id = start(client)
    wanted = hashlib.sha256(b"what was meant").digest()
    path = f"/v1/runs/{run_id}/artifacts/a"
    if by == "query":
        put = client.put(path, content=b"other", params={"sha256": wanted.hex()})
    else:
        digest = f"md5=:AAAA:, sha-256=:{base64.b64encode(wanted).decode()}:"
        put = client.put(path, content=b"other", headers={"Content-Digest": digest})
    assert put.json()["check"] == "mismatch"
    closed = client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0}).json()
    assert (closed["verdict"], closed["reason"]) == ("failed", "digest_mismatch")


def test_the_same_close_again_is_answered_with_the_stored_result(api: Api) -> None:
    client = api.client()
    run_id = start(client)
    end = {"exit_code": 1, "sent_at": iso(START)}
    first = client.post(f"/v1/runs/{run_id}/close", json=end)
    api.clock.advance(5)
    # Sent again later, its own clock differs; what it says does not.
    again = client.post(f"/v1/runs/{run_id}/close", json=end | {"sent_at": iso(START + 5 * SECOND)})
    assert (first.json()["outcome"], again.json()["outcome"]) == ("closed", "repeated")
    assert again.status_code == 200
    assert first.json() | {"outcome": ""} == again.json() | {"outcome": ""}


def test_another_close_changes_nothing_and_leaves_an_event(api: Api) -> None:
    client = api.client()
    run_id = start(client)
    client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 1})
    late = client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0})
    document = problem(late, 409, "late_close")
    assert (document["run_id"], document["run"]["verdict"]) == (run_id, "failed")
    run = client.get(f"/v1/runs/{run_id}").json()
    assert run["verdict"] == "failed"
    assert [event["kind"] for event in run["events"]] == ["late_close"]


def test_a_close_after_the_deadline_finds_the_run_abandoned(api: Api) -> None:
    client = api.client()
    run_id = start(client, timeout_seconds=60, grace_seconds=0)
    api.clock.advance(61)
    late = client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0})
    assert problem(late, 409, "late_close")["run"]["reason"] == "run_abandoned"
    for method, path in (("PUT", "artifacts/a"), ("POST", "events")):
        body = b"x" if method == "PUT" else b'{"kind":"log"}'
        response = client.request(method, f"/v1/runs/{run_id}/{path}", content=body)
        problem(response, 409, "run_closed")


def test_of_two_who_close_the_same_run_one_wins(api: Api) -> None:
    secret_client = api.client()
    run_id = start(secret_client)
    barrier = threading.Barrier(6)
    outcomes: list[int] = []

    def close(code: int) -> None:
        with httpx.Client(base_url=api.url, headers=secret_client.headers, timeout=20) as client:
            barrier.wait()
            response = client.post(f"/v1/runs/{run_id}/close", json={"exit_code": code})
            outcomes.append(response.status_code)

    threads = [threading.Thread(target=close, args=(code,)) for code in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200, 409, 409, 409, 409, 409]
    run = secret_client.get(f"/v1/runs/{run_id}").json()
    assert [event["kind"] for event in run["events"]] == ["late_close"] * 5


def test_a_whole_run_is_recorded_in_one_call(api: Api) -> None:
    client = api.client()
    document = {
        "workflow": "invoice-sync",
        "started_at": iso(START - 60 * SECOND),
        "ended_at": iso(START - SECOND),
        "exit_code": 0,
        "promised": ["report.txt"],
        "artifacts": [{"name": "report.txt", "text": "40 invoices"}],
        "events": [{"kind": "tool", "name": "stripe.list"}],
        "cost": 0.0125,
        "cost_limit": 1,
        "every_seconds": 3600,
        "stdout_tail": "done\n",
    }
    recorded = client.post("/v1/runs:record", json=document)
    assert recorded.status_code == 201, recorded.text
    assert recorded.json()["verdict"] == "passed"
    run = client.get(recorded.headers["location"]).json()
    assert (run["cost"], run["every_seconds"], run["stdout_tail"]) == ("0.012500", 3600.0, "done\n")
    assert [event["name"] for event in run["events"]] == ["stripe.list"]
    answer = client.get("/v1/failing").json()
    assert (answer["headline"], answer["counts"]["passing"]) == ("nothing_failing", 1)


def test_the_clock_of_the_client_is_corrected_by_what_it_says_as_it_sends(api: Api) -> None:
    client = api.client()
    behind = 40 * SECOND
    document = {
        "workflow": "w",
        "exit_code": 1,
        "started_at": iso(START - 100 * SECOND - behind),
        "ended_at": iso(START - 90 * SECOND - behind),
        "sent_at": iso(START - behind),
    }
    run_id = client.post("/v1/runs:record", json=document).json()["run_id"]
    run = client.get(f"/v1/runs/{run_id}").json()
    assert run["started_at"] == iso(START - 100 * SECOND)
    assert run["ended_at"] == iso(START - 90 * SECOND)
    assert run["occurred_at"] == document["started_at"]


def test_an_old_run_without_an_end_does_not_make_the_answer_look_fresh(api: Api) -> None:
    client = api.client()
    old = {"workflow": "w", "exit_code": 1, "started_at": iso(START - 2 * DAY)}
    client.post("/v1/runs:record", json=old)
    answer = client.get("/v1/failing").json()
    assert answer["headline"] == "stale"
    assert answer["newest_record_at"] == old["started_at"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/runs", {"workflow": "w"}),
        ("/v1/runs:record", {"workflow": "w", "exit_code": 0}),
    ],
)
def test_a_key_makes_a_write_happen_once(api: Api, path: str, body: dict[str, Any]) -> None:
    client = api.client()
    headers = {"Idempotency-Key": '"nightly 7"'}
    first, again = (client.post(path, json=body, headers=headers) for _ in range(2))
    assert (
        (first.status_code, first.json())
        == (again.status_code, again.json())
        == (201, again.json())
    )
    assert first.headers["location"] == again.headers["location"]
    other = client.post(path, json=body | {"branch": "x"}, headers=headers)
    problem(other, 422, "idempotency_key_reused")
    stranger = api.client(agent="other").post(path, json=body, headers=headers)
    assert stranger.json()["run_id"] != first.json()["run_id"]


def test_a_key_holds_for_events_uploads_and_closes_too(api: Api) -> None:
    client = api.client()
    run_id = start(client)
    headers = {"Idempotency-Key": "k1"}
    for _ in range(2):
        client.post(f"/v1/runs/{run_id}/events", json={"kind": "log"}, headers=headers)
    put = [
        client.put(f"/v1/runs/{run_id}/artifacts/a", content=content, headers=headers)
        for content in (b"one", b"one", b"two")
    ]
    assert [response.status_code for response in put] == [200, 200, 422]
    close = [
        client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0}, headers=headers)
        for _ in range(2)
    ]
    assert [response.json()["outcome"] for response in close] == ["closed", "closed"]
    run = client.get(f"/v1/runs/{run_id}").json()
    assert len(run["events"]) == 1
    assert run["artifacts"][0]["excerpt"] == "one"


def test_the_answer_over_http_names_what_fails_and_takes_its_filters(api: Api) -> None:
    client = api.client()
    for workflow, branch, code in (("a", "main", 1), ("b", "main", 0), ("c", "topic", 1)):
        document = {
            "workflow": workflow,
            "branch": branch,
            "exit_code": code,
            "artifacts": [{"name": "out", "text": "x"}],
        }
        client.post("/v1/runs:record", json=document)
    answer = client.get("/v1/failing").json()
    assert [series["workflow"] for series in answer["series"]] == ["a"]
    assert (answer["headline"], answer["other_branches"]) == ("failing", 1)
    everywhere = client.get("/v1/failing", params={"all_branches": "true"}).json()
    assert [series["workflow"] for series in everywhere["series"]] == ["a", "c"]
    assert client.get("/v1/failing?workflow=b").json()["headline"] == "nothing_failing"
    assert client.get("/v1/failing?place=topic").json()["series"][0]["workflow"] == "c"
    later = client.get("/v1/failing", params={"since": iso(START + SECOND)}).json()
    assert later["headline"] == "nothing_new"
