"""The audit log of approvals, tampered with at every entry: the first bad one is always named."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from faultbook.model.audit import Anchor, AuditEntry, AuditRecord, Head, chained
from faultbook.operations.auditing import Verification, read_head, verify_audit
from faultbook.store import audit as audit_log
from faultbook.store.engine import Store
from faultbook.store.schema_approvals import audit
from faultbook.store.transaction import Transaction
from tests.approval_desk import CARA, EVE, TWO, ApprovalDesk
from tests.conftest import FrozenClock
from tests.task_desk import BEN

_TRIGGERS = {
    True: ("ALTER TABLE audit DISABLE TRIGGER USER",),
    False: (
        "DROP TRIGGER audit_never_updated",
        "DROP TRIGGER audit_never_deleted",
        "DROP TRIGGER audit_never_replaced",
    ),
}
_TEXTS = ("kind", "subject", "actor", "record", "previous", "hash")

Tamper = Callable[[Transaction], object]


@pytest.fixture
def log(store: Store, clock: FrozenClock) -> Store:
    """Fill the log with what approvals leave there: asked, voted, refused, bypassed, executed."""
    desk = ApprovalDesk(store).under(TWO)
    asked = desk.ask("c_1", run_id="r-1")
    desk.ask("c_1", "99.00", run_id="r-1")
    desk.vote(asked, BEN)
    second = desk.ask("c_2")
    desk.counted(second, BEN)
    clock.advance(1)
    approved = desk.counted(second, CARA).approval
    desk.begin(approved, digest="0" * 64)
    grant = desk.granted(approved)
    desk.report(approved, grant.id)
    desk.bypass(desk.ask("c_3"), EVE)
    return store


def _after(store: Store, tamper: Tamper, anchor: Head | None = None) -> Verification:
    """Verify what an owner of the table left behind who put the triggers away; nothing is kept."""
    with store.engine.connect() as connection:
        transaction = connection.begin()
        tx = Transaction(connection, store.clock())
        for statement in _TRIGGERS[store.is_postgresql]:
            tx.execute(text(statement))
        tamper(tx)
        anchors = [] if anchor is None else [Anchor(anchor, "the note")]
        found = verify_audit(tx, anchors)
        transaction.rollback()
    return found


def _records(store: Store) -> list[AuditRecord]:
    return store.read(lambda tx: list(audit_log.read_all(tx)))


def _flipped(value: str) -> Iterator[str]:
    """Change one character: the first, one in the middle, the last."""
    for at in {0, len(value) // 2, len(value) - 1}:
        yield f"{value[:at]}{chr(ord(value[at]) ^ 1)}{value[at + 1 :]}"


def _put(sequence: int, /, **values: object) -> Tamper:
    return lambda tx: tx.execute(update(audit).where(audit.c.sequence == sequence).values(values))


def test_any_flipped_character_of_any_entry_is_found_there(log: Store) -> None:
    records = _records(log)
    assert len(records) >= 10
    assert log.read(verify_audit).broken_at is None
    for one in records:
        for column in _TEXTS:
            for value in _flipped(getattr(one, column)):
                found = _after(log, _put(one.sequence, **{column: value}))
                assert found.broken_at == one.sequence, (one.sequence, column, value)
                assert found.head.size == one.sequence - 1
                assert found.why
        assert _after(log, _put(one.sequence, at=one.at + 1)).broken_at == one.sequence
    assert log.read(verify_audit).broken_at is None


def test_any_entry_but_the_last_that_is_dropped_is_missed(log: Store) -> None:
    size, head = len(_records(log)), log.read(read_head)
    for sequence in range(1, size + 1):

        def drop(tx: Transaction, sequence: int = sequence) -> object:
            return tx.execute(delete(audit).where(audit.c.sequence == sequence))

        alone, anchored = _after(log, drop), _after(log, drop, head)
        assert alone.broken_at == (sequence if sequence < size else None)
        assert anchored.broken_at == sequence


def test_whatever_is_cut_off_shows_against_a_head_and_against_nothing_else(log: Store) -> None:
    size, head = len(_records(log)), log.read(read_head)
    for kept in range(size):

        def cut_off(tx: Transaction, kept: int = kept) -> object:
            return tx.execute(delete(audit).where(audit.c.sequence > kept))

        alone = _after(log, cut_off)
        assert (alone.broken_at, alone.head.size, alone.is_anchored) == (None, kept, False)
        found = _after(log, cut_off, head)
        assert found.broken_at == kept + 1
        assert str(size) in found.why


def test_what_is_written_anew_after_a_cut_is_not_what_the_head_says(log: Store) -> None:
    records, head = _records(log), log.read(read_head)

    def rewrite(tx: Transaction) -> None:
        kept = records[-3]
        tx.execute(delete(audit).where(audit.c.sequence > kept.sequence))
        previous = kept.hash
        for sequence in range(kept.sequence + 1, head.size + 1):
            entry = AuditEntry("vote.approve", "A-2", "Mallory", {})
            forged = chained(entry, sequence, tx.now, previous)
            tx.execute(insert(audit).values(asdict(forged)))
            previous = forged.hash

    assert _after(log, rewrite).broken_at is None
    assert _after(log, rewrite, head).broken_at == head.size


def test_any_two_neighbours_that_are_swapped_are_found(log: Store) -> None:
    records = _records(log)
    for first, second in itertools.pairwise(records):

        def swap(tx: Transaction, first: AuditRecord = first, second: AuditRecord = second) -> None:
            for sequence, to in (
                (first.sequence, 0),
                (second.sequence, first.sequence),
                (0, second.sequence),
            ):
                _put(sequence, sequence=to)(tx)

        assert _after(log, swap).broken_at == first.sequence


def test_an_entry_that_is_put_in_anywhere_is_found(log: Store) -> None:
    records = _records(log)
    for one in records:

        def put_in(tx: Transaction, one: AuditRecord = one) -> None:
            """Make room for an entry that is rightly bound to the one before it."""
            highest = tx.execute(select(func.max(audit.c.sequence))).scalar_one()
            for sequence in range(highest, one.sequence - 1, -1):
                _put(sequence, sequence=sequence + 1)(tx)
            entry = AuditEntry("vote.approve", "A-1", "Mallory", {})
            forged = asdict(chained(entry, one.sequence, one.at, one.previous))
            # Its predecessor is taken: the table lets no two entries follow the same one.
            tx.execute(insert(audit).values(forged | {"previous": forged["hash"]}))

        assert _after(log, put_in).broken_at == one.sequence


def test_a_fork_of_the_chain_is_refused_by_the_table_itself(log: Store) -> None:
    one = _records(log)[2]

    def fork(tx: Transaction) -> object:
        entry = AuditEntry("vote.approve", "A-1", "Mallory", {})
        return tx.execute(insert(audit).values(asdict(chained(entry, 99, one.at, one.previous))))

    with pytest.raises(IntegrityError, match=r"(?i)unique|only appended to"):
        log.write(fork)
    assert log.read(verify_audit).broken_at is None
