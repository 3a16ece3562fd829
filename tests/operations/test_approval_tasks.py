"""A task whose agent asked: it waits, keeps its lease, and works again once all is decided."""

import threading
from collections.abc import Callable

import pytest

from faultbook.base.errors import ConflictError
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.task import TaskState
from faultbook.model.verdict import Verdict
from faultbook.operations.approval_requests import cancel_approval
from faultbook.operations.tasks import cancel_task
from faultbook.operations.work import release_task, renew_lease, report_progress
from faultbook.store.engine import Store, open_store
from tests.approval_desk import ApprovalDesk
from tests.conftest import FrozenClock
from tests.task_desk import AGENT, ANA, BEN, ROUTES, TaskDesk


@pytest.fixture
def tasks(store: Store) -> TaskDesk:
    return TaskDesk(store)


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    return ApprovalDesk(store)


def test_a_task_waits_while_anything_it_asked_is_undecided(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give()
    task = tasks.claimed().number
    first, second = desk.ask("c_1", task=task), desk.ask("c_2", task=task)
    waiting = tasks.find(task)
    assert waiting.state is TaskState.WAITING
    assert "waits" in tasks.kinds(task)
    desk.counted(first, BEN)
    assert tasks.find(task).state is TaskState.WAITING
    desk.deny(second, BEN)
    assert tasks.find(task).state is TaskState.RUNNING


def test_a_task_waits_again_when_its_next_attempt_asks_for_the_same(
    tasks: TaskDesk, desk: ApprovalDesk, clock: FrozenClock
) -> None:
    tasks.give()
    task = tasks.claimed(lease=30).number
    asked = desk.ask(task=task)
    clock.advance(31)
    tasks.sweep()
    assert tasks.claimed("w2").state is TaskState.RUNNING
    for _ in range(2):  # asked twice, it waits once
        assert desk.ask(task=task).number == asked.number
        assert tasks.find(task).state is TaskState.WAITING
    assert tasks.kinds(task).count("waits") == 2
    desk.counted(asked, BEN)
    assert tasks.find(task).state is TaskState.RUNNING


def test_a_task_works_again_whichever_way_its_request_ends(
    tasks: TaskDesk, desk: ApprovalDesk, clock: FrozenClock
) -> None:
    tasks.give()
    tasks.give()
    task, other = (tasks.claimed(lease=100_000).number for _ in range(2))

    def expire(_: Approval) -> object:
        clock.advance(3600)
        return desk.expire()

    ends: dict[str, Callable[[Approval], object]] = {
        "c_1": desk.bypass,
        "c_2": lambda asked: desk.store.write(cancel_approval, asked.number, AGENT),
        "c_3": lambda asked: desk.ask("c_9", task=other, supersedes=asked.number),
        "c_4": expire,
    }
    for target, end in ends.items():
        asked = desk.ask(target, task=task, ttl_seconds=3600)
        assert tasks.find(task).state is TaskState.WAITING, target
        end(asked)
        assert tasks.find(task).state is TaskState.RUNNING, target


def test_a_task_waits_on_while_its_request_is_superseded_by_its_own(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give()
    task = tasks.claimed().number
    desk.ask(task=task)
    changed = desk.ask(amount="90.00", task=task)
    assert tasks.find(task).state is TaskState.WAITING
    desk.counted(changed, BEN)
    assert tasks.find(task).state is TaskState.RUNNING


def test_a_waiting_task_keeps_its_worker(
    tasks: TaskDesk, desk: ApprovalDesk, clock: FrozenClock
) -> None:
    tasks.give()
    task = tasks.claimed(lease=30)
    assert task.lease is not None
    desk.ask(task=task.number)
    clock.advance(20)
    renewed = tasks.store.write(renew_lease, task.number, task.lease.id, AGENT, 30)
    assert renewed.lease is not None
    assert renewed.lease.until == clock.instant + 30_000_000
    clock.advance(20)
    told = tasks.store.write(report_progress, task.number, task.lease.id, AGENT, "asked", 30)
    assert (told.state, told.progress) == (TaskState.WAITING, "asked")
    clock.advance(20)
    assert tasks.sweep() == 0
    assert tasks.claim() is None


def test_a_waiting_task_whose_worker_goes_quiet_is_taken_back(
    tasks: TaskDesk, desk: ApprovalDesk, clock: FrozenClock
) -> None:
    tasks.give()
    task = tasks.claimed(lease=30)
    asked = desk.ask(task=task.number)
    clock.advance(31)
    assert tasks.sweep() == 1
    assert tasks.find(task.number).state is TaskState.QUEUED
    again = tasks.claimed("w2")
    assert again.number == task.number
    assert desk.ask(task=task.number).number == asked.number  # the next attempt finds its request
    desk.counted(asked, BEN)
    assert tasks.find(task.number).state is TaskState.RUNNING


def test_a_waiting_task_ends_at_its_time_limit(
    tasks: TaskDesk, desk: ApprovalDesk, clock: FrozenClock
) -> None:
    tasks.give()
    task = tasks.claimed(lease=100_000)
    desk.ask(task=task.number)
    clock.advance(600 + 121)
    assert tasks.sweep() == 1
    assert tasks.find(task.number).state is not TaskState.WAITING


def test_a_waiting_task_can_be_closed_released_and_cancelled(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give()
    tasks.give()
    tasks.give()
    closed, released, cancelled = tasks.claimed(), tasks.claimed(), tasks.claimed()
    for task in (closed, released, cancelled):
        desk.ask(task=task.number)
    assert tasks.close(closed, Verdict.PASSED).task.state is TaskState.DONE
    assert released.lease is not None
    tasks.store.write(release_task, released.number, released.lease.id, AGENT, ROUTES)
    assert tasks.find(released.number).state is TaskState.QUEUED
    tasks.store.write(cancel_task, cancelled.number, ANA)
    assert cancelled.lease is not None
    with pytest.raises(ConflictError, match="was cancelled by Ana Ruiz"):
        tasks.store.write(renew_lease, cancelled.number, cancelled.lease.id, AGENT, 30)
    for number, asked in enumerate((closed, released, cancelled), 1):
        assert desk.find(number).state is ApprovalState.PENDING
        before = tasks.find(asked.number)
        desk.vote(number, BEN)  # decided late: no ended or queued task is moved by it
        assert tasks.find(asked.number).state is before.state


def test_what_a_cancelled_task_asked_is_nobodys_to_decide_or_run(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give()
    task = tasks.claimed().number
    clicked, swept = desk.ask("c_1", task=task), desk.ask("c_2", task=task)
    approved = desk.counted(desk.ask("c_3", task=task)).approval
    tasks.store.write(cancel_task, task, ANA)
    error = desk.refused(desk.vote(clicked, BEN), "vote.refused", "already_cancelled")
    assert error.message.startswith("Ana Ruiz took this back at 11:06 UTC. Nothing ran.")
    assert desk.expire() == 1
    assert desk.expire() == 0
    found = desk.find(swept)
    assert (found.state, found.reason) == (ApprovalState.CANCELLED, f"T-{task} was cancelled")
    assert desk.kinds().count("approval.cancelled") == 2
    error = desk.refused(desk.begin(approved), "execution.refused", "task_cancelled")
    assert error.message == f"T-{task} was cancelled by Ana Ruiz, so {approved.id} may not run."


def test_a_waiting_task_takes_its_place_in_the_routes_limit(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    for _ in range(3):
        tasks.give("report it")
    first, _ = tasks.claimed(), tasks.claimed()
    desk.ask(task=first.number)
    assert tasks.claim() is None
    tasks.close(tasks.find(first.number))
    assert tasks.claim() is not None


def test_two_that_are_decided_at_once_let_the_task_work_again(
    store_url: str, clock: FrozenClock
) -> None:
    stores = [open_store(store_url, clock) for _ in range(2)]
    tasks, desks = TaskDesk(stores[0]), [ApprovalDesk(one) for one in stores]
    for round_ in range(10):
        tasks.give()
        task = tasks.claimed().number
        asked = [desks[0].ask(f"c_{round_}_{side}", task=task) for side in range(2)]
        barrier = threading.Barrier(2)

        def decide(
            side: int, asked: list[Approval] = asked, barrier: threading.Barrier = barrier
        ) -> None:
            barrier.wait()
            desks[side].counted(asked[side], BEN)

        threads = [threading.Thread(target=decide, args=(side,)) for side in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert tasks.find(task).state is TaskState.RUNNING
    for one in stores:
        one.close()
