"""Replies, notes and drafts: from the key to the outbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on

from console.widgets.composer import Composer, Letter
from console.widgets.picker import Choice, fuzzy
from workflow.actions import Note, Reply
from workflow.model import Status

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen
    from console.ways import Way
    from workflow.store.rows import DraftDetail, TicketDetail

__all__ = ["Writing"]


class Writing:
    """What is being written on the ticket that is open."""

    def __init__(self, desk: DeskScreen) -> None:
        self._desk = desk
        self._bridge = desk.bridge
        self._composer: Composer | None = None
        self._sending = False
        self.after_open: Callable[[], None] | None = None
        """To be called when the ticket that was asked for is on screen."""

    @property
    def active(self) -> bool:
        """Whether the composer is on screen."""
        return self._composer is not None and self._composer.open

    @property
    def length(self) -> int:
        """How many characters have been typed."""
        return len(self._composer.text) if self._composer is not None and self.active else 0

    def begin(self, kind: str, everybody: bool, way: Way | None = None) -> None:
        """Open the composer for a reply or a note, with the draft that was kept; ``way`` is the address
        or account that the reply goes to instead of the one that wrote.
        """
        desk, ticket = self._desk, self._desk.ticket
        if ticket is None or desk.pane is None:
            return
        agent = self._bridge.agent
        if agent is None:
            desk.complain("Nobody is named as the agent: start with --agent NAME to write.")
            return
        letter = _letter(ticket, kind, everybody)
        if way is not None:
            letter = _by(letter, way)
        if self._composer is None:
            self._composer = _Connected(self)
            desk.pane.mount(self._composer)
        self._bridge.look_up(
            lambda reads: reads.draft(agent, ticket.id, kind),
            lambda draft: self._write(letter, draft),
            desk.complain,
        )

    def _write(self, letter: Letter, draft: DraftDetail | None) -> None:
        composer, desk = self._composer, self._desk
        if (
            composer is None
            or desk.ticket is None
            or desk.ticket.id != letter.ticket
            or desk.pane is None
        ):
            return
        if composer.open:
            composer.keep()
        composer.write(letter, draft.text if draft is not None else "")
        desk.call_after_refresh(desk.pane.transcript.action_last)
        desk.say_place()

    def run(self, action_id: str) -> None:
        """Do what a key of the composer stands for."""
        composer = self._composer
        if composer is None:
            return
        if action_id == "send":
            self.send(None)
        elif action_id == "send_status":
            self._choose_status()
        elif action_id == "leave_composer":
            self.leave()
            self._desk.focus_back()
            self._desk.say_place()
        elif action_id == "discard_draft":
            self._discard(composer)
        elif action_id == "editor":
            from console.editor import edit

            edit(self._desk.app, composer.text, composer.put, self._desk.complain)

    def leave(self) -> None:
        """Put the composer away; the draft is kept."""
        if self._composer is not None and self._composer.open:
            self._composer.close()

    def _discard(self, composer: Composer) -> None:
        letter = composer.letter
        composer.close(forget=True)
        self._save(letter, "")
        self._desk.focus_back()
        self._desk.say("The draft is gone.", "dim")

    def _choose_status(self) -> None:
        words = {
            Status.PENDING: "we wait for the customer",
            Status.RESOLVED: "done",
            Status.OPEN: "there is more to do",
            Status.ON_HOLD: "we wait for somebody else",
        }
        choices = [
            Choice(status.value, f"send and {status.value}", word) for status, word in words.items()
        ]
        self._desk.picker.ask("Send, and then?", fuzzy(choices), self.send)

    def send(self, to_status: str | None) -> None:
        """Hand it to the desk; the composer closes when the desk has taken it."""
        composer, desk = self._composer, self._desk
        if composer is None or not composer.open or self._sending:
            return
        letter, text = composer.letter, composer.text
        if not text.strip():
            desk.complain("There is nothing to send: write something first, or leave with escape.")
            return
        self._sending = True
        composer.tell("sending …")
        actions: list[Any]
        if letter.kind == "note":
            from workflow.actions import SetStatus

            actions = [Note(letter.ticket, text)]
            actions += [SetStatus(letter.ticket, to_status)] if to_status else []
        else:
            actions = [
                Reply(
                    letter.ticket,
                    text,
                    to_status=to_status,
                    answers=letter.answers,
                    reply_all=letter.everybody,
                    expect_last=letter.newest,
                    account=letter.account,
                    via=letter.via,
                )
            ]
        composer.keep()

        def done(_outcomes: list[Any], faults: list[str]) -> None:
            self._sending = False
            if faults:
                composer.tell("not sent, the draft is kept")
                desk.complain(faults[0])
                return
            composer.close(forget=True)
            self._save(letter, "")
            desk.focus_back()
            if desk.pane is not None:
                desk.pane.transcript.action_last()
            self._tell_sent(letter)

        def failed(sentence: str) -> None:
            self._sending = False
            composer.tell("not sent, the draft is kept")
            desk.complain(sentence)

        self._bridge.perform(actions, "key:ctrl+s", done, failed)

    def _tell_sent(self, letter: Letter) -> None:
        desk, bridge = self._desk, self._bridge
        if letter.kind == "note":
            desk.say("The note is saved. z takes it back.", "good")
            return

        def told(rows: list[Any]) -> None:
            mine = [row for row in rows if row.state == "held"]
            left = round((mine[-1].due_at - bridge.now()).total_seconds()) if mine else 0
            if left > 0:
                desk.say(f"Reply goes out in {left} s · z takes it back", "good", 8)
            else:
                desk.say("Reply is on its way.", "good")

        bridge.look_up(
            lambda reads: reads.outbox_of(letter.ticket),
            told,
            lambda _said: desk.say("Reply is queued.", "good"),
        )

    def _save(self, letter: Letter, text: str) -> None:
        agent = self._bridge.agent
        if agent is None:
            return
        composer = self._composer

        def saved(_none: object) -> None:
            if composer is not None and composer.open and composer.letter == letter:
                composer.tell(_parts(letter, text) or "draft kept")

        def failed(sentence: str) -> None:
            if composer is not None:
                composer.tell("draft not kept")
            self._desk.complain(sentence)

        self._bridge.write(
            lambda desk: desk.save_draft(agent, letter.ticket, letter.kind, text, letter.answers),
            saved,
            failed,
        )

    def typed(self, letter: Letter, text: str) -> None:
        """Keep what was typed."""
        if not self._sending:
            self._save(letter, text)


class _Connected(Composer):
    """A composer that hands its keys and its text to :class:`Writing`."""

    def __init__(self, writing: Writing) -> None:
        super().__init__()
        self._writing = writing

    @on(Composer.Asked)
    def _asked(self, event: Composer.Asked) -> None:
        event.stop()
        self._writing.run(event.action_id)

    def save(self, letter: Letter, text: str) -> None:
        """Keep the draft in the desk."""
        self._writing.typed(letter, text)


def _letter(ticket: TicketDetail, kind: str, everybody: bool) -> Letter:
    """What the composer shows before the desk decides: the newest customer message names the recipients."""
    newest = max((message.id for message in ticket.messages), default=None)
    asked = next(
        (m for m in reversed(ticket.messages) if m.direction == "in" and not m.automatic), None
    )
    asked = asked or next((m for m in reversed(ticket.messages) if m.direction == "in"), None)
    if kind == "note" or asked is None:
        return Letter(ticket.id, kind, newest=newest)
    to = _addresses(asked.reply_to) or ((asked.from_address,) if asked.from_address else ())
    cc: tuple[str, ...] = ()
    if everybody:
        ours = {
            address.lower()
            for m in ticket.messages
            if m.direction == "out"
            for address in (m.from_address,)
        }
        others = [*_addresses(asked.to), *_addresses(asked.cc)]
        cc = tuple(dict.fromkeys(a for a in others if a.lower() not in ours and a not in to))
    return Letter(ticket.id, kind, everybody, to, cc, asked.id, newest)


def _by(letter: Letter, way: Way) -> Letter:
    """The same, to one other identity of the person."""
    shown = way.value if way.kind == "email" or not way.display else way.display
    limits = " · ".join((way.kind, *way.limits))
    return replace(
        letter,
        to=(shown,),
        cc=(),
        via=way.identity,
        account=way.account,
        limits=limits,
        longest=way.longest,
    )


def _parts(letter: Letter, text: str) -> str:
    """That a text is too long for one message of its channel."""
    if letter.longest is None or len(text) <= letter.longest:
        return ""
    from console.ways import split_words

    return split_words(letter.longest, len(text))


def _addresses(parties: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(address for _name, address in parties if address)
