"""Deliveries that were taken: an event, a message or a click counts once, however often sent."""

from collections.abc import Sequence

from sqlalchemy import delete

from faultbook.base.clock import DAY, Instant
from faultbook.store.schema import seen
from faultbook.store.transaction import Transaction

KEPT: Instant = 3 * DAY
"""Slack may send an event again for 24 h (Delayed Events); kept longer than that."""


def take(tx: Transaction, key: str) -> bool:
    """Take a delivery by its key, and tell whether it is the first of that key."""
    return tx.insert_new(seen, {"key": key, "seen_at": tx.now})


def take_all(tx: Transaction, keys: Sequence[str]) -> bool:
    """Take several keys of one delivery, and tell whether all of them were new.

    Keys that were new stay taken even if another was not: they belong to the same delivery.
    """
    rows = [{"key": key, "seen_at": tx.now} for key in keys]
    statement = tx.insert(seen).on_conflict_do_nothing().returning(seen.c.key)
    return len(tx.execute(statement.values(rows)).all()) == len(rows)


def forget_old(tx: Transaction) -> int:
    """Delete keys that can't come again; tells how many."""
    return tx.execute(delete(seen).where(seen.c.seen_at < tx.now - KEPT)).rowcount
