"""The room of what was kept out of the queue: why, and what a person decides about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console import fmt, safe
from console.bridge import ReadsPort
from console.drawing import LineBuilder
from console.screens.held_item import HeldItem
from console.screens.rooms import Room
from console.widgets.picker import Choice, Picker, fuzzy
from console.widgets.virtual_list import VirtualList
from workflow.actions import Action, DiscardHeld, ReleaseHeld, RuleSender
from workflow.model import to_millis
from workflow.store.rows import HeldRow, SenderRuleRow

__all__ = ["HeldRoom", "RulesRoom"]

_PARTS = ("held", "blocked", "decided")


class HeldRoom(Room):
    """What was kept out of the queue; a person lets it in or decides that it is not wanted."""

    TITLE_WORDS = "Held items"
    BUTTONS = (
        ("enter", "look", "open_item"),
        ("r", "release", "release"),
        ("d", "discard", "discard"),
        ("a", "allow", "allow"),
        ("b", "block", "block"),
        ("x", "mark", "mark"),
        ("tab", "more", "next_part"),
        ("R", "rules", "rules"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "release", show=False),
        Binding("d", "discard", show=False),
        Binding("a", "allow", show=False),
        Binding("b", "block", show=False),
        Binding("x,space", "mark", show=False),
        Binding("ctrl+a", "mark_all", show=False),
        Binding("tab", "next_part", show=False, priority=True),
        Binding("R", "rules", show=False),
        Binding("o,right", "open_item", show=False),
    ]
    part = "held"
    """Which ones are shown: those that wait, those of blocked senders, those that were decided."""
    _EMPTY: ClassVar[dict[str, str]] = {
        "held": "Nothing is held: everything that came in is in the queue.",
        "blocked": "Nothing has come from a blocked sender.",
        "decided": "Nothing has been decided yet.",
    }

    def compose(self) -> ComposeResult:
        """As every room, with the overlay for a choice."""
        yield from super().compose()
        yield Picker()

    @property
    def nothing(self) -> str:
        """What an empty list means."""
        return self._EMPTY[self.part]

    @property
    def title_words(self) -> str:
        """The part that is shown."""
        if self.part == "held":
            return self.TITLE_WORDS
        return "Set aside, of blocked senders" if self.part == "blocked" else "Held and decided"

    def load(self, reads: ReadsPort) -> Sequence[HeldRow]:
        """The items of the part that is shown, newest first."""
        if self.part != "decided":
            return reads.held(self.part)
        return [row for row in reads.held(None) if row.state not in ("held", "blocked")]

    def draw_item(self, line: LineBuilder, item: HeldRow, ground: str) -> None:
        """How long it is here, why, who, what."""
        inks, wide = self._list.inks, line.width >= 100
        old = fmt.age(to_millis(self.bridge.now()), to_millis(item.reached_at))
        line.add(old, inks("dim", ground), 5, "right")
        line.add("  ", inks("text", ground))
        words = item.cause if self.part != "decided" else _STATES.get(item.state, item.state)
        line.add(words, inks("risk" if self.part == "held" else "dim", ground), 18)
        line.add("  ", inks("text", ground))
        line.add(item.sender or "(no sender)", inks("text", ground), 32 if wide else 22)
        line.add("  ", inks("text", ground))
        line.add(item.subject or "(no subject)", inks("strong", ground))

    def explain(self, item: HeldRow) -> str:
        """Why it was held."""
        evidence = f": {item.evidence}" if item.evidence else ""
        joins = f", would join #{item.ticket}" if item.ticket and item.state == "held" else ""
        place = f"{fmt.size(item.raw_size)}, {item.account or 'no account'}{joins}"
        cause = f"{item.cause[:1].upper()}{item.cause[1:]}"
        return f"{cause}{evidence} ({place})"

    # -- which ones

    @property
    def chosen(self) -> list[HeldRow]:
        """Those that are marked, else the one under the cursor."""
        marked = [self.items[number] for number in self._list.ids if number in self._list.marks]
        return marked or ([self.item] if self.item is not None else [])

    def action_mark(self) -> None:
        """Mark it and go on."""
        self._list.toggle_mark()

    def action_mark_all(self) -> None:
        """Mark every one."""
        self._list.mark_all()

    def action_next_part(self) -> None:
        """Those that wait, those of blocked senders, those that were decided, round the end."""
        self.part = _PARTS[(_PARTS.index(self.part) + 1) % len(_PARTS)]
        self._list.clear_marks()
        self.show_title()
        self.read()

    def action_leave(self) -> None:
        """Take off the marks, else go back."""
        if self._list.marks:
            self._list.clear_marks()
        elif self.part != "held":
            self.part = "decided"
            self.action_next_part()
        else:
            super().action_leave()

    # -- deciding

    def action_release(self) -> None:
        """Let them in."""
        self._act([ReleaseHeld(row.id) for row in self.chosen], "key:r", undo=False)

    def action_discard(self) -> None:
        """Not wanted."""
        self._act([DiscardHeld(row.id) for row in self.chosen], "key:d")

    def _act(self, actions: list[Action], cause: str, *, undo: bool = True) -> None:
        if actions:
            self._list.clear_marks()
            self.perform_all(actions, cause, undo=undo)

    def action_allow(self) -> None:
        """Ask whether the address or its domain is always let in."""
        self._ask("Always let in", self._allow)

    def action_block(self) -> None:
        """Ask whether the address or its domain is never to bother anybody again."""
        self._ask("Always set aside", self._block)

    def _ask(self, title: str, then: Any) -> None:
        rows = [row for row in self.chosen if "@" in row.sender]
        if not rows:
            if self.chosen:
                self._failed("This has no sender's address: release it or discard it.")
            return
        addresses = list(dict.fromkeys(row.sender.lower() for row in rows))
        domains = list(dict.fromkeys(address.rpartition("@")[2] for address in addresses))
        one = len(addresses) == 1
        choices = [
            Choice(
                "address",
                addresses[0] if one else f"these {len(addresses)} addresses",
                "and this item with it" if len(rows) == 1 else f"and these {len(rows)} items",
            ),
            Choice(
                "domain",
                f"everybody at {domains[0]}"
                if len(domains) == 1
                else f"everybody at these {len(domains)} domains",
            ),
        ]

        def chosen(value: str) -> None:
            patterns = addresses if value == "address" else [f"@{domain}" for domain in domains]
            self._list.clear_marks()
            then(rows, patterns)

        self.query_one(Picker).ask(title, fuzzy(choices), chosen, hint="enter chooses, esc leaves")

    def _allow(self, rows: list[HeldRow], patterns: list[str]) -> None:
        # Let in first, so that an undo takes the rule back: what came in stays.
        waiting: list[Action] = [
            ReleaseHeld(row.id) for row in rows if row.state not in ("released", "wanted")
        ]
        if waiting:
            self.perform_all(waiting, "key:a", undo=False)
        self.perform_all([RuleSender(pattern, True) for pattern in patterns], "key:a")

    def _block(self, rows: list[HeldRow], patterns: list[str]) -> None:
        discards: list[Action] = [
            DiscardHeld(row.id) for row in rows if row.state in ("held", "blocked")
        ]
        self.perform_all(
            [*(RuleSender(pattern, False) for pattern in patterns), *discards], "key:b"
        )

    # -- looking

    def action_open_item(self) -> None:
        """Show it whole."""
        if (row := self.item) is not None:
            self._list.clear_marks()
            self.app.push_screen(HeldItem(self.bridge, self.zone, row), self._looked)

    def on_virtual_list_chosen(self, event: VirtualList.Chosen) -> None:
        """A double click."""
        if event.control is self._list:
            self.action_open_item()

    def _looked(self, decided: str | None) -> None:
        if decided is not None:
            getattr(self, f"action_{decided}")()

    def action_rules(self) -> None:
        """The rules about senders."""
        self.app.push_screen(RulesRoom(self.bridge, self.zone))


_STATES = {"wanted": "being fetched"}


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule with a number for the list."""

    id: int
    row: SenderRuleRow


class RulesRoom(Room):
    """What was decided about all mail of a sender; a person can take it away again."""

    TITLE_WORDS = "Rules about senders"
    NOTHING = "There are no rules: a and b on a held item make one."
    BUTTONS = (
        ("d", "take away", "remove"),
        ("z", "undo", "undo"),
        ("esc", "back", "leave"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("d,delete", "remove", show=False)]

    def load(self, reads: ReadsPort) -> Sequence[_Rule]:
        """All of them, the newest first."""
        rows = reads.sender_rules()
        # A number that stays with its rule while others come and go above it.
        return [_Rule(len(rows) - index, row) for index, row in enumerate(rows)]

    def draw_item(self, line: LineBuilder, item: _Rule, ground: str) -> None:
        """What, about whom, by whom, since when."""
        inks, row = self._list.inks, item.row
        words, ink = ("always allow", "good") if row.allow else ("always block", "late")
        line.add(words, inks(ink, ground), 14)
        line.add(_who(row.pattern), inks("strong", ground), max(20, line.width - 44))
        line.add(f"  {row.by}", inks("text", ground), 12)
        line.add(f"  {self._since(row.at)}", inks("dim", ground))

    def explain(self, item: _Rule) -> str:
        """What the rule does."""
        who = _who(item.row.pattern)
        if item.row.allow:
            return (
                f"Mail of {who} is let in, also what is spam or over a cap; not what is too large."
            )
        return f"Mail of {who} bothers nobody; tab in the held room shows it, and it can be let in."

    def _since(self, at: datetime) -> str:
        return fmt.moment(at, self.bridge.now(), self.zone)

    def action_remove(self) -> None:
        """Leave the sender to the checks again."""
        if self.item is not None:
            self.perform_all([RuleSender(self.item.row.pattern, None)], "key:d")


def _who(pattern: str) -> str:
    pattern = safe.one_line(pattern)
    return f"everybody at {pattern[1:]}" if pattern.startswith("@") else pattern
