"""The demo's customers: what they have written, what they go on to write, how they take an answer.

They know the desk only by mail. What they write goes to ``post``; what the desk sends comes to
:meth:`Customers.receive`.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from console.demo.letters import Letter, bounce, compose, local_time
from console.demo.opinions import Opinion
from console.demo.passers_by import Deck, tell
from console.demo.quoting import Quoted, answer_subject
from console.demo.reading import DeskMail, headers_of, read_desk_mail
from console.demo.script import Person, Story, read_script
from workflow.clock import Clock

__all__ = ["DESK_ADDRESS", "Arrival", "Customers", "Kind", "Pace"]

DESK_ADDRESS = "support@mossandmeter.example"
"""The address of the shop that the demo's desk works for."""

Kind = Literal["new", "follow-up", "answer", "automatic", "bounce"]
"""What a customer's mail is, from the customer's side."""

_log = logging.getLogger("deskhand.demo")
_ON_THE_WAY = timedelta(seconds=2)
_PATIENCE = timedelta(minutes=4)
_NUDGE_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail of a customer: its bytes, when it reached the server, and what it is."""

    raw: bytes
    arrived: datetime
    kind: Kind
    author: str
    subject: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How lively it is, in seconds of real time.

    Something happens after ``first_s`` and then every ``quickest_s`` to ``slowest_s``; an answer
    takes ``answer_s``. After each ``tires_after`` events the gaps grow by once their length, so
    that a demo that runs overnight does not fill the desk.
    """

    first_s: float = 4.0
    quickest_s: float = 6.0
    slowest_s: float = 12.0
    answer_s: tuple[float, float] = (5.0, 14.0)
    tires_after: int = 40


@dataclass(slots=True)
class _Matter:
    """One conversation from the customer's side of it."""

    person: Person
    story: Story
    ids: list[str] = field(default_factory=list)
    own_text: str = ""
    own_at: datetime | None = None
    nudges: int = 0
    heard: bool = False
    opinion: Opinion = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what the story wants."""
        self.opinion = Opinion(self.story.wants, self.story.glad, self.story.sour)

    def loses_patience(self, now: datetime) -> bool:
        """Whether the customer has waited long enough to write again."""
        if self.opinion.done or self.heard or self.own_at is None or self.person.bounces:
            return False
        if self.story.nudge:
            return self.nudges < len(self.story.nudge)
        plain = self.person.language == "en" and bool(self.story.wants)
        return plain and not self.nudges and now - self.own_at > _PATIENCE


@dataclass(frozen=True, slots=True)
class _Planned:
    """An answer that is being written; ``due`` is a monotonic time."""

    due: float
    matter: _Matter
    kind: Kind
    text: str
    to: str
    quoted: Quoted | None


class Customers:
    """The cast at work. With the same seed, clock and answers they write the same mails.

    All methods may be called from any thread; ``post`` is called without a lock held.
    """

    def __init__(
        self,
        clock: Clock,
        post: Callable[[Arrival], object],
        *,
        seed: int = 7,
        pace: Pace | None = None,
        address: str = DESK_ADDRESS,
    ) -> None:
        self._clock = clock
        self._post = post
        self._pace = pace or Pace()
        self._address = address
        self._script = read_script()
        self._choice = random.Random(seed)
        self._deck = Deck(self._script, self._choice)
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._matters: list[_Matter] = []
        self._away_told: set[str] = set()
        self._planned: list[_Planned] = []
        self._returned: list[tuple[float, Arrival]] = []
        self._count = 0
        self._mails = 0

    def backlog(self) -> tuple[Arrival, ...]:
        """The mails that were waiting when the desk opened, oldest first; call it once."""
        now = self._clock.now()
        arrivals = []
        with self._lock:
            for written in self._script.backlog:
                person = self._script.people[written.by]
                at = now - timedelta(seconds=written.ago_s or 0)
                since = local_time(person, at) - timedelta(minutes=12)
                matter = _Matter(person, tell(written, {"since": f"{since:%H:%M}"}))
                matter.opinion.done = written.automatic
                self._matters.append(matter)
                kind: Kind = "automatic" if written.automatic else "new"
                quoted = self._earlier(matter, at) if written.quoting else None
                arrivals.append(self._write(matter, matter.story.text, at, kind, quoted))
                for more in written.again:
                    later = now - timedelta(seconds=more.ago_s)
                    arrivals.append(self._write(matter, more.text, later, "follow-up"))
        return tuple(sorted(arrivals, key=lambda arrival: arrival.arrived))

    def start(self) -> None:
        """Begin to write, on a thread of its own."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._live, name="deskhand-demo-customers", daemon=True
            )
            self._thread.start()

    def stop(self, limit_s: float = 5.0) -> None:
        """Write no more; waits for the thread to end. Harmless when not started."""
        self._ended.set()
        self._changed.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(limit_s)

    def step(self) -> Arrival:
        """Let the next thing happen now: an answer that is being written, else something new."""
        with self._lock:
            arrival = self._next_answer() or self._something()
        self._post(arrival)
        return arrival

    @property
    def writing(self) -> int:
        """How many answers are on their way."""
        with self._lock:
            return len(self._planned) + len(self._returned)

    def receive(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> None:
        """Take a mail of the desk, as the SMTP server hands it over, and begin to answer it."""
        try:
            mail = read_desk_mail(raw, sender)
            with self._lock:
                for recipient in recipients:
                    self._read(mail, sender, recipient, raw)
        except Exception:  # noqa: BLE001
            # A mail that the customers cannot read must not fail the desk's sending.
            _log.warning("a mail of the desk was not understood", exc_info=True)
        self._changed.set()

    def _live(self) -> None:
        next_event = time.monotonic() + self._pace.first_s
        while not self._ended.is_set():
            self._changed.clear()
            with self._lock:
                answer_due = self._answer_due()
            wait = min(answer_due, next_event) - time.monotonic()
            # A stop between the loop's question and the clearing above would go unheard.
            if wait > 0 and not self._ended.is_set():
                self._changed.wait(wait)
                continue
            with self._lock:
                arrival = self._next_answer() if answer_due <= next_event else None
                if arrival is None:
                    arrival = self._something()
                    next_event = time.monotonic() + self._gap()
            if self._ended.is_set():
                return
            try:
                self._post(arrival)
            except Exception:  # noqa: BLE001
                # The servers are being stopped, or one mail was not stored: the others go on.
                _log.warning("a customer's mail was not taken", exc_info=True)

    def _gap(self) -> float:
        pace = self._pace
        tired = 1 + self._count // max(1, pace.tires_after)
        return self._choice.uniform(pace.quickest_s, pace.slowest_s) * tired

    def _answer_due(self) -> float:
        """When the next answer is due, on the monotonic clock; infinity if nobody is writing."""
        dues = [plan.due for plan in self._planned] + [due for due, _ in self._returned]
        return min(dues, default=float("inf"))

    def _next_answer(self) -> Arrival | None:
        """The answer that is due first, written."""
        due = self._answer_due()
        for item in self._returned:
            if item[0] == due:
                self._returned.remove(item)
                return item[1]
        for plan in self._planned:
            if plan.due == due:
                self._planned.remove(plan)
                now = self._clock.now()
                return self._write(plan.matter, plan.text, now, plan.kind, plan.quoted, plan.to)
        return None

    def _something(self) -> Arrival:
        """What nobody asked for: a new matter, or somebody who has waited long enough."""
        self._count += 1
        now = self._clock.now()
        waiting = [matter for matter in self._matters if matter.loses_patience(now)]
        if waiting and self._count > 1 and self._choice.random() < _NUDGE_SHARE:
            # Words that a story brings along come before the general ones.
            rank = {id(matter): self._choice.random() for matter in waiting}
            matter = min(waiting, key=lambda m: (not m.story.nudge, m.nudges, rank[id(m)]))
            own = matter.story.nudge
            text = own[matter.nudges] if own else self._choice.choice(self._script.impatience)
            matter.nudges += 1
            return self._write(matter, text, now, "follow-up")
        matter = _Matter(*self._deck.draw())
        self._matters.append(matter)
        return self._write(matter, matter.story.text, now, "new")

    def _read(self, mail: DeskMail, sender: str, recipient: str, raw: bytes) -> None:
        """One customer reads a mail of the desk."""
        own = [m for m in self._matters if m.person.address == recipient.casefold()]
        if not own or own[-1].person.bounces:
            # An empty sender marks a notification, which is never answered with another; mail to
            # a colleague of the desk's own house is delivered, where nobody needs to see it.
            house = self._address.rpartition("@")[2]
            if sender and not recipient.casefold().endswith(f"@{house}"):
                said = own[-1].person.bounces if own else ""
                self._return(sender, recipient, said, raw)
            return
        matter = next((m for m in reversed(own) if mail.answers.intersection(m.ids)), own[-1])
        if mail.message_id:
            matter.ids.append(mail.message_id)
        if mail.automatic:
            return
        matter.heard = True
        person = matter.person
        if person.away and person.key not in self._away_told:
            self._away_told.add(person.key)
            self._plan(matter, "automatic", person.away, mail.answer_to, None)
            return
        if matter.opinion.done:
            return
        quoted = Quoted(
            name=mail.from_name,
            address=mail.from_address,
            at=local_time(person, self._clock.now()),
            text=mail.text,
            subject=mail.subject,
            to=person.address,
        )
        answer = matter.opinion.of(mail.text)
        if answer:
            self._plan(matter, "answer", answer, mail.answer_to, quoted)

    def _return(self, sender: str, recipient: str, said: str, raw: bytes) -> None:
        """Plan the notification that a mail could not be delivered."""
        now = self._clock.now()
        message_id, notice = bounce(
            sender,
            recipient,
            said or f"550 5.1.1 <{recipient}>: nobody of that name takes part in the demo",
            headers_of(raw),
            now,
        )
        arrival = Arrival(notice, now, "bounce", "MAILER-DAEMON", "Undelivered Mail", message_id)
        self._returned.append((time.monotonic() + self._pace.answer_s[0] / 2, arrival))

    def _plan(self, matter: _Matter, kind: Kind, text: str, to: str, quoted: Quoted | None) -> None:
        quickest, slowest = self._pace.answer_s
        # A robot answers at once, a person has to read first.
        wait = quickest / 3 if kind == "automatic" else self._choice.uniform(quickest, slowest)
        self._planned.append(_Planned(time.monotonic() + wait, matter, kind, text, to, quoted))

    def _write(
        self,
        matter: _Matter,
        text: str,
        at: datetime,
        kind: Kind,
        quoted: Quoted | None = None,
        to: str = "",
    ) -> Arrival:
        """Give words their form as the next mail of a conversation; ``at`` is when it arrives."""
        person, story, first = matter.person, matter.story, not matter.ids
        self._mails += 1
        random_part = f"{self._choice.randrange(16**10):010x}"
        message_id = f"<{self._mails:04d}.{random_part}@{person.domain}>"
        if quoted is None and kind == "follow-up" and matter.own_at is not None:
            quoted = Quoted(
                name=person.name,
                address=person.address,
                at=local_time(person, matter.own_at),
                text=matter.own_text,
                subject=story.subject,
                to=to or self._address,
            )
        subject = story.subject
        if not first:
            automatic = kind == "automatic"
            subject = (
                f"Automatic reply: {subject}" if automatic else answer_subject(person, subject)
            )
        letter = Letter(
            subject=subject,
            text=text,
            at=at - _ON_THE_WAY,
            message_id=message_id,
            references=tuple(matter.ids),
            quoted=quoted,
            html=story.html and first,
            attach=story.attach if first else "",
            automatic=kind == "automatic",
        )
        raw = compose(person, to or self._address, letter)
        matter.ids.append(message_id)
        if kind != "automatic":
            matter.own_text, matter.own_at, matter.heard = text, at, False
        return Arrival(raw, at, kind, person.address, subject, message_id)

    def _earlier(self, matter: _Matter, at: datetime) -> Quoted:
        """A mail of the desk from before the demo, of which only the quotation is left."""
        return Quoted(
            name="Moss & Meter Support",
            address=self._address,
            at=local_time(matter.person, at - timedelta(hours=5)),
            text=matter.story.quoting,
            subject=matter.story.subject,
            to=matter.person.address,
        )
