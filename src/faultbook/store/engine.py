"""Opening the store, and the one way in: `write` and `read` run an operation in a transaction."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import stamina
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from faultbook.base.clock import Clock, system_clock
from faultbook.base.errors import InvalidError, UnavailableError
from faultbook.base.text import one_line
from faultbook.store.audit import chain
from faultbook.store.loop_waiter import Inboxes
from faultbook.store.migrate import migrate, migration_lock
from faultbook.store.taker import Taker
from faultbook.store.transaction import Transaction
from faultbook.store.writer import GroupingWriter

P = ParamSpec("P")
T = TypeVar("T")

DATABASE_NAME = "faultbook.db"
"""The embedded database's file in a home."""

Watcher = Callable[[frozenset[str]], None]
"""Hears the topics that a commit touched."""

_log = logging.getLogger(__name__)
_BUSY_SECONDS = 15
_POSTGRES_CONNECTIONS = 8
_READERS = 4
# Serialization failure, deadlock: the whole transaction is run again (PostgreSQL, appendix A).
_RETRIED_STATES = frozenset({"40001", "40P01"})


class Store:
    """One database, opened and migrated.

    Operations are plain functions whose first argument is a `Transaction`. They may be run again
    when their transaction died, so they do nothing but SQL.
    """

    def __init__(self, engine: Engine, clock: Clock = system_clock) -> None:
        self.engine = engine
        self.clock = clock
        self.is_postgresql = engine.dialect.name == "postgresql"
        workers = _POSTGRES_CONNECTIONS if self.is_postgresql else _READERS
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="store")
        self._watchers: list[Watcher] = []
        self._taker: Taker | None = None
        begin, tell = self._begin, self._tell
        self._writer = None if self.is_postgresql else GroupingWriter(engine, begin, tell)
        self._inboxes = Inboxes()

    def submit(
        self,
        operation: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> "Future[T]":
        """Queue a writing operation; the future resolves once it is durable."""
        if self._writer is not None:
            return self._writer.submit(lambda tx: operation(tx, *args, **kwargs))
        future: Future[T] = Future()
        self._pool.submit(self._answer, lambda tx: operation(tx, *args, **kwargs), future)
        return future

    def write(
        self,
        operation: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a writing operation and return once it is durable.

        Raises:
            UnavailableError: the database can't be reached or is locked.
        """
        with _explained():
            if self._writer is None:  # its own connection; never a wait for the pool's threads
                result, ended = self._write_postgresql(lambda tx: operation(tx, *args, **kwargs))
                self._tell([ended])
                return result
            return self.submit(operation, *args, **kwargs).result()

    async def write_async(
        self,
        operation: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a writing operation without holding the event loop; durable when it returns."""
        with _explained():
            if self._writer is None:
                return await asyncio.wrap_future(self.submit(operation, *args, **kwargs))
            waiter = self._inboxes.waiter()
            self._writer.submit_for(lambda tx: operation(tx, *args, **kwargs), waiter)
            answer: T = await waiter.future
            return answer

    def read(
        self,
        operation: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a reading operation on one snapshot."""
        with _explained(), self.engine.connect() as connection, connection.begin():
            return operation(Transaction(connection, self.clock()), *args, **kwargs)

    async def read_async(
        self,
        operation: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a reading operation in the store's own threads."""
        return await self.in_thread(lambda: self.read(operation, *args, **kwargs))

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a plain function that uses the store, in the store's bounded thread pool."""
        call = asyncio.get_running_loop().run_in_executor
        return await call(self._pool, lambda: function(*args, **kwargs))

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell someone what each commit of this process touched; gives what ends that.

        Called in the thread that committed: it must be quick and may touch nothing of an event
        loop's. Other processes' commits are not told; who waits also looks every second.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def hand_receipts_to(self, taker: Taker) -> Callable[[], None]:
        """Hand receipts that this process owes to who sends them; gives what ends that."""
        self._taker = taker

        def end() -> None:
            self._taker = None

        return end

    def _begin(self, connection: Connection) -> Transaction:
        return Transaction(connection, self.clock(), taker=self._taker)

    def _tell(self, ended: Sequence[Transaction]) -> None:
        hearers = [
            functools.partial(transaction.taker.take, transaction.fresh)
            for transaction in ended
            if transaction.taker is not None and transaction.fresh
        ]
        topics = frozenset().union(*(transaction.touched for transaction in ended))
        if topics:
            hearers += [functools.partial(watcher, topics) for watcher in self._watchers]
        for hear in hearers:
            try:
                hear()
            except Exception:  # noqa: BLE001 - what was committed stays so, whoever fails to hear
                _log.exception("a watcher of the store failed")

    def close(self) -> None:
        """Finish what was queued and let go of the database."""
        if self._writer is not None:
            self._writer.close()
        self._pool.shutdown()
        self.engine.dispose()

    def _answer(self, operation: Callable[[Transaction], T], future: "Future[T]") -> None:
        """Run an operation for a future; whoever waits for it hears of it first."""
        if not future.set_running_or_notify_cancel():
            return
        try:
            result, ended = self._write_postgresql(operation)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to who asked
            future.set_exception(error)
            return
        future.set_result(result)
        self._tell([ended])

    def _write_postgresql(self, operation: Callable[[Transaction], T]) -> tuple[T, Transaction]:
        for attempt in stamina.retry_context(on=_is_retried, attempts=8, wait_max=0.5):
            with attempt:
                with self.engine.begin() as connection:
                    transaction = self._begin(connection)
                    result = operation(transaction)
                    chain(transaction)
                return result, transaction
        raise AssertionError("unreachable: the last attempt returns or raises")


def _is_retried(error: Exception) -> bool:
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return isinstance(error, DBAPIError) and state in _RETRIED_STATES


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        words = str(getattr(error, "orig", None) or "every connection is in use")
        raise UnavailableError(
            f"The database does not answer: {one_line(words)}",
            code="store_unavailable",
            next_step="Check that it runs and that no other program holds it; then try again.",
        ) from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # its branches are about what was written
            raise
        raise UnavailableError(
            f"The database can't be read: {one_line(str(error.orig))}",
            code="store_broken",
            next_step="Put a backup in its place, or move the file away to begin anew.",
        ) from error


def sqlite_url(home: Path) -> str:
    """Name the embedded database of a home folder."""
    return f"sqlite:///{home / DATABASE_NAME}"


def open_store(url: str, clock: Clock = system_clock) -> Store:
    """Open a database by its URL, migrating it first where that is owed.

    Raises:
        InvalidError: the URL names no supported database.
        UnavailableError: the database can't be reached.
    """
    with contextlib.ExitStack() as opened:
        engine = _make_engine(url)
        opened.callback(engine.dispose)
        with _explained():
            migrate(engine)
        opened.pop_all()
        return Store(engine, clock)


def _make_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: of a port that is no number
        raise InvalidError(
            "The database URL can't be read.",
            next_step="Write sqlite:////path/to/file.db or postgresql://user@host/name.",
            where="FAULTBOOK_DATABASE_URL",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        driver = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            driver, pool_size=_POSTGRES_CONNECTIONS, max_overflow=4, pool_pre_ping=True
        )
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        _make_folder(Path(str(parsed.database)).parent)
        engine = create_engine(parsed.set(drivername="sqlite"), pool_size=_READERS + 2)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    raise InvalidError(
        f"`{backend}` is no database that Faultbook can use.",
        next_step="Write sqlite:////path/to/file.db or postgresql://user@host/name.",
        where="FAULTBOOK_DATABASE_URL",
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UnavailableError(
            f"{folder} can't be made: {error.strerror}.",
            code="home_unavailable",
            next_step="Let FAULTBOOK_HOME name a folder that can be written.",
            where="FAULTBOOK_HOME",
        ) from error


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    connection.isolation_level = None  # the driver must not begin or commit on its own
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Without it REPLACE INTO deletes rows past their BEFORE DELETE triggers.
    connection.execute("PRAGMA recursive_triggers = ON")


def _enter_wal(connection: Any) -> None:  # noqa: ANN401 - the driver's own
    """Turn write-ahead logging on, once for a file's life.

    Under the migrations' lock: of several connections that turn it on at once SQLite refuses all
    but one at once, without waiting for `busy_timeout`.
    """
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    with migration_lock(path):
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    """Give each reader one snapshot; the writer says its own BEGIN IMMEDIATE."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN")
