"""The ledger."""

import sqlalchemy as sa
from alembic import op

# SQLite counts only in INTEGER PRIMARY KEY columns.
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "incident_drafts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("owner_name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("thread_ts", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("reminded_at", sa.BigInteger(), nullable=True),
        sa.Column("operation_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_drafts")),
    )
    op.create_index(
        "ix_incident_drafts_due",
        "incident_drafts",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'draft'"),
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.create_table(
        "known_failures",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("lesson", sa.Integer(), nullable=True),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("suggested_at", sa.BigInteger(), nullable=True),
        sa.Column("candidates", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_known_failures")),
    )
    op.create_table(
        "ledger_heads",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("commit_sha", sa.Text(), nullable=True),
        sa.Column("highest_number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("repository", name=op.f("pk_ledger_heads")),
    )
    op.create_table(
        "ledger_operations",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("requester_id", sa.Text(), nullable=False),
        sa.Column("requester_name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("thread_ts", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_ledger_operations")),
        sa.UniqueConstraint("id", name=op.f("uq_ledger_operations_id")),
    )
    op.create_index(
        "ix_ledger_operations_waiting",
        "ledger_operations",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "lesson_repeats",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("lesson", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("said_by", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_lesson_repeats")),
        sa.UniqueConstraint("lesson", "run_id", name=op.f("uq_lesson_repeats_lesson_run_id")),
    )
    op.create_index(op.f("ix_lesson_repeats_lesson"), "lesson_repeats", ["lesson"], unique=False)


def downgrade() -> None:
    """Take the step back."""
    op.drop_index(op.f("ix_lesson_repeats_lesson"), table_name="lesson_repeats")
    op.drop_table("lesson_repeats")
    op.drop_index(
        "ix_ledger_operations_waiting",
        table_name="ledger_operations",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("ledger_operations")
    op.drop_table("ledger_heads")
    op.drop_table("known_failures")
    op.drop_index(
        "ix_incident_drafts_due",
        table_name="incident_drafts",
        sqlite_where=sa.text("state = 'draft'"),
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.drop_table("incident_drafts")
