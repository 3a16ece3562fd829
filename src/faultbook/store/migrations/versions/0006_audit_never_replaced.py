"""The audit log is not replaced either, by connections where recursive triggers are off."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# REPLACE deletes past the delete trigger wherever recursive triggers are off, which they are by
# default: in the sqlite3 shell, and in any script. What would be replaced is refused before.
_SQLITE = """CREATE TRIGGER audit_never_replaced BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit
        WHERE sequence = NEW.sequence OR previous = NEW.previous OR hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END"""


def upgrade() -> None:
    """Take the step."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_SQLITE)


def downgrade() -> None:
    """Take the step back."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_never_replaced")
