"""Deliveries that were taken: an event, a message or a click counts once, however often sent."""

from sqlalchemy import delete

from faultbook.base.clock import DAY, Instant
from faultbook.store.schema import seen
from faultbook.store.transaction import Transaction

KEPT: Instant = 3 * DAY
"""Slack may send an event again for 24 h (Delayed Events); kept longer than that."""


def take(tx: Transaction, key: str) -> bool:
    """Take a delivery by its key, and tell whether it is the first of that key."""
    return tx.insert_new(seen, {"key": key, "seen_at": tx.now})


def forget_old(tx: Transaction) -> int:
    """Delete keys that can't come again; tells how many."""
    return tx.execute(delete(seen).where(seen.c.seen_at < tx.now - KEPT)).rowcount
