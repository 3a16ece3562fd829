"""Tasks: taken once, claimed in their order, each step one conditional update."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from faultbook.base.clock import Instant
from faultbook.model.person import Person
from faultbook.model.run import RunState
from faultbook.model.task import (
    OPEN,
    UNDER_WAY,
    Card,
    Lease,
    Task,
    TaskEvent,
    TaskLink,
    TaskOrigin,
    TaskSource,
    TaskState,
)
from faultbook.model.verdict import Verdict
from faultbook.store.bulk import insert_rows
from faultbook.store.schema import runs
from faultbook.store.schema_tasks import task_events, tasks
from faultbook.store.transaction import Transaction

TOPIC = "tasks"
"""What watchers of the store are told when a task became claimable."""

_c = tasks.c
# Written out rather than bound, so that SQLite sees that the partial indexes apply.
_QUEUED = _c.state == literal_column("'queued'")
_RUNNING = _c.state == literal_column("'running'")
_IS_OPEN = _c.state.in_(
    [literal_column(f"'{state.value}'") for state in TaskState if state in OPEN]
)
# Apart, so that the running ones are sought in their own index.
_UNDER_WAY = (_RUNNING, _IS_OPEN & (_c.state == literal_column("'waiting'")))


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are meant; None for any.

    Attributes:
        routes: of any of these; `route` names one.
    """

    states: frozenset[TaskState] | None = OPEN
    requester_id: str | None = None
    route: str | None = None
    agent: str | None = None
    limit: int = 50
    routes: frozenset[str] | None = None


def find(tx: Transaction, number: int, *, hold: bool = False) -> Task | None:
    """Read a task; with `hold`, nobody else changes it before the commit."""
    statement = select(tasks).where(_c.number == number)
    if hold and tx.is_postgresql:
        statement = statement.with_for_update()
    row = tx.execute(statement).one_or_none()
    return None if row is None else read(row)


def find_by_key(tx: Transaction, key: str) -> Task | None:
    """Read the task that a message became."""
    row = tx.execute(select(tasks).where(_c.source_key == key)).one_or_none()
    return None if row is None else read(row)


def list_some(tx: Transaction, wanted: TaskFilter) -> list[Task]:
    """List tasks: the open ones in the queue's order, others the newest first."""
    statement = select(tasks)
    if wanted.states == OPEN:
        statement = statement.where(_IS_OPEN).order_by(_c.rank, _c.number)
    else:
        statement = statement.order_by(_c.number.desc())
        if wanted.states is not None:
            statement = statement.where(_c.state.in_([state.value for state in wanted.states]))
    limits = (
        (_c.requester_id, wanted.requester_id),
        (_c.route, wanted.route),
        (_c.agent, wanted.agent),
    )
    for column, value in limits:
        if value is not None:
            statement = statement.where(column == value)
    if wanted.routes is not None:
        statement = statement.where(_c.route.in_(sorted(wanted.routes)))
    return [read(row) for row in tx.execute(statement.limit(wanted.limit))]


def count_open(tx: Transaction, requester_id: str | None = None) -> int:
    """Tell how many tasks are open: of one person, or of all."""
    statement = select(func.count()).select_from(tasks).where(_IS_OPEN)
    if requester_id is not None:
        statement = statement.where(_c.requester_id == requester_id)
    return int(tx.execute(statement).scalar_one())


def list_queued_messages(tx: Transaction, since: Instant, until: Instant, limit: int) -> list[Task]:
    """List queued tasks that channels' messages became within a time, the next to start first."""
    statement = (
        select(tasks)
        .where(_QUEUED, _c.ts != "", _c.channel.not_like("D%"))
        .where(_c.received_at.between(since, until))
        .order_by(_c.rank, _c.number)
    )
    return [read(row) for row in tx.execute(statement.limit(limit))]


def put_requester_name(tx: Transaction, person_id: str, name: str) -> list[Task]:
    """Name who gave the open tasks of which only the person's id was known; gives those."""
    statement = (
        update(tasks)
        .where(_IS_OPEN, _c.requester_id == person_id, _c.requester_name == person_id)
        .values(requester_name=name, revision=_c.revision + 1)
        .returning(tasks)
    )
    return [read(row) for row in tx.execute(statement)]


def count_before(tx: Transaction, task: Task) -> int:
    """Tell how many queued tasks of its route are taken before a task."""
    rank = -task.priority
    sooner = or_(_c.rank < rank, and_(_c.rank == rank, _c.number < task.number))
    statement = select(func.count()).where(_QUEUED, _c.route == (task.route or ""), sooner)
    return int(tx.execute(statement).scalar_one())


def count_running(tx: Transaction, route: str) -> int:
    """Tell how many tasks of a route run; one that waits for an approval holds its worker."""
    running, waiting = (
        select(func.count()).where(state, _c.route == route).scalar_subquery()
        for state in _UNDER_WAY
    )
    return int(tx.execute(select(running + waiting)).scalar_one())


def list_held(tx: Transaction, agent: str, limit: int) -> list[int]:
    """List the tasks under way that an agent's workers hold, the oldest first."""
    held = (
        select(_c.number).where(state, _c.agent == agent, _c.lease_id != "") for state in _UNDER_WAY
    )
    return list(tx.execute(union_all(*held).order_by("number").limit(limit)).scalars())


def hold_route(tx: Transaction, route: str) -> None:
    """Let nobody else claim from a route until the commit; SQLite has one writer anyway."""
    if tx.is_postgresql:
        tx.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"route {route}"))))


def has_queued(tx: Transaction, routes: Collection[str]) -> bool:
    """Tell whether any task of these routes could be claimed but for their limits."""
    statement = select(_c.number).where(
        _QUEUED, _c.route.in_(sorted(routes)), _c.not_before <= tx.now
    )
    return tx.execute(statement.limit(1)).first() is not None


def change(
    tx: Transaction,
    number: int,
    states: Iterable[TaskState],
    values: dict[str, Any],
    *extra: ColumnElement[bool],
) -> Task | None:
    """Change a task that is in one of these states; None if it is not, or `extra` does not hold.

    Every change counts as one that its card shows.
    """
    allowed = _c.state.in_([state.value for state in states])
    statement = (
        update(tasks)
        .where(_c.number == number, allowed, *extra)
        .values(revision=_c.revision + 1, **values)
        .returning(tasks)
    )
    row = tx.execute(statement).one_or_none()
    if row is None:
        return None
    if row.state not in UNDER_WAY:  # it can be claimed, or leaves room for one that can
        tx.touched.add(TOPIC)
    return read(row)


def holds_lease(lease_id: str) -> ColumnElement[bool]:
    """Give the condition that a lease is still the task's."""
    return _c.lease_id == lease_id


def touch_lease(tx: Transaction, number: int, lease_id: str, until: Instant) -> bool:
    """Prolong a lease, which no card shows; tells whether it was still held."""
    statement = (
        update(tasks)
        .where(_c.number == number, or_(*_UNDER_WAY), _c.lease_id == lease_id)
        .values(lease_until=until, heard_at=tx.now)
    )
    return tx.execute(statement).rowcount == 1


def list_lapsed(tx: Transaction, limit: int = 100) -> list[int]:
    """List tasks under way whose worker went quiet, the longest quiet first."""
    found = select(_c.number, _c.lease_until).order_by(_c.lease_until).limit(limit)
    lapsed = (
        select(found.where(state, _c.lease_until < tx.now).subquery()) for state in _UNDER_WAY
    )
    statement = union_all(*lapsed).order_by("lease_until").limit(limit)
    return list(tx.execute(statement).scalars())


def list_overdue(tx: Transaction, limit: int = 100) -> list[tuple[int, str]]:
    """List tasks under way whose attempt is past its deadline or closed, with their runs' ids."""
    over = or_(runs.c.state == RunState.CLOSED.value, runs.c.deadline_at < tx.now)
    overdue = (
        select(_c.number, _c.run_id).join(runs, runs.c.run_id == _c.run_id).where(state, over)
        for state in _UNDER_WAY
    )
    statement = union_all(*overdue).order_by("number").limit(limit)
    return [(row.number, row.run_id) for row in tx.execute(statement)]


def list_to_say_waits(tx: Transaction, limit: int = 100) -> list[Task]:
    """List queued tasks of which it is time to say that they still wait."""
    statement = select(tasks).where(_QUEUED, _c.say_waits_at <= tx.now).order_by(_c.say_waits_at)
    return [read(row) for row in tx.execute(statement.limit(limit))]


def put_waits(tx: Transaction, number: int, said: int, next_at: Instant) -> bool:
    """Note that it was said that a task still waits; tells whether that was this caller's to do."""
    is_due = _c.say_waits_at <= tx.now
    statement = (
        update(tasks)
        .where(_c.number == number, _QUEUED, is_due, _c.waits_said == said - 1)
        .values(waits_said=said, say_waits_at=next_at)
    )
    return tx.execute(statement).rowcount == 1


def count_waits(tx: Transaction, number: int) -> int:
    """Tell how often it was said that a task still waits."""
    return int(tx.execute(select(_c.waits_said).where(_c.number == number)).scalar_one())


def mark_deletion_said(tx: Transaction, number: int) -> bool:
    """Claim the one offer to cancel a task whose message is gone."""
    statement = (update(tasks).where(_c.number == number, _IS_OPEN, _c.deletion_said == 0)).values(
        deletion_said=1
    )
    return tx.execute(statement).rowcount == 1


def put_painted(tx: Transaction, number: int, revision: int, card: Card) -> Task | None:
    """Record where a task's card is and what it shows; gives the task as it is now."""
    statement = (
        update(tasks)
        .where(_c.number == number)
        .values(card_channel=card.channel, card_ts=card.ts, painted=revision, painted_at=tx.now)
        .returning(tasks)
    )
    row = tx.execute(statement).one_or_none()
    return None if row is None else read(row)


def put_reaction(tx: Transaction, number: int, reaction: str) -> Task | None:
    """Record which reaction a task's message carries; gives the task as it is now."""
    statement = update(tasks).where(_c.number == number).values(reaction=reaction).returning(tasks)
    row = tx.execute(statement).one_or_none()
    return None if row is None else read(row)


def edited_before(edited_ts: str) -> ColumnElement[bool]:
    """Give the condition that a task's text is older than an edit."""
    return _c.edited_ts < edited_ts


def extra_attempts(tx: Transaction, number: int) -> int:
    """Tell how many attempts there may be beyond the route's, but for those of `lapses`."""
    statement = select(_c.extra_attempts).where(_c.number == number)
    return int(tx.execute(statement).scalar_one())


def append_event(tx: Transaction, number: int, kind: str, text: str = "", by: str = "") -> None:
    """Add a line to a task's timeline."""
    values = {"task_number": number, "kind": kind, "text": text, "by": by, "at": tx.now}
    insert_rows(tx, task_events, [values])


def list_events(tx: Transaction, number: int, limit: int = 500) -> Sequence[TaskEvent]:
    """Read a task's timeline, the oldest first."""
    statement: Select[Any] = (
        select(task_events)
        .where(task_events.c.task_number == number)
        .order_by(task_events.c.sequence)
        .limit(limit)
    )
    return [TaskEvent(row.kind, row.text, row.by, row.at) for row in tx.execute(statement)]


def _links(told: Any) -> tuple[TaskLink, ...]:  # noqa: ANN401 - JSON, as the driver gives it
    found = json.loads(told) if isinstance(told, str) else told
    return tuple(TaskLink(link["name"], link["url"]) for link in found)


def read(row: Row[Any]) -> Task:
    """Read a task from its row, as SQLAlchemy or as the driver gives it."""
    taken = Person(row.taken_by_id, row.taken_by_name) if row.taken_by_name else None
    lease = None
    if row.state in UNDER_WAY and row.lease_id:
        lease = Lease(row.lease_id, row.agent, row.worker, row.lease_until)
    return Task(
        number=row.number,
        text=row.text,
        requester=Person(row.requester_id, row.requester_name),
        source=TaskSource(row.source),
        origin=TaskOrigin(row.team, row.channel, row.ts, row.thread_ts),
        links=_links(row.links),
        state=TaskState(row.state),
        route=row.route or None,
        priority=-row.rank,
        received_at=row.received_at,
        not_before=row.not_before,
        attempts=row.attempts,
        lapses=row.lapses,
        lease=lease,
        run_id=row.run_id,
        verdict=Verdict(row.verdict) if row.verdict else None,
        reason=row.reason,
        detail=row.detail,
        taken_by=taken,
        worker=row.worker,
        started_at=row.started_at,
        ended_at=row.ended_at,
        heard_at=row.heard_at,
        progress=row.progress,
        progress_at=row.progress_at,
        cancelled_by=row.cancelled_by,
        edited_ts=row.edited_ts,
        card=Card(row.card_channel, row.card_ts) if row.card_ts else None,
        revision=row.revision,
        painted=row.painted,
        painted_at=row.painted_at,
        reaction=row.reaction,
    )
