"""The queue of owed side effects: append, claim, settle, postpone, give up."""

import json
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Executable,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from faultbook.base.clock import Instant
from faultbook.base.ids import new_id
from faultbook.model.notice import WEBHOOKS, DeadNotice, NewNotice, Notice, NoticeState, Priority
from faultbook.store.prepared import Prepared
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction

# Written out rather than bound, so that SQLite sees that the partial indexes apply.
_OWED = notices.c.state == literal_column(f"'{NoticeState.OWED.value}'")
_DEAD = notices.c.state == literal_column(f"'{NoticeState.DEAD.value}'")
_HELD = _OWED & notices.c.claimed_until.is_not(None)


def topic_of(target: str) -> str:
    """Name what watchers of the store are told when something is owed to a target."""
    return f"notice:{target}"


def target_of(topic: str) -> str | None:
    """Give the target that a topic says something is owed to; None for topics of other kinds."""
    target = topic.removeprefix(topic_of(""))
    return None if target == topic else target


def append_once(
    tx: Transaction, notice: NewNotice, subject: str, not_before: Instant | None = None
) -> bool:
    """Owe a side effect that shows a subject, unless it is owed already.

    One that is owed for later is brought forward to `not_before`, and one of less priority rises.
    Whoever settles one looks whether the subject has moved on meanwhile. Tells whether it was owed
    now.
    """
    due = tx.now if not_before is None else max(not_before, tx.now)
    if _append(tx, notice, subject, due) is not None:
        return True
    same = (notices.c.kind == notice.kind) & (notices.c.subject == subject)
    later = notices.c.not_before > due
    priority = int(notice.priority)
    lower = notices.c.priority > priority
    waiting = or_(notices.c.claimed_until.is_(None), notices.c.claimed_until < tx.now)
    sooner = update(notices).where(_OWED, same, waiting, or_(later, lower))
    values = {
        "not_before": case((later, due), else_=notices.c.not_before),
        "priority": case((lower, priority), else_=notices.c.priority),
    }
    tx.execute(sooner.values(values))
    return False


def append(tx: Transaction, notice: NewNotice) -> str:
    """Owe a side effect, and give its id."""
    notice_id = _append(tx, notice, None, tx.now)
    assert notice_id is not None  # noqa: S101 - only a subject's notice can be owed already
    return notice_id


def _append(tx: Transaction, notice: NewNotice, subject: str | None, due: Instant) -> str | None:
    """Insert a notice unless its subject is owed one, and give its id.

    A receipt that can be sent at once is claimed for the taker as it is owed.
    """
    notice_id = new_id()
    taker = tx.taker if notice.priority is Priority.RECEIPT and due <= tx.now else None
    if taker is not None and not taker.can_take(notice.target):
        taker = None
    values: dict[str, Any] = {
        "id": notice_id,
        "kind": notice.kind,
        "target": notice.target,
        "subject": subject,
        "priority": int(notice.priority),
        "payload": json.dumps(notice.payload),
        "state": NoticeState.OWED.value,
        "not_before": due,
        "owed_at": tx.now,
        "attempts": 0 if taker is None else 1,
        "claimed_by": None if taker is None else taker.name,
        "claimed_until": None if taker is None else tx.now + taker.lease,
    }
    was_new = _APPEND.run(tx, values).rowcount == 1
    if taker is None or not was_new:
        tx.touched.add(topic_of(notice.target))
    else:
        fresh = Notice(
            notice_id, notice.kind, notice.target, notice.payload, 1, tx.now, is_fresh=True
        )
        tx.fresh.append(fresh)
    return notice_id if was_new else None


def _insert(tx: Transaction) -> Executable:
    names = ("id", "kind", "target", "subject", "priority", "payload", "state", "attempts")
    values: dict[str, Any] = {name: bindparam(name) for name in (*names, "claimed_by")}
    for name in ("not_before", "owed_at", "claimed_until"):
        values[name] = bindparam(name, type_=BigInteger)
    return tx.insert(notices).values(**values).on_conflict_do_nothing().inline()


_APPEND = Prepared(_insert)


def claim(
    tx: Transaction,
    claimer: str,
    until: Instant,
    limit: int,
    resting: Collection[str] = (),
    closed: Collection[str] = (),
    *,
    webhooks: bool = False,
) -> list[Notice]:
    """Claim owed notices, one a target at most, receipts before repaints, then by age.

    Those for Slack, or with `webhooks` those that go to webhooks: each has its own who delivers.

    One a target, so that a channel's messages keep their order and its pace is kept; a target that
    is `resting`, or in a lane that is `closed`, is passed over. A claim that was not settled by
    `until` can be taken over.
    """
    targets = _owed_targets()
    heads = _heads(tx, targets).where(
        _is_webhook(targets.c.target, webhooks),
        targets.c.target.not_in(list(resting)),
        *(not_(_in_lane(targets.c.target, lane)) for lane in closed),
    )
    # Locked and looked at once more: another replica may have been quicker.
    statement = (
        select(notices)
        .where(notices.c.sequence.in_(heads), _OWED, *_is_free(tx))
        .order_by(notices.c.priority, notices.c.sequence)
        .limit(limit)
    )
    if tx.is_postgresql:
        statement = statement.with_for_update(skip_locked=True)
    chosen = tx.execute(statement).all()
    if not chosen:
        return []
    change = (
        update(notices)
        .where(notices.c.sequence.in_([row.sequence for row in chosen]))
        .values(claimed_by=claimer, claimed_until=until, attempts=notices.c.attempts + 1)
    )
    tx.execute(change)
    return [
        Notice(row.id, row.kind, row.target, row.payload, row.attempts + 1, row.owed_at)
        for row in chosen
    ]


def _heads(tx: Transaction, targets: CTE) -> Select[tuple[int]]:
    """Give what comes next for each target that nothing is on its way to."""
    busy = select(notices.c.target).where(_HELD, notices.c.claimed_until >= tx.now)
    head = (
        select(notices.c.sequence)
        .where(_OWED, notices.c.target == targets.c.target, *_is_free(tx))
        .order_by(notices.c.priority, notices.c.sequence)
        .limit(1)
        .scalar_subquery()
    )
    return select(head).where(targets.c.target.not_in(busy))


def _is_free(tx: Transaction) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    unclaimed = or_(notices.c.claimed_until.is_(None), notices.c.claimed_until < tx.now)
    return notices.c.not_before <= tx.now, unclaimed


def _is_webhook(target: ColumnElement[str], wanted: bool) -> ColumnElement[bool]:  # noqa: FBT001 - one of two sorts
    within = target.like(f"{WEBHOOKS}/%")
    return within if wanted else not_(within)


def _in_lane(target: ColumnElement[str], lane: str) -> ColumnElement[bool]:
    return target.like(f"%/{lane}") if lane else target.not_like("%/%")


def _owed_targets() -> CTE:
    """List the targets with anything owed by hopping through their index, not through the rows."""
    first = select(func.min(notices.c.target).label("target")).where(_OWED)
    targets = first.cte("targets", recursive=True)
    following = (
        select(func.min(notices.c.target))
        .where(_OWED, notices.c.target > targets.c.target)
        .scalar_subquery()
    )
    return targets.union_all(select(following).where(targets.c.target.is_not(None)))


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


def let_go(tx: Transaction, ids: Collection[str], claimer: str) -> None:
    """Let go of claims that nothing was done about, as if they had not been made."""
    theirs = notices.c.id.in_(list(ids)) & (notices.c.claimed_by == claimer)
    values = {"claimed_until": None, "attempts": notices.c.attempts - 1}
    tx.execute(update(notices).where(_OWED, theirs).values(values))


def forget_dead(tx: Transaction, kind: str, subject: str) -> None:
    """Settle what was given up about a subject that is shown rightly now."""
    same = (notices.c.kind == kind) & (notices.c.subject == subject)
    values = {"state": NoticeState.SETTLED.value, "receipt": {"superseded": True}}
    tx.execute(update(notices).where(_DEAD, same).values(settled_at=tx.now, **values))


def list_dead(tx: Transaction, limit: int) -> list[DeadNotice]:
    """List what was given up, the oldest first."""
    statement = select(notices).where(_DEAD).order_by(notices.c.sequence).limit(limit)
    return [
        DeadNotice(
            row.id,
            row.kind,
            row.target,
            row.subject or "",
            row.attempts,
            row.owed_at,
            row.settled_at or row.owed_at,
            row.error or "",
        )
        for row in tx.execute(statement)
    ]


def count_dead(tx: Transaction) -> int:
    """Tell how many were given up."""
    return int(_COUNT_DEAD.run(tx, {}).scalar_one())


_COUNT_DEAD = Prepared(lambda _: select(func.count()).select_from(notices).where(_DEAD))


def list_dead_ids(tx: Transaction, end: str) -> list[str]:
    """List the ids of what was given up that end so."""
    statement = select(notices.c.id).where(_DEAD).order_by(notices.c.sequence)
    return [str(one) for one in tx.execute(statement).scalars() if str(one).endswith(end)]


def find_state(tx: Transaction, notice_id: str) -> NoticeState | None:
    """Tell where a notice is; None if there is none."""
    found = tx.execute(select(notices.c.state).where(notices.c.id == notice_id)).scalar()
    return None if found is None else NoticeState(found)


def revive(tx: Transaction, notice_id: str) -> bool:
    """Owe again what was given up, and tell whether it was dead and can be.

    It counts as tried once: one of its attempts may have been sent, and is looked for first. What
    shows a subject that is owed another notice is not owed twice.
    """
    twin = notices.alias("twin")
    owed_already = exists().where(
        twin.c.state == NoticeState.OWED.value,
        twin.c.kind == notices.c.kind,
        twin.c.subject == notices.c.subject,
    )
    values = {
        "state": NoticeState.OWED.value,
        "attempts": 1,
        "not_before": tx.now,
        "settled_at": None,
        "error": None,
    }
    dead = update(notices).where(notices.c.id == notice_id, _DEAD, not_(owed_already))
    return tx.execute(dead.values(values)).rowcount == 1


def drop_dead(tx: Transaction, notice_id: str, receipt: dict[str, Any]) -> bool:
    """Settle what was given up without sending it, and tell whether it was dead."""
    values = {"state": NoticeState.SETTLED.value, "settled_at": tx.now, "receipt": receipt}
    dead = update(notices).where(notices.c.id == notice_id, _DEAD)
    return tx.execute(dead.values(values)).rowcount == 1


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


def find_receipt(tx: Transaction, kind: str, subject: str) -> dict[str, Any] | None:
    """Give the newest receipt of what was sent of a kind about a subject.

    It is sought row by row: ask off the writing thread, and for what is rare.
    """
    same = (notices.c.kind == kind) & (notices.c.subject == subject)
    settled = notices.c.state == NoticeState.SETTLED.value
    statement = select(notices.c.receipt).where(settled, same).order_by(notices.c.sequence.desc())
    found: Iterable[dict[str, Any]] = tx.execute(statement).scalars()
    return next((receipt for receipt in found if "ts" in receipt), None)


def forget_settled(tx: Transaction, before: Instant, keep: Collection[str]) -> int:
    """Delete what was settled before an instant, but for kinds that `was_owed` asks about."""
    old = (notices.c.state == NoticeState.SETTLED.value) & (notices.c.settled_at < before)
    return tx.execute(delete(notices).where(old, notices.c.kind.not_in(list(keep)))).rowcount


def count_owed(tx: Transaction) -> int:
    """Tell how many side effects are owed."""
    return int(tx.execute(select(func.count()).where(_OWED)).scalar_one())


def next_due(tx: Transaction, *, webhooks: bool = False) -> Instant | None:
    """Tell when the next owed notice may be tried: of those for Slack, or for webhooks."""
    free_at = func.coalesce(notices.c.claimed_until, 0)
    sort = _is_webhook(notices.c.target, webhooks)
    when = case((notices.c.not_before > free_at, notices.c.not_before), else_=free_at)
    found: Instant | None = tx.execute(select(func.min(when)).where(_OWED, sort)).scalar()
    return found


def _change(tx: Transaction, notice_id: str, values: dict[str, Any]) -> None:
    tx.execute(update(notices).where(notices.c.id == notice_id, _OWED).values(values))
