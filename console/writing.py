"""Replies, notes, forwards and drafts: from the key to the outbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on

from console import fmt
from console.carried import Brought, Carried
from console.choosing import Choosing
from console.parts import carries, parts_of, parts_words
from console.sending import Sending
from console.ways import limit_words
from console.widgets.composer import Composer, Letter
from console.widgets.envelope import Envelope
from console.widgets.picker import Choice
from workflow.drafts import NOTHING_CHOSEN, DraftOptions
from workflow.news import news_of
from workflow.proposal import Proposal, files_of, propose
from workflow.recipients import answered_one
from workflow.settings import Settings

if TYPE_CHECKING:
    from console.screens.desk import DeskScreen
    from console.ways import Way
    from workflow.store.rows import DraftDetail, MessageDetail, TicketDetail

__all__ = ["Writing"]

_TYPING_S = 4.0
"""Seconds between two signs to a customer that somebody writes."""


class Writing:
    """What is being written on the ticket that is open."""

    def __init__(self, desk: DeskScreen) -> None:
        self.desk = desk
        self.bridge = desk.bridge
        self._composer: Composer | None = None
        self._typing_until = 0.0
        self._sending = Sending(self)
        self._choosing = Choosing(self)
        self.carried = Carried()
        """What macros change together with sending."""
        self.after_open: Callable[[], None] | None = None
        """To be called when the ticket that was asked for is on screen."""

    @property
    def active(self) -> bool:
        """Whether the composer is on screen."""
        return self._composer is not None and self._composer.open

    @property
    def composer(self) -> Composer | None:
        """The composer, while it is on screen (and the screen has not ended)."""
        found = self._composer if self.active else None
        return found if found is not None and found.is_attached else None

    @property
    def length(self) -> int:
        """How many characters have been typed."""
        return len(self._composer.text) if self._composer is not None and self.active else 0

    @property
    def kind(self) -> str:
        """What is being written: reply, note or forward; empty where nothing is."""
        return self._composer.letter.kind if self._composer is not None and self.active else ""

    @property
    def settings(self) -> Settings:
        """What the team has written about its accounts."""
        return self.bridge.team.settings

    # -- beginning

    def begin(
        self,
        kind: str,
        everybody: bool,
        way: Way | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Open the composer for a reply or a note, with the draft that was kept; ``way`` is the address
        or account that the reply goes to instead of the one that wrote. ``then`` is called when it is open.
        """
        ticket, pane = self.desk.ticket, self.desk.pane
        if ticket is None or pane is None:
            return
        chosen = pane.transcript.chosen_message if kind == "reply" and way is None else None
        if chosen is not None and (chosen.direction == "note" or chosen.delivery == "cancelled"):
            chosen = None
        usual = answered_one(ticket.messages, self.settings.own_addresses)
        answered = chosen or usual
        options = DraftOptions(
            reply_all=everybody,
            via=way.identity if way else None,
            account=way.account if way else None,
            chosen=chosen is not None and chosen is not usual,
        )
        letter = Letter(
            ticket.id,
            kind,
            answered.id if answered is not None and kind == "reply" else None,
            _newest(ticket.messages),
            options,
        )
        self._open(letter, then)

    def begin_forward(self) -> None:
        """Ask what is to be passed on, then open the composer for it."""
        ticket, pane = self.desk.ticket, self.desk.pane
        if ticket is None or pane is None:
            return
        told = [m for m in ticket.messages if m.direction != "note" and not m.aside]
        current = pane.transcript.message
        choices = [_forward_choice("all", "the whole conversation", told)] if told else []
        if current is not None and current.direction != "note":
            words = f"only this message of {current.author or current.from_address}"
            choices.append(_forward_choice(str(current.id), words, [current]))
        draft_of = self.bridge.agent

        def begin(what: str) -> None:
            one = None if what == "all" else int(what)
            passed = [m for m in ticket.messages if one in (None, m.id)]
            options = DraftOptions(files=files_of(passed))
            letter = Letter(ticket.id, "forward", one, _newest(ticket.messages), options)
            self._open(letter)

        def ask(draft: DraftDetail | None) -> None:
            if draft is not None:
                title = "go on with the forward that you began"
                choices.insert(0, Choice("draft", title, draft.text.strip().split("\n")[0]))
            self.desk.picker.ask(
                f"Forward #{ticket.id}",
                lambda _typed: choices,
                go_on,
                nothing="Nothing to forward.",
            )

        def go_on(what: str) -> None:
            if what == "draft":
                self._open(Letter(ticket.id, "forward", None, _newest(ticket.messages)))
            else:
                self._forget(ticket.id, "forward", lambda: begin(what))

        if draft_of is None:
            self._say_nobody()
            return
        self.bridge.look_up(
            lambda reads: reads.draft(draft_of, ticket.id, "forward"), ask, self.desk.complain
        )

    def _forget(self, ticket: int, kind: str, then: Callable[[], None]) -> None:
        """Drop a draft whose place another one takes."""
        agent = self.bridge.agent
        assert agent is not None
        self.bridge.write(
            lambda desk: desk.save_draft(agent, ticket, kind, "", None, NOTHING_CHOSEN),
            lambda _none: then(),
            self.desk.complain,
        )

    def _say_nobody(self) -> None:
        self.desk.complain("Nobody is named as the agent: start with --agent NAME to write.")

    def _open(self, letter: Letter, then: Callable[[], None] | None = None) -> None:
        desk, agent = self.desk, self.bridge.agent
        if agent is None:
            self._say_nobody()
            return

        def look_up() -> None:
            self.bridge.look_up(
                lambda reads: reads.draft(agent, letter.ticket, letter.kind),
                lambda draft: self._write(letter, draft, then),
                desk.complain,
            )

        if self._composer is None and desk.pane is not None:
            self._composer = _Connected(self)
            desk.pane.mount(self._composer)
            # Its lines are there only once it is mounted.
            self._composer.call_after_refresh(look_up)
        else:
            look_up()

    def _write(
        self, letter: Letter, draft: DraftDetail | None, then: Callable[[], None] | None
    ) -> None:
        composer, desk = self._composer, self.desk
        if (
            composer is None
            or desk.ticket is None
            or desk.ticket.id != letter.ticket
            or desk.pane is None
        ):
            return
        if composer.open:
            composer.keep()
        if draft is not None:
            letter = _gone_on(letter, draft, desk.ticket)
        at = letter.options.send_at
        if at is not None and at <= self.bridge.now():
            # Its time has passed while it lay: it leaves when it is sent.
            options = replace(letter.options, send_at=None, unless_reply=False)
            letter = replace(letter, options=options)
        self._sending.forget_doubts()
        self._typing_until = 0.0
        composer.write(letter, draft.text if draft is not None else "")
        composer.envelope.look_up = self._choosing.people
        composer.head.moment = lambda when: fmt.moment(when, self.bridge.now(), desk.zone)
        self.show()
        desk.call_after_refresh(desk.pane.transcript.action_last)
        desk.say_place()
        if letter.kind == "forward" and not letter.options.to:
            self._choosing.edit_envelope()
        self.carried.opened(letter.ticket, letter.kind, draft.text if draft is not None else "")
        self._tell_carried(composer)
        if then is not None:
            then()

    # -- macros

    def put_in(self, text: str, brought: Brought, everybody: bool) -> None:
        """Put a macro's text in at the cursor of what is being written, else into a reply.

        What it brings besides happens with sending.
        """
        if not self.active:
            self.begin("reply", everybody, then=lambda: self._put_in(text, brought, begun=True))
        else:
            self._put_in(text, brought, begun=False)

    def _put_in(self, text: str, brought: Brought, *, begun: bool) -> None:
        composer = self.composer
        if composer is None:
            return
        before = composer.text
        if begun and before and not before[-1].isspace():
            # Nobody has chosen this place: the end of a draft is no middle of a line.
            text = f"\n\n{text}"
        composer.insert(text)
        if brought.actions:
            self.carried.add(composer.letter.ticket, composer.letter.kind, brought)
        self._tell_carried(composer)

    def leave_out(self) -> None:
        """Nothing is to happen with sending; the text stays."""
        composer = self.composer
        if composer is not None:
            self.carried.drop(composer.letter.ticket, composer.letter.kind)
            self._tell_carried(composer)

    def _tell_carried(self, composer: Composer) -> None:
        letter = composer.letter
        composer.tell_with_sending(self.carried.words(letter.ticket, letter.kind))

    # -- what it is like now

    def proposal(self) -> Proposal:
        """How the letter would go out as it stands."""
        composer, ticket = self._composer, self.desk.ticket
        assert composer is not None
        assert ticket is not None
        letter = composer.letter
        return propose(
            ticket, self.settings, self.bridge.agent, letter.kind, letter.options, letter.answers
        )

    def show(self) -> None:
        """Bring what stands above and below the text up to date."""
        composer, ticket = self.composer, self.desk.ticket
        if composer is None or ticket is None or composer.letter.ticket != ticket.id:
            return
        if composer.letter.kind == "note":
            composer.show(Proposal("note"))
        else:
            found = self.proposal()
            can = carries(found.account)
            limits = (found.account.kind, *limit_words(can)) if can and found.account else ()
            answers = self._answers_words(composer.letter, ticket)
            composer.show(found, answers, " · ".join(limits))
        self.measure()

    def measure(self) -> None:
        """Say in how many messages the text goes out, where that is more than one."""
        composer = self.composer
        if composer is None or composer.letter.kind == "note":
            return
        account = self.proposal().account
        can = carries(account)
        text = composer.text
        words = ""
        # No channel counts a character more than twice.
        if can is not None and can.longest_text is not None and 2 * len(text) > can.longest_text:
            words = parts_words(parts_of(account, text, composer.letter.options.files))
        composer.tell_parts(words)

    def keyed(self) -> None:
        """The agent writes: show the customer that somebody does, at most every few seconds."""
        composer, now = self.composer, time.monotonic()
        if composer is None or composer.letter.kind != "reply" or now < self._typing_until:
            return
        self._typing_until = now + _TYPING_S
        found = self.proposal()
        can = carries(found.account)
        if can is not None and can.typing and found.account is not None and found.to:
            self.bridge.typing(found.account.name, found.to[0].address)

    def _answers_words(self, letter: Letter, ticket: TicketDetail) -> str:
        """Which message is meant, where it is not the newest."""
        if letter.answers is None or not (letter.options.chosen or letter.kind == "forward"):
            return ""
        found = next((m for m in ticket.messages if m.id == letter.answers), None)
        if found is None:
            return ""
        word = "passes on" if letter.kind == "forward" else "answers"
        when = fmt.moment(found.at, self.bridge.now(), self.desk.zone)
        return f"{word} {found.author or found.from_address}, {when}"

    def ticket_changed(self) -> None:
        """The ticket was read again: somebody may have written on it."""
        composer, ticket = self.composer, self.desk.ticket
        if composer is None or ticket is None or composer.letter.ticket != ticket.id:
            return
        seen = composer.letter.newest or 0
        newer = [message for message in ticket.messages if message.id > seen]
        composer.head.news = len(news_of(newer, self.bridge.agent))
        self.show()

    # -- keys

    def run(self, action_id: str) -> None:
        """Do what a key of the composer stands for."""
        composer = self.composer
        if composer is None:
            return
        if action_id == "send":
            self._sending.send(None)
        elif action_id == "send_status":
            self._sending.choose_status()
        elif action_id == "leave_composer":
            self.leave()
            self.desk.focus_back()
            self.desk.say_place()
        elif action_id == "discard_draft":
            self._discard(composer)
        elif action_id == "macro_here":
            self.desk.commands.do_macro()
        elif action_id == "editor":
            from console.editor import edit

            edit(self.desk.app, composer.text, composer.put, self.desk.complain)
        elif composer.letter.kind == "note":
            self.desk.say("A note has none of that: only the team sees it.", "dim")
        elif action_id == "recipients":
            self._choosing.edit_envelope()
        elif action_id == "attach":
            self._choosing.attach()
        elif action_id == "send_later":
            self._choosing.choose_time()
        elif action_id == "preview":
            self._choosing.preview()

    def enveloped(self, event: Envelope.Closed) -> None:
        """The recipients were edited, or left as they were."""
        composer = self.composer
        if composer is None:
            return
        composer.focus_text()
        if event.options is not None:
            self.choose(event.options)
        self.desk.say_place()
        if event.send:
            self._sending.send(None)

    def choose(self, options: DraftOptions) -> None:
        """Take other options for the letter."""
        composer = self.composer
        if composer is not None:
            composer.choose(options)
            self.show()

    def leave(self) -> None:
        """Put the composer away; the draft is kept."""
        if self._composer is not None and self._composer.open:
            self._composer.close()

    def _discard(self, composer: Composer) -> None:
        letter = composer.letter
        composer.close(forget=True)
        self.carried.drop(letter.ticket, letter.kind)
        self.save(replace(letter, options=NOTHING_CHOSEN), "")
        self.desk.focus_back()
        self.desk.say("The draft is gone.", "dim")

    # -- drafts

    def save(self, letter: Letter, text: str) -> None:
        """Keep the draft in the desk."""
        agent = self.bridge.agent
        if agent is None:
            return
        composer = self._composer

        def saved(_none: object) -> None:
            if composer is not None and composer.open and composer.letter == letter:
                composer.tell("draft kept")

        def failed(sentence: str) -> None:
            if composer is not None:
                composer.tell("draft not kept")
            self.desk.complain(sentence)

        self.bridge.write(
            lambda desk: desk.save_draft(
                agent, letter.ticket, letter.kind, text, letter.answers, letter.options
            ),
            saved,
            failed,
        )

    def typed(self, letter: Letter, text: str) -> None:
        """Keep what was typed."""
        if not self._sending.busy:
            self.save(letter, text)


class _Connected(Composer):
    """A composer that hands its keys and its text to :class:`Writing`."""

    def __init__(self, writing: Writing) -> None:
        super().__init__()
        self._writing = writing

    @on(Composer.Asked)
    def _asked(self, event: Composer.Asked) -> None:
        event.stop()
        self._writing.run(event.action_id)

    @on(Composer.Keyed)
    def _keyed(self, event: Composer.Keyed) -> None:
        event.stop()
        self._writing.keyed()

    def measure(self) -> None:
        """Say in how many messages it goes."""
        self._writing.measure()

    @on(Envelope.Closed)
    def _enveloped(self, event: Envelope.Closed) -> None:
        event.stop()
        self._writing.enveloped(event)

    def save(self, letter: Letter, text: str) -> None:
        """Keep the draft in the desk."""
        self._writing.typed(letter, text)


def _newest(messages: Sequence[MessageDetail]) -> int | None:
    return max((message.id for message in messages), default=None)


def _forward_choice(value: str, words: str, messages: Sequence[MessageDetail]) -> Choice:
    files = files_of(messages)
    found = [f"{len(messages)} messages"] if len(messages) > 1 else []
    found += [f"{len(files)} file{'s' if len(files) > 1 else ''}"] if files else []
    return Choice(value, words, ", ".join(found))


def _gone_on(letter: Letter, draft: DraftDetail, ticket: TicketDetail) -> Letter:
    """The letter with what its draft has kept. Another message that was chosen now, or another way, takes the
    place of the draft's recipients; the key that was pressed says whether everybody is answered.
    """
    kept = draft.options
    if letter.kind == "note":
        return letter
    if letter.kind == "forward":
        return replace(letter, answers=draft.answers, options=kept)
    if letter.options.chosen or letter.options.via is not None:
        options = replace(
            kept,
            to=None,
            cc=None,
            sender=None,
            subject=None,
            reply_all=letter.options.reply_all,
            chosen=letter.options.chosen,
            via=letter.options.via,
            account=letter.options.account,
            bcc=kept.bcc if letter.options.via is None else (),
        )
        return replace(letter, options=options)
    there = any(message.id == draft.answers for message in ticket.messages)
    answers = draft.answers if kept.chosen and there else letter.answers
    return replace(
        letter,
        answers=answers,
        options=replace(
            kept,
            reply_all=letter.options.reply_all or (kept.to is not None and kept.reply_all),
            chosen=kept.chosen and there,
        ),
    )
