"""The audit log: one chain however many write, and rows that nobody can change."""

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from faultbook.model.audit import GENESIS, AuditEntry, link_hash
from faultbook.store import audit
from faultbook.store.engine import Store, open_store
from faultbook.store.transaction import Transaction
from tests.conftest import FrozenClock


def _record(tx: Transaction, number: int) -> None:
    tx.audited.append(AuditEntry("test", f"N-{number}", "somebody", {"number": number}))


def _fail_after_recording(tx: Transaction) -> None:
    _record(tx, 0)
    raise LookupError


def test_a_record_is_there_with_its_fact_and_not_without(store: Store) -> None:
    store.write(_record, 1)
    with pytest.raises(LookupError):
        store.write(_fail_after_recording)
    store.write(_record, 2)
    records = store.read(lambda tx: list(audit.read_all(tx)))
    assert [record.subject for record in records] == ["N-1", "N-2"]
    assert [record.sequence for record in records] == [1, 2]
    assert records[0].previous == GENESIS
    assert records[1].previous == records[0].hash


def test_sixteen_writers_make_one_unforked_chain(store_url: str, clock: FrozenClock) -> None:
    """Half of them write through a store of their own, as another process would."""
    stores = [open_store(store_url, clock) for _ in range(4)]
    failures: list[Exception] = []

    def write(writer: int) -> None:
        try:
            for number in range(20):
                stores[writer % 4].write(_record, writer * 100 + number)
        except Exception as error:  # noqa: BLE001 - any failure at all is the finding
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = stores[0].read(lambda tx: list(audit.read_all(tx)))
    for one in stores:
        one.close()
    assert failures == []
    assert [record.sequence for record in records] == list(range(1, 321))
    previous = GENESIS
    for record in records:
        assert record.previous == previous
        previous = link_hash(record.previous, record.record.encode())
        assert record.hash == previous


_EVERYWHERE = ("UPDATE audit SET actor = 'nobody'", "DELETE FROM audit WHERE sequence = 2")
_SQLITE = ("REPLACE INTO audit SELECT * FROM audit WHERE sequence = 1",)
_POSTGRESQL = (
    "TRUNCATE audit",
    "SET LOCAL session_replication_role = replica; DELETE FROM audit",
)


def test_no_statement_changes_what_was_recorded(store: Store) -> None:
    for number in range(3):
        store.write(_record, number)
    before = store.read(lambda tx: list(audit.read_all(tx)))
    for statement in (*_EVERYWHERE, *(_POSTGRESQL if store.is_postgresql else _SQLITE)):

        def change(tx: Transaction, statement: str = statement) -> None:
            for one in statement.split("; "):
                tx.execute(text(one))

        with pytest.raises(DBAPIError, match="only appended to"):
            store.write(change)
        assert store.read(lambda tx: list(audit.read_all(tx))) == before


def test_no_other_program_replaces_what_was_recorded(sqlite_store: Store) -> None:
    """As the sqlite3 shell would, where recursive triggers are off."""
    for number in range(3):
        sqlite_store.write(_record, number)
    before = sqlite_store.read(lambda tx: list(audit.read_all(tx)))
    path = str(sqlite_store.engine.url.database)
    with closing(sqlite3.connect(path)) as shell:
        assert shell.execute("PRAGMA recursive_triggers").fetchone() == (0,)
        for sequence, previous, digest in (
            (2, "p", "h"),
            (9, before[1].previous, "h"),
            (9, "p", before[1].hash),
        ):
            row = (sequence, 1, "vote.approve", "A-1", "mallory", "{}", previous, digest)
            with pytest.raises(sqlite3.IntegrityError, match="only appended to"):
                shell.execute("REPLACE INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    assert sqlite_store.read(lambda tx: list(audit.read_all(tx))) == before
