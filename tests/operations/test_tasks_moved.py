"""Tasks as people move them: cancelled, retried, taken in hand, handed back."""

from collections.abc import Callable

import pytest

from faultbook.base.clock import SECOND
from faultbook.base.errors import ConflictError, ForbiddenError
from faultbook.model.judge import Outcome
from faultbook.model.person import Person
from faultbook.model.route import Routes
from faultbook.model.run import RunEnd, RunState
from faultbook.model.task import CANCELLED_WAITING, Task, TaskState
from faultbook.model.verdict import Reason, Verdict
from faultbook.operations.tasks import (
    cancel_task,
    finish_in_hand,
    hand_back,
    not_a_task,
    retry_task,
    take_in_hand,
    waits_for,
    works_again,
)
from faultbook.store.engine import Store
from tests.builders import OUTCOMES
from tests.conftest import START, FrozenClock
from tests.task_desk import ANA, BEN, TaskDesk

OPEN_TEXT = "water the plants"


@pytest.fixture
def desk(store: Store) -> TaskDesk:
    return TaskDesk(store)


def in_hand(desk: TaskDesk) -> Task:
    given = desk.give(OPEN_TEXT)
    return desk.store.write(take_in_hand, given.number, BEN, desk.policy, desk.routes)


def finish(desk: TaskDesk, task: Task, by: Person = BEN, verdict: Verdict = Verdict.PASSED) -> Task:
    end = RunEnd(desk.store.clock(), OUTCOMES[verdict])
    return desk.store.write(finish_in_hand, task.number, by, end, desk.policy, f"done:{verdict}")


# Cancelling


def test_a_queued_task_is_cancelled_and_never_claimed(desk: TaskDesk) -> None:
    given = desk.give()
    cancelled = desk.store.write(cancel_task, given.number, BEN)
    assert (cancelled.state, cancelled.cancelled_by) == (TaskState.CANCELLED, "Ben Okafor")
    assert (cancelled.ended_at, cancelled.reason) == (START, "cancelled")
    assert desk.claim() is None
    assert desk.runs(given) == []


def test_a_running_task_is_cancelled_and_its_run_is_called_off(desk: TaskDesk) -> None:
    desk.give()
    running = desk.claimed()
    desk.store.write(cancel_task, running.number, ANA)
    run = desk.run_of(running)
    assert (run.state, run.verdict) == (RunState.CLOSED, Verdict.INCONCLUSIVE)
    assert run.findings[0].reason is Reason.CANCELLED
    assert "Ana Ruiz" in run.findings[0].detail


def test_a_task_that_waited_for_an_approval_is_told_from_one_that_ran(desk: TaskDesk) -> None:
    for end in (CANCELLED_WAITING, "cancelled"):
        desk.give()
        running = desk.claimed()
        desk.store.write(waits_for, running.number, "A-7")
        if end == "cancelled":
            desk.store.write(works_again, running.number)
        cancelled = desk.store.write(cancel_task, running.number, ANA)
        assert (cancelled.state, cancelled.reason) == (TaskState.CANCELLED, end)
        assert desk.run_of(running).findings[0].reason is Reason.CANCELLED
        assert desk.kinds(running.number)[-1] == "cancelled"


def test_an_ended_task_is_not_cancelled_again(desk: TaskDesk) -> None:
    desk.give()
    running = desk.claimed()
    desk.close(running)
    for attempt in (cancel_task, not_a_task):
        with pytest.raises(ConflictError, match=r"T-1 is done already") as refused:
            desk.store.write(attempt, running.number, ANA)
        assert refused.value.code == "task_ended"
    assert desk.find(running.number).state is TaskState.DONE


def test_whoever_cancels_second_is_told_who_was_first(desk: TaskDesk) -> None:
    given = desk.give()
    desk.store.write(cancel_task, given.number, BEN)
    with pytest.raises(ConflictError, match="T-1 is cancelled by Ben Okafor already"):
        desk.store.write(cancel_task, given.number, ANA)


def test_what_was_no_task_is_taken_back_while_nobody_works_on_it(desk: TaskDesk) -> None:
    given = desk.give()
    taken_back = desk.store.write(not_a_task, given.number, ANA)
    assert (taken_back.state, taken_back.reason) == (TaskState.CANCELLED, "not_a_task")
    desk.give()
    running = desk.claimed()
    with pytest.raises(ConflictError) as refused:
        desk.store.write(not_a_task, running.number, ANA)
    assert refused.value.code == "task_running"
    assert desk.find(running.number) == running


# Retrying


@pytest.mark.parametrize("ended", ["failed", "cancelled"])
def test_an_ended_task_is_queued_again(desk: TaskDesk, ended: str) -> None:
    given = desk.give()
    if ended == "failed":
        desk.close(desk.claimed(), Verdict.FAILED)
    else:
        desk.store.write(cancel_task, given.number, ANA)
    again = desk.store.write(retry_task, given.number, BEN)
    assert (again.state, again.ended_at, again.cancelled_by) == (TaskState.QUEUED, None, "")
    assert desk.kinds(given.number)[-1] == "retried"
    assert desk.claimed().number == given.number


def test_a_retry_gives_one_more_attempt_than_the_route(desk: TaskDesk, clock: FrozenClock) -> None:
    given = desk.give()
    for _ in range(2):
        clock.advance(60)
        desk.close(desk.claimed(), Outcome(exit_code=75))
    assert desk.find(given.number).state is TaskState.FAILED
    desk.store.write(retry_task, given.number, ANA)
    third = desk.claimed()
    assert third.attempts == 3
    closed = desk.close(third, Outcome(exit_code=75))
    assert closed.task.state is TaskState.FAILED
    assert [attempt for attempt, *_ in desk.runs(given)] == [1, 2, 3]


def test_what_is_done_or_under_way_is_not_retried(desk: TaskDesk) -> None:
    given = desk.give()
    for code, step in (
        ("task_not_ended", lambda: None),
        ("task_running", desk.claimed),
        ("task_ended", lambda: desk.close(desk.find(given.number))),
    ):
        step()
        before = desk.find(given.number)
        with pytest.raises(ConflictError) as refused:
            desk.store.write(retry_task, given.number, ANA)
        assert refused.value.code == code
        assert desk.find(given.number) == before


# Taken in hand


def test_a_task_without_a_route_is_taken_in_hand_and_done_with_evidence(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    taken = in_hand(desk)
    assert (taken.state, taken.taken_by, taken.attempts) == (TaskState.RUNNING, BEN, 1)
    run = desk.run_of(taken)
    assert (run.start.task_id, run.start.attempt, run.start.agent_name) == ("T-1", 1, None)
    clock.advance(120)
    done = finish(desk, taken)
    assert (done.state, done.verdict) == (TaskState.DONE, Verdict.PASSED)
    assert desk.runs(done) == [(1, "closed", "passed")]


def test_done_without_evidence_is_not_done(desk: TaskDesk) -> None:
    ended = finish(desk, in_hand(desk), verdict=Verdict.INCONCLUSIVE)
    assert (ended.state, ended.verdict) == (TaskState.FAILED, Verdict.INCONCLUSIVE)


def test_what_is_in_one_persons_hands_is_nobody_elses(desk: TaskDesk) -> None:
    taken = in_hand(desk)
    with pytest.raises(ConflictError, match="Ben Okafor has it"):
        desk.store.write(take_in_hand, taken.number, ANA, desk.policy, desk.routes)
    calls: list[Callable[[], object]] = [
        lambda: finish(desk, taken, ANA),
        lambda: desk.store.write(hand_back, taken.number, ANA),
    ]
    for call in calls:
        with pytest.raises(ForbiddenError, match="Ben Okafor's hands") as refused:
            call()
        assert refused.value.code == "not_yours"
    assert desk.find(taken.number) == taken
    assert desk.runs(taken) == [(1, "running", None)]


def test_what_is_handed_back_waits_again_and_its_run_is_called_off(desk: TaskDesk) -> None:
    taken = in_hand(desk)
    back = desk.store.write(hand_back, taken.number, BEN)
    assert (back.state, back.taken_by) == (TaskState.QUEUED, None)
    assert desk.runs(taken) == [(1, "closed", "inconclusive")]
    with pytest.raises(ConflictError):
        desk.store.write(hand_back, taken.number, BEN)
    again = desk.store.write(take_in_hand, taken.number, ANA, desk.policy, desk.routes)
    assert (again.taken_by, again.attempts) == (ANA, 2)


def test_a_task_in_hand_does_not_lapse_and_no_worker_gets_it(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    taken = in_hand(desk)
    clock.advance(86_400)
    assert desk.sweep() == 0
    assert desk.claim() is None
    assert desk.find(taken.number) == taken


def test_a_cancelled_task_in_hand_is_done_no_more(desk: TaskDesk) -> None:
    taken = in_hand(desk)
    desk.store.write(cancel_task, taken.number, ANA)
    with pytest.raises(ConflictError, match="T-1 is cancelled by Ana Ruiz already"):
        finish(desk, taken)
    assert desk.runs(taken) == [(1, "closed", "inconclusive")]


def test_a_task_on_its_way_to_a_worker_is_not_taken_in_hand(desk: TaskDesk) -> None:
    given = desk.give()
    with pytest.raises(ConflictError) as refused:
        desk.store.write(take_in_hand, given.number, BEN, desk.policy, desk.routes)
    assert refused.value.code == "task_routed"
    assert desk.find(given.number) == given


def test_a_task_whose_route_is_gone_can_be_taken_in_hand(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    clock.advance(1)
    taken = desk.store.write(take_in_hand, given.number, BEN, desk.policy, Routes())
    assert (taken.taken_by, taken.started_at) == (BEN, START + SECOND)
