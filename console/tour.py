"""A tour of three minutes inside the demo: what to press next, told one step at a time.

A step is done when the desk shows that it is, however the agent got there; no key is taken away from
them for it, and nothing waits for a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.actions import entry, key_words
from console.widgets.tour_strip import TourStrip

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen

__all__ = ["STEPS", "Step", "Tour", "refusal_file"]


def refusal_file() -> Path:
    """The file whose being there says that this person wants no tour offered: the only thing that a
    demo ever leaves behind, and only where it was asked to.
    """
    from platformdirs import user_state_path

    return user_state_path("deskhand", appauthor=False) / "no-tour"


@dataclass(frozen=True, slots=True)
class _Mark:
    """How the desk was when a step began."""

    cursor: int | None
    view: str
    newest: int
    escalated: int
    """How many tickets are."""
    length: int
    """Characters in the composer."""
    event: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. ``{name}`` in its texts is the key of that action; ``place`` is where it is
    done, empty for anywhere.
    """

    say: str
    why: str
    place: str
    done: Callable[[DeskScreen, _Mark], bool]


def _mark(desk: DeskScreen) -> _Mark:
    ticket = desk.ticket
    return _Mark(
        desk.queue.cursor_id,
        desk.view.name,
        max((message.id for message in ticket.messages), default=0) if ticket else 0,
        desk.queue_pane.tabs.counts.get("Escalated", 0),
        desk.writing.length if desk.in_ticket else 0,
        max((event.id for event in ticket.events), default=0) if ticket else 0,
    )


def _answered(desk: DeskScreen, mark: _Mark) -> bool:
    ticket = desk.ticket
    return ticket is not None and any(
        message.direction == "out" and message.id > mark.newest for message in ticket.messages
    )


def _macro_used(desk: DeskScreen, mark: _Mark) -> bool:
    """Whether a text was put in, or a macro without one was run."""
    if desk.place == "composer":
        return desk.writing.length > mark.length
    ticket = desk.ticket
    return ticket is not None and any(
        event.id > mark.event and event.cause.startswith("macro:") for event in ticket.events
    )


STEPS: Sequence[Step] = (
    Step(
        "j goes down the list, k goes up.",
        "First stands what is due first; on the right is what is left of its promise.",
        "queue",
        lambda desk, mark: desk.queue.cursor_id != mark.cursor,
    ),
    Step(
        "{open} opens the ticket.",
        "✉ came by mail, ✈ over Telegram; ● is new, ○ is our turn.",
        "queue",
        lambda desk, _mark: desk.in_ticket,
    ),
    Step(
        "{reply} begins an answer.",
        "j and k scroll, {side} shows the customer, {fold} shows what is folded.",
        "ticket",
        lambda desk, _mark: desk.writing.active and desk.writing.kind == "reply",
    ),
    Step(
        "Type an answer; {send} sends it.",
        "It leaves after 10 s. What you type is kept: {leave_composer} puts it aside as a draft.",
        "composer",
        _answered,
    ),
    Step(
        "{macro} answers with a macro: choose one, then enter.",
        "You see first what it does. Its text is yours to change before you send it.",
        "ticket",
        _macro_used,
    ),
    Step(
        "{escalate} moves it up: give a reason (complaint), then {send}.",
        "The next person gets it with customer, history and what was promised.",
        "ticket",
        lambda desk, mark: _mark(desk).escalated > mark.escalated,
    ),
    Step(
        "{undo} takes it back.",
        "Whatever you change can be undone; an answer only until it has left.",
        "",
        lambda desk, mark: _mark(desk).escalated < mark.escalated,
    ),
    Step(
        "{back} goes back to the queue.",
        "Your place in the list is kept.",
        "",
        lambda desk, _mark: not desk.in_ticket,
    ),
    Step(
        "{filter} narrows the list: type channel:telegram, then enter.",
        "The same words work for deskhand list, as in: due<2h -assignee:me",
        "queue",
        lambda desk, _mark: "telegram" in desk.filter_text and not desk.prompt.open,
    ),
    Step(
        "{clear} takes the filter off; {next_view} shows the next view.",
        "Escalated (4) has what waits to be accepted: {accept} accepts, {hand_back} hands back.",
        "queue",
        lambda desk, mark: not desk.filter_text and desk.view.name != mark.view,
    ),
    Step(
        "{help} lists the keys of the place you are in.",
        "{palette} finds everything by its name. Both can start this tour again.",
        "",
        lambda desk, _mark: desk.picker.open,
    ),
)

_WAYS = {
    "queue": "{back} goes back to the queue first.",
    "ticket": "{open} opens a ticket first.",
    "composer": "{reply} opens the answer again.",
    "writes": "{leave_composer} puts the text aside first.",
}


class Tour:
    """The tour of one console."""

    def __init__(self, desk: DeskScreen, refusal: Path) -> None:
        self._desk = desk
        self._refusal = refusal
        self._strip = TourStrip()
        self._step: int | None = None
        self._mark: _Mark | None = None
        self._offered = False

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._step is not None

    def offer(self) -> None:
        """Offer it, unless this person has refused it for good."""
        if self._refusal.exists() or self.running:
            return
        self._offered = True
        self._mark = _mark(self._desk)
        self._show(
            "Tour",
            "{tour} takes you round this desk in three minutes.",
            "{tour_never}: never offer it again. Or just begin: it goes when you open a ticket.",
        )

    def toggle(self) -> None:
        """Start it, or leave it."""
        if self.running:
            self._hide()
            self._desk.say(self._words("You have left the tour. {tour} starts it again."), "dim")
            return
        self._offered = False
        self._begin(0)

    def refuse(self) -> None:
        """Never offer it again; raises OSError where that cannot be written down."""
        self._hide()
        self._refusal.parent.mkdir(parents=True, exist_ok=True)
        self._refusal.touch()

    def look(self) -> None:
        """See whether the step is done, as something may have changed."""
        desk = self._desk
        if self._offered and desk.in_ticket:
            self._hide()
        if self._step is None or self._mark is None:
            return
        if self._step == len(STEPS):
            if desk.in_ticket or desk.queue.cursor_id != self._mark.cursor:
                self._hide()
            return
        step = STEPS[self._step]
        if step.done(desk, self._mark):
            self._begin(self._step + 1)
        else:
            self._tell(step)

    def _begin(self, number: int) -> None:
        self._step = number
        self._mark = _mark(self._desk)
        if number == len(STEPS):
            self._show(
                "Tour",
                "That was it. Answer a customer: they answer back.",
                "{tour} starts the tour again. {leave} leaves the demo, and nothing stays behind.",
            )
        else:
            self._tell(STEPS[number])

    def _tell(self, step: Step) -> None:
        assert self._step is not None
        desk = self._desk
        there = not step.place or desk.place == step.place
        writes = step.place == "ticket" and desk.place == "composer"
        say = step.say if there else _WAYS["writes" if writes else step.place]
        self._show(f"Tour {self._step + 1}/{len(STEPS)}", say, step.why)

    def _show(self, title: str, say: str, why: str) -> None:
        desk = self._desk
        if not self._strip.is_attached:
            desk.mount(self._strip, before=desk.foot.status)
        leave = "" if self._offered else self._words("{tour} leaves")
        self._strip.show(title, self._words(say), self._words(why), leave)

    def _hide(self) -> None:
        self._offered, self._step = False, None
        if self._strip.is_attached:
            self._strip.remove()

    def _words(self, text: str) -> str:
        """The text with the keys of its actions, as this person has set them."""
        for part in text.split("{")[1:]:
            name = part.partition("}")[0]
            keys = (self._desk.own_keys.get(name) or entry(name).keys[0]).split(",")
            text = text.replace("{" + name + "}", key_words(keys[0]))
        return text
