"""A desk with triggers, and macros as a test needs them."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from tests.workflow.bench import SETTINGS, Bench
from workflow.actions import AddTags, SetPriority
from workflow.desk import Desk
from workflow.errors import NotFound
from workflow.macro_plans import MacroPlan
from workflow.settings import AgentSettings, GroupSettings, Way
from workflow.store.store import Store
from workflow.triggers.reading import FILE

__all__ = ["Plans", "Ruled", "trigger"]


class Plans:
    """Macros as a test needs them."""

    def names(self) -> Collection[str]:
        """One."""
        return ["hello"]

    def plan(self, name: str, ticket: int) -> MacroPlan:
        """Tags, a priority and a text."""
        if name != "hello":
            raise NotFound(f"there is no macro {name!r}: did you mean hello?")
        return MacroPlan(
            (AddTags(ticket, ("macro",)), SetPriority(ticket, 1)), f"Hello #{ticket}", ()
        )

    def text(self, source: str, ticket: int) -> MacroPlan:
        """The number in place of the placeholder."""
        return MacroPlan(text=source.replace("{{ ticket.id }}", str(ticket)))

    def fault(self, source: str) -> str | None:
        """What stands where no placeholder may."""
        return "no {{ nope }}" if "nope" in source else None


class Ruled(Bench):
    """A desk with triggers."""

    def __post_init__(self) -> None:
        self.settings = replace(
            SETTINGS,
            agents=(
                *SETTINGS.agents,
                AgentSettings(
                    "lea",
                    "lea@desk.example",
                    ("leads",),
                    "lead",
                    ways=(Way("mail"), Way("desktop")),
                ),
            ),
            groups=(*SETTINGS.groups, GroupSettings("leads", "lead")),
        )
        super().__post_init__()

    def another_desk(self, store: Store) -> Desk:
        """With the files of the home."""
        made = super().another_desk(store)
        return Desk(
            store,
            self.clock,
            self.settings,
            self.files,
            composers=made._composers,
            readers=made._readers,
            rule_book=self.rules(),
            macros=Plans(),
        )

    def write(self, text: str, file: str = FILE) -> None:
        """Write a file; the desk takes it up when it next looks."""
        path = self.home / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        assert self.desk.rule_book.problems == []

    def fired(self, ticket: int | None = None) -> list[dict[str, Any]]:
        """What the firings on a ticket say."""
        events = self.reads.fetch(
            "SELECT json(data) FROM event WHERE name = 'rule.fired' AND ticket_id IS ? ORDER BY id",
            (ticket,),
        )
        return [json.loads(data) for (data,) in events]

    def notices(self) -> list[Any]:
        """Kind, state and target of each."""
        rows = self.rows("SELECT kind, state, target, body, due_at FROM notice ORDER BY id")
        return [(kind, state, json.loads(target)) for kind, state, target, _body, _due in rows]


def trigger(name: str, on: str, do: str, *more: str) -> str:
    """A trigger as its file has it."""
    return "\n".join(
        ["[[trigger]]", f'name = "{name}"', f'on = "{on}"', *more, f"do = {{ {do} }}", ""]
    )
