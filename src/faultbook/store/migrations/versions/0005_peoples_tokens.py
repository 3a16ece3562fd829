"""Tokens of people."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("tokens", sa.Column("person", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take the step back."""
    op.drop_column("tokens", "person")
