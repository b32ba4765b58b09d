"""Tables for tests: a desk's groups, and a table from its lines."""

from __future__ import annotations

from workflow.routing.sheet import Problem
from workflow.routing.table import Table, read_table
from workflow.settings import AgentSettings, ChannelSettings, GroupSettings, Settings

SETTINGS = Settings(
    agents=(
        AgentSettings("ana", "ana@desk.example", ("support", "finance")),
        AgentSettings("ben", "ben@desk.example", ("senior",)),
    ),
    groups=(
        GroupSettings("support", "L1"),
        GroupSettings("finance", "L1"),
        GroupSettings("senior", "L2"),
    ),
    channels=(ChannelSettings("support", "email", "support@desk.example"),),
)

CONTRACT = """\
rule,channel,topic,tier,language,text,->,group,level,priority,macro
billing-first,,billing,,,"refund,charged twice",,finance,L1,high,
vip,,,vip,,,,senior,L2,,
everything else,,,,,,,support,L1,medium,
"""


def problems(text: str, policies: list[str] | None = None) -> list[Problem]:
    """What is wrong with a text."""
    return read_table("routing.csv", text, SETTINGS, policies)[1]


def table(text: str) -> Table:
    """The table of a text without faults."""
    found, faults = read_table("routing.csv", text, SETTINGS)
    assert faults == []
    return found
