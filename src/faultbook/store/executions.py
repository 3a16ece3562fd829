"""Executions: what waits for one, who is at it, and whose time has come."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select, text, update

from faultbook.base.clock import Instant
from faultbook.store.schema_approvals import approvals
from faultbook.store.transaction import Transaction

_c = approvals.c
# Written out rather than bound, and the wider condition said too: SQLite takes a partial index only
# where its own condition stands in the query.
_UNDER_WAY = text("state IN ('approved', 'executing')")
_APPROVED = and_(_UNDER_WAY, _c.state == literal_column("'approved'"))
_EXECUTING = and_(_UNDER_WAY, _c.state == literal_column("'executing'"))
_PENDING = _c.state == literal_column("'pending'")
_UNREMINDED = and_(_c.review_due_at.is_not(None), _c.review_reminded_at.is_(None))


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """An execution under way.

    Attributes:
        id: of the grant.
        holder: the process of ours that has begun it.
    """

    number: int
    policy: str
    id: str
    holder: str
    until: Instant


def holds_grant(grant_id: str) -> ColumnElement[bool]:
    """Give the condition that a grant is the approval's."""
    return _c.grant_id == grant_id


def find_grant(tx: Transaction, number: int) -> str:
    """Tell the id of an approval's latest grant."""
    return str(tx.execute(select(_c.grant_id).where(_c.number == number)).scalar() or "")


def list_approved(
    tx: Transaction, policies: Collection[str], without: Collection[int] = (), limit: int = 100
) -> list[int]:
    """List what waits to be executed under some policies, the oldest first."""
    waiting = (_APPROVED, _c.policy.in_(list(policies)), _c.number.not_in(list(without)))
    return list(
        tx.execute(select(_c.number).where(*waiting).order_by(_c.number).limit(limit)).scalars()
    )


def list_held(tx: Transaction) -> list[HeldGrant]:
    """List what processes of ours are executing, the oldest grants first."""
    statement = (
        select(_c.number, _c.policy, _c.grant_id, _c.grant_by, _c.grant_until)
        .where(_EXECUTING, _c.grant_by != "")
        .order_by(_c.grant_until)
    )
    return [
        HeldGrant(row.number, row.policy, row.grant_id, row.grant_by, row.grant_until)
        for row in tx.execute(statement)
    ]


def list_outlived(tx: Transaction, since: Mapping[str, Instant], limit: int = 200) -> list[int]:
    """List what was approved under policies before an instant of each, and was not begun."""
    if not since:
        return []
    before = (and_(_c.policy == name, _c.decided_at < at) for name, at in since.items())
    statement = select(_c.number).where(_APPROVED, or_(*before)).order_by(_c.number)
    return list(tx.execute(statement.limit(limit)).scalars())


def list_lapsed(tx: Transaction, spared: Collection[str] = (), limit: int = 200) -> list[int]:
    """List what nobody reported in time, but for what runs under some policies."""
    lapsed = (_EXECUTING, _c.grant_until < tx.now, _c.policy.not_in(list(spared)))
    statement = select(_c.number).where(*lapsed).order_by(_c.grant_until).limit(limit)
    return list(tx.execute(statement).scalars())


def next_time(tx: Transaction) -> Instant | None:
    """Tell when the next approval expires, grant lapses or review is overdue."""
    times = (
        tx.execute(select(func.min(_c.expires_at)).where(_PENDING)).scalar(),
        tx.execute(select(func.min(_c.grant_until)).where(_EXECUTING)).scalar(),
        tx.execute(select(func.min(_c.review_due_at)).where(_UNREMINDED)).scalar(),
    )
    return min((at for at in times if at is not None), default=None)


def remind_of_reviews(tx: Transaction) -> list[int]:
    """Note that people are reminded of the bypasses whose review is overdue, once each."""
    overdue = and_(_UNREMINDED, _c.review_due_at <= tx.now)
    statement = update(approvals).where(overdue).values(review_reminded_at=tx.now)
    return sorted(tx.execute(statement.returning(_c.number)).scalars())
