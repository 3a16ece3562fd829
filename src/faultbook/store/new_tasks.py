"""Taking a task: one insert, given back as the task that then stands in the store.

Whoever gave it waits for the commit, so it is spared what SQLAlchemy spends on a row.
"""

import json
from typing import Any

from sqlalchemy import BigInteger, Executable, Integer, bindparam

from faultbook.base.clock import Instant
from faultbook.model.task import NewTask, Task, TaskState
from faultbook.store.prepared import Prepared
from faultbook.store.schema_tasks import tasks
from faultbook.store.tasks import TOPIC
from faultbook.store.transaction import Transaction

_TEXTS = (
    *("source_key", "text", "requester_id", "requester_name", "source", "team", "channel", "ts"),
    *("thread_ts", "links", "state", "route"),
)
_INSTANTS = ("received_at", "not_before", "say_waits_at")


def add(tx: Transaction, new: NewTask, route: str, rank: int, say_waits_at: Instant) -> Task | None:
    """Store a task that waits in the queue; None if its message made one before."""
    origin = new.origin
    links = [{"name": link.name, "url": link.url} for link in new.links]
    values = {
        "source_key": origin.key,
        "text": new.text,
        "requester_id": new.requester.id,
        "requester_name": new.requester.name,
        "source": new.source.value,
        "team": origin.team,
        "channel": origin.channel,
        "ts": origin.ts,
        "thread_ts": origin.thread_ts,
        "links": json.dumps(links),
        "state": TaskState.QUEUED.value,
        "route": route,
        "rank": rank,
        "received_at": tx.now,
        "not_before": tx.now,
        "say_waits_at": say_waits_at,
    }
    number: int | None = _ADD.run(tx, values).scalar()
    if number is None:
        return None
    tx.touched.add(TOPIC)
    return Task(
        number=number,
        text=new.text,
        requester=new.requester,
        source=new.source,
        origin=origin,
        links=new.links,
        state=TaskState.QUEUED,
        route=route or None,
        priority=-rank,
        received_at=tx.now,
        not_before=tx.now,
    )


def _insert(tx: Transaction) -> Executable:
    values: dict[str, Any] = {name: bindparam(name) for name in _TEXTS}
    values |= {name: bindparam(name, type_=BigInteger) for name in _INSTANTS}
    values["rank"] = bindparam("rank", type_=Integer)
    statement = tx.insert(tasks).values(**values).on_conflict_do_nothing()
    return statement.returning(tasks.c.number)


_ADD = Prepared(_insert)
