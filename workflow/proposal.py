"""What the desk would do with a message as it stands: to whom, from which address, signed how. A
person sees it while they write; what is sent is decided by :mod:`workflow.reply` and
:mod:`workflow.forward`, by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflow.addresses import typed_party, unique
from workflow.doubts import Doubt, Letter, doubts
from workflow.drafts import DraftOptions, File
from workflow.errors import DeskError, Refusal, UsageError
from workflow.inbound import Party
from workflow.model import Direction, from_millis
from workflow.outgoing import forward_subject, reply_subject
from workflow.recipients import (
    Difference,
    answered_of,
    answered_one,
    chat_of,
    difference,
    last_answer,
    recipients_of,
    sender_of,
)
from workflow.settings import ChannelSettings, Settings
from workflow.signatures import signature_of
from workflow.store.rows import IdentityDetail, MessageDetail, TicketDetail

__all__ = ["Proposal", "files_of", "propose"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A reply or a forward as it would go out. ``problem`` is the sentence that says why it cannot,
    ``differences`` are those to the last answer.
    """

    kind: str
    account: ChannelSettings | None = None
    answered: MessageDetail | None = None
    """The message that is answered, or the one that is forwarded alone."""
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    subject: str = ""
    sender: str = ""
    signature: str = ""
    differences: tuple[Difference, ...] = ()
    problem: str | None = None

    @property
    def by_mail(self) -> bool:
        """Whether it is a mail, with a subject, Cc and Bcc."""
        return self.account is not None and self.account.kind == "email"

    def doubts(
        self, text: str, files: int, ticket: TicketDetail, settings: Settings
    ) -> tuple[Doubt, ...]:
        """What should be looked at again before it leaves."""
        customer = ticket.customer
        aside = self.kind == "forward" or (self.answered is not None and self.answered.aside)
        people = () if aside else (customer.name, *(one.display for one in customer.identities))
        agents = [name for one in settings.agents for name in (one.name, one.display_name)]
        letter = Letter(
            text=text,
            subject=self.subject,
            has_subject=self.by_mail,
            to=self.to,
            cc=self.cc,
            bcc=self.bcc,
            files=files,
            unreachable=[pair for one in customer.identities for pair in _unreachable(one)],
            people=tuple(filter(None, people)),
            agents=tuple(filter(None, agents)),
            strangers=self.strangers,
        )
        return doubts(letter)

    @property
    def strangers(self) -> tuple[str, ...]:
        """The addresses of whoever is answered, where they took no part until they wrote."""
        if self.kind != "reply" or self.answered is None or not self.answered.stranger:
            return ()
        parties = (address for _name, address in self.answered.reply_to)
        return (self.answered.from_address, *parties)


def _unreachable(identity: IdentityDetail) -> list[tuple[str, str]]:
    """The address and a sentence, where mail to it comes back or its owner complained."""
    if identity.undeliverable_at is not None:
        day = f"{from_millis(identity.undeliverable_at):%Y-%m-%d}"
        why = f"{identity.undeliverable_code} {identity.undeliverable_reason}".strip()
        words = f"mail to {identity.value} came back on {day} ({why})"
    elif identity.complained_at is not None:
        day = f"{from_millis(identity.complained_at):%Y-%m-%d}"
        words = f"{identity.value} called a mail of ours spam on {day}"
    else:
        return []
    return [(identity.value, words)]


def propose(
    ticket: TicketDetail,
    settings: Settings,
    agent: str | None,
    kind: str,
    options: DraftOptions,
    answers: int | None = None,
) -> Proposal:
    """How a ``reply`` or a ``forward`` would go out with what was chosen. ``answers`` is the message
    that is answered, or the only one that is forwarded.
    """
    chosen = next((m for m in ticket.messages if m.id == answers), None)
    answered = chosen
    if chosen is None and kind == "reply":
        answered = answered_one(ticket.messages, settings.own_addresses)
    via = next((one for one in ticket.customer.identities if one.id == options.via), None)
    account = _account(ticket, settings, kind, options, answered, via)
    problem = None if account is not None else "this desk has no account to send from"
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    try:
        to, cc, bcc = _recipients(ticket, settings, kind, options, answered, via, account)
    except DeskError as fault:
        problem = problem or str(fault)
    mail = account is not None and account.kind == "email"
    alias_from = answered
    if kind == "forward" and chosen is None:
        alias_from = answered_one(ticket.messages, settings.own_addresses)
    sender = options.sender or ""
    if mail and account is not None and not sender:
        sender = sender_of(answered_of(alias_from) if alias_from else None, account)
    signed = account is not None and options.signature
    return Proposal(
        kind=kind,
        account=account,
        answered=answered,
        to=to,
        cc=cc,
        bcc=bcc,
        subject=_subject(ticket, kind, options, answered) if mail else "",
        sender=sender,
        signature=signature_of(settings, account, agent, sender) if account and signed else "",
        differences=_differences(ticket, kind, answered, (to, cc, bcc)),
        problem=problem,
    )


def _account(
    ticket: TicketDetail,
    settings: Settings,
    kind: str,
    options: DraftOptions,
    answered: MessageDetail | None,
    via: IdentityDetail | None,
) -> ChannelSettings | None:
    if options.account is not None and (named := settings.channel(options.account)) is not None:
        return named
    if options.sender and (own := settings.account_of_address(options.sender)) is not None:
        return own
    wanted = "email" if kind == "forward" or options.to else via.kind if via else None
    for name in (answered.account if answered else None, ticket.account):
        known = settings.channel(name) if name else None
        if known is not None and wanted in (None, known.kind):
            return known
    fits = (channel for channel in settings.channels if channel.kind == (wanted or "email"))
    return next(fits, None)


def _recipients(
    ticket: TicketDetail,
    settings: Settings,
    kind: str,
    options: DraftOptions,
    answered: MessageDetail | None,
    via: IdentityDetail | None,
    account: ChannelSettings | None,
) -> tuple[tuple[Party, ...], tuple[Party, ...], tuple[Party, ...]]:
    """To, Cc and Bcc; raises UsageError for what was typed wrongly, Refusal for nobody."""
    if via is not None:
        return (Party(via.display, via.value),), (), ()
    if account is not None and account.kind != "email":
        place = chat_of(answered_of(answered)) if answered is not None else ()
        known = next((p for p in ticket.customer.identities if p.kind == account.kind), None)
        if known is not None and (not place or place[0].address.lower() == known.value):
            place = (Party(known.display, known.value),)
        if not place:
            raise Refusal("this customer has not written in this channel")
        return place[:1], (), ()
    seen: set[str] = set()
    proposed_cc: tuple[Party, ...] = ()
    if options.to is not None or kind == "forward":
        to = unique(map(typed_party, options.to or ()), seen)
        if not to:
            raise UsageError("nobody to write to yet: give the address it is for (To)")
    elif answered is None:
        raise Refusal("the ticket has no message to answer: give the recipient yourself (To)")
    elif answered.channel != "email" and answered.account is not None:
        mail = next((one for one in ticket.customer.identities if one.kind == "email"), None)
        if mail is None:
            raise Refusal("this customer has no mail address here: give one yourself (To)")
        to = unique((Party(mail.display, mail.value),), seen)
    else:
        own = settings.own_addresses
        to, proposed_cc = recipients_of(answered_of(answered), own, options.reply_all)
        to = unique(to, seen)
    typed_cc = tuple(map(typed_party, options.cc)) if options.cc is not None else proposed_cc
    cc = unique(typed_cc, seen)
    return to, cc, unique(map(typed_party, options.bcc), seen)


def _subject(
    ticket: TicketDetail, kind: str, options: DraftOptions, answered: MessageDetail | None
) -> str:
    if options.subject is not None:
        return options.subject
    subject = (answered.subject if answered else "") or ticket.subject
    return forward_subject(subject) if kind == "forward" else reply_subject(subject)


def _differences(
    ticket: TicketDetail,
    kind: str,
    answered: MessageDetail | None,
    now: tuple[tuple[Party, ...], ...],
) -> tuple[Difference, ...]:
    """What differs from the last answer: there is none to compare a forward with."""
    aside = answered is not None and answered.aside
    last = last_answer(ticket.messages, aside) if kind == "reply" else None
    if last is None:
        return ()

    def before(pairs: tuple[tuple[str, str], ...]) -> list[str]:
        return [address for _name, address in pairs]

    def after(parties: tuple[Party, ...]) -> list[str]:
        return [party.address for party in parties]

    to, cc, bcc = now
    return difference(
        (before(last.to), before(last.cc), before(last.bcc)), (after(to), after(cc), after(bcc))
    )


def files_of(messages: Sequence[MessageDetail]) -> tuple[File, ...]:
    """The files of messages that may be passed on, each once; pictures inside a text stay there."""
    found: dict[str, File] = {}
    for message in messages:
        if message.direction == Direction.NOTE or (message.aside and len(messages) > 1):
            continue
        for file in message.attachments:
            if not file.inline:
                known = (file.name, file.content_type, file.sha256, file.size)
                found.setdefault(file.sha256, known)
    return tuple(found.values())
