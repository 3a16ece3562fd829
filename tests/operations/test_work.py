"""Tasks, the workers' side: claimed in order under a lease, taken back, reminded of."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from faultbook.base.clock import SECOND
from faultbook.base.errors import ConflictError, ForbiddenError, NotFoundError
from faultbook.model.route import COMMAND_AGENT, Route, Routes
from faultbook.model.task import Task, TaskState
from faultbook.model.verdict import Reason
from faultbook.operations.tasks import cancel_task, retry_task
from faultbook.operations.work import remind_unclaimed, renew_lease, report_progress
from faultbook.store.engine import Store
from tests.conftest import START, FrozenClock
from tests.task_desk import AGENT, ANA, TaskDesk


@pytest.fixture
def desk(store: Store) -> TaskDesk:
    return TaskDesk(store)


def renew(desk: TaskDesk, task: Task, agent: str = AGENT, seconds: float = 30) -> Task:
    assert task.lease is not None
    return desk.store.write(renew_lease, task.number, task.lease.id, agent, seconds)


def report(desk: TaskDesk, task: Task, text: str = "page 3 of 9", agent: str = AGENT) -> Task:
    assert task.lease is not None
    return desk.store.write(report_progress, task.number, task.lease.id, agent, text, 30)


def each_step(desk: TaskDesk, task: Task, agent: str = AGENT) -> list[Callable[[], object]]:
    """Give all that a worker can do with a task."""
    return [
        lambda: renew(desk, task, agent),
        lambda: report(desk, task, agent=agent),
        lambda: desk.close(task, agent=agent),
    ]


# Claiming


def test_a_claim_opens_an_attempt_that_is_a_run(desk: TaskDesk) -> None:
    given = desk.give()
    task = desk.claimed("invoice-bot-2")
    assert (task.number, task.state, task.attempts) == (given.number, TaskState.RUNNING, 1)
    assert task.lease is not None
    assert (task.lease.agent, task.lease.worker) == (AGENT, "invoice-bot-2")
    assert task.lease.until == START + 30 * SECOND
    start = desk.run_of(task).start
    assert (start.task_id, start.attempt, start.agent_name) == ("T-1", 1, AGENT)
    assert (start.series.workflow, start.series.environment) == ("invoice-export", "production")
    assert start.contract.timeout_seconds == 600
    assert desk.find(task.number) == task


def test_the_highest_priority_goes_first_and_then_the_oldest(desk: TaskDesk) -> None:
    given = [desk.give(text, priority=p) for text, p in (("export", 0), ("report", 2))]
    given += [desk.give("export", priority=2), desk.give("export", priority=-1)]
    claimed = [desk.claimed().number for _ in given]
    assert claimed == [given[1].number, given[2].number, given[0].number, given[3].number]
    assert desk.claim() is None


def test_a_worker_gets_tasks_of_its_agents_routes_only(desk: TaskDesk) -> None:
    desk.give("check it")
    desk.give("water the plants")
    assert desk.claim() is None
    assert desk.claimed(agent="checker").text == "check it"
    assert desk.claim(agent="nobody") is None


def test_a_worker_may_ask_for_some_of_its_routes(desk: TaskDesk) -> None:
    desk.give("export")
    desk.give("report")
    assert desk.claimed(routes=frozenset({"reports", "checks"})).text == "report"
    assert desk.claim(routes=frozenset({"reports"})) is None
    assert desk.claim(routes=frozenset()) is None


def test_a_command_routes_tasks_are_claimed_by_the_bot(sqlite_store: Store) -> None:
    command = Route("sync", "sync", command=("./sync.sh", "{text}"), agent=COMMAND_AGENT)
    desk = TaskDesk(sqlite_store, Routes((command,)))
    desk.give("sync")
    assert desk.claim() is None
    assert desk.claimed(agent=COMMAND_AGENT).route == "sync"


def test_a_route_runs_as_many_as_it_may_and_the_others_go_on(desk: TaskDesk) -> None:
    for _ in range(3):
        desk.give("report")
    desk.give("export")
    first, second, other = desk.claimed(), desk.claimed(), desk.claimed()
    assert [task.route for task in (first, second, other)] == ["reports", "reports", "invoices"]
    assert desk.claim() is None
    desk.close(first)
    assert desk.claimed().text == "report"


# Leases


def test_a_sign_of_life_prolongs_the_lease_and_repaints_nothing(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    desk.give()
    task = desk.claimed()
    clock.advance(20)
    renewed = renew(desk, task)
    assert renewed.lease is not None
    assert renewed.lease.until == START + 50 * SECOND
    assert (renewed.heard_at, renewed.revision) == (START + 20 * SECOND, task.revision)
    clock.advance(29)
    assert desk.sweep() == 0


def test_progress_is_kept_redacted_on_one_line_and_prolongs_the_lease(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    desk.give()
    task = desk.claimed()
    clock.advance(20)
    told = report(desk, task, "page 3\nof 9, key " + "xoxb-" + "1234567890-abcdef")
    assert told.progress == "page 3 of 9, key [REDACTED:slack-bot-token]"
    assert (told.progress_at, told.revision) == (START + 20 * SECOND, task.revision + 1)
    assert told.lease is not None
    assert told.lease.until == START + 50 * SECOND
    assert len(report(desk, task, "x" * 9_000).progress) == 500
    assert desk.kinds(task.number) == ["received", "claimed", "progress", "progress"]


def test_a_quiet_workers_task_goes_back_to_the_queue_and_to_another(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    desk.give()
    first = desk.claimed("w1")
    clock.advance(31)
    assert desk.sweep() == 1
    waiting = desk.find(first.number)
    assert (waiting.state, waiting.lapses, waiting.lease) == (TaskState.QUEUED, 1, None)
    assert desk.runs(first) == [(1, "closed", "failed")]
    assert desk.run_of(first).findings[0].reason is Reason.RUN_ABANDONED
    second = desk.claimed("w2")
    assert (second.number, second.attempts, second.worker) == (first.number, 2, "w2")
    assert desk.sweep() == 0


def test_a_lease_is_kept_to_its_last_moment(desk: TaskDesk, clock: FrozenClock) -> None:
    desk.give()
    task = desk.claimed()
    clock.advance(30)
    assert desk.sweep() == 0
    clock.advance(5)  # it ran out, but nobody swept yet
    assert renew(desk, task).lease is not None
    assert desk.sweep() == 0


def test_after_as_many_quiet_workers_as_its_route_allows_a_task_is_lost(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    for lapse in (1, 2, 3):
        desk.claimed(f"w{lapse}")
        clock.advance(31)
        assert desk.sweep() == 1
    lost = desk.find(given.number)
    assert (lost.state, lost.lapses, lost.ended_at) == (TaskState.LOST, 3, clock.instant)
    assert lost.detail == "its worker went quiet 3 times"
    assert desk.claim() is None
    assert desk.runs(given) == [(n, "closed", "failed") for n in (1, 2, 3)]
    again = desk.store.write(retry_task, given.number, ANA)
    assert (again.state, again.lapses) == (TaskState.QUEUED, 0)


def test_a_late_worker_changes_nothing_and_is_told_who_has_the_task(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    desk.give()
    late = desk.claimed("w1")
    clock.advance(31)
    desk.sweep()
    for step in each_step(desk, late):
        with pytest.raises(ConflictError, match="T-1 went back to the queue; this") as refused:
            step()
        assert refused.value.code == "lease_lost"
    taken_over = desk.claimed("w2")
    for step in each_step(desk, late):
        with pytest.raises(ConflictError) as refused:
            step()
        assert refused.value.message == (
            "T-1 went to another worker at 11:07 UTC; this result was not used."
        )
    assert desk.find(late.number) == taken_over
    assert desk.close(taken_over).task.state is TaskState.DONE
    with pytest.raises(ConflictError, match="T-1 was done at 11:07 UTC") as refused:
        desk.close(late)
    assert refused.value.code == "task_ended"
    assert desk.runs(late) == [(1, "closed", "failed"), (2, "closed", "passed")]


def test_whoever_works_on_a_cancelled_task_is_told_by_whom(desk: TaskDesk) -> None:
    desk.give()
    task = desk.claimed()
    desk.store.write(cancel_task, task.number, ANA)
    before = desk.find(task.number)
    for step in each_step(desk, task):
        with pytest.raises(ConflictError, match="T-1 was cancelled by Ana Ruiz at") as refused:
            step()
        assert refused.value.code == "task_cancelled"
    assert desk.find(task.number) == before


def test_another_agents_token_moves_nothing(desk: TaskDesk) -> None:
    desk.give()
    task = desk.claimed()
    for step in each_step(desk, task, agent="checker"):
        with pytest.raises(ForbiddenError) as refused:
            step()
        assert refused.value.code == "agent_mismatch"
    assert desk.find(task.number) == task


def test_progress_on_an_ended_task_is_refused(desk: TaskDesk) -> None:
    desk.give()
    task = desk.claimed()
    desk.close(task)
    with pytest.raises(ConflictError) as refused:
        report(desk, task)
    assert refused.value.code == "task_ended"
    with pytest.raises(NotFoundError, match="T-99"):
        report(desk, replace(task, number=99))


def test_an_attempt_past_its_time_limit_is_ended_even_while_its_worker_gives_signs_of_life(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    desk.give()
    for attempt in (1, 2):
        task = desk.claimed(lease=1_000)
        clock.advance(719)
        renew(desk, task, seconds=1_000)
        assert desk.sweep() == 0
        clock.advance(2)
        assert desk.sweep() == 1
        assert desk.runs(task)[-1] == (attempt, "closed", "failed")
        clock.advance(10)
    ended = desk.find(task.number)
    assert (ended.state, ended.reason) == (TaskState.FAILED, "run_abandoned")


# Waiting


def test_what_nobody_claims_is_said_once_and_then_ever_more_rarely(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    given = desk.give()
    said_after: list[int] = []
    for passed in range(0, 12_000, 60):
        clock.instant = START + passed * SECOND
        if desk.store.write(remind_unclaimed, desk.routes):
            said_after.append(passed)
    assert said_after == [300, 900, 2100, 4500, 9300]
    desk.claimed()
    clock.advance(86_400)
    assert desk.store.write(remind_unclaimed, desk.routes) == 0
    assert given.number == 1


def test_two_bots_that_tick_at_once_say_it_once(desk: TaskDesk, clock: FrozenClock) -> None:
    for _ in range(3):
        desk.give()
    clock.advance(301)
    ticks = [desk.store.submit(remind_unclaimed, desk.routes) for _ in range(6)]
    assert sum(tick.result() for tick in ticks) == 3
