"""Running what was approved: one grant, for exactly that, reported once or unknown."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from faultbook.base.clock import SECOND
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_policy import ApprovalPolicies, ExecutorPlan, Membership
from faultbook.model.approval_sight import Earlier
from faultbook.operations.approval_notices import ApprovalNotice
from faultbook.operations.approval_reporting import nobody_confirms
from faultbook.operations.approval_sight import read_approval_sight
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.execution import (
    Grant,
    begin_execution,
    give_up,
    record_outcome,
    report_execution,
    sweep_grants,
)
from faultbook.store.engine import Store, open_store
from faultbook.store.transaction import Transaction
from tests.approval_desk import EVE, REFUND, ApprovalDesk, member
from tests.conftest import START, FrozenClock
from tests.task_desk import AGENT, BEN


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    return ApprovalDesk(store)


@pytest.fixture
def approved(desk: ApprovalDesk) -> Approval:
    asked = desk.ask(webhook="https://agent.example/hook")
    return desk.counted(asked).approval


def test_what_was_approved_runs_once_and_its_report_ends_it(
    desk: ApprovalDesk, approved: Approval, clock: FrozenClock
) -> None:
    grant = desk.granted(approved)
    assert grant.until == clock.instant + 300 * SECOND
    assert grant.approval.state is ApprovalState.EXECUTING
    assert grant.approval.action == approved.action
    at = clock.advance(10)
    ended = desk.report(approved, grant.id, words="refund re_1, key sk_live_abcdefghijklmnop")
    assert isinstance(ended, Approval)
    assert (ended.state, ended.executed_at) == (ApprovalState.EXECUTED, at)
    assert ended.outcome == "refund re_1, key [REDACTED:stripe-access-token]"
    assert desk.audited()[2:] == [
        ("execution.begun", approved.id, AGENT),
        ("execution.executed", approved.id, AGENT),
    ]
    hooks = [one["approval"] for one in desk.owed(ApprovalNotice.WEBHOOK)]
    assert hooks == [approved.number] * 2  # its decision, and its outcome


def test_a_failure_is_reported_as_one(desk: ApprovalDesk, approved: Approval) -> None:
    grant = desk.granted(approved)
    ended = desk.report(approved, grant.id, worked=False, words="card_closed")
    assert isinstance(ended, Approval)
    assert (ended.state, ended.outcome) == (ApprovalState.EXECUTION_FAILED, "card_closed")
    assert desk.kinds()[-1] == "execution.failed"


def test_a_repeated_report_is_answered_and_another_one_is_not_used(
    desk: ApprovalDesk, approved: Approval
) -> None:
    grant = desk.granted(approved)
    first = desk.report(approved, grant.id)
    entries = len(desk.audited())
    assert desk.report(approved, grant.id) == first
    assert len(desk.audited()) == entries
    error = desk.refused(
        desk.report(approved, grant.id, worked=False), "report.refused", "approval_executed"
    )
    assert error.message == f"{approved.id} is executed; this report was not used."
    assert desk.find(approved) == first


@pytest.mark.parametrize("grant", ["", "0" * 32, "\u00e9\ud800"])
def test_a_report_without_the_grant_is_refused(sqlite_store: Store, grant: str) -> None:
    desk = ApprovalDesk(sqlite_store)
    asked = desk.counted(desk.ask()).approval
    desk.granted(asked)
    desk.refused(desk.report(asked, grant), "report.refused", "grant_mismatch")
    assert desk.find(asked).state is ApprovalState.EXECUTING


def test_a_report_of_what_never_began_is_refused(desk: ApprovalDesk, approved: Approval) -> None:
    answer = desk.report(approved, "")
    desk.refused(answer, "report.refused", "approval_approved")
    assert desk.find(approved) == approved


Begin = Callable[[ApprovalDesk, Approval], Grant | Refusal]
_RUNNER = replace(REFUND, executor=ExecutorPlan(command=("./refund",)))
_REFUSED: dict[str, tuple[Begin, str]] = {
    "another action": (
        lambda desk, asked: desk.begin(asked, digest="0" * 64),
        "digest_mismatch",
    ),
    "a part of the digest": (
        lambda desk, asked: desk.begin(asked, digest=asked.short_digest),
        "digest_mismatch",
    ),
    "no digest": (lambda desk, asked: desk.begin(asked, digest=""), "digest_mismatch"),
    "no text": (lambda desk, asked: desk.begin(asked, digest="\ud800"), "digest_mismatch"),
    "another agent": (
        lambda desk, asked: desk.begin(asked, executor="thief"),
        "agent_mismatch",
    ),
    "changed policy": (
        lambda desk, asked: desk.under(replace(REFUND, reason_to_deny=True)).begin(asked),
        "policy_changed",
    ),
    "policy gone": (
        lambda desk, asked: ApprovalDesk(desk.store, ApprovalPolicies()).begin(asked),
        "policy_changed",
    ),
    "Slack says nothing": (
        lambda desk, asked: desk.begin(
            asked, members={BEN.id: Membership(BEN.id, is_active=False, why_code="lookup_failed")}
        ),
        "lookup_failed",
    ),
}


def test_each_execution_that_may_not_be_is_audited_once_and_changes_nothing(
    desk: ApprovalDesk, approved: Approval
) -> None:
    for name, (try_it, code) in _REFUSED.items():
        entries = len(desk.audited())
        desk.refused(try_it(desk, approved), "execution.refused", code)
        assert len(desk.audited()) == entries + 1, name
        assert desk.find(approved) == approved, name
    desk.granted(approved)
    desk.refused(desk.begin(approved), "execution.refused", "approval_executing")


def test_only_what_is_approved_runs(desk: ApprovalDesk, clock: FrozenClock) -> None:
    pending, denied = desk.ask("c_1"), desk.ask("c_2")
    desk.deny(denied)
    expired = desk.ask("c_3", ttl_seconds=1)
    clock.advance(1)
    for asked, code in (
        (pending, "approval_pending"),
        (denied, "approval_denied"),
        (expired, "approval_expired"),
    ):
        desk.refused(desk.begin(asked), "execution.refused", code)


def test_what_faultbook_runs_itself_no_agent_runs(sqlite_store: Store) -> None:
    desk = ApprovalDesk(sqlite_store).under(_RUNNER)
    asked = desk.counted(desk.ask()).approval
    desk.refused(desk.begin(asked), "execution.refused", "executed_by_faultbook")
    grant = desk.granted(asked, executor="faultbook", holder="worker-1")
    assert grant.approval.state is ApprovalState.EXECUTING


def test_a_bypass_runs_without_voters_and_by_its_digest_only(
    desk: ApprovalDesk,
) -> None:
    asked = desk.ask()
    assert isinstance(desk.bypass(asked), Approval)
    desk.refused(desk.begin(asked, digest="0" * 64), "execution.refused", "digest_mismatch")
    assert desk.granted(asked, members={EVE.id: member(EVE)}).approval.is_bypass


def test_a_grant_that_nobody_reports_is_unknown_and_a_late_report_is_not_used(
    desk: ApprovalDesk, approved: Approval, clock: FrozenClock
) -> None:
    grant = desk.granted(approved)
    clock.advance(300)
    assert desk.store.write(sweep_grants) == 0
    clock.advance(1)
    assert desk.store.write(sweep_grants) == 1
    assert desk.store.write(sweep_grants) == 0
    unknown = desk.find(approved)
    assert unknown.state is ApprovalState.EXECUTION_UNKNOWN
    assert unknown.outcome == "nobody reported by the deadline"
    assert desk.audited()[-1] == ("execution.unknown", approved.id, "clock")
    error = desk.refused(
        desk.report(approved, grant.id), "report.refused", "approval_execution_unknown"
    )
    assert "record the outcome" in error.next_step
    desk.refused(desk.begin(approved), "execution.refused", "approval_execution_unknown")
    assert desk.find(approved) == unknown


def test_whoever_decides_about_the_same_action_again_learns_what_became_of_it(
    desk: ApprovalDesk, approved: Approval, clock: FrozenClock
) -> None:
    def earlier(asked: Approval) -> Earlier | None:
        return desk.store.read(read_approval_sight, asked.number, desk.policies).earlier

    again, other = desk.ask(agent="another-bot"), desk.ask("c_999")
    assert earlier(again) is None
    desk.granted(approved)
    assert earlier(again) == Earlier(approved.number, ApprovalState.EXECUTING, START)
    clock.advance(301)
    desk.store.write(sweep_grants)
    unknown = Earlier(approved.number, ApprovalState.EXECUTION_UNKNOWN, clock.instant)
    assert earlier(again) == unknown
    assert earlier(other) is None
    counted = desk.counted(again)
    assert earlier(counted.approval) is None


def test_that_the_same_ran_is_told_for_a_day(
    desk: ApprovalDesk, approved: Approval, clock: FrozenClock
) -> None:
    desk.report(approved, desk.granted(approved).id)
    clock.advance(86_400)
    again = desk.ask(agent="another-bot")
    found = desk.store.read(read_approval_sight, again.number, desk.policies)
    assert found.earlier == Earlier(approved.number, ApprovalState.EXECUTED, START)
    clock.advance(1)
    found = desk.store.read(read_approval_sight, again.number, desk.policies)
    assert found.earlier is None


def test_an_unknown_outcome_is_recorded_by_a_person_once(
    desk: ApprovalDesk, approved: Approval
) -> None:
    desk.granted(approved)

    def record(words: str, *, happened: bool = True) -> Approval | Refusal:
        def operation(tx: Transaction) -> Approval | Refusal:
            return record_outcome(tx, approved.number, BEN, words, member(BEN), happened=happened)

        return desk.store.write(operation)

    desk.refused(record("seen"), "outcome.refused", "outcome_known")
    assert desk.store.write(give_up, approved.number, "worker-1", "it was killed: token fb_x")
    assert not desk.store.write(give_up, approved.number, "worker-1", "twice")
    desk.refused(record(" "), "outcome.refused", "reason_required")
    found = record("the refund is in the bank's list", happened=True)
    assert isinstance(found, Approval)
    assert found.state is ApprovalState.EXECUTED
    assert found.outcome == "the refund is in the bank's list (Ben Okafor)"
    assert desk.audited()[-1] == ("outcome.recorded", approved.id, "Ben Okafor (UBEN)")
    error = desk.refused(record("no", happened=False), "outcome.refused", "outcome_known")
    assert error.message == f"{approved.id} is executed; nothing was recorded."
    assert desk.find(approved) == found


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Membership(BEN.id, is_active=False), "not_active"),
        (Membership(BEN.id, is_active=False, why_not="Gone.", why_code="guest"), "guest"),
        (Membership("USOMEBODY"), "not_active"),
    ],
)
def test_who_may_not_act_records_no_outcome_and_that_is_audited(
    desk: ApprovalDesk, approved: Approval, told: Membership, code: str
) -> None:
    desk.granted(approved)
    desk.store.write(give_up, approved.number, "clock", "nobody reported")
    before = desk.find(approved)

    def record(tx: Transaction) -> Approval | Refusal:
        return record_outcome(tx, approved.number, BEN, "it is there", told, happened=True)

    error = desk.refused(desk.store.write(record), "outcome.refused", code)
    assert error.message == (told.why_not or error.message) != ""
    assert desk.audited()[-1] == ("outcome.refused", approved.id, "Ben Okafor (UBEN)")
    assert desk.find(approved) == before


def test_an_outcome_is_recorded_although_slack_could_not_be_asked(
    desk: ApprovalDesk, approved: Approval
) -> None:
    desk.granted(approved)
    desk.store.write(give_up, approved.number, "clock", "nobody reported")
    told = nobody_confirms(BEN)

    def record(tx: Transaction) -> Approval | Refusal:
        return record_outcome(tx, approved.number, BEN, "it is there", told, happened=True)

    found = desk.store.write(record)
    assert isinstance(found, Approval)
    assert found.state is ApprovalState.EXECUTED


def _at_once(count: int, act: Callable[[int], None]) -> None:
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        act(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_forty_callers_one_gets_the_grant_and_of_forty_reports_one_ends_it(
    store_url: str, clock: FrozenClock
) -> None:
    stores = [open_store(store_url, clock) for _ in range(2)]
    desk = ApprovalDesk(stores[0])
    asked = desk.counted(desk.ask()).approval
    members = {BEN.id: member(BEN)}
    begun: list[Grant | Refusal] = []
    ended: list[Approval | Refusal] = []

    def begin(number: int) -> None:
        begun.append(
            stores[number % 2].write(
                begin_execution, asked.number, asked.digest, AGENT, members, desk.policies
            )
        )

    def report(number: int) -> None:
        def told(tx: Transaction) -> Approval | Refusal:
            worked = number % 2 == 0
            return report_execution(
                tx, asked.number, grant.id, AGENT, worked=worked, words=f"re_{number}"
            )

        ended.append(stores[number % 2].write(told))

    _at_once(40, begin)
    [grant] = [one for one in begun if isinstance(one, Grant)]
    refused = [one.error.code for one in begun if isinstance(one, Refusal)]
    _at_once(40, report)
    [end] = [one for one in ended if isinstance(one, Approval)]
    found, kinds = desk.find(asked), desk.kinds()
    for one in stores:
        one.close()
    assert refused == ["approval_executing"] * 39
    assert found == end
    assert kinds.count("execution.begun") == 1
    assert kinds.count("execution.refused") == 39
    assert kinds.count("report.refused") == 39
    assert sum(kind in {"execution.executed", "execution.failed"} for kind in kinds) == 1
