"""What reports tell of sent mail and of the addresses it went to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TEXTS = ("undeliverable_code", "undeliverable_reason")
_TIMES = ("undeliverable_at", "complained_at")


def upgrade() -> None:
    """Add the outcomes of a mail, and the marks on an address."""
    op.add_column(
        "message", sa.Column("deliveries", sa.JSON(), server_default="[]", nullable=False)
    )
    for name in _TIMES:
        op.add_column("identity", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in _TEXTS:
        op.add_column("identity", sa.Column(name, sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Take them away again."""
    for name in (*_TIMES, *_TEXTS):
        op.drop_column("identity", name)
    op.drop_column("message", "deliveries")
