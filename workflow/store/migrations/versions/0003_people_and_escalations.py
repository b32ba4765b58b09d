"""People who were joined; escalations that must be accepted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add where a joined person went, and the acknowledgement of an escalation."""
    with op.batch_alter_table("customer") as customer:
        customer.add_column(sa.Column("merged_into", sa.Integer(), nullable=True))
        customer.create_foreign_key(
            op.f("fk_customer_merged_into"), "customer", ["merged_into"], ["id"]
        )
    with op.batch_alter_table("escalation") as escalation:
        escalation.add_column(sa.Column("ack_due_at", sa.BigInteger(), nullable=True))
        escalation.add_column(
            sa.Column("ack_told", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        escalation.add_column(sa.Column("accepted_at", sa.BigInteger(), nullable=True))
        escalation.add_column(sa.Column("accepted_by", sa.String(), nullable=True))
        escalation.add_column(sa.Column("climbed_from", sa.Integer(), nullable=True))
        escalation.create_foreign_key(
            op.f("fk_escalation_climbed_from"), "escalation", ["climbed_from"], ["id"]
        )
