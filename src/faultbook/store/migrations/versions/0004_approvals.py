"""Approvals and the audit log."""

import sqlalchemy as sa
from alembic import op

# SQLite counts only in INTEGER PRIMARY KEY columns.
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Appended to and never changed. REPLACE is a delete to SQLite where recursive triggers are on, as
# they are on every connection; on PostgreSQL a row trigger sees no TRUNCATE, and only ALWAYS holds
# in a session that calls itself a replica.
_SQLITE = (
    """CREATE TRIGGER audit_never_updated BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END""",
    """CREATE TRIGGER audit_never_deleted BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit log is only appended to'; END $$""",
    """CREATE TRIGGER audit_never_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    "ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_never_changed",
    "ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_never_emptied",
)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "approvals",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("action_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("effect", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("task", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("triggered_by_id", sa.Text(), server_default="", nullable=False),
        sa.Column("triggered_by_name", sa.Text(), server_default="", nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("superseded_by", sa.BigInteger(), nullable=True),
        sa.Column("is_bypass", sa.Integer(), server_default="0", nullable=False),
        sa.Column("review_due_at", sa.BigInteger(), nullable=True),
        sa.Column("review_reminded_at", sa.BigInteger(), nullable=True),
        sa.Column("grant_id", sa.Text(), server_default="", nullable=False),
        sa.Column("grant_by", sa.Text(), server_default="", nullable=False),
        sa.Column("grant_until", sa.BigInteger(), nullable=True),
        sa.Column("executed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("webhook", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("thread_ts", sa.Text(), server_default="", nullable=False),
        sa.Column("card_channel", sa.Text(), server_default="", nullable=False),
        sa.Column("card_ts", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("painted", sa.Integer(), server_default="-1", nullable=False),
        sa.Column("painted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_approvals")),
        sa.UniqueConstraint("digest", name=op.f("uq_approvals_digest")),
    )
    op.create_index(
        "ix_approvals_action", "approvals", ["action_key", "agent", "created_at"], unique=False
    )
    op.create_index("ix_approvals_agent", "approvals", ["agent", "created_at"], unique=False)
    op.create_index(
        "ix_approvals_pending",
        "approvals",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_approvals_review",
        "approvals",
        ["review_due_at"],
        unique=False,
        sqlite_where=sa.text("review_due_at IS NOT NULL"),
        postgresql_where=sa.text("review_due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_approvals_under_way",
        "approvals",
        ["grant_until"],
        unique=False,
        sqlite_where=sa.text("state IN ('approved', 'executing')"),
        postgresql_where=sa.text("state IN ('approved', 'executing')"),
    )
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
        sa.UniqueConstraint("previous", name=op.f("uq_audit_previous")),
    )
    op.create_index("ix_audit_subject", "audit", ["subject", "sequence"], unique=False)
    op.create_table(
        "policies_seen",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_policies_seen")),
    )
    op.create_table(
        "votes",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("approval", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("voter_id", sa.Text(), nullable=False),
        sa.Column("voter_name", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("thresholds", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("bypass", sa.Integer(), server_default="0", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["approval"], ["approvals.number"], name=op.f("fk_votes_approval")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_votes")),
        sa.UniqueConstraint("approval", "voter_id", name=op.f("uq_votes_approval_voter_id")),
    )
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("votes")
    op.drop_table("policies_seen")
    op.drop_index("ix_audit_subject", table_name="audit")
    op.drop_table("audit")
    op.drop_index(
        "ix_approvals_under_way",
        table_name="approvals",
        sqlite_where=sa.text("state IN ('approved', 'executing')"),
        postgresql_where=sa.text("state IN ('approved', 'executing')"),
    )
    op.drop_index(
        "ix_approvals_review",
        table_name="approvals",
        sqlite_where=sa.text("review_due_at IS NOT NULL"),
        postgresql_where=sa.text("review_due_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_approvals_pending",
        table_name="approvals",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index("ix_approvals_agent", table_name="approvals")
    op.drop_index("ix_approvals_action", table_name="approvals")
    op.drop_table("approvals")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse()")
