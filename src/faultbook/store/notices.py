"""The queue of owed side effects: append, claim, settle, postpone, give up."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import bindparam, case, func, or_, select, update

from faultbook.base.clock import Instant
from faultbook.base.ids import new_id
from faultbook.model.notice import NewNotice, Notice, NoticeState
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction

_OWED = notices.c.state == NoticeState.OWED.value


def append(tx: Transaction, notice: NewNotice) -> str:
    """Owe a side effect, and give its id."""
    values: dict[str, Any] = {
        "id": new_id(),
        "kind": notice.kind,
        "target": notice.target,
        "priority": int(notice.priority),
        "payload": notice.payload,
        "state": NoticeState.OWED.value,
        "not_before": tx.now,
        "owed_at": tx.now,
    }
    tx.execute(notices.insert(), values)
    return str(values["id"])


def claim(
    tx: Transaction,
    claimer: str,
    until: Instant,
    limit: int,
    resting: Collection[str] = (),
) -> list[Notice]:
    """Claim owed notices, one a target at most, receipts before repaints, then by age.

    One a target, so that a channel's messages keep their order and its pace is kept; a target that
    is `resting` is passed over. A claim that was not settled by `until` can be taken over.
    """
    free = or_(notices.c.claimed_until.is_(None), notices.c.claimed_until < tx.now)
    busy = select(notices.c.target).where(_OWED, notices.c.claimed_until >= tx.now)
    statement = (
        select(notices)
        .where(
            _OWED,
            notices.c.not_before <= tx.now,
            free,
            notices.c.target.not_in(busy),
            notices.c.target.not_in(list(resting)),
        )
        .order_by(notices.c.priority, notices.c.sequence)
        .limit(limit * 4)
    )
    if tx.is_postgresql:
        statement = statement.with_for_update(skip_locked=True)
    chosen: dict[str, Any] = {}
    for row in tx.execute(statement):
        if row.target not in chosen and len(chosen) < limit:
            chosen[row.target] = row
    if not chosen:
        return []
    change = (
        update(notices)
        .where(notices.c.id == bindparam("notice_id"))
        .values(claimed_by=claimer, claimed_until=until, attempts=notices.c.attempts + 1)
    )
    tx.execute(change, [{"notice_id": row.id} for row in chosen.values()])
    return [
        Notice(row.id, row.kind, row.target, row.payload, row.attempts + 1, row.owed_at)
        for row in chosen.values()
    ]


def settle(tx: Transaction, notice_id: str, receipt: dict[str, Any]) -> None:
    """Record that a side effect took place, with what the other side answered."""
    values = {"state": NoticeState.SETTLED.value, "settled_at": tx.now, "receipt": receipt}
    _change(tx, notice_id, values | {"claimed_until": None})


def postpone(
    tx: Transaction, notice_id: str, not_before: Instant, error: str, *, refused: bool = False
) -> None:
    """Let go of a notice that could not be sent, to be tried again later.

    `refused` says that it was certainly not sent: the attempt is then not counted.
    """
    values: dict[str, Any] = {"not_before": not_before, "claimed_until": None, "error": error}
    if refused:
        values["attempts"] = notices.c.attempts - 1
    _change(tx, notice_id, values)


def give_up(tx: Transaction, notice_id: str, error: str) -> None:
    """Mark a notice as dead; it stays to be listed."""
    values = {"state": NoticeState.DEAD.value, "settled_at": tx.now, "error": error}
    _change(tx, notice_id, values | {"claimed_until": None})


def release(tx: Transaction, claimers: Iterable[str]) -> int:
    """Let go of all claims of claimers that are gone, so that nobody waits for them to run out."""
    theirs = notices.c.claimed_by.in_(list(claimers)) & notices.c.claimed_until.is_not(None)
    return tx.execute(update(notices).where(_OWED, theirs).values(claimed_until=None)).rowcount


def list_claimers(tx: Transaction) -> list[str]:
    """List who holds claims on owed notices."""
    held = select(notices.c.claimed_by).where(_OWED, notices.c.claimed_until.is_not(None))
    return [str(claimer) for claimer in tx.execute(held.distinct()).scalars()]


def was_owed(tx: Transaction, kind: str, target: str) -> bool:
    """Tell whether a side effect of a kind was ever owed to a target."""
    found = select(notices.c.id).where(notices.c.kind == kind, notices.c.target == target)
    return tx.execute(found.limit(1)).first() is not None


def count_owed(tx: Transaction) -> int:
    """Tell how many side effects are owed."""
    return int(tx.execute(select(func.count()).where(_OWED)).scalar_one())


def next_due(tx: Transaction) -> Instant | None:
    """Tell when the next owed notice may be tried."""
    free_at = func.coalesce(notices.c.claimed_until, 0)
    when = case((notices.c.not_before > free_at, notices.c.not_before), else_=free_at)
    found: Instant | None = tx.execute(select(func.min(when)).where(_OWED)).scalar()
    return found


def _change(tx: Transaction, notice_id: str, values: dict[str, Any]) -> None:
    tx.execute(update(notices).where(notices.c.id == notice_id, _OWED).values(values))
