"""What befalls a store: full disks, lost connections, files that are no database."""

import sqlite3
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from faultbook.base.errors import InvalidError, UnavailableError
from faultbook.store import seen
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import seen as seen_table
from faultbook.store.transaction import Transaction
from tests.conftest import FrozenClock, PostgresServer

DISK = OperationalError("x", None, sqlite3.OperationalError("disk I/O error"))


def _keys(tx: Transaction) -> set[str]:
    return set(tx.execute(select(seen_table.c.key)).scalars())


def _fail_once(store: Store, **troubles: Exception) -> None:
    """Let statements fail, each once, as SQLite itself would let them."""

    @event.listens_for(store.engine, "before_cursor_execute")
    def fail(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        error = troubles.pop(statement, None)
        if error is not None:
            raise error


@pytest.mark.parametrize("trouble", [MemoryError(), DISK], ids=["memory", "disk"])
def test_a_commit_that_fails_for_whatever_reason_leaves_the_writer_alive(
    sqlite_store: Store, trouble: Exception
) -> None:
    _fail_once(sqlite_store, COMMIT=trouble)
    with pytest.raises((MemoryError, UnavailableError)):
        sqlite_store.write(seen.take, "first")
    assert sqlite_store.write(seen.take, "second")
    assert sqlite_store.read(_keys) == {"second"}


def test_a_transaction_that_could_not_even_be_rolled_back_is_before_the_next(
    sqlite_store: Store,
) -> None:
    _fail_once(sqlite_store, COMMIT=DISK, ROLLBACK=DISK)
    with pytest.raises(UnavailableError):
        sqlite_store.write(seen.take, "first")
    with pytest.raises(UnavailableError):
        sqlite_store.write(seen.take, "second")
    assert sqlite_store.write(seen.take, "third")
    assert sqlite_store.read(_keys) == {"third"}


def test_a_connection_that_can_not_be_opened_is_opened_for_the_next_write(
    sqlite_store: Store,
) -> None:
    sqlite_store.engine.dispose()
    refused = [sqlite3.OperationalError("unable to open database file")]

    @event.listens_for(sqlite_store.engine, "do_connect")
    def refuse(*_: object) -> None:
        if refused:
            raise refused.pop()

    with pytest.raises(UnavailableError, match="unable to open"):
        sqlite_store.write(seen.take, "first")
    assert sqlite_store.write(seen.take, "second")


def test_what_was_acknowledged_before_the_disk_was_full_is_there(sqlite_store: Store) -> None:
    def limit(tx: Transaction, pages: int) -> None:
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def pages(tx: Transaction) -> int:
        return int(tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one())

    sqlite_store.write(limit, sqlite_store.read(pages) + 8)
    key = "k" * 500
    futures = [sqlite_store.submit(seen.take, f"{key}{n}") for n in range(400)]
    taken = {f"{key}{n}" for n, future in enumerate(futures) if future.exception() is None}
    assert 0 < len(taken) < 400
    assert sqlite_store.read(_keys) == taken
    sqlite_store.write(limit, 1_000_000)
    assert sqlite_store.write(seen.take, "afterwards")


def test_nothing_is_queued_behind_the_end(tmp_path: Path, clock: FrozenClock) -> None:
    store = open_store(sqlite_url(tmp_path), clock)
    futures: list[Future[bool]] = []
    ended = threading.Event()

    def submit_until_the_end(name: int) -> None:
        for number in range(100_000):
            try:
                futures.append(store.submit(seen.take, f"{name}:{number}"))
            except RuntimeError:
                return
        ended.set()

    threads = [threading.Thread(target=submit_until_the_end, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while len(futures) < 100:
        ended.wait(0.001)
    store.close()
    for thread in threads:
        thread.join()
    assert not ended.is_set()
    assert all(future.result(timeout=1) for future in futures)


def test_a_server_that_ends_a_connection_midway_is_unavailable_and_then_served(
    postgres: PostgresServer, clock: FrozenClock
) -> None:
    store = open_store(postgres.new_database(), clock)

    def take_and_break(tx: Transaction) -> bool:
        seen.take(tx, "lost")
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return True

    for _ in range(2):
        with pytest.raises(UnavailableError):
            store.write(take_and_break)
        with pytest.raises(UnavailableError):
            store.read(take_and_break)
    assert store.write(seen.take, "kept")
    assert store.read(_keys) == {"kept"}
    store.close()


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "faultbook.db").write_bytes(b"something else entirely" * 500)
    with pytest.raises(UnavailableError, match="not a database") as caught:
        open_store(sqlite_url(tmp_path))
    assert caught.value.code == "store_broken"


def test_a_home_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(UnavailableError, match=str(home)) as caught:
            open_store(sqlite_url(home))
        assert (caught.value.code, caught.value.where) == ("home_unavailable", "FAULTBOOK_HOME")


def test_a_port_that_is_no_number_is_refused_without_showing_the_password() -> None:
    with pytest.raises(InvalidError) as caught:
        open_store("postgresql://user:hunter2@host:port/name")
    assert "hunter2" not in caught.value.message
