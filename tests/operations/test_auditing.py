"""The audit log read again: what was flipped, dropped, swapped, put in or cut off is named."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import pytest
from sqlalchemy import insert, text

from faultbook.base.clock import DAY, SECOND
from faultbook.base.errors import InvalidError
from faultbook.model.audit import GENESIS, Anchor, AuditEntry, Head, chained, parse_head
from faultbook.operations.auditing import (
    AuditNotice,
    Verification,
    announce_head,
    list_after,
    list_newest,
    read_announced,
    read_head,
    verify_audit,
)
from faultbook.store import notices
from faultbook.store.engine import Store
from faultbook.store.schema_approvals import audit
from faultbook.store.transaction import Transaction
from tests.conftest import FrozenClock

_SIZE = 6
_COPY = (
    "INSERT INTO audit SELECT ?, at, kind, subject, actor, record, 'a', 'b'"
    " FROM audit WHERE sequence = 1"
)
_TRIGGERS = {
    True: (
        "ALTER TABLE audit DISABLE TRIGGER audit_never_changed",
        "ALTER TABLE audit DISABLE TRIGGER audit_never_emptied",
    ),
    False: (
        "DROP TRIGGER audit_never_updated",
        "DROP TRIGGER audit_never_deleted",
        "DROP TRIGGER audit_never_replaced",
    ),
}


def _record(tx: Transaction, number: int) -> None:
    tx.audited.append(AuditEntry("test", f"N-{number}", "Ana (UANA)", {"number": number}))


def _rewrite(store: Store, *statements: str) -> None:
    """Do what the owner of the table can: put the triggers away, then change what is there."""

    def change(tx: Transaction) -> None:
        for statement in (*_TRIGGERS[store.is_postgresql], *statements):
            tx.execute(text(statement))

    store.write(change)


@pytest.fixture
def logged(store: Store) -> Store:
    for number in range(1, _SIZE + 1):
        store.write(_record, number)
    return store


@pytest.mark.parametrize(
    ("statements", "broken_at", "why"),
    [
        (
            ("UPDATE audit SET record = replace(record, 'N-3', 'N-9')",),
            3,
            "its record was changed",
        ),
        (("UPDATE audit SET actor = 'Eve' WHERE sequence = 2",), 2, "its columns say"),
        (("UPDATE audit SET at = at + 1 WHERE sequence = 5",), 5, "its columns say"),
        (("UPDATE audit SET hash = upper(hash) WHERE sequence = 4",), 4, "its record was changed"),
        (
            ("UPDATE audit SET previous = 'f' || previous WHERE sequence = 4",),
            4,
            "does not follow",
        ),
        (("DELETE FROM audit WHERE sequence = 3",), 3, "it is missing"),
        (("DELETE FROM audit WHERE sequence = 1",), 1, "it is missing"),
        (
            (
                "UPDATE audit SET sequence = -3 WHERE sequence = 3",
                "UPDATE audit SET sequence = 3 WHERE sequence = 4",
                "UPDATE audit SET sequence = 4 WHERE sequence = -3",
            ),
            3,
            "does not follow",
        ),
        (
            (_COPY.replace("?", "0"),),
            1,
            "no place",
        ),
        (
            (_COPY.replace("?", "7"),),
            7,
            "does not follow",
        ),
    ],
)
def test_the_first_bad_entry_is_named(
    logged: Store, statements: Sequence[str], broken_at: int, why: str
) -> None:
    assert logged.read(verify_audit).broken_at is None
    _rewrite(logged, *statements)
    found = logged.read(verify_audit)
    assert (found.broken_at, why in found.why) == (broken_at, True), found
    assert found.head.size == broken_at - 1


def test_bytes_that_are_no_text_are_named_and_not_a_failure(
    sqlite_store: Store,
) -> None:
    for number in range(1, 4):
        sqlite_store.write(_record, number)
    _rewrite(sqlite_store, "UPDATE audit SET record = CAST(x'7bff7d' AS TEXT) WHERE sequence = 2")
    assert sqlite_store.read(verify_audit).broken_at == 2

    def put_bytes(tx: Transaction) -> None:
        tx.execute(text("UPDATE audit SET record = x'7b' WHERE sequence = 2"))

    sqlite_store.write(put_bytes)
    assert sqlite_store.read(verify_audit).why == "it holds what is no text"


def test_a_cut_end_shows_against_a_head_from_elsewhere_and_only_so(logged: Store) -> None:
    noted = logged.read(read_head)
    assert noted.size == _SIZE
    assert logged.read(verify_audit, [Anchor(noted, "here")]).is_anchored
    _rewrite(logged, "DELETE FROM audit WHERE sequence > 4")
    alone = logged.read(verify_audit)
    assert (alone.broken_at, alone.is_anchored, alone.head.size) == (None, False, 4)
    found = logged.read(verify_audit, [Anchor(noted, "the head you gave")])
    assert found.broken_at == 5
    assert found.why == "the log ends with entry 4; the head you gave says 6"


def test_a_log_that_was_written_anew_is_not_the_one_that_was_noted(logged: Store) -> None:
    """Whoever can rewrite the table can make another chain that is whole in itself."""
    noted = logged.read(read_head)
    earlier = Head(3, logged.read(list_after, 2, 1)[0].hash)

    def rewrite(tx: Transaction) -> None:
        previous, rows = GENESIS, []
        for record in list_after(tx, None, 100):
            entry = AuditEntry(record.kind, record.subject, "Eve", {})
            made = chained(entry, record.sequence, record.at, previous)
            previous = made.hash
            rows.append(made)
        tx.execute(text("DELETE FROM audit"))
        for made in rows:
            tx.execute(insert(audit).values(asdict(made)))

    _rewrite(logged)
    logged.write(rewrite)
    assert logged.read(verify_audit).broken_at is None
    anchors = [Anchor(noted, "the newer"), Anchor(earlier, "the older")]
    found = logged.read(verify_audit, anchors)
    assert (found.broken_at, found.why) == (3, "it is not the entry that the older says")


def test_a_log_that_grew_holds_its_older_heads(logged: Store) -> None:
    noted = logged.read(read_head)
    told: list[int] = []
    logged.write(_record, 7)
    found = logged.read(verify_audit, [Anchor(noted, "a tag")], told.append)
    assert (found.broken_at, found.head.size, found.reach) == (None, 7, 6)
    assert told == []  # a word of progress comes every thousand entries


def test_an_empty_log_is_intact_and_anchored_to_nothing(store: Store) -> None:
    assert store.read(verify_audit) == Verification(Head(0, GENESIS))


def test_entries_are_read_by_subject_and_from_one_on(logged: Store) -> None:
    assert [one.subject for one in logged.read(list_newest, 2)] == ["N-5", "N-6"]
    assert [one.sequence for one in logged.read(list_newest, 9, "N-3")] == [3]
    assert [one.sequence for one in logged.read(list_after, 4, 9)] == [5, 6]
    assert [one.sequence for one in logged.read(list_after, 2, 9, "N-3")] == [3]


@pytest.mark.parametrize(
    "told",
    [
        *("", "7", "7:abc", f"7:{GENESIS}"),
        *(f"{size}:{'a' * 64}" for size in ("-7", "\u0667", "0", "")),
        f"7:{'A' * 64}",
    ],
)
def test_what_is_no_head_is_refused(told: str) -> None:
    with pytest.raises(InvalidError, match="no head"):
        parse_head(told)


def _owed(tx: Transaction) -> list[Head]:
    claimed = notices.claim(tx, "test", tx.now + SECOND, 10)
    assert all(one.kind == AuditNotice.HEAD for one in claimed)
    for one in claimed:
        notices.settle(tx, one.id, {})
    return [read_announced(one.payload) for one in claimed]


def test_the_head_is_told_once_a_day_however_many_tick(store: Store, clock: FrozenClock) -> None:
    assert not store.write(announce_head, "COPS")  # of an empty log nothing is said
    store.write(_record, 1)
    told = [store.write(announce_head, "COPS") for _ in range(3)]
    assert told == [True, False, False]
    assert store.write(_owed) == [store.read(read_head)]
    store.write(_record, 2)
    clock.instant += DAY
    assert store.write(announce_head, "COPS")
    assert store.write(_owed) == [store.read(read_head)]


def test_the_callback_hears_of_every_thousand(sqlite_store: Store) -> None:
    def many(tx: Transaction) -> None:
        for number in range(2100):
            _record(tx, number)

    told: list[int] = []
    heard: Callable[[int], None] = told.append
    sqlite_store.write(many)
    assert sqlite_store.read(verify_audit, [], heard).head.size == 2100
    assert told == [1000, 1000]
