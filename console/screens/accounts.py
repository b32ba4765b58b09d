"""The room of the channel accounts: how each does, since when, and when it is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from console import fmt, safe
from console.bridge import AccountState, ReadsPort
from console.drawing import LineBuilder
from console.screens.rooms import Room
from console.widgets.virtual_list import VirtualList

__all__ = ["AccountsRoom"]


class _Account(NamedTuple):
    """A state with a number, by which the list holds its cursor."""

    id: int
    state: AccountState


class AccountsRoom(Room):
    """Every account with its state; the sentence of the one under the cursor stands below, whole."""

    TITLE_WORDS = "Accounts"
    NOTHING = "No account is set up here: deskhand setup adds one."
    BUTTONS = (("r", "try now", "retry"), ("esc", "back", "leave"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "retry", show=False)]
    DEFAULT_CSS = "AccountsRoom #account-words { height: auto; max-height: 6; padding: 0 1; }"

    def compose(self) -> ComposeResult:
        """The list, and below it a sentence of several lines."""
        self._words = Static(safe.content(""), id="account-words")
        for part in super().compose():
            if part is self._why:
                yield self._words
            else:
                yield part

    def load(self, reads: ReadsPort) -> Sequence[_Account]:  # noqa: ARG002 (the engine tells, not the database)
        """What the engine has told."""
        return [_Account(n, state) for n, state in enumerate(self.bridge.accounts.values(), 1)]

    def draw_item(self, line: LineBuilder, item: _Account, ground: str) -> None:
        """Name, state, since when, next try."""
        inks, state, now = self._list.inks, item.state, self.bridge.now()
        line.add("✓ " if state.ok else "✕ ", inks("good" if state.ok else "late", ground))
        line.add(state.name, inks("strong", ground), 24 if line.width >= 100 else 16)
        line.add(" ", inks("text", ground))
        line.add(state.brief, inks("text" if state.ok else "late", ground), 20)
        if state.since is not None:
            since = f" since {fmt.moment(state.since, now, self.zone)}"
            line.add(since, inks("dim", ground), 20 if line.width >= 100 else 17)
        if state.next_try is not None:
            left = (state.next_try - now).total_seconds()
            again = f"next try in {fmt.span_words(left)}" if left >= 1 else "tries again now"
            line.add(f" {again}", inks("risk", ground))

    def explain(self, item: _Account) -> str:
        """All that is known; the seconds to the next try go on in the line itself."""
        return item.state.words.partition("; next try in")[0]

    def _put(self, items: Sequence[_Account]) -> None:
        super()._put(items)
        if self.is_mounted:
            # The seconds to the next try go on while the state does not change.
            self._list.forget()
            self._list.refresh()
            self._tell()

    @on(VirtualList.Moved)
    def _moved(self) -> None:
        self._tell()

    def _tell(self) -> None:
        self._words.update(safe.content(self.explain(self.item) if self.item is not None else ""))

    def action_retry(self) -> None:
        """Do not wait for the end of the pause."""
        if self.item is None:
            return
        name = self.item.state.name
        if self.item.state.ok:
            safe.notify(self.app, f"{name} works: there is nothing to try again.")
        else:
            self.bridge.hurry(name)
            safe.notify(self.app, f"{name} is tried again now.")
