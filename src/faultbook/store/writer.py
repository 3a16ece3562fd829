"""SQLite's one writer: a thread that groups waiting operations into one commit.

Each operation runs in a savepoint of its own, so that one that fails takes no other with it. Nobody
is answered before the commit. If the transaction itself dies, each member is run again alone. An
operation does SQL only: no I/O, hashing or rendering, or all who wait behind it would wait for it.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from faultbook.store.audit import chain
from faultbook.store.transaction import Transaction


class Waiter(Protocol):
    """Whoever waits for an operation; a `concurrent.futures.Future` is one."""

    def set_running_or_notify_cancel(self) -> bool:
        """Begin, and tell whether anybody still waits."""

    def set_result(self, result: Any, /) -> None:  # noqa: ANN401 - any operation's
        """Answer."""

    def set_exception(self, exception: BaseException | None, /) -> None:
        """Answer with a failure."""

    def done(self) -> bool:
        """Tell whether it was answered."""


Work = tuple[Callable[[Transaction], Any], Waiter]

_LARGEST_GROUP = 256


class GroupingWriter:
    """Owns the writing connection of a SQLite store."""

    def __init__(
        self,
        engine: Engine,
        begin: Callable[[Connection], Transaction],
        tell: Callable[[Sequence[Transaction]], None],
    ) -> None:
        self._engine = engine
        self._begin = begin
        self._tell = tell
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._closed = False
        self._submitting = threading.Lock()  # so that nothing is queued behind the end
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Callable[[Transaction], Any]) -> "Future[Any]":
        """Queue an operation; the future resolves after its commit."""
        future: Future[Any] = Future()
        self.submit_for(operation, future)
        return future

    def submit_for(self, operation: Callable[[Transaction], Any], waiter: Waiter) -> None:
        """Queue an operation; the waiter is answered after its commit, in the writer's thread."""
        with self._submitting:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._queue.put((operation, waiter))

    def close(self) -> None:
        """Finish what is queued, then end the thread."""
        with self._submitting:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        group = self._next_group()
        while group is not None:
            try:
                with self._engine.connect() as opened:
                    connection = opened.execution_options(isolation_level="AUTOCOMMIT")
                    while group is not None:
                        self._commit_group(connection, group)
                        group = self._next_group()
            except Exception as error:  # noqa: BLE001 - the connection is lost; a new one follows
                if group is not None:
                    _answer_all(group, error)
                    group = self._next_group()

    def _next_group(self) -> list[Work] | None:
        first = self._queue.get()
        if first is None:
            return None
        group = [first]
        while len(group) < _LARGEST_GROUP:
            try:
                work = self._queue.get_nowait()
            except Empty:
                break
            if work is None:
                self._queue.put(None)  # end after this group
                break
            group.append(work)
        return [work for work in group if work[1].set_running_or_notify_cancel()]

    def _commit_group(self, connection: Connection, group: list[Work]) -> None:
        if not group:
            return
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except DBAPIError as error:  # another process holds the lock: that is everyone's answer
            _answer_all(group, error)
            if _in_transaction(connection):  # one that could not be rolled back before
                connection.exec_driver_sql("ROLLBACK")
            return
        ended: list[Transaction] = []
        try:
            answers = self._try_group(connection, group, ended)
        except Exception as error:  # noqa: BLE001 - SQLite out of memory is a MemoryError
            if len(group) == 1:
                group[0][1].set_exception(error)
                return
            for work in group:
                self._commit_group(connection, [work])
            return
        for (_, future), (result, failure) in zip(group, answers, strict=True):
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)
        self._tell(ended)

    def _try_group(
        self, connection: Connection, group: list[Work], ended: list[Transaction]
    ) -> list[tuple[Any, Exception | None]]:
        """Run all in the transaction that was begun, and commit it.

        Raises:
            Exception: the transaction itself died; nothing of the group is in the store.
        """
        execute = connection.exec_driver_sql
        try:
            answers = [self._run_one(connection, operation, ended) for operation, _ in group]
            execute("COMMIT")
        except BaseException:
            if _in_transaction(connection):
                with contextlib.suppress(DBAPIError):  # tried again before the next one
                    execute("ROLLBACK")
            raise
        return answers

    def _run_one(
        self,
        connection: Connection,
        operation: Callable[[Transaction], Any],
        ended: list[Transaction],
    ) -> tuple[Any, Exception | None]:
        execute = connection.exec_driver_sql
        execute("SAVEPOINT member")
        transaction = self._begin(connection)
        try:
            result = operation(transaction)
            chain(transaction)
        except Exception as error:  # whatever it is belongs to who asked
            if not _in_transaction(connection):
                raise  # the whole transaction is gone (disk full, I/O error), not this member
            execute("ROLLBACK TO member")
            execute("RELEASE member")
            return None, error
        execute("RELEASE member")
        ended.append(transaction)
        return result, None


def _answer_all(group: list[Work], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)


def _in_transaction(connection: Connection) -> bool:
    driver: Any = connection.connection.dbapi_connection
    return bool(driver.in_transaction)
