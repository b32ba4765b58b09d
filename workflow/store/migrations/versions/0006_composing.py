"""What is chosen for a message that is being written; what is said aside; sending unless answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the options of drafts, forwards, and sends that end when the customer writes."""
    op.add_column("draft", sa.Column("options", sa.JSON(), server_default="{}", nullable=False))
    op.add_column(
        "message", sa.Column("aside", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("message", sa.Column("forwards", sa.JSON(), nullable=True))
    op.add_column(
        "outbox", sa.Column("unless_reply", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index("ix_outbox_ticket", "outbox", ["ticket_id", "id"], unique=False)
