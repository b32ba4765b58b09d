"""A desk on a home of its own, with a clock that the test moves and mail that the test makes up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.email.compose import EmailComposer
from channels.email.inbound import EmailReader
from workflow.actions import Action, Reply
from workflow.clock import ManualClock
from workflow.desk import Desk, Outcome
from workflow.files import FileStore
from workflow.inbound import Inbound, Party, Source
from workflow.model import Actor
from workflow.outbox import claim, mark_past_the_dot, mark_sent
from workflow.policy import BUILT_IN, Policies, Policy
from workflow.receive import Received
from workflow.rulebook import RuleBook
from workflow.settings import AgentSettings, ChannelSettings, GroupSettings, Settings
from workflow.store.reads import Reads
from workflow.store.rows import TicketDetail
from workflow.store.store import Store

SETTINGS = Settings(
    agents=(
        AgentSettings("ana", "ana@desk.example", ("support",)),
        AgentSettings("ben", "ben@desk.example", ("experts",)),
    ),
    groups=(GroupSettings("support", "L1"), GroupSettings("experts", "L2")),
    channels=(
        ChannelSettings("support", "email", "support@desk.example", aliases=("help@desk.example",)),
    ),
)
ANA, BEN = Actor.agent("ana"), Actor.agent("ben")


def mail(at: datetime, key: str, **changes: Any) -> Inbound:
    """A customer's mail that reached the desk at a moment; ``key`` makes it unlike any other."""
    sender = changes.pop("sender", "maria@customer.example")
    text = changes.pop("text", f"text of {key}")
    item = Inbound(
        channel="email",
        source=Source("support"),
        raw_sha256=hashlib.sha256(key.encode()).hexdigest(),
        raw_size=len(text),
        reached_at=at,
        sender=Party("", sender),
        subject=f"subject of {key}",
        to=(Party("", "support@desk.example"),),
        message_id=f"<{key}@customer.example>",
        text=text,
        full_text=text,
        dedupe_key=key,
    )
    return replace(item, **changes)


@dataclass
class Bench:
    """A desk with everything around it, and short words for what tests do all the time."""

    home: Path
    clock: ManualClock
    settings: Settings = SETTINGS
    policy: Policy = BUILT_IN
    number: int = field(default=0)

    def __post_init__(self) -> None:
        self.files = FileStore(self.home / "files")
        self.store = Store.open(self.home / "deskhand.db")
        self.desk = self.another_desk(self.store)
        self.reads = Reads(self.store.path)

    def another_desk(self, store: Store) -> Desk:
        """A second desk, as another process would have it."""
        return Desk(
            store,
            self.clock,
            self.settings,
            self.files,
            composers={"email": EmailComposer(self.settings, self.files)},
            readers={"email": EmailReader(self.settings, self.files)},
            rule_book=self.rules(),
        )

    def rules(self) -> RuleBook:
        """The files of the home; without a file of policies the one of this bench."""
        return RuleBook(self.home, self.settings, Policies.of(self.policy))

    def mail(self, key: str = "", **changes: Any) -> Inbound:
        """A customer's mail that reaches the desk now."""
        self.number += 1
        return mail(self.clock.now(), key or f"mail{self.number}", **changes)

    def take(self, *items: Inbound) -> list[Received]:
        """Take mails in."""
        return self.desk.receive(list(items))

    def opened(self, **changes: Any) -> int:
        """A ticket that a customer's mail has opened now."""
        ticket = self.take(self.mail(**changes))[0].ticket
        assert ticket is not None
        return ticket

    def follow_up(self, ticket: int, **changes: Any) -> Received:
        """The customer writes again on a ticket."""
        first = self.ticket(ticket).messages[0]
        return self.take(self.mail(in_reply_to=(first.message_id,), **changes))[0]

    def do(self, *actions: Action, actor: Actor = ANA) -> list[Outcome]:
        """What an agent does, as one change."""
        return self.desk.perform_all(actions, actor, "key:x")

    def reply(self, ticket: int, text: str = "Here you are.", **changes: Any) -> Outcome:
        """Queue an answer that may leave at once."""
        changes.setdefault("undo_window_s", 0)
        return self.do(Reply(ticket, text, **changes))[0]

    def send(self) -> int:
        """Send everything that is due, as an engine does; how many left."""
        claims = claim(self.desk, "engine", ["support"])
        for item in claims:
            assert mark_past_the_dot(self.desk, item.id, "engine")
            mark_sent(self.desk, item.id, "250 ok")
        return len(claims)

    def ticket(self, number: int) -> TicketDetail:
        """The ticket as it is stored."""
        found = self.reads.ticket(number)
        assert found is not None
        return found

    def names(self, ticket: int) -> list[str]:
        """The names of its events, in their order, without what triage makes of its messages."""
        return [event.name for event in self.ticket(ticket).events if event.actor != "triage"]

    def rows(self, sql: str, *parameters: object) -> list[Any]:
        """What the database holds."""
        return self.reads.fetch(sql, parameters)

    def close(self) -> None:
        """Give the files back."""
        self.reads.close()
        self.store.close()
