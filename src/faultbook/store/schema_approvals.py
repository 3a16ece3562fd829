"""The tables of approvals and of the audit log."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from faultbook.store.schema_tasks import SEQUENCE, metadata

# The last of the tables: whoever takes the metadata from here has them all.
__all__ = ["approvals", "audit", "metadata", "policies_seen", "votes"]

_PENDING = text("state = 'pending'")
_UNDER_WAY = text("state IN ('approved', 'executing')")
_REVIEW = text("review_due_at IS NOT NULL")

approvals = Table(
    "approvals",
    metadata,
    Column("number", SEQUENCE, primary_key=True, autoincrement=True),
    # The canonical action, and the digest that binds it to who asks, the policy and its end.
    Column("action", Text, nullable=False),
    Column("action_key", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("nonce", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("effect", Text, nullable=False, server_default=""),
    Column("evidence", JSON, nullable=False, server_default="[]"),
    Column("agent", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("task", BigInteger),
    Column("run_id", Text),
    Column("triggered_by_id", Text, nullable=False, server_default=""),
    Column("triggered_by_name", Text, nullable=False, server_default=""),
    Column("policy", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_at", BigInteger),
    Column("reason", Text, nullable=False, server_default=""),
    Column("superseded_by", BigInteger),
    Column("is_bypass", Integer, nullable=False, server_default="0"),
    Column("review_due_at", BigInteger),
    Column("review_reminded_at", BigInteger),
    Column("grant_id", Text, nullable=False, server_default=""),
    # The process of ours that executes; empty where an agent does.
    Column("grant_by", Text, nullable=False, server_default=""),
    Column("grant_until", BigInteger),
    Column("executed_at", BigInteger),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("webhook", Text),
    Column("channel", Text, nullable=False, server_default=""),
    Column("thread_ts", Text, nullable=False, server_default=""),
    Column("card_channel", Text, nullable=False, server_default=""),
    Column("card_ts", Text, nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("painted", Integer, nullable=False, server_default="-1"),
    Column("painted_at", BigInteger),
    Index("ix_approvals_pending", "expires_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
    Index(
        "ix_approvals_under_way",
        "grant_until",
        sqlite_where=_UNDER_WAY,
        postgresql_where=_UNDER_WAY,
    ),
    Index("ix_approvals_review", "review_due_at", sqlite_where=_REVIEW, postgresql_where=_REVIEW),
    Index("ix_approvals_agent", "agent", "created_at"),
    Index("ix_approvals_action", "action_key", "agent", "created_at"),
)

votes = Table(
    "votes",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("approval", ForeignKey("approvals.number"), nullable=False),
    Column("voter_id", Text, nullable=False),
    Column("voter_name", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("thresholds", JSON, nullable=False, server_default="[]"),
    Column("bypass", Integer, nullable=False, server_default="0"),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("approval", "voter_id"),
)

policies_seen = Table(
    "policies_seen",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    # Without gaps, and so given by the writer and not by the database.
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("previous", Text, nullable=False, unique=True),
    Column("hash", Text, nullable=False, unique=True),
    Index("ix_audit_subject", "subject", "sequence"),
)
