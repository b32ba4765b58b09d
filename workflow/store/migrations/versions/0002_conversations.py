"""Chats: the conversation of a ticket, further names of a message, progress of a send in parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what channels that are a conversation need."""
    op.add_column("ticket", sa.Column("conversation", sa.String(), nullable=True))
    op.create_index(
        "ix_ticket_conversation",
        "ticket",
        ["conversation", "id"],
        unique=False,
        sqlite_where=sa.text("conversation IS NOT NULL"),
        postgresql_where=sa.text("conversation IS NOT NULL"),
    )
    op.add_column(
        "outbox", sa.Column("parts_done", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_table(
        "message_alias",
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("message_row", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_row"], ["message.id"], name=op.f("fk_message_alias_message_row")
        ),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_message_alias")),
    )
    op.create_index(
        op.f("ix_message_alias_message_row"), "message_alias", ["message_row"], unique=False
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("message_alias")
    op.drop_column("outbox", "parts_done")
    op.drop_index("ix_ticket_conversation", table_name="ticket")
    op.drop_column("ticket", "conversation")
