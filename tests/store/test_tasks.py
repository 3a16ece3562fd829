"""Tasks in the store: many claimers at once, statements that seek, watchers, and the migration."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text

from faultbook.base.errors import InvalidError
from faultbook.model.notice import NewNotice
from faultbook.model.route import RetryPolicy, Route, Routes
from faultbook.model.task import Task, TaskState
from faultbook.operations.attempts import attempt_values
from faultbook.operations.recording import record_runs
from faultbook.operations.task_notices import TaskNotice
from faultbook.operations.tasks import cancel_task, take_task
from faultbook.store import migrate as migrate_module
from faultbook.store import notices, tasks
from faultbook.store.engine import Store, open_store
from faultbook.store.task_claims import claim_next
from faultbook.store.transaction import Transaction
from tests.builders import whole_run
from tests.conftest import START, FrozenClock
from tests.task_desk import AGENT, ANA, ROUTES, TaskDesk

THREADS = 32


@pytest.fixture
def desk(store: Store) -> TaskDesk:
    return TaskDesk(store)


def at_once(work: Callable[[int], None], count: int = THREADS) -> None:
    """Run work in so many threads, and raise what any of them raised."""
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


# Many at once


def test_thirty_two_claimers_get_each_task_once(desk: TaskDesk) -> None:
    given = [desk.give().number for _ in range(96)]
    claimed: list[Task] = []

    def claim_all(number: int) -> None:
        while (task := desk.claim(f"w{number}")) is not None:
            claimed.append(task)

    at_once(claim_all)
    assert sorted(task.number for task in claimed) == given
    assert all(task.attempts == 1 for task in claimed)
    leases = {task.lease.id for task in claimed if task.lease is not None}
    assert len(leases) == len({task.run_id for task in claimed}) == 96


def test_thirty_two_claimers_keep_to_a_routes_limit(desk: TaskDesk) -> None:
    for _ in range(20):
        desk.give("report")
    claimed: list[Task] = []

    def claim_once(number: int) -> None:
        task = desk.claim(f"w{number}")
        if task is not None:
            claimed.append(task)

    at_once(claim_once)
    assert len(claimed) == 2


def test_thirty_two_workers_claim_and_close_until_all_is_done(desk: TaskDesk) -> None:
    for _ in range(64):
        desk.give()

    def work(number: int) -> None:
        while (task := desk.claim(f"w{number}")) is not None:
            desk.close(task)

    at_once(work)
    for number in range(1, 65):
        task = desk.find(number)
        assert (task.state, task.attempts) == (TaskState.DONE, 1)
        assert desk.runs(task) == [(1, "closed", "passed")]


def test_a_task_that_is_cancelled_while_it_is_claimed_leaves_no_run_open(desk: TaskDesk) -> None:
    given = [desk.give().number for _ in range(32)]

    def claim_or_cancel(number: int) -> None:
        if number % 2:
            for _ in range(2):
                desk.claim(f"w{number}")
        else:
            for task in given[number : number + 2]:
                desk.store.write(cancel_task, task, ANA)

    at_once(claim_or_cancel)
    for number in given:
        task = desk.find(number)
        assert task.state is TaskState.CANCELLED
        assert all(state == "closed" for _, state, _ in desk.runs(task))


def test_the_same_message_told_thirty_two_times_at_once_is_one_task(desk: TaskDesk) -> None:
    new = desk.new()
    taken: list[Task | None] = []
    at_once(lambda n: taken.append(desk.store.write(take_task, [f"event:{n}"], new, ROUTES)))
    assert len([task for task in taken if task is not None]) == 1
    assert len(desk.owed(TaskNotice.CARD)) == 1


def test_sweepers_at_once_count_a_lapse_once(desk: TaskDesk, clock: FrozenClock) -> None:
    for _ in range(8):
        desk.give()
        desk.claimed()
    clock.advance(31)
    swept: list[int] = []
    at_once(lambda _: swept.append(desk.sweep()), 8)
    assert sum(swept) == 8
    assert {desk.find(number).lapses for number in range(1, 9)} == {1}


# How statements find their rows


def plan_of(store: Store, operation: Callable[[Transaction], object]) -> str:
    """Tell how the store looks up what an operation's one statement asks for."""
    seen: list[tuple[str, Any]] = []

    def keep(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
        seen.append((statement, parameters))

    def look(tx: Transaction) -> str:
        event.listen(store.engine, "before_cursor_execute", keep)
        try:
            operation(tx)
        finally:
            event.remove(store.engine, "before_cursor_execute", keep)
        [(statement, parameters)] = seen
        if tx.is_postgresql:  # a table this small is read whole unless that is forbidden
            tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if tx.is_postgresql else "EXPLAIN QUERY PLAN"
        rows = tx.connection.exec_driver_sql(f"{explain} {statement}", parameters)
        return "\n".join(str(row[-1]) for row in rows)

    return store.write(look)


@pytest.mark.parametrize(
    ("operation", "index"),
    [
        (lambda tx: claim_next(tx, ["invoices"], attempt_values(tx)), "ix_tasks_queue"),
        # PostgreSQL reads a queue this short by any index that has only queued rows.
        (lambda tx: claim_next(tx, ["invoices", "reports"], attempt_values(tx)), "ix_tasks_"),
        (tasks.list_lapsed, "ix_tasks_leases"),
        (tasks.list_to_say_waits, "ix_tasks_waits"),
        (lambda tx: tasks.count_running(tx, "invoices"), "ix_tasks_running"),
    ],
    ids=["claim_next", "claim_next of two", "list_lapsed", "list_to_say_waits", "count_running"],
)
def test_what_is_asked_again_and_again_is_found_by_its_partial_index(
    desk: TaskDesk, operation: Callable[[Transaction], object], index: str
) -> None:
    for _ in range(5):
        desk.give()
    desk.claimed()
    plan = plan_of(desk.store, operation)
    assert index in plan, plan
    assert "SCAN tasks\n" not in f"{plan}\n"


def test_the_next_task_of_one_route_needs_no_sorting(sqlite_store: Store) -> None:
    TaskDesk(sqlite_store).give()
    plan = plan_of(sqlite_store, lambda tx: claim_next(tx, ["invoices"], attempt_values(tx)))
    assert "TEMP B-TREE" not in plan, plan


# Watchers


class Heard:
    """What a watcher of the store was told, and how the store stood then."""

    def __init__(self, desk: TaskDesk) -> None:
        self.topics: list[frozenset[str]] = []
        self.seen: list[int] = []
        self._desk = desk
        self._told = threading.Condition()
        self.end = desk.store.watch(self._hear)

    def _hear(self, topics: frozenset[str]) -> None:
        with self._told:
            self.topics.append(topics)
            self.seen.append(len(self._desk.owed()))
            self._told.notify_all()

    def wait(self, count: int) -> None:
        with self._told:
            assert self._told.wait_for(lambda: len(self.topics) >= count, timeout=30)


def test_watchers_are_told_after_the_commit_what_it_touched(desk: TaskDesk) -> None:
    heard = Heard(desk)
    desk.give()
    heard.wait(1)
    assert heard.topics == [frozenset({"tasks", "notice:C1", "notice:C1/reactions"})]
    assert heard.seen == [2]  # what is owed can be read by then
    heard.end()


def test_watchers_are_told_nothing_of_what_failed_or_touched_nothing(desk: TaskDesk) -> None:
    heard = Heard(desk)

    def owe_and_fail(tx: Transaction) -> None:
        notices.append(tx, NewNotice("answer", "C9", {}))
        raise InvalidError("no", next_step="none")

    with pytest.raises(InvalidError):
        desk.store.write(owe_and_fail)
    desk.sweep()
    desk.give()
    heard.wait(1)
    assert len(heard.topics) == 1
    assert "notice:C9" not in heard.topics[0]
    heard.end()
    desk.give()
    desk.store.write(lambda _: None)  # whoever is told is told before the next operation
    assert len(heard.topics) == 1


def test_a_task_that_is_queued_again_is_told_of(desk: TaskDesk, clock: FrozenClock) -> None:
    desk.give()
    desk.claimed()
    heard = Heard(desk)
    clock.advance(31)
    desk.sweep()
    heard.wait(1)
    assert tasks.TOPIC in heard.topics[0]
    heard.end()


def test_a_watcher_that_fails_hinders_nobody(desk: TaskDesk) -> None:
    def fail(_: frozenset[str]) -> None:
        raise RuntimeError("the loop is closed")

    end = desk.store.watch(fail)
    heard = Heard(desk)
    desk.give()
    desk.give()
    heard.wait(1)
    assert desk.find(2).state is TaskState.QUEUED
    for stop in (end, heard.end):
        stop()


# The migration


def test_a_database_of_the_schema_before_tasks_is_brought_forward_with_its_rows(
    empty_url: str, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make_0002(empty_url, monkeypatch)
    store = open_store(empty_url, clock)
    desk = TaskDesk(store, Routes((Route("r", "w", agent=AGENT, retry=RetryPolicy()),)))
    [old] = desk.owed()
    assert (old.id, old.subject, old.payload) == ("n1", None, {"n": 1})
    assert desk.close(_claim_given(desk)).task.state is TaskState.DONE
    assert desk.owed()[0] == old
    store.write(record_runs, [whole_run(at=START)])
    store.close()


def _claim_given(desk: TaskDesk) -> Task:
    desk.give()
    return desk.claimed()


def _make_0002(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a database as it was before there were tasks, with a notice that is owed."""
    from alembic import command  # noqa: PLC0415 - costs half a second that other tests spare

    real = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: real(config, "0002"))
        patched.setattr(migrate_module, "HEAD", "0002")
        open_store(url).close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0002"
        )
        connection.execute(
            text(
                "INSERT INTO notices (id, kind, target, priority, payload, state, not_before,"
                " owed_at) VALUES ('n1', 'answer', 'C1', 1, '{\"n\": 1}', 'owed', 0, 0)"
            )
        )
    engine.dispose()
