"""Deliveries that were taken: an event, a message or a click counts once, however often sent."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Executable, bindparam, delete

from faultbook.base.clock import DAY, Instant
from faultbook.store.prepared import Prepared
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
    found = _TAKE.get(len(keys))
    if found is None:
        found = _TAKE[len(keys)] = Prepared(partial(_insert_keys, count=len(keys)))
    values: dict[str, object] = {f"key{at}": key for at, key in enumerate(keys)}
    return found.run(tx, values | {"seen_at": tx.now}).rowcount == len(keys)


def _insert_keys(tx: Transaction, count: int) -> Executable:
    rows: list[dict[str, Any]] = [
        {"key": bindparam(f"key{at}"), "seen_at": bindparam("seen_at")} for at in range(count)
    ]
    return tx.insert(seen).on_conflict_do_nothing().values(rows)


_TAKE: dict[int, Prepared] = {}


def forget_old(tx: Transaction) -> int:
    """Delete keys that can't come again; tells how many."""
    return tx.execute(delete(seen).where(seen.c.seen_at < tx.now - KEPT)).rowcount
