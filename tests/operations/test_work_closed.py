"""Tasks, the workers' side: an attempt is closed once, and what failed is tried again."""

from dataclasses import replace

import pytest

from faultbook.base.clock import SECOND
from faultbook.base.errors import ConflictError
from faultbook.model.judge import Claim, Outcome
from faultbook.model.route import RetryPolicy, Routes
from faultbook.model.run import RunEnd, RunState
from faultbook.model.task import TaskState
from faultbook.model.verdict import FailureClass, Verdict
from faultbook.operations.recording import close_run
from faultbook.operations.tasks import retry_task
from faultbook.store.engine import Store
from tests.builders import OUTCOMES
from tests.conftest import FrozenClock
from tests.task_desk import ANA, INVOICES, TaskDesk

P = Verdict.PASSED
TRANSIENT = Outcome(exit_code=75)


@pytest.fixture
def desk(store: Store) -> TaskDesk:
    return TaskDesk(store)


# Closing


@pytest.mark.parametrize("verdict", Verdict)
def test_a_task_is_done_only_when_its_run_passed(desk: TaskDesk, verdict: Verdict) -> None:
    desk.give()
    closed = desk.close(desk.claimed(), verdict)
    wanted = TaskState.DONE if verdict is P else TaskState.FAILED
    assert (closed.task.state, closed.task.verdict) == (wanted, verdict)
    assert (closed.run.state, closed.run.verdict) == (RunState.CLOSED, verdict)
    assert closed.task == desk.find(closed.task.number)
    assert closed.task.lease is None


def test_a_claim_to_have_passed_without_evidence_is_not_proven(desk: TaskDesk) -> None:
    desk.give()
    closed = desk.close(desk.claimed(), Outcome(claim=Claim(P), promised=("report.pdf",)))
    assert (closed.task.state, closed.task.verdict) == (TaskState.FAILED, Verdict.INCONCLUSIVE)
    assert closed.task.reason == "missing_artifact_ref"


def test_the_same_close_again_is_answered_with_the_stored_result(desk: TaskDesk) -> None:
    desk.give()
    task = desk.claimed()
    first = desk.close(task, digest="d")
    again = desk.close(task, digest="d")
    assert (again.task, again.run, again.repeated) == (first.task, first.run, True)
    assert not first.repeated
    assert desk.kinds(task.number) == ["received", "claimed", "closed"]


def test_the_same_close_again_is_answered_while_the_task_waits_for_its_next_attempt(
    desk: TaskDesk,
) -> None:
    desk.give()
    task = desk.claimed()
    desk.close(task, TRANSIENT, digest="d")
    again = desk.close(task, TRANSIENT, digest="d")
    assert again.repeated
    assert (again.task.state, again.run.verdict) == (TaskState.QUEUED, Verdict.FAILED)


def test_the_same_close_again_is_answered_even_when_another_has_the_task_by_then(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    desk.give()
    first = desk.claimed("w1")
    desk.close(first, TRANSIENT, digest="d")
    clock.advance(60)
    second = desk.claimed("w2")
    again = desk.close(first, TRANSIENT, digest="d")
    assert again.repeated
    assert (again.run.start.attempt, again.run.verdict) == (1, Verdict.FAILED)
    assert desk.find(first.number) == second
    with pytest.raises(ConflictError, match="went to another worker"):
        desk.close(first, digest="another")
    assert desk.close(second, TRANSIENT, digest="d").repeated is False
    assert desk.close(first, TRANSIENT, digest="d").run.start.attempt == 1


def test_a_second_close_that_differs_changes_nothing(desk: TaskDesk) -> None:
    desk.give()
    task = desk.claimed()
    before = desk.close(task, digest="d").task
    with pytest.raises(ConflictError):
        desk.close(task, Verdict.FAILED, digest="other")
    assert desk.find(task.number) == before


def test_a_close_after_the_attempts_time_limit_is_late_and_is_not_used(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    desk.give()
    task = desk.claimed(lease=1_000)
    clock.advance(600 + 121)
    closed = desk.close(task)
    assert closed.late
    assert (closed.run.verdict, closed.task.verdict) == (Verdict.FAILED, Verdict.FAILED)
    assert closed.task.state is TaskState.QUEUED  # abandoned is transient: tried again


@pytest.mark.parametrize("verdict", [P, Verdict.FAILED])
def test_a_run_that_was_closed_by_itself_ends_its_attempt(
    desk: TaskDesk, clock: FrozenClock, verdict: Verdict
) -> None:
    desk.give()
    task = desk.claimed()
    end = RunEnd(clock.instant, OUTCOMES[verdict])
    desk.store.write(close_run, task.run_id or "", end, desk.policy, "d")
    clock.advance(31)  # and the worker says no more
    assert desk.sweep() == 1
    ended = desk.find(task.number)
    assert ended.verdict is verdict
    assert ended.state is (TaskState.DONE if verdict is P else TaskState.FAILED)
    assert ended.lapses == 0


# Trying again


def test_a_transient_failure_is_tried_again_after_a_while_that_doubles(
    sqlite_store: Store, clock: FrozenClock
) -> None:
    route = replace(INVOICES, retry=RetryPolicy(attempts=4, backoff_seconds=5))
    desk = TaskDesk(sqlite_store, Routes((route,)))
    given = desk.give()
    for wait in (5, 10, 20):
        closed = desk.close(desk.claimed(), TRANSIENT)
        assert closed.task.state is TaskState.QUEUED
        assert closed.task.not_before == clock.instant + wait * SECOND
        clock.advance(wait - 1)
        assert desk.claim() is None
        clock.advance(1)
    assert desk.close(desk.claimed(), TRANSIENT).task.state is TaskState.FAILED
    assert desk.runs(given) == [(n, "closed", "failed") for n in (1, 2, 3, 4)]


def test_a_quiet_worker_uses_up_none_of_the_attempts(desk: TaskDesk, clock: FrozenClock) -> None:
    given = desk.give()
    desk.claimed("w1")
    clock.advance(31)
    desk.sweep()
    assert desk.close(desk.claimed("w2"), TRANSIENT).task.state is TaskState.QUEUED
    clock.advance(5)
    assert desk.close(desk.claimed("w3"), TRANSIENT).task.state is TaskState.FAILED
    assert desk.runs(given) == [(n, "closed", "failed") for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("outcome", "classes", "state"),
    [
        (TRANSIENT, {FailureClass.TRANSIENT}, TaskState.QUEUED),
        (TRANSIENT, {FailureClass.PERSISTENT}, TaskState.FAILED),
        (Outcome(exit_code=1), {FailureClass.TRANSIENT}, TaskState.FAILED),
        (Outcome(exit_code=1), {FailureClass.PERSISTENT}, TaskState.QUEUED),
        (Outcome(exit_code=77), set(FailureClass), TaskState.FAILED),
        (Outcome(exit_code=78), set(FailureClass), TaskState.FAILED),
        (OUTCOMES[Verdict.BLOCKED], set(FailureClass), TaskState.FAILED),
        (OUTCOMES[Verdict.INCONCLUSIVE], set(FailureClass), TaskState.FAILED),
        (OUTCOMES[Verdict.DEGRADED], set(FailureClass), TaskState.FAILED),
        (OUTCOMES[Verdict.SKIPPED], set(FailureClass), TaskState.FAILED),
    ],
)
def test_only_the_classes_of_its_route_are_tried_again_and_never_auth_or_misconfig(
    sqlite_store: Store, outcome: Outcome, classes: set[FailureClass], state: TaskState
) -> None:
    retry = RetryPolicy(attempts=3, classes=frozenset(classes))
    desk = TaskDesk(sqlite_store, Routes((replace(INVOICES, retry=retry),)))
    desk.give()
    assert desk.close(desk.claimed(), outcome).task.state is state


def test_a_worker_that_went_quiet_uses_up_no_attempt_that_may_fail(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    for _ in range(2):
        desk.claimed()
        clock.advance(31)
        desk.sweep()
    assert desk.close(desk.claimed(), TRANSIENT).task.state is TaskState.QUEUED
    clock.advance(60)
    assert desk.close(desk.claimed(), TRANSIENT).task.state is TaskState.FAILED
    assert [attempt for attempt, *_ in desk.runs(given)] == [1, 2, 3, 4]
    desk.store.write(retry_task, given.number, ANA)
    assert desk.close(desk.claimed(), TRANSIENT).task.state is TaskState.FAILED


def test_a_wait_is_never_longer_than_an_hour() -> None:
    retry = RetryPolicy(attempts=100, backoff_seconds=60)
    assert retry.wait(90) == 3600 * SECOND
