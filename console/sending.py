"""The last steps before a letter is handed to the desk: what looks wrong, what is new on the ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.carried import gaps_refused
from console.widgets.composer import Composer, Letter
from console.widgets.picker import Choice, fuzzy
from workflow.actions import Action, Forward, Note, Reply, SetStatus
from workflow.drafts import NOTHING_CHOSEN
from workflow.model import Status
from workflow.news import news_of, news_words

if TYPE_CHECKING:
    from console.writing import Writing
    from workflow.store.rows import MessageDetail, TicketDetail

__all__ = ["Sending"]

_SHOWN = 4
_STATUS_WORDS = {
    Status.PENDING: "we wait for the customer",
    Status.RESOLVED: "done",
    Status.OPEN: "there is more to do",
    Status.ON_HOLD: "we wait for somebody else",
}


class Sending:
    """Hands what is written to the desk, once nothing is left to look at."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._desk = writing.desk
        self.busy = False
        """A letter is on its way to the desk: what is typed now is not kept as its draft."""
        self._doubted: tuple[str, ...] = ()

    def forget_doubts(self) -> None:
        """Another letter has been begun."""
        self._doubted = ()

    def choose_status(self) -> None:
        """Ask what the ticket's status is to be, then send."""
        composer = self._writing.composer
        if composer is not None and composer.letter.kind == "forward":
            self._desk.say("A forward sets no status: ctrl-s sends it.", "dim")
            return
        choices = [
            Choice(status.value, f"send and {status.value}", word)
            for status, word in _STATUS_WORDS.items()
        ]
        self._desk.picker.ask("Send, and then?", fuzzy(choices), self.send)

    def send(self, to_status: str | None) -> None:
        """Send, unless there is something to look at first; the composer closes when the desk has taken it."""
        composer, desk = self._writing.composer, self._desk
        if composer is None or self.busy:
            return
        letter, text = composer.letter, composer.text
        if not text.strip() and not letter.options.files and letter.kind != "forward":
            desk.complain("There is nothing to send: write something first, or leave with escape.")
            return
        if refusal := gaps_refused(text):
            desk.complain(refusal)
            return
        composer.keep()
        if letter.kind != "note" and self._looks_wrong(composer, text):
            return
        self.busy = True
        self._writing.bridge.look_up(
            lambda reads: reads.ticket(letter.ticket),
            lambda ticket: self._told(ticket, letter, to_status),
            self._failed,
        )

    def _looks_wrong(self, composer: Composer, text: str) -> bool:
        """Show what should be looked at again, once; the next time it is sent all the same."""
        desk, found = self._desk, self._writing.proposal()
        # Before the settings have been read, only the desk knows better.
        if found.problem is not None and self._writing.settings.channels:
            desk.complain(f"It cannot be sent: {found.problem}.")
            return True
        ticket = desk.ticket
        assert ticket is not None
        files = len(composer.letter.options.files)
        doubts = found.doubts(text, files, ticket, self._writing.settings)
        sentences = tuple(doubt.sentence for doubt in doubts)
        if set(sentences) <= set(self._doubted):
            return False
        self._doubted = sentences
        composer.doubt(sentences)
        desk.say("Look again; ctrl-s sends it as it is.", "risk", 8)
        return True

    # -- what is new

    def _told(self, ticket: TicketDetail | None, letter: Letter, to_status: str | None) -> None:
        composer = self._writing.composer
        if composer is None or ticket is None or composer.letter.ticket != letter.ticket:
            self.busy = False
            return
        newer = [message for message in ticket.messages if message.id > (letter.newest or 0)]
        news = news_of(newer, self._writing.bridge.agent)
        if news:
            self.busy = False
            self._ask(news, letter, to_status)
            return
        self._perform(composer, to_status)

    def _ask(self, news: Sequence[MessageDetail], letter: Letter, to_status: str | None) -> None:
        """Show the first lines of what is new, and ask."""
        desk = self._desk
        shown = [Choice(None, news_words(message)) for message in news[:_SHOWN]]
        if len(news) > _SHOWN:
            shown.append(Choice(None, f"and {len(news) - _SHOWN} more"))
        choices = [
            *shown,
            Choice("read", "read it", "nothing is sent, the composer stays"),
            Choice("send", "send anyway", "as it is"),
            Choice("keep", "keep as draft", "and leave the composer"),
        ]

        def chosen(answer: str) -> None:
            composer = self._writing.composer
            if composer is None or composer.letter.ticket != letter.ticket:
                return
            if answer == "keep":
                self._writing.run("leave_composer")
                return
            newest = max(message.id for message in news)
            composer.letter = replace(composer.letter, newest=newest)
            self._writing.ticket_changed()
            if answer == "send":
                self.send(to_status)
            elif desk.pane is not None:
                desk.pane.transcript.go_to(news[0].id)
                composer.focus_text()

        what = "Somebody else wrote" if len(news) == 1 else f"{len(news)} new messages"
        desk.picker.ask(
            f"{what} on #{letter.ticket} since you began", lambda _typed: choices, chosen, wide=True
        )

    # -- handing over

    def _perform(self, composer: Composer, to_status: str | None) -> None:
        letter, text = composer.letter, composer.text
        self.busy = True
        composer.tell("sending …")
        composer.keep()

        carried = self._writing.carried
        key = (letter.ticket, letter.kind)
        actions = [*_actions(letter, text, to_status), *carried.actions(*key, to_status)]

        def done(_outcomes: Sequence[Any]) -> None:
            self.busy = False
            carried.sent(*key, text)
            self.forget_doubts()
            composer.close(forget=True)
            self._writing.save(replace(letter, options=NOTHING_CHOSEN), "")
            self._desk.focus_back()
            if self._desk.pane is not None:
                self._desk.pane.transcript.action_last()
            self._tell_sent(letter)

        # Together: what a macro changes happens with the reply, or not at all.
        self._writing.bridge.perform_together(
            actions, carried.cause(*key, "key:ctrl+s"), done, self._failed
        )

    def _failed(self, sentence: str) -> None:
        self.busy = False
        composer = self._writing.composer
        if composer is not None:
            composer.tell("not sent, the draft is kept")
        self._desk.complain(sentence)

    def _tell_sent(self, letter: Letter) -> None:
        desk, bridge = self._desk, self._writing.bridge
        if letter.kind == "note":
            desk.say("The note is saved. z takes it back.", "good")
            return
        word = "Forward" if letter.kind == "forward" else "Reply"
        if letter.options.send_at is not None:
            desk.say(f"{word} waits for its time · T takes it back", "good", 8)
            return

        def told(rows: list[Any]) -> None:
            mine = [row for row in rows if row.state == "held"]
            left = round((mine[-1].due_at - bridge.now()).total_seconds()) if mine else 0
            if left > 0:
                desk.say(f"{word} goes out in {left} s · z takes it back", "good", 8)
            else:
                desk.say(f"{word} is on its way.", "good")

        bridge.look_up(
            lambda reads: reads.outbox_of(letter.ticket),
            told,
            lambda _said: desk.say(f"{word} is queued.", "good"),
        )


def _actions(letter: Letter, text: str, to_status: str | None) -> list[Action]:
    """What the desk is asked to do."""
    options = letter.options
    if letter.kind == "note":
        note: list[Action] = [Note(letter.ticket, text)]
        return [*note, SetStatus(letter.ticket, to_status)] if to_status else note
    if letter.kind == "forward":
        return [
            Forward(
                letter.ticket,
                options.to or (),
                text,
                message=letter.answers,
                cc=options.cc or (),
                bcc=options.bcc,
                attachments=options.files,
                send_at=options.send_at,
                expect_last=letter.newest,
                sender=options.sender,
                subject=options.subject,
                signature=options.signature,
            )
        ]
    return [
        Reply(
            letter.ticket,
            text,
            to_status=to_status,
            answers=letter.answers,
            reply_all=options.reply_all and options.via is None,
            to=options.to,
            cc=options.cc,
            bcc=options.bcc,
            attachments=options.files,
            send_at=options.send_at,
            expect_last=letter.newest,
            account=options.account,
            via=options.via,
            sender=options.sender,
            subject=options.subject,
            signature=options.signature,
            unless_reply=options.unless_reply and options.send_at is not None,
        )
    ]
