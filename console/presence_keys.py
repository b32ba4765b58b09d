"""What the keys and the palette do about who is at the desk."""

from __future__ import annotations

from collections.abc import Sequence

from console import fmt
from console.deciding import Deciding
from console.when_words import parse_when
from console.widgets.picker import Choice
from workflow.actions import SetPresence
from workflow.errors import DeskError, UsageError

__all__ = ["PresenceKeys"]

_PRESETS = ("30m", "1h", "tomorrow", "mon")
_OPEN_END = "back"


class PresenceKeys(Deciding):
    """Going away and coming back."""

    def do_away(self) -> None:
        """Choose or type when one is back."""
        desk, zone = self._desk, self._desk.zone
        now = self._bridge.now()

        def choose(typed: str) -> Sequence[Choice]:
            words = typed.strip()
            found = [] if words else [Choice(_OPEN_END, "until I am back", "", "")]
            for text in (words,) if words else _PRESETS:
                try:
                    when = parse_when(text, now, zone)
                except UsageError as fault:
                    return [Choice(None, str(fault))]
                left = fmt.span_words((when - now).total_seconds())
                until = f"until {fmt.moment(when, now, zone)}"
                found.append(Choice(text, until, f"in {left}", "" if words else text))
            return found

        def chosen(value: str) -> None:
            until = None if value == _OPEN_END else parse_when(value, self._bridge.now(), zone)
            me = self._me()
            if me is not None:
                self.perform([SetPresence(me, here=False, until=until)], "away")

        desk.picker.ask("Away", choose, chosen, hint="2h, 14:00, tomorrow 9:00, mon")

    def do_here(self) -> None:
        """Be back."""
        me = self._me()
        if me is not None:
            self.perform([SetPresence(me, here=True)], "here")

    def _me(self) -> str | None:
        try:
            return self._bridge.actor.name
        except DeskError as fault:
            self._desk.complain(str(fault))
            return None
