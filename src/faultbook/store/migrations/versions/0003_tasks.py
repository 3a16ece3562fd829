"""Tasks."""

import sqlalchemy as sa
from alembic import op

# SQLite counts only in INTEGER PRIMARY KEY columns.
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "tasks",
        sa.Column("number", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("requester_id", sa.Text(), server_default="", nullable=False),
        sa.Column("requester_name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("ts", sa.Text(), server_default="", nullable=False),
        sa.Column("thread_ts", sa.Text(), server_default="", nullable=False),
        sa.Column("links", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), server_default="", nullable=False),
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("extra_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lapses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_id", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("worker", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("taken_by_id", sa.Text(), server_default="", nullable=False),
        sa.Column("taken_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("progress", sa.Text(), server_default="", nullable=False),
        sa.Column("progress_at", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_by", sa.Text(), server_default="", nullable=False),
        sa.Column("edited_ts", sa.Text(), server_default="", nullable=False),
        sa.Column("deletion_said", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waits_said", sa.Integer(), server_default="0", nullable=False),
        sa.Column("say_waits_at", sa.BigInteger(), nullable=True),
        sa.Column("card_channel", sa.Text(), server_default="", nullable=False),
        sa.Column("card_ts", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("painted", sa.Integer(), server_default="-1", nullable=False),
        sa.Column("painted_at", sa.BigInteger(), nullable=True),
        sa.Column("reaction", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tasks")),
        sa.UniqueConstraint("source_key", name=op.f("uq_tasks_source_key")),
    )
    op.create_index(
        "ix_tasks_leases",
        "tasks",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_tasks_open",
        "tasks",
        ["requester_id", "number"],
        unique=False,
        sqlite_where=sa.text("state IN ('received', 'queued', 'running', 'waiting')"),
        postgresql_where=sa.text("state IN ('received', 'queued', 'running', 'waiting')"),
    )
    op.create_index(
        "ix_tasks_queue",
        "tasks",
        ["route", "rank", "number"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_tasks_running",
        "tasks",
        ["route"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_tasks_waits",
        "tasks",
        ["say_waits_at"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "task_events",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("task_number", _SEQUENCE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_number"], ["tasks.number"], name=op.f("fk_task_events_task_number")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_task_events")),
    )
    op.create_index(
        op.f("ix_task_events_task_number"), "task_events", ["task_number"], unique=False
    )
    op.add_column("notices", sa.Column("subject", sa.Text(), nullable=True))
    op.create_index(
        "ix_notices_dead",
        "notices",
        ["sequence"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_notices_subject",
        "notices",
        ["subject", "kind"],
        unique=True,
        sqlite_where=sa.text("state = 'owed' AND subject IS NOT NULL"),
        postgresql_where=sa.text("state = 'owed' AND subject IS NOT NULL"),
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_index(
        "ix_notices_subject",
        table_name="notices",
        sqlite_where=sa.text("state = 'owed' AND subject IS NOT NULL"),
        postgresql_where=sa.text("state = 'owed' AND subject IS NOT NULL"),
    )
    op.drop_index(
        "ix_notices_dead",
        table_name="notices",
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.drop_column("notices", "subject")
    op.drop_index(op.f("ix_task_events_task_number"), table_name="task_events")
    op.drop_table("task_events")
    op.drop_index(
        "ix_tasks_waits",
        table_name="tasks",
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_index(
        "ix_tasks_running",
        table_name="tasks",
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.drop_index(
        "ix_tasks_queue",
        table_name="tasks",
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_index(
        "ix_tasks_open",
        table_name="tasks",
        sqlite_where=sa.text("state IN ('received', 'queued', 'running', 'waiting')"),
        postgresql_where=sa.text("state IN ('received', 'queued', 'running', 'waiting')"),
    )
    op.drop_index(
        "ix_tasks_leases",
        table_name="tasks",
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.drop_table("tasks")
