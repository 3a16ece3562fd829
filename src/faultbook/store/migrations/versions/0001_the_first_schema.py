"""The first schema."""

import sqlalchemy as sa
from alembic import op

# SQLite counts only in INTEGER PRIMARY KEY columns.
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False
    )
    op.create_table(
        "notices",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("owed_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("receipt", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_notices")),
        sa.UniqueConstraint("id", name=op.f("uq_notices_id")),
    )
    op.create_index(
        "ix_notices_owed",
        "notices",
        ["target", "priority", "sequence"],
        unique=False,
        sqlite_where=sa.text("state = 'owed'"),
        postgresql_where=sa.text("state = 'owed'"),
    )
    op.create_index(
        "ix_notices_claimed",
        "notices",
        ["claimed_until"],
        unique=False,
        sqlite_where=sa.text("state = 'owed' AND claimed_until IS NOT NULL"),
        postgresql_where=sa.text("state = 'owed' AND claimed_until IS NOT NULL"),
    )
    op.create_table(
        "seen",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_seen")),
    )
    op.create_index(op.f("ix_seen_seen_at"), "seen", ["seen_at"], unique=False)
    op.create_table(
        "series",
        sa.Column("id", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("streak", sa.Integer(), server_default="0", nullable=False),
        sa.Column("basis_run", sa.Text(), nullable=True),
        sa.Column("basis_sequence", sa.BigInteger(), nullable=True),
        sa.Column("basis_started_at", sa.BigInteger(), nullable=True),
        sa.Column("basis_code_version", sa.Text(), nullable=True),
        sa.Column("basis_recorded_at", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("failure_class", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("first_bad_run", sa.Text(), nullable=True),
        sa.Column("first_bad_code_version", sa.Text(), nullable=True),
        sa.Column("first_bad_started_at", sa.BigInteger(), nullable=True),
        sa.Column("last_good_run", sa.Text(), nullable=True),
        sa.Column("last_good_code_version", sa.Text(), nullable=True),
        sa.Column("last_good_started_at", sa.BigInteger(), nullable=True),
        sa.Column("newest_run", sa.Text(), nullable=True),
        sa.Column("newest_sequence", sa.BigInteger(), nullable=True),
        sa.Column("newest_started_at", sa.BigInteger(), nullable=True),
        sa.Column("newest_code_version", sa.Text(), nullable=True),
        sa.Column("newest_recorded_at", sa.BigInteger(), nullable=True),
        sa.Column("newest_verdict", sa.Text(), nullable=True),
        sa.Column("newest_reason", sa.Text(), nullable=True),
        sa.Column("newest_failure_class", sa.Text(), nullable=True),
        sa.Column("newest_detail", sa.Text(), server_default="", nullable=False),
        sa.Column("newest_record_at", sa.BigInteger(), nullable=True),
        sa.Column("every_seconds", sa.Float(), nullable=True),
        sa.Column("grace_seconds", sa.Float(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("silent_after", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint(
            "workflow", "environment", "branch", name=op.f("uq_series_workflow_environment_branch")
        ),
    )
    op.create_index(
        "ix_series_attention",
        "series",
        ["branch", "standing"],
        unique=False,
        sqlite_where=sa.text("standing != 'passing'"),
        postgresql_where=sa.text("standing != 'passing'"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("workflows", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )
    op.create_table(
        "runs",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("series_id", _SEQUENCE, nullable=False),
        sa.Column("run_type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("failure_class", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("findings", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("close_digest", sa.Text(), nullable=True),
        sa.Column("agent_name", sa.Text(), nullable=True),
        sa.Column("task_id", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("code_version", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("prompt_version", sa.Text(), nullable=True),
        sa.Column("tool_allowlist", sa.JSON(), nullable=True),
        sa.Column("timeout_seconds", sa.Float(), nullable=True),
        sa.Column("grace_seconds", sa.Float(), nullable=True),
        sa.Column("token_limit", sa.BigInteger(), nullable=True),
        sa.Column("cost_limit", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("every_seconds", sa.Float(), nullable=True),
        sa.Column("due_grace_seconds", sa.Float(), nullable=True),
        sa.Column("input_sha256", sa.Text(), nullable=True),
        sa.Column("state_refs", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("promised", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("tests", sa.JSON(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cost", sa.Numeric(precision=20, scale=6), nullable=True),
        sa.Column("cpu_seconds", sa.Float(), nullable=True),
        sa.Column("peak_memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("stdout_tail", sa.Text(), nullable=True),
        sa.Column("stderr_tail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_runs_series_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_runs")),
        sa.UniqueConstraint("run_id", name=op.f("uq_runs_run_id")),
    )
    op.create_index(
        "ix_runs_code_version",
        "runs",
        ["code_version", "series_id", "verdict", "started_at", "sequence"],
        unique=False,
        sqlite_where=sa.text("code_version IS NOT NULL"),
        postgresql_where=sa.text("code_version IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_history", "runs", ["series_id", "verdict", "started_at", "sequence"], unique=False
    )
    op.create_index(
        "ix_runs_open",
        "runs",
        ["deadline_at"],
        unique=False,
        sqlite_where=sa.text("state != 'closed'"),
        postgresql_where=sa.text("state != 'closed'"),
    )
    op.create_index("ix_runs_order", "runs", ["series_id", "started_at", "sequence"], unique=False)
    op.create_table(
        "artifacts",
        sa.Column("run_sequence", _SEQUENCE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("check", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("mismatch", sa.Text(), nullable=True),
        sa.Column("excerpt", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["run_sequence"], ["runs.sequence"], name=op.f("fk_artifacts_run_sequence")
        ),
        sa.PrimaryKeyConstraint("run_sequence", "name", name=op.f("pk_artifacts")),
    )
    op.create_table(
        "events",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("run_sequence", _SEQUENCE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("client_seq", sa.BigInteger(), nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_sequence"], ["runs.sequence"], name=op.f("fk_events_run_sequence")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_run_sequence"), "events", ["run_sequence"], unique=False)


def downgrade() -> None:
    """Take the step back."""
    op.drop_index(op.f("ix_events_run_sequence"), table_name="events")
    op.drop_table("events")
    op.drop_table("artifacts")
    op.drop_index("ix_runs_order", table_name="runs")
    op.drop_index(
        "ix_runs_open",
        table_name="runs",
        sqlite_where=sa.text("state != 'closed'"),
        postgresql_where=sa.text("state != 'closed'"),
    )
    op.drop_index("ix_runs_history", table_name="runs")
    op.drop_index(
        "ix_runs_code_version",
        table_name="runs",
        sqlite_where=sa.text("code_version IS NOT NULL"),
        postgresql_where=sa.text("code_version IS NOT NULL"),
    )
    op.drop_table("runs")
    op.drop_table("tokens")
    op.drop_index(
        "ix_series_attention",
        table_name="series",
        sqlite_where=sa.text("standing != 'passing'"),
        postgresql_where=sa.text("standing != 'passing'"),
    )
    op.drop_table("series")
    op.drop_index(op.f("ix_seen_seen_at"), table_name="seen")
    op.drop_table("seen")
    op.drop_index(
        "ix_notices_claimed",
        table_name="notices",
        sqlite_where=sa.text("state = 'owed' AND claimed_until IS NOT NULL"),
        postgresql_where=sa.text("state = 'owed' AND claimed_until IS NOT NULL"),
    )
    op.drop_index(
        "ix_notices_owed",
        table_name="notices",
        sqlite_where=sa.text("state = 'owed'"),
        postgresql_where=sa.text("state = 'owed'"),
    )
    op.drop_table("notices")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
