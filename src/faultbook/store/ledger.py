"""Operations on the ledger in git: the queue of what is owed, and the head that was seen last."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, delete, func, literal_column, select, update

from faultbook.base.clock import Instant
from faultbook.model.ledger_operation import (
    LedgerOperation,
    LedgerOperationState,
    LedgerQueue,
    LedgerVerb,
    NewLedgerOperation,
)
from faultbook.store.schema import ledger_heads as heads
from faultbook.store.schema import ledger_operations as operations
from faultbook.store.transaction import Transaction

# Written out rather than bound, so that both stores see that the partial index applies.
_WAITING = operations.c.state == literal_column(f"'{LedgerOperationState.WAITING.value}'")
_CLAIMING = 0x666C6564  # any constant: the advisory lock under which PostgreSQL's replicas claim


def append(tx: Transaction, new: NewLedgerOperation) -> bool:
    """Owe an operation; tells whether it was new."""
    values: dict[str, Any] = {
        "id": new.id,
        "verb": new.verb.value,
        "payload": new.payload,
        "requester_id": new.requester_id,
        "requester_name": new.requester_name,
        "channel": new.channel,
        "thread_ts": new.thread_ts,
        "state": LedgerOperationState.WAITING.value,
        "not_before": tx.now,
        "created_at": tx.now,
    }
    return tx.insert_new(operations, values)


def find(tx: Transaction, operation_id: str) -> LedgerOperation | None:
    """Read an operation by its id."""
    row = tx.execute(select(operations).where(operations.c.id == operation_id)).first()
    return None if row is None else _read(row)


def list_in(tx: Transaction, state: LedgerOperationState, limit: int) -> list[LedgerOperation]:
    """List operations in a state, the oldest first."""
    found = select(operations).where(operations.c.state == state.value)
    rows = tx.execute(found.order_by(operations.c.sequence).limit(limit))
    return [_read(row) for row in rows]


def claim(tx: Transaction, claimer: str, until: Instant, limit: int) -> list[LedgerOperation]:
    """Claim the oldest waiting operations, unless somebody works on any.

    One claimer at a time, so that operations reach git in the order in which they were asked for;
    for the same reason none overtakes one that waits for its next try. A claim that was not
    settled by `until` can be taken over.
    """
    if tx.is_postgresql:
        tx.execute(select(func.pg_advisory_xact_lock(_CLAIMING)))
    held = select(operations.c.id).where(_WAITING, operations.c.claimed_until >= tx.now)
    if tx.execute(held.limit(1)).first() is not None:
        return []
    waiting = select(operations).where(_WAITING).order_by(operations.c.sequence).limit(limit)
    rows = tx.execute(waiting).all()
    if not rows or rows[0].not_before > tx.now:
        return []
    chosen = operations.c.sequence.in_([row.sequence for row in rows])
    values = {"claimed_by": claimer, "claimed_until": until}
    tx.execute(
        update(operations).where(chosen).values(**values, attempts=operations.c.attempts + 1)
    )
    return [_read(row, attempts=row.attempts + 1) for row in rows]


def release(tx: Transaction, claimers: Iterable[str]) -> int:
    """Let go of all claims of claimers that are gone, so that nobody waits for them to run out."""
    theirs = operations.c.claimed_by.in_(list(claimers)) & operations.c.claimed_until.is_not(None)
    return tx.execute(
        update(operations).where(_WAITING, theirs).values(claimed_until=None)
    ).rowcount


def list_claimers(tx: Transaction) -> list[str]:
    """List who holds claims on waiting operations."""
    held = select(operations.c.claimed_by).where(_WAITING, operations.c.claimed_until.is_not(None))
    return [str(claimer) for claimer in tx.execute(held.distinct()).scalars()]


def unclaim(tx: Transaction, operation_id: str) -> None:
    """Let go of an operation that was claimed and not tried; the claim is not counted."""
    values = {"claimed_until": None, "attempts": operations.c.attempts - 1}
    _where_waiting(tx, operation_id, values)


def postpone(tx: Transaction, operation_id: str, not_before: Instant, error: str) -> bool:
    """Let go of an operation that could not be pushed; tells whether that is its first trouble."""
    earlier = select(operations.c.error).where(operations.c.id == operation_id, _WAITING)
    before = tx.execute(earlier).scalar()
    values = {"not_before": not_before, "claimed_until": None, "error": error}
    _where_waiting(tx, operation_id, values)
    return before == ""


def hasten(tx: Transaction) -> None:
    """Let what waits for its next try be tried at once."""
    free = operations.c.claimed_until.is_(None) & (operations.c.not_before > tx.now)
    tx.execute(update(operations).where(_WAITING, free).values(not_before=tx.now))


def settle(
    tx: Transaction,
    operation_id: str,
    state: LedgerOperationState,
    result: dict[str, Any],
    *,
    was: LedgerOperationState = LedgerOperationState.WAITING,
    error: str = "",
) -> bool:
    """Move an operation on from the state it was in; tells whether it was this call that did."""
    mine = (operations.c.id == operation_id) & (operations.c.state == was.value)
    values: dict[str, Any] = {"state": state.value, "result": result, "error": error}
    values |= {"claimed_until": None, "settled_at": tx.now}
    return tx.execute(update(operations).where(mine).values(**values)).rowcount == 1


def take_up(tx: Transaction, operation_id: str, payload: dict[str, Any]) -> bool:
    """Let an operation that waited for a choice be tried again with a new payload."""
    mine = operations.c.id == operation_id
    waited = operations.c.state == LedgerOperationState.CONFLICT.value
    values: dict[str, Any] = {"state": LedgerOperationState.WAITING.value, "payload": payload}
    values |= {"not_before": tx.now, "error": "", "settled_at": None}
    return tx.execute(update(operations).where(mine, waited).values(**values)).rowcount == 1


def next_due(tx: Transaction) -> Instant | None:
    """Tell when the oldest waiting operation may be tried; None when nothing waits."""
    columns = (operations.c.not_before, operations.c.claimed_until)
    oldest = select(*columns).where(_WAITING).order_by(operations.c.sequence).limit(1)
    row = tx.execute(oldest).first()
    return None if row is None else max(int(row.not_before), int(row.claimed_until or 0))


def read_queue(tx: Transaction) -> LedgerQueue:
    """Tell what waits, why, and which head was seen last."""
    waiting = tx.execute(select(func.count()).select_from(operations).where(_WAITING)).scalar_one()
    since = tx.execute(select(func.min(operations.c.created_at)).where(_WAITING)).scalar()
    asked = operations.c.state == LedgerOperationState.CONFLICT.value
    conflicts = tx.execute(select(func.count()).select_from(operations).where(asked)).scalar_one()
    head = tx.execute(select(heads).order_by(heads.c.fetched_at.desc()).limit(1)).first()
    return LedgerQueue(
        waiting=waiting,
        conflicts=conflicts,
        waiting_since=since,
        error=head.error if head else "",
        commit=head.commit_sha if head else None,
        fetched_at=head.fetched_at if head else None,
        highest_number=head.highest_number if head else 0,
    )


def read_head(tx: Transaction, repository: str) -> tuple[str | None, int]:
    """Give the head of a repository that was seen last, and the highest number ever."""
    found = select(heads.c.commit_sha, heads.c.highest_number)
    row = tx.execute(found.where(heads.c.repository == repository)).first()
    return (None, 0) if row is None else (row.commit_sha, row.highest_number)


def note_head(
    tx: Transaction, repository: str, was: str | None, commit: str | None, highest: int
) -> bool:
    """Record the head that was fetched; tells whether this call moved it on from `was`.

    The highest number only grows.
    """
    _ensure_head(tx, repository)
    mine = heads.c.repository == repository
    grown = heads.c.highest_number < highest
    tx.execute(update(heads).where(mine, grown).values(highest_number=highest))
    tx.execute(update(heads).where(mine).values(fetched_at=tx.now, error=""))
    if commit == was:
        return False
    before = heads.c.commit_sha.is_(None) if was is None else heads.c.commit_sha == was
    return tx.execute(update(heads).where(mine, before).values(commit_sha=commit)).rowcount == 1


def forget_other_heads(tx: Transaction, repository: str) -> None:
    """Forget what was seen of repositories that are not the ledger's any more."""
    tx.execute(delete(heads).where(heads.c.repository != repository))


def note_trouble(tx: Transaction, repository: str, error: str) -> None:
    """Record why the remote can't be fetched or pushed to."""
    _ensure_head(tx, repository)
    tx.execute(update(heads).where(heads.c.repository == repository).values(error=error))


def _ensure_head(tx: Transaction, repository: str) -> None:
    tx.insert_new(heads, {"repository": repository})


def _where_waiting(tx: Transaction, operation_id: str, values: dict[str, Any]) -> None:
    tx.execute(update(operations).where(operations.c.id == operation_id, _WAITING).values(**values))


def _read(row: Row[Any], attempts: int | None = None) -> LedgerOperation:
    return LedgerOperation(
        id=row.id,
        verb=LedgerVerb(row.verb),
        payload=row.payload,
        requester_id=row.requester_id,
        requester_name=row.requester_name,
        created_at=row.created_at,
        channel=row.channel,
        thread_ts=row.thread_ts,
        state=LedgerOperationState(row.state),
        attempts=row.attempts if attempts is None else attempts,
        error=row.error,
        result=row.result,
    )
