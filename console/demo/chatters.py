"""The demo's customers in Telegram: what they have written, what they go on to write, how they take
an answer. They know the desk only by its bot.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.demo.agenda import Agenda
from console.demo.attachments import file_for
from console.demo.bot_people import Customer, Message
from console.demo.bot_server import BotServer, Sent
from console.demo.chat_script import ChatStory, Saying, read_chat_script
from console.demo.customers import Pace
from console.demo.opinions import Opinion
from workflow.clock import Clock

__all__ = ["Chatters"]

_LATER_S = 5.0
"""Seconds by which the first of them is later than the first mail."""


@dataclass(slots=True)
class _Chat:
    """One conversation from the customer's side of it."""

    who: Customer
    story: ChatStory
    opinion: Opinion
    last: Message | None = None
    heard: list[Sent] = field(default_factory=list)


class Chatters:
    """The cast at work. With the same seed, clock and answers they write the same messages.

    :meth:`receive` may be called from any thread.
    """

    def __init__(self, clock: Clock, *, seed: int = 7, pace: Pace | None = None) -> None:
        self._clock = clock
        self._pace = pace or Pace()
        self._script = read_chat_script()
        self._choice = random.Random(seed)
        self._agenda = Agenda("deskhand-demo-chats")
        self._chats: dict[int, _Chat] = {}
        self._hearing = threading.Lock()
        self._coming = list(self._script.live)
        self._choice.shuffle(self._coming)
        self._server: BotServer | None = None

    def join(self, server: BotServer) -> None:
        """Write to the bot of a server: at once what has waited there when the demo opens."""
        self._server = server
        now = self._clock.now()
        waiting: list[tuple[datetime, _Chat, Saying]] = []
        for story in self._script.backlog:
            chat = self._chat(story)
            at = now - timedelta(seconds=story.ago_s or 0)
            for saying in story.sayings:
                at += timedelta(seconds=saying.after_s)
                waiting.append((at, chat, saying))
        for at, chat, saying in sorted(waiting, key=lambda one: one[0]):
            chat.who.at = int(at.timestamp())
            self._say(chat, saying)
            chat.who.at = None
        for chat in self._chats.values():
            if chat.story.blocks:
                chat.who.blocks()
        self._agenda.plan(self._pace.first_s + _LATER_S, self._next_story)

    def start(self) -> None:
        """Begin to write, on a thread of its own."""
        self._agenda.start()

    def stop(self) -> None:
        """Write no more. Harmless when not started."""
        self._agenda.stop()

    def step(self) -> bool:
        """Let the next thing happen now; False if nothing is to come."""
        return self._agenda.step()

    def receive(self, sent: Sent) -> None:
        """Take a message of the bot, and begin to answer it: once for all parts of it."""
        chat = self._chats.get(sent.chat_id)
        if chat is None:
            return
        with self._hearing:
            chat.heard.append(sent)
            first = len(chat.heard) == 1
        if first and not chat.opinion.done:
            wait_s = self._choice.uniform(*self._pace.answer_s)
            self._agenda.plan(wait_s, lambda: self._answer(chat))

    def _answer(self, chat: _Chat) -> None:
        with self._hearing:
            heard, chat.heard = chat.heard, []
        words = chat.opinion.of("\n".join(sent.text for sent in heard))
        if not words:
            return
        # Who is not content points at what they mean.
        answered = None if chat.opinion.done else chat.who.known.get(heard[-1].message_ids[-1])
        chat.last = chat.who.says(words, reply_to=answered)

    def _next_story(self) -> None:
        if not self._coming:
            return
        chat = self._chat(self._coming.pop())
        after_s = 0.0
        for saying in chat.story.sayings:
            after_s += saying.after_s
            self._agenda.plan(after_s, self._later(chat, saying))
        # Between the mails, half as often as they come.
        gap_s = 2 * self._choice.uniform(self._pace.quickest_s, self._pace.slowest_s)
        self._agenda.plan(after_s + gap_s, self._next_story)

    def _later(self, chat: _Chat, saying: Saying) -> Callable[[], None]:
        return lambda: self._say(chat, saying)

    def _chat(self, story: ChatStory) -> _Chat:
        assert self._server is not None, "join a server first"
        person = self._script.people[story.by]
        who = self._server.customer(person.chat, person.name, person.username)
        chat = _Chat(who, story, Opinion(story.wants, story.glad, story.sour))
        self._chats[person.chat] = chat
        return chat

    def _say(self, chat: _Chat, saying: Saying) -> None:
        who, value, caption = chat.who, saying.value, saying.caption
        match saying.kind:
            case "text":
                chat.last = who.says(value)
            case "edit" if chat.last is not None:
                chat.last = who.edits(chat.last, value)
            case "photo":
                chat.last = who.sends_photo(self._file(value), caption)
            case "album":
                chat.last = who.sends_album([self._file(name) for name in value], caption)[0]
            case "file":
                kind, data = file_for(value, self._clock.now())
                chat.last = who.sends_document(data, value, kind, caption)
            case "voice":
                who.sends_voice(self._file(f"{value}.ogg"), value)
            case "place":
                who.sends_place(*value)
            case "sticker":
                who.sends_sticker(value)
            case "start":
                who.starts(value)

    def _file(self, name: str) -> bytes:
        return file_for(name, self._clock.now())[1]
