"""What rules decide: triage, policies, routes, triggers and the notices they give."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _of_ticket() -> list[sa.Column[Any]]:
    return [
        sa.Column("policy", sa.String(), nullable=True),
        sa.Column("set_by", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=True),
        sa.Column("wants_person", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("contacts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("suggested_macro", sa.String(), nullable=True),
        sa.Column("clocks_version", sa.String(), server_default="", nullable=False),
    ]


_OURS = (
    "status IN ('new','open') AND spam_at IS NULL AND merged_into IS NULL AND snoozed_until IS NULL"
    " AND NOT snoozed_until_reply"
)
_OF_AGENT = ("away_since", "away_until", "last_assigned_at")
_TABLES = ("clock_mark", "rule_timer", "firing", "notice", "learned")


def upgrade() -> None:
    """Add the columns of tickets and agents, and the tables of rules."""
    for column in _of_ticket():
        op.add_column("ticket", column)
    for name in _OF_AGENT:
        op.add_column("agent", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_ticket_ours",
        "ticket",
        ["assignee", "group_name", "due_rank", "urgency_rank", "id"],
        sqlite_where=sa.text(_OURS),
        postgresql_where=sa.text(_OURS),
    )
    op.create_table(
        "clock_mark",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("after_s", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_clock_mark_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "metric", "rule", name=op.f("pk_clock_mark")),
    )
    op.create_index(
        "ix_clock_mark_at",
        "clock_mark",
        ["at"],
        sqlite_where=sa.text("at IS NOT NULL"),
        postgresql_where=sa.text("at IS NOT NULL"),
    )
    op.create_table(
        "rule_timer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_rule_timer_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_timer")),
        sa.UniqueConstraint("rule", "ticket_id", name=op.f("uq_rule_timer_rule_ticket_id")),
    )
    op.create_index("ix_rule_timer_due_at", "rule_timer", ["due_at"])
    op.create_index("ix_rule_timer_ticket_id", "rule_timer", ["ticket_id"])
    op.create_table(
        "firing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("shadow", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firing")),
    )
    op.create_index("ix_firing_ticket", "firing", ["rule", "ticket_id"])
    op.create_index("ix_firing_customer", "firing", ["rule", "customer_id", "at"])
    op.create_index("ix_firing_at", "firing", ["rule", "at"])
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("body", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(
        "ix_notice_due",
        "notice",
        ["due_at"],
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "learned",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("examples", sa.Integer(), server_default="0", nullable=False),
        sa.Column("data", sa.JSON(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_learned")),
    )


def downgrade() -> None:
    """Take them away again."""
    for name in reversed(_TABLES):
        op.drop_table(name)
    op.drop_index("ix_ticket_ours", "ticket")
    for name in reversed(_OF_AGENT):
        op.drop_column("agent", name)
    for column in reversed(_of_ticket()):
        op.drop_column("ticket", column.name)
