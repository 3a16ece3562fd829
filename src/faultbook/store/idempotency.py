"""Requests that come twice: the first one's result is kept and given again.

After the IETF draft "The Idempotency-Key HTTP Header Field": keyed by who asks and where, the same
key with another request is refused.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, select, update

from faultbook.base.clock import DAY, Instant
from faultbook.base.errors import InvalidError, UnavailableError
from faultbook.store.schema import idempotency_keys as keys
from faultbook.store.transaction import Transaction

KEPT: Instant = 2 * DAY
"""How long a result is kept, in microseconds."""


def once(
    tx: Transaction,
    scope: str,
    key: str | None,
    request_sha256: str,
    operation: Callable[[Transaction], dict[str, Any]],
) -> dict[str, Any]:
    """Run an operation unless this key was used before; then give the result of that time.

    Raises:
        InvalidError: the key was used for another request.
    """
    if key is None:
        return operation(tx)
    row = {"scope": scope, "key": key, "request_sha256": request_sha256, "result": {}}
    if tx.insert_new(keys, row | {"created_at": tx.now}):
        result = operation(tx)
        mine = (keys.c.scope == scope) & (keys.c.key == key)
        tx.execute(update(keys).where(mine).values(result=result))
        return result
    stored = find(tx, scope, key, request_sha256)
    assert stored is not None  # noqa: S101 - it was in the way a line above
    return stored


def find(tx: Transaction, scope: str, key: str, request_sha256: str) -> dict[str, Any] | None:
    """Give the result that is kept under a key; None where it is new.

    Raises:
        InvalidError: the key was used for another request.
    """
    statement = select(keys.c.request_sha256, keys.c.result).where(
        keys.c.scope == scope, keys.c.key == key
    )
    stored = tx.execute(statement).one_or_none()
    if stored is None:
        return None
    if stored.request_sha256 != request_sha256:
        raise InvalidError(
            "This Idempotency-Key was used for another request.",
            code="idempotency_key_reused",
            next_step="Make a new key for each request; send the same body with the same key.",
            where="Idempotency-Key",
        )
    found: dict[str, Any] = stored.result
    return found


def keep(
    tx: Transaction, scope: str, key: str, request_sha256: str, result: dict[str, Any]
) -> None:
    """Keep a result under a key that was new when it was looked for.

    Raises:
        UnavailableError: the same request was answered meanwhile; nothing of this one may stay.
    """
    row = {"scope": scope, "key": key, "request_sha256": request_sha256, "result": result}
    if not tx.insert_new(keys, row | {"created_at": tx.now}):
        raise UnavailableError(
            "The same request is under way.",
            code="request_under_way",
            next_step="Send it again with the same key.",
            retry_after=0.2,
        )


def forget_old(tx: Transaction) -> int:
    """Delete results that need not be kept any longer; tells how many."""
    return tx.execute(delete(keys).where(keys.c.created_at < tx.now - KEPT)).rowcount
