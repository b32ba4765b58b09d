"""What a calendar file in a mail asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the invitation of a message."""
    op.add_column("message", sa.Column("invitation", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("message", "invitation")
