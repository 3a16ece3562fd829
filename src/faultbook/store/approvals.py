"""Approvals and votes: each step one conditional update whose row count says who won."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Executable,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.types import TypeEngine

from faultbook.base.clock import Instant
from faultbook.model.approval import (
    Action,
    Approval,
    ApprovalState,
    Vote,
)
from faultbook.model.approval_sight import Earlier
from faultbook.model.canonical import canonical
from faultbook.model.task import Card, TaskState
from faultbook.store.approval_rows import read_approval, read_votes
from faultbook.store.prepared import Prepared
from faultbook.store.schema_approvals import approvals, votes
from faultbook.store.schema_tasks import tasks
from faultbook.store.transaction import Transaction

TOPIC = "approvals"
"""What watchers of the store are told when an approval moved on."""

_c = approvals.c
# Written out rather than bound, so that SQLite sees that the partial indexes apply.
_PENDING = _c.state == literal_column("'pending'")
_APPROVED = and_(
    text("state IN ('approved', 'executing')"), _c.state == literal_column("'approved'")
)
_STANDING = (_PENDING, _APPROVED)


@dataclass(frozen=True, slots=True)
class ApprovalPlace:
    """Where an approval's card belongs, and what it shows.

    Attributes:
        thread_ts: empty where the card is a message of its own.
        card: None while there is none.
    """

    channel: str
    thread_ts: str
    card: Card | None
    revision: int
    painted: int


@dataclass(frozen=True, slots=True)
class ApprovalFilter:
    """Which approvals are meant; None for any."""

    states: frozenset[ApprovalState] | None = frozenset({ApprovalState.PENDING})
    agent: str | None = None
    task: int | None = None
    limit: int = 50


def add(tx: Transaction, values: dict[str, Any]) -> int:
    """Store an approval, and give its number."""
    statement = approvals.insert().values(values).returning(_c.number)
    number: int = tx.execute(statement).scalar_one()
    tx.touched.add(TOPIC)
    return number


def action_values(action: Action) -> dict[str, Any]:
    """Give the columns of an action."""
    return {
        "action": canonical(action.as_json()).decode(),
        "action_key": action.key,
        "kind": action.kind,
    }


def find(tx: Transaction, number: int, *, hold: bool = False) -> Approval | None:
    """Read an approval with its votes; with `hold`, nobody else changes it before the commit."""
    statement = _HOLD if hold and tx.is_postgresql else _FIND
    row = tx.execute(statement, {"number": number}).one_or_none()
    if row is None:
        return None
    return read_approval(row, read_votes(tx.execute(_VOTES, {"number": number})))


# Each step of an approval reads it. Of so wide a row SQLAlchemy's own cache of what the columns are
# is worth more than a statement that was prepared.
_FIND = select(approvals).where(_c.number == bindparam("number"))
_HOLD = _FIND.with_for_update()
_VOTES = select(votes).where(votes.c.approval == bindparam("number")).order_by(votes.c.sequence)


_PLACE = (_c.channel, _c.thread_ts, _c.card_channel, _c.card_ts, _c.revision, _c.painted)
_FIND_PLACE = Prepared(lambda _: select(*_PLACE).where(_c.number == bindparam("number")))


def find_place(tx: Transaction, number: int) -> ApprovalPlace | None:
    """Tell where an approval's card belongs."""
    row = _FIND_PLACE.run(tx, {"number": number}).one_or_none()
    return None if row is None else _place(row)


def list_some(tx: Transaction, wanted: ApprovalFilter) -> list[Approval]:
    """List approvals, the newest first; pending ones by when they expire."""
    statement: Select[Any] = select(approvals)
    if wanted.states is not None:
        statement = statement.where(_c.state.in_([state.value for state in wanted.states]))
    if wanted.agent is not None:
        statement = statement.where(_c.agent == wanted.agent)
    if wanted.task is not None:
        statement = statement.where(_c.task == wanted.task)
    only_pending = wanted.states == frozenset({ApprovalState.PENDING})
    order = _c.expires_at if only_pending else _c.number.desc()
    rows = tx.execute(statement.order_by(order).limit(wanted.limit)).all()
    cast = _votes(tx, [row.number for row in rows])
    return [read_approval(row, cast.get(row.number, ())) for row in rows]


def find_same(
    tx: Transaction,
    action_key: str,
    agent: str,
    task: int | None,
    run_id: str | None,
    states: Collection[ApprovalState],
) -> int | None:
    """Find an agent's newest approval of an action for the same task and run, in these states."""
    statement = (
        select(_c.number)
        .where(
            _c.action_key == action_key,
            _c.agent == agent,
            _c.task.is_not_distinct_from(task),
            _c.run_id.is_not_distinct_from(run_id),
            _c.state.in_([state.value for state in states]),
        )
        .order_by(_c.number.desc())
        .limit(1)
    )
    number: int | None = tx.execute(statement).scalar()
    return number


def find_denied(
    tx: Transaction, action_key: str, agent: str, since: Instant, but_by: Collection[str]
) -> int | None:
    """Find the newest denial of an action since an instant, by anybody but `but_by`."""
    statement = (
        select(_c.number)
        .where(
            _c.action_key == action_key,
            _c.agent == agent,
            _c.state == ApprovalState.DENIED.value,
            _c.decided_at >= since,
            _c.decided_by.not_in(list(but_by)),
        )
        .order_by(_c.decided_at.desc())
        .limit(1)
    )
    number: int | None = tx.execute(statement).scalar()
    return number


def find_ran(tx: Transaction, action_key: str, but: int, since: Instant) -> Earlier | None:
    """Find the newest approval of an action that runs, ran since an instant, or may have run."""
    ran = (_c.state == ApprovalState.EXECUTED.value) & (_c.executed_at >= since)
    may = _c.state.in_([ApprovalState.EXECUTING.value, ApprovalState.EXECUTION_UNKNOWN.value])
    statement = (
        select(_c.number, _c.state, func.coalesce(_c.executed_at, _c.decided_at).label("at"))
        .where(_c.action_key == action_key, _c.number != but, ran | may)
        .order_by(_c.number.desc())
        .limit(1)
    )
    row = tx.execute(statement).one_or_none()
    return None if row is None else Earlier(row.number, ApprovalState(row.state), row.at or 0)


def hold_agent(tx: Transaction, agent: str) -> None:
    """Let an agent ask nothing else until the commit; SQLite has one writer anyway."""
    if tx.is_postgresql:
        tx.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"approvals {agent}"))))


def list_standing_of(
    tx: Transaction, agent: str, task: int | None, run_id: str | None
) -> list[int]:
    """List an agent's approvals for the same task or run that wait, or may run and have not."""
    about = _c.task == task if task is not None else _c.run_id == run_id
    # Apart, so that each is sought in its own index.
    found = (select(_c.number).where(state, _c.agent == agent, about) for state in _STANDING)
    return list(tx.execute(union_all(*found).order_by("number")).scalars())


def has_pending(tx: Transaction, task: int) -> bool:
    """Tell whether any approval of a task waits to be decided."""
    statement = select(_c.number).where(_PENDING, _c.task == task).limit(1)
    return tx.execute(statement).first() is not None


def count_since(tx: Transaction, agent: str, since: Instant) -> int:
    """Tell how many approvals an agent asked for since an instant."""
    statement = select(func.count()).where(_c.agent == agent, _c.created_at >= since)
    return int(tx.execute(statement).scalar_one())


def change(
    tx: Transaction,
    number: int,
    states: Collection[ApprovalState],
    values: dict[str, Any],
    *extra: ColumnElement[bool],
) -> bool:
    """Change an approval that is in one of these states; tells whether this call did."""
    allowed = _c.state.in_([state.value for state in states])
    statement = (
        update(approvals)
        .where(_c.number == number, allowed, *extra)
        .values(revision=_c.revision + 1, **values)
    )
    won = tx.execute(statement).rowcount == 1
    if won:
        tx.touched.add(TOPIC)
    return won


@dataclass(frozen=True, slots=True)
class Settled:
    """What follows from a decision, as the change that decided gave it back.

    Attributes:
        place: of the card.
        task: that waited for it, by number.
        has_webhook: the outcome is to be told over HTTP too.
    """

    place: ApprovalPlace
    task: int | None
    has_webhook: bool


def settle(tx: Transaction, number: int, values: dict[str, Any]) -> Settled | None:
    """Decide a pending approval; None if it was decided before."""
    row = _SETTLE.run(tx, _UNSAID | values | {"of_number": number}).one_or_none()
    if row is None:
        return None
    tx.touched.add(TOPIC)
    return Settled(_place(row), row.task, bool(row.webhook))


def _settle(_tx: Transaction) -> Executable:
    names = ("state", "decided_by", "decided_at", "reason", *_UNSAID)
    values = {name: bindparam(name, type_=_c[name].type) for name in names}
    return (
        update(approvals)
        .where(_c.number == bindparam("of_number"), _PENDING)
        .values(revision=_c.revision + literal_column("1"), **values)
        .returning(*_PLACE, _c.task, _c.webhook)
    )


# What stands in a pending row, and what most decisions leave there: one statement serves all.
_UNSAID = {"superseded_by": None, "is_bypass": 0, "review_due_at": None}
_SETTLE = Prepared(_settle)


def waits_for_review() -> ColumnElement[bool]:
    """Give the condition that an approval is a bypass that nobody has reviewed."""
    return _c.review_due_at.is_not(None)


def has_digest(digest: str) -> ColumnElement[bool]:
    """Give the condition that an approval is bound to a digest."""
    return _c.digest == digest


def touch(tx: Transaction, number: int) -> None:
    """Note that an approval's card shows something that changed."""
    tx.execute(update(approvals).where(_c.number == number).values(revision=_c.revision + 1))
    tx.touched.add(TOPIC)


def add_vote(tx: Transaction, number: int, vote: Vote) -> bool:
    """Store a vote; each person has one. Tells whether it was the person's first."""
    values = {
        "approval": number,
        "voter_id": vote.voter.id,
        "voter_name": vote.voter.name,
        "decision": vote.decision.value,
        "reason": vote.reason,
        "thresholds": json.dumps(vote.thresholds),
        "bypass": int(vote.bypass),
        "at": vote.at,
    }
    return _VOTE.run(tx, values).rowcount == 1


def _insert_vote(tx: Transaction) -> Executable:
    counted = {column.name: column for column in votes.columns if column.name != "sequence"}
    # Handed over as text: a prepared statement converts no JSON.
    values = {name: bindparam(name, type_=_as_given(one)) for name, one in counted.items()}
    return tx.insert(votes).values(**values).on_conflict_do_nothing().inline()


def _as_given(column: Column[Any]) -> TypeEngine[Any] | None:
    return None if isinstance(column.type, JSON) else column.type


_VOTE = Prepared(_insert_vote)


def list_of_cancelled_tasks(tx: Transaction) -> list[int]:
    """List pending approvals of tasks that people cancelled."""
    gone = select(tasks.c.number).where(tasks.c.state == TaskState.CANCELLED.value)
    statement = select(_c.number).where(_PENDING, _c.task.in_(gone)).order_by(_c.number)
    return list(tx.execute(statement).scalars())


def put_bypass(tx: Transaction, number: int, vote: Vote) -> None:
    """Store who broke the glass, in place of a vote of theirs that may be there."""
    changed = {
        "decision": vote.decision.value,
        "reason": vote.reason,
        "thresholds": list(vote.thresholds),
        "bypass": 1,
        "at": vote.at,
    }
    who = {"approval": number, "voter_id": vote.voter.id, "voter_name": vote.voter.name}
    statement = tx.insert(votes).values(who | changed)
    keys = ["approval", "voter_id"]
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def list_expired(tx: Transaction, limit: int = 200) -> list[int]:
    """List pending approvals whose time is over, the longest over first."""
    statement = (
        select(_c.number)
        .where(_PENDING, _c.expires_at <= tx.now)
        .order_by(_c.expires_at, _c.number)
    )
    return list(tx.execute(statement.limit(limit)).scalars())


def find_webhook(tx: Transaction, number: int) -> str | None:
    """Tell where an approval's outcome is to be told."""
    found: str | None = _WEBHOOK.run(tx, {"number": number}).scalar()
    return found


_WEBHOOK = Prepared(lambda _: select(_c.webhook).where(_c.number == bindparam("number")))


def put_webhook(tx: Transaction, number: int, webhook: str) -> None:
    """Have the outcome of an approval that waits told elsewhere; its card shows nothing of it."""
    tx.execute(update(approvals).where(_c.number == number, _PENDING).values(webhook=webhook))


def put_painted(tx: Transaction, number: int, revision: int, card: Card) -> None:
    """Record where an approval's card is and what it shows."""
    values = {
        "card_channel": card.channel,
        "card_ts": card.ts,
        "painted": revision,
        "painted_at": tx.now,
    }
    tx.execute(update(approvals).where(_c.number == number).values(values))


def _votes(tx: Transaction, numbers: Collection[int]) -> dict[int, tuple[Vote, ...]]:
    statement = select(votes).where(votes.c.approval.in_(numbers)).order_by(votes.c.sequence)
    found: dict[int, list[Row[Any]]] = {}
    for row in tx.execute(statement) if numbers else ():
        found.setdefault(row.approval, []).append(row)
    return {number: read_votes(rows) for number, rows in found.items()}


def _place(row: Row[Any]) -> ApprovalPlace:
    card = Card(row.card_channel, row.card_ts) if row.card_ts else None
    return ApprovalPlace(row.channel, row.thread_ts, card, row.revision, row.painted)
