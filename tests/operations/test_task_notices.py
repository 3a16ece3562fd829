"""What Slack is owed for a task: one card and one reaction at a time, painted at its pace."""

from typing import Any

import pytest

from faultbook.base.clock import SECOND
from faultbook.model.judge import Outcome
from faultbook.model.notice import Priority
from faultbook.model.task import Card, Task, TaskOrigin, TaskState
from faultbook.model.verdict import Verdict
from faultbook.operations.task_notices import TaskNotice, card_painted, reaction_set
from faultbook.operations.tasks import cancel_task, retry_task
from faultbook.operations.work import report_progress
from faultbook.store import notices
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction
from tests.conftest import START, FrozenClock
from tests.task_desk import AGENT, ANA, Owed, TaskDesk

CARD, REACTION = TaskNotice.CARD, TaskNotice.REACTION


@pytest.fixture
def desk(store: Store) -> TaskDesk:
    return TaskDesk(store)


def report(desk: TaskDesk, task: Task, text: str) -> Task:
    assert task.lease is not None
    return desk.store.write(report_progress, task.number, task.lease.id, AGENT, text, 30)


def react(desk: TaskDesk, number: int, reaction: str) -> None:
    """Settle a task's owed reaction as set, as delivery does."""
    [owed] = desk.owed(REACTION)

    def settle(tx: Transaction) -> None:
        notices.settle(tx, owed.id, {"reaction": reaction})
        reaction_set(tx, number, reaction)

    desk.store.write(settle)


def one(found: list[Owed]) -> Owed:
    [notice] = found
    return notice


def test_a_task_owes_a_reaction_on_its_message_and_a_card_in_its_thread(desk: TaskDesk) -> None:
    task = desk.give(origin=TaskOrigin("T1", "C1", "1795000000.000001", "1794999999.000001"))
    card, reaction = one(desk.owed(CARD)), one(desk.owed(REACTION))
    assert len(desk.owed()) == 2
    to: dict[str, Any] = card.payload["to"]
    assert (card.target, reaction.target) == ("C1", "C1/reactions")
    assert card.subject == reaction.subject == "T-1"
    assert card.payload["task"] == reaction.payload["task"] == task.number
    assert (to["channel"], to["user"]) == ("C1", "UANA")
    assert (to["thread_ts"], to["after"]) == ("1794999999.000001", "1795000000.000001")
    assert card.priority == reaction.priority == Priority.RECEIPT
    assert card.not_before == START


def test_a_slash_commands_task_has_a_card_and_no_message_to_react_on(desk: TaskDesk) -> None:
    desk.give(origin=TaskOrigin("T1", "C1"))
    [card] = desk.owed()
    assert card.kind == CARD
    assert card.payload["to"]["thread_ts"] is None
    assert float(card.payload["to"]["after"]) == START / SECOND - 60


def test_however_often_a_task_changes_one_card_is_owed(desk: TaskDesk) -> None:
    desk.give()
    task = desk.claimed()
    for page in range(5):
        report(desk, task, f"page {page}")
    assert len(desk.owed(CARD)) == 1
    desk.close(task)
    assert len(desk.owed(CARD)) == len(desk.owed(REACTION)) == 1


def test_what_was_painted_as_it_stands_is_owed_nothing(desk: TaskDesk) -> None:
    task = desk.give()
    desk.paint(task.number)
    react(desk, task.number, "eyes")
    assert desk.owed() == []
    painted = desk.find(task.number)
    assert painted.card == Card("C1", "1795000001.000100")
    assert (painted.painted, painted.painted_at) == (painted.revision, START)


def test_a_repaint_comes_no_sooner_than_three_seconds_after_the_last(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    desk.paint(given.number)
    clock.advance(1)
    desk.claimed()
    card = one(desk.owed(CARD))
    assert (card.target, card.priority) == ("C1/cards", Priority.REPAINT)
    assert card.not_before == START + 3 * SECOND
    desk.paint(given.number)
    clock.advance(60)
    report(desk, desk.find(given.number), "page 3")
    assert one(desk.owed(CARD)).not_before == clock.instant  # it rested long enough


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.FAILED])
def test_an_ending_is_painted_at_once_and_before_other_repaints(
    desk: TaskDesk, clock: FrozenClock, verdict: Verdict
) -> None:
    given = desk.give()
    desk.paint(given.number)
    clock.advance(1)
    task = desk.claimed()  # owes a repaint for later
    desk.close(task, verdict)
    card = one(desk.owed(CARD))
    assert (card.not_before, card.priority) == (clock.instant, Priority.RECEIPT)


def test_an_ending_rises_above_repaints_that_are_due_already(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    desk.paint(given.number)
    clock.advance(10)
    task = desk.claimed()
    due = one(desk.owed(CARD)).not_before
    clock.advance(10)
    desk.close(task)
    card = one(desk.owed(CARD))
    assert (card.not_before, card.priority) == (due, Priority.RECEIPT)


def test_a_task_that_moved_on_while_its_card_was_painted_is_owed_another_paint(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    first = one(desk.owed(CARD))
    shown = desk.find(given.number)
    desk.claimed()  # while the card is on its way
    clock.advance(1)
    desk.settle_card(first.id, shown)
    again = one(desk.owed(CARD))
    assert (again.target, again.not_before) == ("C1/cards", clock.instant + 3 * SECOND)


def test_a_task_that_ended_while_its_card_was_painted_is_painted_again_at_once(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    first = one(desk.owed(CARD))
    shown = desk.find(given.number)
    desk.close(desk.claimed())
    desk.settle_card(first.id, shown)
    assert one(desk.owed(CARD)).not_before == clock.instant
    desk.paint(given.number)
    assert desk.owed(CARD) == []


def test_an_ending_does_not_take_a_card_from_whoever_is_painting_it(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    desk.paint(given.number)
    clock.advance(10)
    task = desk.claimed()
    until = clock.instant + 20 * SECOND
    claimed = desk.store.write(notices.claim, "host/1/aa", until, 10)
    assert CARD in [notice.kind for notice in claimed]
    before = one(desk.owed(CARD))
    desk.close(task)
    assert one(desk.owed(CARD)) == before


def test_a_dead_card_is_owed_again_with_the_next_change(desk: TaskDesk) -> None:
    desk.give()
    desk.store.write(notices.give_up, one(desk.owed(CARD)).id, "is_archived")
    assert desk.owed(CARD) == []
    desk.claimed()
    assert one(desk.owed(CARD)).target == "C1"


@pytest.mark.parametrize(
    ("verdict", "reaction"), [(Verdict.PASSED, "white_check_mark"), (Verdict.FAILED, "x")]
)
def test_a_reaction_is_owed_only_where_the_state_asks_for_another(
    desk: TaskDesk, verdict: Verdict, reaction: str
) -> None:
    given = desk.give()
    react(desk, given.number, "eyes")
    task = desk.claimed()
    assert desk.owed(REACTION) == []
    desk.close(task, verdict)
    assert len(desk.owed(REACTION)) == 1
    react(desk, given.number, reaction)
    assert desk.owed(REACTION) == []


def test_a_task_that_ended_while_its_reaction_was_set_is_owed_another(desk: TaskDesk) -> None:
    given = desk.give()
    desk.store.write(cancel_task, given.number, ANA)
    react(desk, given.number, "eyes")  # chosen before it was cancelled
    assert len(desk.owed(REACTION)) == 1
    react(desk, given.number, "")
    assert desk.owed(REACTION) == []


@pytest.mark.parametrize(
    ("outcome", "after", "told"),
    [
        (Verdict.PASSED, 60, False),
        (Verdict.PASSED, 61, True),
        (Verdict.FAILED, 1, True),
        (Verdict.INCONCLUSIVE, 1, True),
        (Outcome(exit_code=75), 1, False),  # it is tried again: no end
    ],
)
def test_a_bad_end_and_a_late_one_are_told_in_the_thread_once(
    desk: TaskDesk, clock: FrozenClock, outcome: Verdict | Outcome, after: int, *, told: bool
) -> None:
    given = desk.give()
    clock.advance(after)
    task = desk.claimed()
    desk.close(task, outcome, digest="d")
    desk.close(task, outcome, digest="d")
    replies = desk.owed(TaskNotice.REPLY)
    assert len(replies) == told
    assert all(reply.payload["task"] == given.number for reply in replies)
    assert all(reply.payload["told"] == "ended" for reply in replies)


def test_a_lost_task_is_told_in_its_thread_and_a_cancelled_one_is_not(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    desk.give()
    for _ in range(3):
        desk.claimed()
        clock.advance(31)
        desk.sweep()
    assert len(desk.owed(TaskNotice.REPLY)) == 1
    other = desk.give()
    clock.advance(3600)
    desk.store.write(cancel_task, other.number, ANA)
    assert len(desk.owed(TaskNotice.REPLY)) == 1


def test_a_task_that_was_retried_is_told_of_at_each_bad_end(desk: TaskDesk) -> None:
    given = desk.give()
    for ends in (1, 2):
        assert desk.close(desk.claimed(), Verdict.FAILED).task.state is TaskState.FAILED
        assert len(desk.owed(TaskNotice.REPLY)) == ends
        desk.store.write(retry_task, given.number, ANA)


def test_a_card_of_a_task_that_is_not_there_is_forgotten(desk: TaskDesk) -> None:
    desk.store.write(card_painted, 99, 0, Card("C1", "1.1"))
    desk.store.write(reaction_set, 99, "eyes")
    assert desk.owed() == []
