"""The one statement by which a worker gets a task: found, taken and read in one update."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnClause,
    Executable,
    Text,
    bindparam,
    literal_column,
    select,
    update,
)

from faultbook.model.task import Task, TaskState
from faultbook.store.prepared import Prepared
from faultbook.store.schema_tasks import tasks
from faultbook.store.tasks import read
from faultbook.store.transaction import Transaction

_c = tasks.c


def claim_next(tx: Transaction, routes: Sequence[str], values: Mapping[str, Any]) -> Task | None:
    """Begin an attempt at the task that is next in these routes' queues; None if there is none.

    By priority, then age. `values` are the columns of a task whose attempt begins; the attempt is
    counted here. What another worker is just taking is passed over.
    """
    if not routes:
        return None
    statement = _statement(len(routes), tuple(values))
    told = {f"new_{name}": value for name, value in values.items()}
    named = {f"route_{at}": name for at, name in enumerate(routes)}
    row = statement.run(tx, {**told, **named, "now": tx.now}).fetchone()
    return None if row is None else read(row)


@lru_cache(maxsize=64)
def _statement(routes: int, names: tuple[str, ...]) -> Prepared:
    return Prepared(partial(_build, routes=routes, names=names))


def _build(tx: Transaction, routes: int, names: tuple[str, ...]) -> Executable:
    # Written out rather than bound, so that SQLite sees that the partial index applies.
    queued = _c.state == literal_column(f"'{TaskState.QUEUED.value}'")
    wanted = _c.route.in_([bindparam(f"route_{at}", type_=Text) for at in range(routes)])
    following = (
        select(_c.number)
        .where(queued, wanted, _c.not_before <= bindparam("now", type_=BigInteger))
        .order_by(_c.rank, _c.number)
        .limit(literal_column("1"))
        .offset(literal_column("0"))  # SQLite's dialect would bind one of its own
    )
    if tx.is_postgresql:
        following = following.with_for_update(skip_locked=True)
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=_c[name].type) for name in names}
    one: ColumnClause[int] = literal_column("1")
    return (
        update(tasks)
        .where(_c.number == following.scalar_subquery(), queued)
        .values(attempts=_c.attempts + one, revision=_c.revision + one, **values)
        .returning(tasks)
    )
