"""The audit log: one chain, appended to by whoever commits, however many write."""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Executable, Select, func, insert, literal_column, select

from faultbook.model.audit import GENESIS, AuditRecord, Head, chained
from faultbook.store.prepared import Prepared
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
        _LOCK.run(tx, {})
    end = head(tx)
    previous = end.hash
    for at, entry in enumerate(tx.audited, end.size + 1):
        record = chained(entry, at, tx.now, previous)
        previous = record.hash
        values = {
            "sequence": record.sequence,
            "at": record.at,
            "kind": record.kind,
            "subject": record.subject,
            "actor": record.actor,
            "record": record.record,
            "previous": record.previous,
            "hash": record.hash,
        }
        _APPEND.run(tx, values)
    tx.audited.clear()


def head(tx: Transaction) -> Head:
    """Tell how long the chain is, and what it ends with."""
    row = _HEAD.run(tx, {}).one_or_none()
    return Head(0, GENESIS) if row is None else Head(row.sequence, row.hash)


def _newest(_tx: Transaction) -> Executable:
    newest = select(func.max(audit.c.sequence)).scalar_subquery()
    return select(audit.c.sequence, audit.c.hash).where(audit.c.sequence == newest)


def _append(_tx: Transaction) -> Executable:
    return insert(audit).inline()


# Every decision passes here while it holds the lock that all others wait for.
_HEAD, _APPEND = Prepared(_newest), Prepared(_append)
_LOCK = Prepared(lambda _: select(func.pg_advisory_xact_lock(literal_column(f"{_LOCK_NAME}"))))


def read_all(tx: Transaction) -> Iterator[AuditRecord]:
    """Read the chain in its order, a page at a time, with whatever was slipped in before it."""
    after: int | None = None
    while True:
        page = list_after(tx, after, _PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].sequence


def list_after(
    tx: Transaction, after: int | None, limit: int, subject: str | None = None
) -> list[AuditRecord]:
    """Read the records that follow one, in their order; from the first where `after` is None."""
    statement = select(audit).order_by(audit.c.sequence).limit(limit)
    if after is not None:
        statement = statement.where(audit.c.sequence > after)
    return _rows(tx, statement, subject)


def list_newest(tx: Transaction, limit: int, subject: str | None = None) -> list[AuditRecord]:
    """Read the newest records, the oldest of them first."""
    statement = select(audit).order_by(audit.c.sequence.desc()).limit(limit)
    return _rows(tx, statement, subject)[::-1]


def find_newest(tx: Transaction, subject: str, kind: str) -> AuditRecord | None:
    """Read the newest record of a kind about a subject."""
    statement = select(audit).where(audit.c.kind == kind).order_by(audit.c.sequence.desc())
    return next(iter(_rows(tx, statement.limit(1), subject)), None)


def _rows(tx: Transaction, statement: Select[Any], subject: str | None) -> list[AuditRecord]:
    if subject is not None:
        statement = statement.where(audit.c.subject == subject)
    with _lenient(tx):
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
        for row in rows
    ]


@contextlib.contextmanager
def _lenient(tx: Transaction) -> Iterator[None]:
    """Read bytes that are no text as some text: a damaged entry has to be named, not fail."""
    driver: Any = tx.connection.connection.dbapi_connection
    if tx.is_postgresql:  # it stores nothing but text in such columns
        yield
        return
    before = driver.text_factory
    driver.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        yield
    finally:
        driver.text_factory = before
