"""Tickets that are merged, split, linked; a guess at which ticket a new one belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where messages and drafts go back to, links, and the guess."""
    # No keys on these columns: so SQLite need not copy a table of millions of messages.
    op.add_column("message", sa.Column("home_id", sa.Integer(), nullable=True))
    op.add_column("draft", sa.Column("home_id", sa.Integer(), nullable=True))
    op.add_column("ticket", sa.Column("looks_like", sa.Integer(), nullable=True))
    op.create_index(
        "ix_ticket_merged",
        "ticket",
        ["merged_into"],
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_table(
        "ticket_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["other_id"], ["ticket.id"], name=op.f("fk_ticket_link_other_id")),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_link_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_link")),
        sa.UniqueConstraint(
            "ticket_id", "other_id", name=op.f("uq_ticket_link_ticket_id_other_id")
        ),
    )
    op.create_index(op.f("ix_ticket_link_other_id"), "ticket_link", ["other_id"])
