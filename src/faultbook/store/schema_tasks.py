"""The tables of tasks and of their timelines."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text

from faultbook.store.schema import SEQUENCE, metadata

__all__ = ["SEQUENCE", "metadata", "task_events", "tasks"]

_QUEUED = text("state = 'queued'")
_RUNNING = text("state = 'running'")
_OPEN_TASK = text("state IN ('received', 'queued', 'running', 'waiting')")

tasks = Table(
    "tasks",
    metadata,
    Column("number", SEQUENCE, primary_key=True, autoincrement=True),
    Column("source_key", Text, unique=True),
    Column("text", Text, nullable=False),
    Column("requester_id", Text, nullable=False, server_default=""),
    Column("requester_name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("team", Text, nullable=False, server_default=""),
    Column("channel", Text, nullable=False, server_default=""),
    Column("ts", Text, nullable=False, server_default=""),
    Column("thread_ts", Text, nullable=False, server_default=""),
    Column("links", JSON, nullable=False, server_default="[]"),
    Column("state", Text, nullable=False),
    Column("route", Text, nullable=False, server_default=""),
    # The priority turned round, so that one ascending index gives the queue's order.
    Column("rank", Integer, nullable=False, server_default="0"),
    Column("received_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("extra_attempts", Integer, nullable=False, server_default="0"),
    Column("lapses", Integer, nullable=False, server_default="0"),
    Column("lease_id", Text, nullable=False, server_default=""),
    Column("agent", Text, nullable=False, server_default=""),
    Column("worker", Text, nullable=False, server_default=""),
    Column("lease_until", BigInteger),
    Column("run_id", Text),
    Column("verdict", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("taken_by_id", Text, nullable=False, server_default=""),
    Column("taken_by_name", Text, nullable=False, server_default=""),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("heard_at", BigInteger),
    Column("progress", Text, nullable=False, server_default=""),
    Column("progress_at", BigInteger),
    Column("cancelled_by", Text, nullable=False, server_default=""),
    Column("edited_ts", Text, nullable=False, server_default=""),
    Column("deletion_said", Integer, nullable=False, server_default="0"),
    Column("waits_said", Integer, nullable=False, server_default="0"),
    Column("say_waits_at", BigInteger),
    Column("card_channel", Text, nullable=False, server_default=""),
    Column("card_ts", Text, nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("painted", Integer, nullable=False, server_default="-1"),
    Column("painted_at", BigInteger),
    Column("reaction", Text, nullable=False, server_default=""),
    Index(
        "ix_tasks_queue",
        "route",
        "rank",
        "number",
        sqlite_where=_QUEUED,
        postgresql_where=_QUEUED,
    ),
    Index("ix_tasks_waits", "say_waits_at", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    Index("ix_tasks_running", "route", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    Index("ix_tasks_leases", "lease_until", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    Index(
        "ix_tasks_open",
        "requester_id",
        "number",
        sqlite_where=_OPEN_TASK,
        postgresql_where=_OPEN_TASK,
    ),
)

task_events = Table(
    "task_events",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("task_number", ForeignKey("tasks.number"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("by", Text, nullable=False, server_default=""),
    Column("at", BigInteger, nullable=False),
)
