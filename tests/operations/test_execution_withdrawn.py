"""What was approved and may not run any more is denied, so that nobody waits for it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_policy import ExecutorPlan, Membership
from faultbook.operations.approval_notices import ApprovalNotice
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.tasks import cancel_task
from faultbook.store.engine import Store
from faultbook.store.schema_approvals import approvals
from faultbook.store.transaction import Transaction
from tests.approval_desk import CARA, EVE, REFUND, TWO, ApprovalDesk, member
from tests.conftest import FrozenClock
from tests.task_desk import ANA, BEN, TaskDesk

_RUNNER = replace(REFUND, executor=ExecutorPlan(command=("./refund",)))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {BEN.id: member(BEN, is_active=False), CARA.id: member(CARA)},
        {BEN.id: member(BEN, groups=frozenset()), CARA.id: member(CARA)},
    ],
    ids=["nobody is known", "one was removed", "one left the group"],
)
def test_an_approver_who_is_gone_at_execution_denies_it(
    store: Store, members: dict[str, Membership]
) -> None:
    desk = ApprovalDesk(store).under(TWO)
    asked = desk.ask(webhook="https://agent.example/hook")
    desk.counted(asked, BEN)
    approved = desk.counted(asked, CARA).approval
    assert approved.state is ApprovalState.APPROVED
    desk.refused(desk.begin(approved, members=members), "execution.refused", "approver_gone")
    found = desk.find(asked)
    assert (found.state, found.decided_by) == (ApprovalState.DENIED, "the policy")
    assert found.reason == (
        f"Those who approved {asked.id} may no longer decide, so it may not run. Ask again."
    )
    assert len(desk.owed(ApprovalNotice.WEBHOOK)) == 2
    desk.refused(desk.begin(found), "execution.refused", "approval_denied")
    assert desk.ask().state is ApprovalState.PENDING  # nobody denied it: no loop to break


@pytest.mark.parametrize(
    "members",
    [{}, {EVE.id: member(EVE, is_active=False)}, {BEN.id: member(BEN)}],
    ids=["nobody is known", "who broke it was removed", "another is asked about"],
)
def test_who_broke_the_glass_and_is_gone_at_execution_denies_it(
    store: Store, members: dict[str, Membership]
) -> None:
    desk = ApprovalDesk(store).under(TWO)
    asked = desk.ask()
    desk.counted(asked, BEN)  # that he may break the glass too says nothing of who did
    assert desk.bypass(asked, EVE)
    error = desk.refused(desk.begin(asked, members=members), "execution.refused", "approver_gone")
    found = desk.find(asked)
    assert (found.state, found.decided_by) == (ApprovalState.DENIED, "the policy")
    assert found.reason == f"{error.message} Ask again."


def test_whether_slack_knows_who_broke_the_glass_withdraws_nothing(sqlite_store: Store) -> None:
    desk = ApprovalDesk(sqlite_store)
    asked = desk.ask()
    bypassed = desk.bypass(asked)
    unknown = {EVE.id: Membership(EVE.id, is_active=False, why_code="lookup_failed")}
    desk.refused(desk.begin(asked, members=unknown), "execution.refused", "lookup_failed")
    assert desk.find(asked) == bypassed


def _tamper(desk: ApprovalDesk) -> None:
    def tamper(tx: Transaction) -> None:
        told = (
            '{"environment":"production","kind":"refund","parameters":{"amount":"9120.00"},'
            '"target":"c_881"}'
        )
        tx.execute(update(approvals).values(action=told))

    desk.store.write(tamper)


def _cancelled(desk: ApprovalDesk, asked: Approval) -> ApprovalDesk:
    assert asked.task is not None
    desk.store.write(cancel_task, asked.task, ANA)
    return desk


def _changed(desk: ApprovalDesk, _: Approval) -> ApprovalDesk:
    return desk.under(replace(_RUNNER, reason_to_deny=True))


def _tampered(desk: ApprovalDesk, _: Approval) -> ApprovalDesk:
    _tamper(desk)
    return desk


@pytest.mark.parametrize(
    ("happen", "code", "why"),
    [
        (_changed, "policy_changed", "The policy `refund-prod` changed since A-1 was asked"),
        (_cancelled, "task_cancelled", "T-1 was cancelled by Ana"),
        (_tampered, "digest_mismatch", "This is not the action that A-1 is about"),
    ],
)
def test_what_faultbook_itself_may_never_run_is_denied_so_that_nobody_waits_for_it(
    store: Store,
    happen: Callable[[ApprovalDesk, Approval], ApprovalDesk],
    code: str,
    why: str,
) -> None:
    tasks = TaskDesk(store)
    tasks.give()
    desk = ApprovalDesk(store).under(_RUNNER)
    asked = desk.ask(task=tasks.claimed().number, webhook="https://agent.example/hook")
    approved = desk.counted(asked, CARA).approval
    entries = len(desk.audited())
    desk = happen(desk, approved)
    answer = desk.begin(approved, executor="faultbook", holder="worker-1")
    error = desk.refused(answer, "execution.refused", code)
    assert desk.kinds()[entries:].count("execution.refused") == 1
    found = desk.find(asked)
    assert (found.state, found.decided_by) == (ApprovalState.DENIED, "the policy")
    assert found.reason == f"{error.message} {error.next_step}"
    assert found.reason.startswith(why)
    assert desk.owed(ApprovalNotice.CARD)
    assert len(desk.owed(ApprovalNotice.WEBHOOK)) == 2
    again = desk.begin(found, executor="faultbook", holder="worker-1")
    assert isinstance(again, Refusal)
    assert desk.find(asked) == found


def test_what_slack_can_not_say_only_waits_where_faultbook_runs_it(store: Store) -> None:
    desk = ApprovalDesk(store).under(_RUNNER)
    asked = desk.counted(desk.ask()).approval
    unknown = {BEN.id: Membership(BEN.id, is_active=False, why_code="lookup_failed")}
    answer = desk.begin(asked, executor="faultbook", holder="worker-1", members=unknown)
    desk.refused(answer, "execution.refused", "lookup_failed")
    assert desk.find(asked) == asked
    assert desk.granted(asked, executor="faultbook", holder="worker-1")


@pytest.mark.parametrize("is_ours", [True, False], ids=["Faultbook", "an agent"])
@pytest.mark.parametrize("is_bypass", [True, False], ids=["a bypass", "votes"])
def test_what_was_approved_too_long_ago_is_denied_as_it_would_begin(
    store: Store, clock: FrozenClock, *, is_ours: bool, is_bypass: bool
) -> None:
    desk = ApprovalDesk(store).under(_RUNNER if is_ours else REFUND)
    how = {"executor": "faultbook", "holder": "worker-1"} if is_ours else {}
    hook = "https://agent.example/hook"
    asked, other = desk.ask(webhook=hook), desk.ask("c_882", webhook=hook)
    clock.advance(60)  # it counts from the decision
    for one in (asked, other):
        assert desk.bypass(one) if is_bypass else desk.counted(one)
    clock.advance(86_400)
    assert desk.granted(other, **how)
    clock.advance(1)
    answer = desk.begin(asked, members={}, **how)
    error = desk.refused(answer, "execution.refused", "approval_outlived")
    assert error.message == f"{asked.id} was approved over 24 h ago, so it may not run."
    found = desk.find(asked)
    assert (found.state, found.decided_by) == (ApprovalState.DENIED, "the policy")
    assert found.reason == f"{error.message} Ask again if it is still wanted."
    assert len(desk.owed(ApprovalNotice.WEBHOOK)) == 3


def test_a_policy_says_how_long_an_approval_stays_good(
    sqlite_store: Store, clock: FrozenClock
) -> None:
    desk = ApprovalDesk(sqlite_store).under(replace(REFUND, max_ttl_seconds=5400.0))
    asked = desk.counted(desk.ask()).approval
    clock.advance(5401)
    error = desk.refused(desk.begin(asked), "execution.refused", "approval_outlived")
    assert "approved over 1 h 30 min ago" in error.message


def test_an_action_that_was_changed_in_the_store_does_not_run(store: Store) -> None:
    desk = ApprovalDesk(store)
    approved = desk.counted(desk.ask()).approval
    forged = replace(approved.action, parameters={"amount": "9120.00"})
    _tamper(desk)
    assert desk.find(approved).action == forged
    desk.refused(desk.begin(approved), "execution.refused", "digest_mismatch")
