"""What mail servers say of senders; held items with their place; rules about senders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what counting, judging and deciding about held mail needs."""
    op.add_column("message", sa.Column("authentication", sa.JSON(none_as_null=True), nullable=True))
    op.create_index("ix_message_sender", "message", ["from_address", "at"])
    _partial("ix_message_automatic", "message", ["at"], "automatic")
    op.create_table(
        "sender_rule",
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("allow", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pattern", name=op.f("pk_sender_rule")),
    )
    with op.batch_alter_table("held") as held:
        held.add_column(sa.Column("reached_at", sa.BigInteger(), nullable=True))
        held.add_column(sa.Column("ticket_id", sa.Integer(), nullable=True))
        held.create_foreign_key(op.f("fk_held_ticket_id"), "ticket", ["ticket_id"], ["id"])
        for name in ("automatic", "report"):
            held.add_column(
                sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
            )
        held.add_column(sa.Column("folder", sa.Text(), server_default="", nullable=False))
        for name in ("validity", "position"):
            held.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_held_sender", "held", ["sender", "reached_at"])
    op.create_index("ix_held_ticket", "held", ["ticket_id", "reached_at"])
    _partial("ix_held_waiting", "held", ["id"], "state = 'held'")
    _partial("ix_held_wanted", "held", ["account", "id"], "state = 'wanted'")
    _partial("ix_held_automatic", "held", ["reached_at"], "automatic")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
