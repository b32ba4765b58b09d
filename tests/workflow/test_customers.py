"""One person behind several addresses: joined, taken apart, answered by another way."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.compose import EmailComposer
from channels.email.inbound import EmailReader
from tests.workflow.bench import ANA, BEN, SETTINGS, Bench
from workflow.actions import JoinCustomers, NewTicket, Reply, SetField, SplitCustomer
from workflow.clock import ManualClock
from workflow.companies import FILE, load_companies
from workflow.desk import Desk
from workflow.errors import NotFound, Refusal, SettingsError, UsageError
from workflow.files import FileStore
from workflow.inbound import Inbound, Party, Source
from workflow.outgoing import Composed, OutgoingMessage
from workflow.rulebook import RuleBook
from workflow.settings import ChannelSettings
from workflow.store import people
from workflow.store.store import Store

TWO_CHANNELS = replace(
    SETTINGS,
    channels=(
        *SETTINGS.channels,
        ChannelSettings("other-bot", "pigeon"),
        ChannelSettings("bot", "pigeon"),
    ),
)


class PigeonComposer:
    """A second channel, as small as one can be."""

    def __init__(self, files: FileStore) -> None:
        self.files = files
        self.sent: list[OutgoingMessage] = []

    def compose(self, message: OutgoingMessage) -> Composed:
        """Keep what is to be sent."""
        self.sent.append(message)
        raw = json.dumps([message.to[0].address, message.text]).encode()
        return Composed(
            message_id=f"<pigeon.{len(self.sent)}>",
            raw_sha256=self.files.put(raw),
            raw_size=len(raw),
            from_name="",
            from_address=message.account,
            recipients=(message.to[0].address,),
            conversation=f"pigeon:{message.account}:{message.to[0].address}",
        )


class TwoChannels(Bench):
    """A desk with mail and pigeons."""

    pigeons: PigeonComposer

    def another_desk(self, store: Store) -> Desk:
        """The desk, with both ways to write and the team's table of companies."""
        self.pigeons = PigeonComposer(self.files)
        return Desk(
            store,
            self.clock,
            self.settings,
            self.files,
            composers={
                "email": EmailComposer(self.settings, self.files),
                "pigeon": self.pigeons,
            },
            readers={"email": EmailReader(self.settings, self.files)},
            rule_book=RuleBook(self.home, self.settings),
        )

    def pigeon(self, loft: str = "4711", **changes: Any) -> Inbound:
        """A message of the second channel."""
        self.number += 1
        key = f"pigeon{self.number}"
        item = Inbound(
            channel="pigeon",
            source=Source("bot"),
            raw_sha256=hashlib.sha256(key.encode()).hexdigest(),
            raw_size=1,
            reached_at=self.clock.now(),
            sender=Party("Maria", loft),
            handle="@maria",
            subject="coo",
            message_id=f"<pigeon.in.{key}>",
            text="coo",
            full_text="coo",
            conversation=f"pigeon:bot:{loft}",
            dedupe_key=key,
        )
        return replace(item, **changes)

    def customer_of(self, ticket: int) -> int:
        """Whose a ticket is."""
        return self.ticket(ticket).customer.id

    def identity(self, value: str) -> int:
        """The row of an address."""
        return int(self.rows("SELECT id FROM identity WHERE value = ?", value)[0][0])

    def edges(self) -> tuple[Any, ...]:
        """Everything that joining may move."""
        return (
            self.rows("SELECT id, name, company, tier, merged_into FROM customer ORDER BY id"),
            self.rows("SELECT id, customer_id, evidence FROM identity ORDER BY id"),
            self.rows("SELECT id, customer_id FROM ticket ORDER BY id"),
            self.rows("SELECT id, ticket_id, text, from_address FROM message ORDER BY id"),
        )


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[TwoChannels]:
    made = TwoChannels(tmp_path, clock, TWO_CHANNELS)
    yield made
    made.close()


def writers(desk: TwoChannels, *names: str) -> list[int]:
    """Customers, each with a ticket."""
    return [desk.customer_of(desk.opened(sender=f"{name}@x.example")) for name in names]


def test_the_same_address_and_the_same_account_join_by_themselves(desk: TwoChannels) -> None:
    one, two = desk.opened(sender="Maria@X.example"), desk.opened(sender="maria@x.EXAMPLE")
    assert desk.customer_of(one) == desk.customer_of(two)
    first, second = desk.take(desk.pigeon(conversation="a"), desk.pigeon(conversation="b"))
    assert first.ticket != second.ticket
    assert first.ticket is not None
    assert second.ticket is not None
    assert desk.customer_of(first.ticket) == desk.customer_of(second.ticket)
    assert desk.customer_of(one) != desk.customer_of(first.ticket)


def test_joining_moves_edges_and_no_message_and_undo_gives_back_exactly(desk: TwoChannels) -> None:
    keep, other = writers(desk, "keep", "other")
    desk.opened(sender="other@x.example")
    before = desk.edges()
    messages = before[-1]
    desk.do(JoinCustomers(keep, other))
    after = desk.edges()
    assert after[-1] == messages
    assert [desk.customer_of(ticket) for ticket in (1, 2, 3)] == [keep] * 3
    (event,) = desk.rows("SELECT actor, data FROM event WHERE name = 'customer.joined'")
    data = json.loads(event[1])
    assert event[0] == "agent:ana"
    assert (data["identities"], data["tickets"]) == ([desk.identity("other@x.example")], [2, 3])
    assert data["evidence"] == "joined by agent:ana"
    evidence = {one.value: one.evidence for one in desk.ticket(1).customer.identities}
    assert evidence == {"keep@x.example": "wrote from it", "other@x.example": "joined by agent:ana"}
    assert desk.names(2)[-1] == "ticket.customer"
    assert desk.desk.undo(ANA) == [f"undid joined customer {other} with customer {keep}"]
    assert desk.edges() == before
    desk.desk.redo(ANA)
    assert desk.edges() == after
    desk.desk.undo(ANA)
    assert desk.edges() == before


def test_what_came_since_goes_back_with_the_address_it_came_by(desk: TwoChannels) -> None:
    keep, other = writers(desk, "keep", "other")
    desk.do(JoinCustomers(keep, other))
    theirs = desk.opened(sender="other@x.example")
    mine = desk.opened(sender="keep@x.example")
    call = desk.do(NewTicket("other@x.example", "", "a call", "hello"))[0].ticket
    ours = desk.opened(own=True, sender="support@desk.example", to=(Party("", "other@x.example"),))
    assert call is not None
    assert {desk.customer_of(ticket) for ticket in (theirs, mine, call, ours)} == {keep}
    desk.do(SplitCustomer(other))
    assert [desk.customer_of(t) for t in (theirs, call, ours)] == [other] * 3
    assert desk.customer_of(mine) == keep
    assert desk.customer_of(desk.opened(sender="other@x.example")) == other


def test_chains_are_followed_and_can_be_taken_apart_in_any_order(desk: TwoChannels) -> None:
    a, b, c = writers(desk, "a", "b", "c")
    before = desk.edges()
    desk.do(JoinCustomers(b, a))
    desk.do(JoinCustomers(c, b), actor=BEN)
    assert people.root_number(desk.reads.fetch, a) == c
    assert [desk.customer_of(ticket) for ticket in (1, 2, 3)] == [c] * 3
    evidence = [one.evidence for one in desk.ticket(1).customer.identities]
    assert evidence == ["joined by agent:ana", "joined by agent:ben", "wrote from it"]
    with pytest.raises(Refusal, match="the same person already"):
        desk.do(JoinCustomers(a, c))
    desk.do(SplitCustomer(a))
    assert [desk.customer_of(ticket) for ticket in (1, 2, 3)] == [a, c, c]
    desk.do(JoinCustomers(c, a))
    desk.do(SplitCustomer(b))
    assert [desk.customer_of(ticket) for ticket in (1, 2, 3)] == [c, b, c]
    desk.do(SplitCustomer(c))
    assert desk.edges() == before


def test_what_cannot_be_joined_or_taken_apart_says_why(desk: TwoChannels) -> None:
    a, b, c = writers(desk, "a", "b", "c")
    with pytest.raises(Refusal, match=f"customer {a} cannot be joined: the two are the same"):
        desk.do(JoinCustomers(a, a))
    with pytest.raises(NotFound, match="no customer 99: deskhand customer list"):
        desk.do(JoinCustomers(a, 99))
    with pytest.raises(Refusal, match="was not joined with anybody"):
        desk.do(SplitCustomer(a))
    desk.do(JoinCustomers(a, b))
    desk.do(JoinCustomers(a, c))
    with pytest.raises(Refusal, match=f"say which one to take out: customer {b}, customer {c}"):
        desk.do(SplitCustomer(a))


def test_undo_refuses_what_somebody_decided_anew(desk: TwoChannels) -> None:
    a, b, c = writers(desk, "a", "b", "c")
    desk.do(JoinCustomers(a, b))
    desk.do(SplitCustomer(b), actor=BEN)
    with pytest.raises(Refusal, match="were taken apart or joined anew since"):
        desk.desk.undo(ANA)
    desk.do(JoinCustomers(c, b))
    with pytest.raises(Refusal, match=f"customer {b} was joined anew since"):
        desk.desk.undo(BEN)


def test_tier_and_company_go_where_nothing_is_known_and_back(desk: TwoChannels) -> None:
    keep, other = writers(desk, "keep", "other")
    desk.do(SetField(2, "tier", "vip"), SetField(2, "company", "Acme"))
    desk.do(SetField(1, "company", "Other Ltd"))
    desk.do(JoinCustomers(keep, other))
    assert (desk.ticket(1).customer.tier, desk.ticket(1).customer.company) == ("vip", "Other Ltd")
    desk.do(SplitCustomer(other))
    assert desk.ticket(1).customer.tier == "standard"
    assert desk.ticket(2).customer.tier == "vip"
    desk.do(JoinCustomers(keep, other))
    desk.do(SetField(1, "tier", "enterprise"))
    desk.do(SplitCustomer(other))
    assert desk.ticket(1).customer.tier == "enterprise", "what a person set stays"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(1, 5), st.integers(1, 5)),
        st.tuples(st.just("split"), st.integers(1, 5), st.just(0)),
        st.tuples(st.just("undo"), st.just(0), st.just(0)),
        st.tuples(st.just("tier"), st.integers(1, 5), st.integers(1, 2)),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_any_sequence_taken_back_restores_everything(
    steps: Sequence[tuple[str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = TwoChannels(
            Path(folder), ManualClock(datetime(2026, 11, 2, 9, tzinfo=UTC)), TWO_CHANNELS
        )
        try:
            writers(desk, "a", "b", "c", "d", "e")
            stack = [desk.edges()]
            for what, one, two in steps:
                try:
                    if what == "join":
                        desk.do(JoinCustomers(one, two))
                    elif what == "split":
                        desk.do(SplitCustomer(one))
                    elif what == "tier":
                        if desk.ticket(one).customer.tier == f"tier{two}":
                            continue
                        desk.do(SetField(one, "tier", f"tier{two}"))
                    elif len(stack) > 1:
                        desk.desk.undo(ANA)
                        stack.pop()
                        assert desk.edges() == stack[-1]
                        continue
                    else:
                        continue
                except Refusal:
                    assert desk.edges() == stack[-1]
                    continue
                stack.append(desk.edges())
                _sound(desk)
            while len(stack) > 1:
                desk.desk.undo(ANA)
                stack.pop()
                assert desk.edges() == stack[-1]
        finally:
            desk.close()


def _sound(desk: TwoChannels) -> None:
    """Nobody who was joined with another has anything of their own."""
    joined = desk.rows(
        """SELECT count(*) FROM customer WHERE merged_into IS NOT NULL AND (
        id IN (SELECT customer_id FROM identity) OR id IN (SELECT customer_id FROM ticket))"""
    )
    assert joined == [(0,)]


# -- one story over two channels


def one_person(desk: TwoChannels) -> tuple[int, int]:
    """Somebody who wrote a mail and sent a pigeon, joined."""
    mail = desk.opened(sender="maria@x.example")
    chat = desk.take(desk.pigeon())[0].ticket
    assert chat is not None
    desk.do(JoinCustomers(desk.customer_of(mail), desk.customer_of(chat)))
    return mail, chat


def test_one_story_over_two_channels(desk: TwoChannels) -> None:
    mail, chat = one_person(desk)
    history = desk.reads.history(desk.customer_of(mail))
    assert [(row.id, row.channel) for row in history] == [(chat, "pigeon"), (mail, "email")]
    desk.clock.advance(60)
    done = desk.reply(mail, "By pigeon, then.", via=desk.identity("4711"))
    message = desk.reads.message(done.message_id or 0)
    assert message is not None
    assert (message.channel, message.account, message.to) == (
        "pigeon",
        "bot",
        (("@maria", "4711"),),
    )
    assert message.in_reply_to is None, "a mail is no message of this channel"
    assert desk.reads.outbox_of(mail)[-1].recipients == ("4711",)
    assert desk.pigeons.sent[-1].answered is None
    found = desk.take(desk.pigeon(in_reply_to=("<pigeon.1>",)))[0]
    assert found.ticket == mail
    assert [m.channel for m in desk.ticket(mail).messages] == ["email", "pigeon", "pigeon"]
    back = desk.reply(chat, "And by mail.", via=desk.identity("maria@x.example"))
    message = desk.reads.message(back.message_id or 0)
    assert message is not None
    assert (message.channel, message.account, message.cc) == ("email", "support", ())
    assert message.to == (("", "maria@x.example"),)
    assert message.reference_ids == ()


def test_an_answer_to_the_same_channel_keeps_its_thread(desk: TwoChannels) -> None:
    mail = desk.opened(sender="maria@x.example", cc=(Party("", "bob@x.example"),))
    desk.opened(sender="private@x.example")
    desk.do(JoinCustomers(1, 2))
    done = desk.reply(mail, via=desk.identity("private@x.example"))
    message = desk.reads.message(done.message_id or 0)
    assert message is not None
    assert [a for _n, a in message.to] == ["private@x.example"]
    assert message.cc == ()
    assert message.in_reply_to == desk.ticket(mail).messages[0].message_id


def test_another_way_is_only_one_of_the_same_person(desk: TwoChannels) -> None:
    mail, chat = one_person(desk)
    stranger = desk.opened(sender="eve@x.example")
    with pytest.raises(UsageError, match=f"is not one of the customer of #{mail}"):
        desk.reply(mail, via=desk.identity("eve@x.example"))
    with pytest.raises(UsageError, match=f"is not one of the customer of #{stranger}"):
        desk.reply(stranger, via=desk.identity("4711"))
    for more in ({"to": ("a@b.example",)}, {"cc": ("a@b.example",)}, {"reply_all": True}):
        with pytest.raises(UsageError, match="goes to that one alone"):
            desk.do(Reply(mail, "text", via=desk.identity("4711"), **more))
    with pytest.raises(UsageError, match="'support' is no account for pigeon"):
        desk.reply(mail, via=desk.identity("4711"), account="support")
    done = desk.reply(chat, via=desk.identity("4711"), account="other-bot")
    assert desk.reads.outbox_of(chat)[-1].account == "other-bot"
    assert done.ticket == chat
    desk.do(NewTicket("+49 30 1", "", "a call", "hello"))
    desk.do(JoinCustomers(desk.customer_of(mail), 4))
    with pytest.raises(Refusal, match=r"no account that reaches .* over phone"):
        desk.reply(mail, via=desk.identity("+49 30 1"))


# -- who is meant


def test_who_is_meant(desk: TwoChannels) -> None:
    mail, _chat = one_person(desk)
    desk.opened(sender="m.lopez@y.example")
    fetch = desk.reads.fetch
    who = desk.customer_of(mail)
    for words in (str(who), f"#{who}", "MARIA@x.example", "pigeon:4711", "4711", "@maria"):
        assert people.find_customer(fetch, words) == who, words
    assert people.find_customer(fetch, "lopez") == 3
    assert people.find_joined(fetch, "4711") == 2
    assert people.find_joined(fetch, "maria@x.example") == 1
    with pytest.raises(UsageError, match=r"fits several customers: give the number of one: 3 .*1 "):
        people.find_customer(fetch, "m")
    with pytest.raises(NotFound, match=r"did you mean 1 maria@x.example\?"):
        people.find_customer(fetch, "marai@x.exampel")
    with pytest.raises(NotFound, match="deskhand customer list shows who is there"):
        people.find_customer(fetch, "zzzzzzzz")
    with pytest.raises(NotFound):
        people.find_customer(fetch, "%")
    with pytest.raises(NotFound):
        people.find_customer(fetch, "")


# -- the table of companies


def table(desk: TwoChannels, text: str) -> None:
    path = desk.home / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def belongs(desk: TwoChannels, ticket: int) -> tuple[str, str]:
    customer = desk.ticket(ticket).customer
    return customer.company, customer.tier


def test_a_new_customer_gets_what_the_table_says(desk: TwoChannels) -> None:
    old = desk.opened(sender="old@acme.example")
    table(
        desk, '# ours\ndomain,company,tier\nacme.example,"Acme, Inc.",VIP\nbücher.example,Bücher,\n'
    )
    assert belongs(desk, desk.opened(sender="old@acme.example")) == ("", "standard")
    new = desk.opened(sender="New@ACME.example")
    assert belongs(desk, new) == ("Acme, Inc.", "vip")
    told = [
        (e.cause, e.data["field"], e.actor)
        for e in desk.ticket(new).events
        if e.name == "ticket.field"
    ]
    assert told == [("companies.csv:3", "company", "engine"), ("companies.csv:3", "tier", "engine")]
    assert "ticket.field" not in desk.names(old)
    assert belongs(desk, desk.opened(sender="a@xn--bcher-kva.example")) == ("Bücher", "standard")
    assert belongs(desk, desk.opened(sender="a@sub.acme.example")) == ("", "standard")
    called = desk.do(NewTicket("boss@acme.example", "", "call", "hi"))[0].ticket
    assert called is not None
    assert belongs(desk, called) == ("Acme, Inc.", "vip")
    assert [e.cause for e in desk.ticket(called).events if e.name == "ticket.field"] == [
        "companies.csv:3"
    ] * 2
    desk.do(SetField(new, "tier", "standard"))
    assert belongs(desk, desk.opened(sender="new@acme.example")) == ("Acme, Inc.", "standard")


def test_a_bad_table_keeps_the_last_good_one_and_is_told(desk: TwoChannels) -> None:
    table(desk, "domain,company,tier\nacme.example,Acme,vip\n")
    assert belongs(desk, desk.opened(sender="a@acme.example")) == ("Acme", "vip")
    table(desk, "domain,company,tier\nacme.example,Acme,vip,more\n")
    assert belongs(desk, desk.opened(sender="b@acme.example")) == ("Acme", "vip")
    problem = desk.desk.rule_book.companies.problem
    assert problem is not None
    assert problem.startswith(f"{desk.home / FILE}:2: found 4 cells where the head has 3")
    table(desk, "domain,company,tier\n")
    assert desk.desk.rule_book.companies.problem is None
    assert belongs(desk, desk.opened(sender="c@acme.example")) == ("", "standard")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("domain,tear\na.example,vip\n", ":1: there is no column 'tear': did you mean tier?"),
        ("company,tier\nAcme,vip\n", ":1: the first line must name the columns"),
        ("domain,company,tier\n\nnot a domain,A,b\n", ":3: 'not a domain' is no domain"),
        ("domain,company,tier\na@b.example,A,b\n", ":2: 'a@b.example' is no domain"),
        ("domain,tier\na.example,x\nA.EXAMPLE.,y\n", ":3: 'a.example' stands in line 2 already"),
        ('domain,tier\na.example,"x\n', ":2: unexpected end of data"),
        ("domain,tier\n\x1b[2Ja.example,x\n", ":2: '␛[2Ja.example' is no domain"),
    ],
)
def test_a_fault_of_the_table_names_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "workflow").mkdir()
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as fault:
        load_companies(tmp_path)
    assert f"{FILE}{said}" in str(fault.value)


def test_a_table_that_is_no_text_says_where(tmp_path: Path) -> None:
    (tmp_path / "workflow").mkdir()
    (tmp_path / FILE).write_bytes(b"domain,tier\na.example,\xff\n")
    with pytest.raises(SettingsError, match=r"companies.csv:2: this is not UTF-8"):
        load_companies(tmp_path)
