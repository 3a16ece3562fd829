"""What a newer request replaces: all that has not begun, for one task, one run or by its name."""

import threading
from dataclasses import replace

import pytest

from faultbook.base.errors import ConflictError, NotFoundError
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_policy import Threshold, Voters
from faultbook.operations.approval_notices import ApprovalNotice
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.approvals import list_approvals
from faultbook.operations.execution import Grant, sweep_grants
from faultbook.store.engine import Store, open_store
from tests.approval_desk import REFUND, ApprovalDesk
from tests.conftest import FrozenClock
from tests.task_desk import AGENT, TaskDesk


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    return ApprovalDesk(store)


def test_another_run_of_the_same_task_asks_anew_and_supersedes_what_was_approved(
    store: Store,
) -> None:
    tasks, desk = TaskDesk(store), ApprovalDesk(store)
    tasks.give()
    task = tasks.claimed().number
    approved = desk.counted(desk.ask(task=task, run_id="r-1")).approval
    other = desk.ask(task=task, run_id="r-2")
    assert other.state is ApprovalState.PENDING
    assert desk.find(approved).superseded_by == other.number


def test_changed_parameters_supersede_what_waits_for_the_same_task_or_run(store: Store) -> None:
    tasks, desk = TaskDesk(store), ApprovalDesk(store)
    tasks.give()
    task = tasks.claimed().number
    first = desk.ask(task=task)
    elsewhere, other = desk.ask("c_9", task=task), desk.ask(run_id="r-1", agent="other-bot")
    second = desk.ask(amount="130.00", task=task)
    third = desk.ask(amount="140.00", run_id="r-1", agent="other-bot")
    superseded = desk.find(first)
    assert (superseded.state, superseded.superseded_by) == (
        ApprovalState.SUPERSEDED,
        second.number,
    )
    assert desk.find(other).superseded_by == third.number
    assert desk.find(elsewhere).state is ApprovalState.PENDING
    assert ("approval.superseded", first.id, AGENT) in desk.audited()


def test_what_a_request_names_is_superseded_whatever_changed(desk: ApprovalDesk) -> None:
    first, theirs = desk.ask(), desk.ask(agent="other-bot")
    second = desk.ask("c_900", supersedes=first.number)
    assert desk.find(first).superseded_by == second.number
    desk.refused(
        desk.try_ask("c_901", supersedes=theirs.number), "approval.refused", "agent_mismatch"
    )
    assert desk.find(theirs).state is ApprovalState.PENDING
    with pytest.raises(NotFoundError):
        desk.try_ask("c_902", supersedes=99)


@pytest.mark.parametrize("how", ["named", "same run", "same task"])
def test_what_is_approved_and_not_begun_is_superseded_and_never_runs(
    store: Store, how: str
) -> None:
    tasks, desk = TaskDesk(store), ApprovalDesk(store)
    tasks.give()
    about: dict[str, object] = {"run_id": "r-1"}
    if how == "same task":
        about = {"task": tasks.claimed().number}
    approved = desk.counted(desk.ask(webhook="https://agent.example/hook", **about)).approval
    cards, told = (len(desk.owed(kind)) for kind in (ApprovalNotice.CARD, ApprovalNotice.WEBHOOK))
    if how == "named":
        about = {"supersedes": approved.number}
    newer = desk.ask(amount="90.00", **about)
    found = desk.find(approved)
    assert (found.state, found.superseded_by) == (ApprovalState.SUPERSEDED, newer.number)
    assert (found.decided_by, found.votes) == (AGENT, approved.votes)
    assert found.revision == approved.revision + 1
    assert desk.audited()[-1] == ("approval.superseded", approved.id, AGENT)
    assert desk.facts() == {"by": newer.id}
    assert len(desk.owed(ApprovalNotice.CARD)) == cards + 1  # the old one's is owed already
    assert len(desk.owed(ApprovalNotice.WEBHOOK)) == told + 1
    desk.refused(desk.begin(approved), "execution.refused", "approval_superseded")
    desk.granted(desk.counted(newer).approval)


def test_a_bypass_that_is_superseded_is_still_to_be_reviewed(desk: ApprovalDesk) -> None:
    asked = desk.ask()
    desk.bypass(asked)
    desk.ask(amount="90.00", supersedes=asked.number)
    found = desk.find(asked)
    assert (found.state, found.is_bypass) == (ApprovalState.SUPERSEDED, True)
    assert found.review_due_at is not None


def test_what_runs_ran_or_may_have_run_is_superseded_by_nothing(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    runs, ran, may = (desk.counted(desk.ask(f"c_{side}")).approval for side in range(3))
    desk.granted(may)
    clock.advance(301)
    assert desk.store.write(sweep_grants) == 1
    desk.report(ran, desk.granted(ran).id)
    desk.granted(runs)
    for asked, code, message in (
        (runs, "already_executing", "A-1 runs now, so nothing can replace it."),
        (ran, "already_executed", "A-2 has run, so nothing can replace it."),
        (may, "already_execution_unknown", "A-3 may have run, so nothing can replace it."),
    ):
        before = desk.find(asked)
        answer = desk.try_ask(amount="90.00", supersedes=asked.number)
        error = desk.refused(answer, "approval.refused", code)
        assert isinstance(error, ConflictError)
        assert (error.message, error.where) == (message, "supersedes")
        assert desk.find(asked) == before
    assert len(desk.store.read(list_approvals)) == 0


def test_a_failed_execution_may_be_followed_by_another_request(desk: ApprovalDesk) -> None:
    asked = desk.counted(desk.ask()).approval
    desk.report(asked, desk.granted(asked).id, worked=False)
    again = desk.ask(amount="90.00", supersedes=asked.number)
    assert again.state is ApprovalState.PENDING
    assert desk.find(asked).state is ApprovalState.EXECUTION_FAILED


@pytest.mark.parametrize("is_named", [True, False])
def test_of_an_execution_and_what_supersedes_it_at_once_one_wins(
    store_url: str, clock: FrozenClock, *, is_named: bool
) -> None:
    stores = [open_store(store_url, clock) for _ in range(2)]
    asking, running = (ApprovalDesk(one) for one in stores)
    for turn in range(12):
        approved = asking.counted(asking.ask(f"c_{turn}", run_id="r-1")).approval
        named = {"supersedes": approved.number} if is_named else {}
        barrier = threading.Barrier(2)
        begun: list[Grant | Refusal] = []

        def begin(
            approved: Approval = approved,
            barrier: threading.Barrier = barrier,
            begun: list[Grant | Refusal] = begun,
        ) -> None:
            barrier.wait()
            begun.append(running.begin(approved))

        thread = threading.Thread(target=begin)
        thread.start()
        barrier.wait()
        newer = asking.try_ask(f"c_{turn}", "90.00", run_id="r-1", **named)
        thread.join()
        found = asking.find(approved)
        [begin_answer] = begun
        if isinstance(begin_answer, Grant):
            assert found.state is ApprovalState.EXECUTING
            assert found.superseded_by is None
            assert isinstance(newer, Refusal) is is_named
            assert not isinstance(newer, Refusal) or newer.error.code == "already_executing"
        else:
            assert begin_answer.error.code == "approval_superseded"
            assert isinstance(newer, Approval)
            assert (found.state, found.superseded_by) == (ApprovalState.SUPERSEDED, newer.number)
    for one in stores:
        one.close()


def test_what_an_older_policy_was_to_decide_is_superseded_by_the_same_request(
    desk: ApprovalDesk,
) -> None:
    asked = desk.ask()
    stricter = replace(REFUND, thresholds=(Threshold(Voters(users=frozenset({"UDAN"}))),))
    again = desk.under(stricter).ask()
    assert again.policy_version == stricter.version
    assert desk.find(asked).superseded_by == again.number
