"""The audit log: one chain, appended to by whoever commits, however many write."""

from collections.abc import Iterator

from sqlalchemy import func, insert, select

from faultbook.model.audit import GENESIS, AuditRecord, Head, chained
from faultbook.store.schema_approvals import audit
from faultbook.store.transaction import Transaction

_LOCK_NAME = 0x6175646974  # "audit", the advisory lock's number on PostgreSQL
_PAGE = 1000


def chain(tx: Transaction) -> None:
    """Append what a transaction recorded; the last thing it does before it commits.

    No other writer can come between reading the chain's end and the commit: on SQLite the
    transaction holds the only write lock, on PostgreSQL this takes one that ends with it.
    """
    if not tx.audited:
        return
    if tx.is_postgresql:
        tx.execute(select(func.pg_advisory_xact_lock(_LOCK_NAME)))
    end = head(tx)
    rows = []
    previous = end.hash
    for at, entry in enumerate(tx.audited, end.size + 1):
        record = chained(entry, at, tx.now, previous)
        previous = record.hash
        rows.append(
            {
                "sequence": record.sequence,
                "at": record.at,
                "kind": record.kind,
                "subject": record.subject,
                "actor": record.actor,
                "record": record.record,
                "previous": record.previous,
                "hash": record.hash,
            }
        )
    tx.execute(insert(audit), rows)
    tx.audited.clear()


def head(tx: Transaction) -> Head:
    """Tell how long the chain is, and what it ends with."""
    newest = select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)
    row = tx.execute(newest).one_or_none()
    return Head(0, GENESIS) if row is None else Head(row.sequence, row.hash)


def read_all(tx: Transaction, after: int = 0) -> Iterator[AuditRecord]:
    """Read the chain in its order, a page at a time."""
    while True:
        statement = (
            select(audit).where(audit.c.sequence > after).order_by(audit.c.sequence).limit(_PAGE)
        )
        rows = tx.execute(statement).all()
        for row in rows:
            yield AuditRecord(
                row.sequence,
                row.at,
                row.kind,
                row.subject,
                row.actor,
                row.record,
                row.previous,
                row.hash,
            )
        if len(rows) < _PAGE:
            return
        after = rows[-1].sequence


def list_newest(tx: Transaction, limit: int, subject: str | None = None) -> list[AuditRecord]:
    """Read the newest records, the oldest of them first."""
    statement = select(audit).order_by(audit.c.sequence.desc()).limit(limit)
    if subject is not None:
        statement = statement.where(audit.c.subject == subject)
    rows = tx.execute(statement).all()
    return [
        AuditRecord(
            row.sequence,
            row.at,
            row.kind,
            row.subject,
            row.actor,
            row.record,
            row.previous,
            row.hash,
        )
        for row in reversed(rows)
    ]
