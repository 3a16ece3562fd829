"""Approvals over HTTP: asked for, waited for, decided by people, executed once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from faultbook.operations.approval_clock import sweep_approvals
from faultbook.store import audit
from tests.intake.http.approving import ANA, BEN, CHRIS, REFUND, Desk, desk, sqlite_desk
from tests.intake.http.conftest import problem
from tests.intake.http.working import add, claim, worker

__all__ = ["desk", "sqlite_desk"]


def test_an_action_is_asked_for_approved_and_executed_exactly_as_it_was_shown(desk: Desk) -> None:
    asked = desk.ask(effect="the card is credited", evidence=[{"name": "e", "url": "https://x/1"}])
    assert (asked["id"], asked["state"], asked["decision"], asked["executed"]) == (
        "A-1",
        "pending",
        None,
        False,
    )
    assert (asked["counted"], asked["needed"], asked["executed_by"]) == (0, 1, "agent")
    decided = desk.decide(asked).json()
    assert (decided["state"], decided["decision"]) == ("approved", "approved")
    assert decided["decided_by"] == "Ben Okafor"
    grant = desk.tell(asked, "execute", digest=asked["digest"]).json()
    assert grant["action"] == {
        "kind": "refund",
        "target": "c_881",
        "environment": "production",
        "parameters": {"amount": "120.00", "currency": "EUR"},
    }
    assert grant["seconds"] == 300
    done = desk.tell(asked, "executed", grant=grant["grant"], words="re_1").json()
    assert (done["state"], done["executed"], done["outcome"]) == ("executed", True, "re_1")
    assert desk.audited() == [
        "approval.requested",
        "vote.approve",
        "execution.begun",
        "execution.executed",
    ]


def test_the_same_request_again_is_the_same_approval(desk: Desk) -> None:
    asked = desk.ask()
    assert desk.ask(200) == asked
    assert desk.ask(200, parameters={"currency": "EUR", "amount": "120.00"})["id"] == asked["id"]
    assert desk.ask(201, parameters={"amount": "121.00", "currency": "EUR"})["id"] == "A-2"
    assert desk.audited().count("approval.requested") == 2


def test_an_idempotency_key_asks_once_and_a_refusal_is_kept_under_none(desk: Desk) -> None:
    key = {"Idempotency-Key": "first"}
    one = desk.agent.post("/v1/approvals", json=REFUND, headers=key)
    desk.decide(one.json(), verb="deny", reason="no")
    again = desk.agent.post("/v1/approvals", json=REFUND, headers=key)
    assert (again.status_code, again.json()) == (201, one.json())
    assert again.headers["location"] == "/v1/approvals/A-1"
    ask = {**REFUND, "kind": "mail"}
    desk.ask(kind="mail", target="other")
    second = {"Idempotency-Key": "second"}
    refused = desk.agent.post("/v1/approvals", json=ask, headers=second)
    problem(refused, 429, "approval_rate_limited")
    desk.api.clock.advance(7_200)
    assert desk.agent.post("/v1/approvals", json=ask, headers=second).status_code == 201


def test_asking_too_often_is_429_and_says_when_to_come_back(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    desk.ask(kind="mail")
    desk.ask(kind="mail", target="y")
    refused = desk.agent.post("/v1/approvals", json={**REFUND, "kind": "mail", "target": "x"})
    told = problem(refused, 429, "approval_rate_limited")
    assert told["retryable"] is True
    assert refused.headers["retry-after"] == "600"
    assert desk.audited()[-1] == "approval.refused"


def test_a_kind_that_nobody_decides_is_refused_with_the_lines_to_add(sqlite_desk: Desk) -> None:
    refused = sqlite_desk.agent.post("/v1/approvals", json={**REFUND, "kind": "launch"})
    told = problem(refused, 403, "no_policy")
    assert 'kinds = ["launch"]' in told["next_step"]
    assert sqlite_desk.audited() == ["approval.refused"]


def test_a_denial_is_typed_and_the_same_is_denied_again_without_asking(desk: Desk) -> None:
    asked = desk.ask()
    denied = desk.decide(asked, verb="deny", reason="wrong customer").json()
    for told in (denied, desk.read(asked), desk.read(asked, wait=5)):
        assert told["state"] == "denied"
        assert told["decision"] == "denied"
        assert told["executed"] is False
        assert told["reason"] == "wrong customer"
    again = desk.ask()
    assert (again["id"], again["decision"], again["decided_by"]) == (
        "A-2",
        "denied",
        "the loop breaker",
    )


def test_a_decision_that_was_taken_before_the_agent_waits_is_found_at_once(desk: Desk) -> None:
    asked = desk.ask()
    desk.decide(asked)
    assert desk.read(asked, wait=30)["decision"] == "approved"  # the client's own limit is 20 s


def test_who_waits_hears_of_the_decision(desk: Desk) -> None:
    asked = desk.ask()
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(desk.read, asked, 15) for _ in range(3)]
        time.sleep(0.2)
        assert not any(one.done() for one in waiting)
        desk.decide(asked, verb="deny", reason="no")
        assert [one.result()["state"] for one in waiting] == ["denied"] * 3


def test_a_wait_ends_with_what_is_known_by_then(desk: Desk) -> None:
    assert desk.read(desk.ask(), wait=0.2)["state"] == "pending"


def test_who_waits_hears_that_the_time_is_over(desk: Desk) -> None:
    asked = desk.ask(ttl_seconds=60)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(desk.read, asked, 15)
        time.sleep(0.1)
        desk.api.clock.advance(120)
        told = waiting.result()
    assert (told["state"], told["decision"], told["executed"]) == ("expired", "denied", False)
    assert desk.audited()[-1] == "approval.expired"


def test_what_is_over_is_never_shown_as_pending(desk: Desk) -> None:
    asked = desk.ask(ttl_seconds=60)
    desk.api.clock.advance(120)
    assert desk.read(asked)["state"] == "expired"


def test_what_faultbook_executes_is_waited_for_until_it_has_ended(sqlite_desk: Desk) -> None:
    asked = sqlite_desk.ask(kind="publish")
    decided = sqlite_desk.decide(asked).json()
    assert decided["executed_by"] == "faultbook"
    assert sqlite_desk.read(asked, wait=0.3)["state"] == "approved"
    refused = sqlite_desk.tell(asked, "execute", digest=asked["digest"])
    problem(refused, 409, "executed_by_faultbook")


def test_of_many_that_want_to_execute_one_gets_the_grant(desk: Desk) -> None:
    asked = desk.approved()
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(desk.tell, asked, "execute", digest=asked["digest"]) for _ in range(8)]
        answers = [one.result() for one in tries]
    assert sorted(one.status_code for one in answers) == [200] + [409] * 7
    problem(next(one for one in answers if one.status_code == 409), 409, "approval_executing")


def test_a_grant_whose_answer_was_lost_comes_again_by_its_key_until_it_is_used(desk: Desk) -> None:
    asked = desk.approved()
    path, key = f"/v1/approvals/{asked['id']}/execute", {"Idempotency-Key": "k"}
    body = {"digest": asked["digest"]}
    first = desk.agent.post(path, json=body, headers=key).json()
    assert desk.agent.post(path, json=body, headers=key).json() == first
    desk.tell(asked, "executed", grant=first["grant"])
    problem(desk.agent.post(path, json=body, headers=key), 409, "approval_executed")


def test_a_report_counts_once_and_the_same_again_is_the_same(desk: Desk) -> None:
    asked = desk.approved()
    grant = desk.tell(asked, "execute", digest=asked["digest"]).json()["grant"]
    failed = desk.tell(asked, "failed", grant=grant, words="card_closed").json()
    assert (failed["state"], failed["decision"], failed["executed"]) == (
        "execution_failed",
        "approved",
        False,
    )
    assert desk.tell(asked, "failed", grant=grant, words="card_closed").status_code == 200
    problem(desk.tell(asked, "executed", grant=grant), 409, "approval_execution_failed")
    problem(desk.tell(asked, "executed", grant="0" * 32), 403, "grant_mismatch")


def test_a_grant_that_nobody_reports_is_unknown_until_a_person_says_what_happened(
    desk: Desk,
) -> None:
    asked = desk.approved()
    grant = desk.tell(asked, "execute", digest=asked["digest"]).json()["grant"]
    desk.api.clock.advance(600)
    desk.api.store.write(sweep_approvals)
    told = desk.read(asked)
    assert (told["state"], told["executed"]) == ("execution_unknown", None)
    problem(desk.tell(asked, "executed", grant=grant), 409, "approval_execution_unknown")
    path = f"/v1/approvals/{asked['id']}/outcome"
    ben = desk.person(BEN)
    problem(ben.post(path, json={"happened": True, "words": " "}), 422, "reason_required")
    recorded = ben.post(path, json={"happened": True, "words": "re_1 is there"}).json()
    assert (recorded["state"], recorded["executed"]) == ("executed", True)
    assert recorded["outcome"] == "re_1 is there (Ben Okafor)"
    problem(ben.post(path, json={"happened": False, "words": "no"}), 409, "outcome_known")


def test_who_is_gone_records_nothing_and_who_slack_says_nothing_of_does(desk: Desk) -> None:
    unknown, broken = desk.approved(), desk.ask(target="c_882")
    desk.tell(unknown, "execute", digest=unknown["digest"])
    desk.decide(broken, BEN, "break-glass", "the bank calls")
    desk.api.clock.advance(600)
    desk.api.store.write(sweep_approvals)
    chris = desk.person(CHRIS)
    told: list[tuple[str, dict[str, Any], str]] = [
        (
            f"/v1/approvals/{unknown['id']}/outcome",
            {"happened": True, "words": "re_1 is there"},
            "outcome.refused",
        ),
        (f"/v1/approvals/{broken['id']}/review", {"note": "fine"}, "review.refused"),
    ]
    for path, body, kind in told:
        desk.slack.gone.add(CHRIS)
        problem(chris.post(path, json=body), 403, "not_active")
        assert desk.audited()[-1] == kind
        desk.slack.gone.clear()
        desk.slack.is_away = True
        assert chris.post(path, json=body).status_code == 200
        desk.slack.is_away = False
    assert desk.read(unknown)["state"] == "executed"
    assert desk.read(broken)["review_due_at"] is None


def test_an_approver_who_is_gone_by_then_withdraws_the_approval(desk: Desk) -> None:
    asked = desk.approved()
    desk.slack.gone.add(BEN)
    refused = desk.tell(asked, "execute", digest=asked["digest"])
    problem(refused, 403, "approver_gone")
    assert desk.read(asked)["decision"] == "denied"


def test_while_slack_is_away_nothing_counts_and_nothing_is_withdrawn(desk: Desk) -> None:
    approved, asked = desk.approved(), desk.ask(target="c_882")
    desk.slack.is_away = True
    told = problem(desk.decide(asked), 503, "lookup_failed")
    assert told["retryable"] is True
    assert desk.audited()[-1] == "vote.refused"
    problem(desk.tell(approved, "execute", digest=approved["digest"]), 503, "lookup_failed")
    desk.slack.is_away = False
    assert desk.read(asked)["state"] == "pending"
    assert desk.tell(approved, "execute", digest=approved["digest"]).status_code == 200


def test_slack_is_asked_as_far_as_the_approvals_own_policy_needs_it(desk: Desk) -> None:
    asked = desk.approved()
    desk.tell(asked, "execute", digest=asked["digest"])
    desk.decide(desk.ask(target="c_882"), BEN, "break-glass", "the bank calls")
    desk.decide({"id": "A-99", "digest": "0" * 64})
    desk.person(BEN).post(f"/v1/approvals/{asked['id']}/review", json={"note": "fine"})
    named = ["refund-prod"]
    assert desk.slack.asked_for == [named, named, named, [], []]


def test_two_have_to_approve_and_each_counts_once(desk: Desk) -> None:
    asked = desk.ask(kind="deploy")
    one = desk.decide(asked).json()
    assert (one["state"], one["counted"], one["needed"]) == ("pending", 1, 2)
    problem(desk.decide(asked), 409, "already_voted")
    assert desk.decide(asked, CHRIS).json()["state"] == "approved"
    problem(desk.decide(asked, ANA), 409, "already_approved")
    assert desk.audited().count("vote.refused") == 2


def test_a_denial_without_its_required_reason_does_not_count(sqlite_desk: Desk) -> None:
    asked = sqlite_desk.ask(kind="deploy")
    told = problem(sqlite_desk.decide(asked, verb="deny", reason=" "), 422, "reason_required")
    assert "two-of-us" in told["detail"]


def test_who_is_behind_a_request_does_not_decide_it_by_id_or_by_name(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    owned = desk.api.client("approvals:request", agent="other-bot", owner="ben okafor")
    asked = owned.post("/v1/approvals", json=REFUND).json()
    problem(desk.decide(asked, BEN), 403, "self_review")
    assert desk.decide(asked, CHRIS).status_code == 200


def test_the_one_whose_task_it_is_does_not_decide_it(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    people = worker(desk.api)
    task = add(people, "export the invoices", requester="Ana Ruiz")
    held = claim(worker(desk.api, agent="invoice-bot"))
    asker = desk.api.client("approvals:request", agent="invoice-bot")
    asked = asker.post("/v1/approvals", json={**REFUND, "task": task}).json()
    assert asked["task"] == task
    assert held.task()["state"] == "waiting"
    told = problem(desk.decide(asked, ANA), 403, "self_review")
    assert task in told["detail"]
    assert desk.decide(asked, BEN).status_code == 200
    assert held.task()["state"] == "running"
    problem(desk.agent.post("/v1/approvals", json={**REFUND, "task": task}), 403, "agent_mismatch")


def test_a_changed_request_supersedes_the_one_that_waited(desk: Desk) -> None:
    first = desk.ask(run_id="r1")
    second = desk.ask(run_id="r1", parameters={"amount": "130.00"})
    told = desk.read(first, wait=5)
    assert (told["state"], told["decision"], told["superseded_by"]) == (
        "superseded",
        "superseded",
        second["id"],
    )
    refused = problem(desk.decide(first), 409, "already_superseded")
    assert second["id"] in refused["detail"]
    third = desk.ask(supersedes=second["id"], kind="deploy")
    assert desk.read(second)["superseded_by"] == third["id"]


def test_who_asked_takes_it_back_and_nobody_else(desk: Desk) -> None:
    asked = desk.ask()
    stranger = desk.api.client("approvals:request", agent="stranger")
    path = f"/v1/approvals/{asked['id']}/cancel"
    problem(stranger.post(path), 403, "agent_mismatch")
    assert desk.tell(asked, "cancel").json()["decision"] == "cancelled"
    problem(desk.tell(asked, "cancel"), 409, "already_cancelled")


def test_the_glass_is_broken_by_its_own_people_with_a_reason_and_reviewed_by_another(
    desk: Desk,
) -> None:
    asked = desk.ask()
    problem(desk.decide(asked, CHRIS, "break-glass", "urgent"), 403, "no_break_glass")
    problem(desk.decide(asked, BEN, "break-glass", ""), 422, "reason_required")
    broken = desk.decide(asked, BEN, "break-glass", "the bank calls").json()
    assert (broken["state"], broken["is_bypass"]) == ("approved", True)
    assert broken["review_due_at"]
    review = f"/v1/approvals/{asked['id']}/review"
    problem(desk.person(BEN).post(review, json={"note": "fine"}), 403, "own_review")
    reviewed = desk.person(CHRIS).post(review, json={"note": "fine"}).json()
    assert reviewed["review_due_at"] is None
    assert desk.tell(asked, "execute", digest=asked["digest"]).status_code == 200


def test_the_list_says_what_waits_and_what_was(desk: Desk) -> None:
    first, second = desk.ask(ttl_seconds=600), desk.ask(target="b", ttl_seconds=60)
    desk.decide(desk.ask(target="c"), verb="deny", reason="no")

    def ids(**asked: str) -> list[str]:
        found = desk.agent.get("/v1/approvals", params=asked).json()
        return [one["id"] for one in found["approvals"]]

    assert ids() == [second["id"], first["id"]]
    assert ids(state="denied") == ["A-3"]
    assert ids(state="all") == ["A-3", "A-2", "A-1"]
    assert ids(state="all", limit="1") == ["A-3"]
    everything = desk.api.client("approvals:read", agent="watcher")
    assert (
        len(everything.get("/v1/approvals", params={"agent": "refund-bot"}).json()["approvals"])
        == 2
    )


def test_an_agent_that_may_only_ask_sees_its_own(sqlite_desk: Desk) -> None:
    asked = sqlite_desk.ask()
    other = sqlite_desk.api.client("approvals:request", agent="stranger")
    assert other.get("/v1/approvals").json() == {"approvals": []}
    problem(other.get("/v1/approvals", params={"agent": "refund-bot"}), 403, "agent_mismatch")
    path = f"/v1/approvals/{asked['id']}"
    problem(other.get(path), 403, "agent_mismatch")
    problem(other.post(f"{path}/execute", json={"digest": asked["digest"]}), 403, "agent_mismatch")
    problem(other.post(f"{path}/executed", json={"grant": "0" * 32}), 403, "agent_mismatch")
    assert sqlite_desk.audited()[-2:] == ["execution.refused", "report.refused"]


def test_a_server_that_stops_ends_the_waits(sqlite_desk: Desk) -> None:
    asked = sqlite_desk.ask()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(sqlite_desk.read, asked, 18)
        time.sleep(0.2)
        sqlite_desk.stop_waiting()
        assert waiting.result(20)["state"] == "pending"


@pytest.mark.parametrize("verb", ["approve", "deny", "break-glass", "review", "outcome"])
def test_no_agent_decides(sqlite_desk: Desk, verb: str) -> None:
    asked = sqlite_desk.ask()
    body = {"digest": asked["digest"], "reason": "me"}
    refused = sqlite_desk.agent.post(f"/v1/approvals/{asked['id']}/{verb}", json=body)
    problem(refused, 403, "not_a_person")
    assert sqlite_desk.read(asked)["votes"] == []
    [entry] = sqlite_desk.api.store.read(lambda tx: audit.list_newest(tx, 1))
    kinds = {"break-glass": "bypass", "review": "review", "outcome": "outcome"}
    assert entry.kind == f"{kinds.get(verb, 'vote')}.refused"
    assert (entry.subject, "not_a_person" in entry.record) == (asked["id"], True)
    assert entry.actor.startswith("refund-bot (")


def test_forty_clicks_by_token_decide_once(desk: Desk) -> None:
    asked = desk.ask()
    people = [desk.person(who) for who in (ANA, BEN, CHRIS)]
    begin = threading.Barrier(12)

    def click(index: int) -> int:
        begin.wait()
        verb = "approve" if index % 2 else "deny"
        body = {"digest": asked["digest"], "reason": "r"}
        path = f"/v1/approvals/{asked['id']}/{verb}"
        return people[index % 3].post(path, json=body).status_code

    with ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(click, range(12)))
    assert sorted(codes) == [200] + [409] * 11
    told = desk.read(asked)
    assert told["state"] in {"approved", "denied"}
    assert len(told["votes"]) == 1
