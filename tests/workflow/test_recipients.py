"""To whom an answer goes and from which address of ours: the faults that other desks are known for."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.bench import ANA, Bench
from workflow.actions import Note
from workflow.addresses import split_typed, typed_party, typed_text
from workflow.drafts import DraftOptions
from workflow.errors import Refusal, UsageError
from workflow.inbound import Party
from workflow.plaintext import one_line
from workflow.proposal import propose
from workflow.recipients import difference

MARIA, BOB, EVE = "maria@customer.example", "bob@x.example", "eve@x.example"
LIST = "users@lists.example"


def parties(*addresses: str) -> tuple[Party, ...]:
    return tuple(Party("", address) for address in addresses)


def sent(bench: Bench, ticket: int, **changes: object) -> tuple[str, list[str], list[str]]:
    """From, To and Cc of an answer."""
    message = bench.reads.message(bench.reply(ticket, **changes).message_id or 0)
    assert message is not None
    return message.from_address, [a for _n, a in message.to], [a for _n, a in message.cc]


def test_only_the_message_that_is_answered_says_who_gets_it(bench: Bench) -> None:
    ticket = bench.opened(cc=parties(BOB))
    first = bench.ticket(ticket).messages[0].id
    bench.follow_up(ticket, sender=EVE, cc=parties("carl@x.example"))
    assert sent(bench, ticket, reply_all=True)[1:] == ([EVE], ["carl@x.example"])
    assert sent(bench, ticket, answers=first, reply_all=True)[1:] == ([MARIA], [BOB])


def test_a_message_of_another_ticket_gives_no_recipients(bench: Bench) -> None:
    ticket, other = bench.opened(), bench.opened(sender=EVE, cc=parties(BOB))
    foreign = bench.ticket(other).messages[0].id
    with pytest.raises(UsageError, match="is not on ticket"):
        bench.reply(ticket, answers=foreign)


@pytest.mark.parametrize("where", [{"cc": parties("support@desk.example")}, {}])
def test_we_were_only_in_copy(bench: Bench, where: dict[str, object]) -> None:
    ticket = bench.opened(to=parties(BOB), **where)
    assert sent(bench, ticket) == ("support@desk.example", [MARIA], [])
    assert sent(bench, ticket, reply_all=True)[1:] == ([MARIA], [BOB])


def test_a_list_that_takes_the_answers_to_itself(bench: Bench) -> None:
    ticket = bench.opened(
        to=parties(LIST), cc=parties("help@desk.example"), reply_to=parties(LIST.upper())
    )
    assert sent(bench, ticket)[1:] == ([MARIA], [])
    assert sent(bench, ticket, reply_all=True)[1:] == ([MARIA], [LIST])
    # What the writer asked for themselves is heeded.
    ticket = bench.opened(to=parties(LIST), reply_to=parties("home@customer.example"))
    assert sent(bench, ticket)[1:] == (["home@customer.example"], [])


def test_our_addresses_in_any_writing_are_ours(bench: Bench) -> None:
    ours = ("SUPPORT@desk.example", "Help+Orders@Desk.Example", "ana+x@desk.example")
    ticket = bench.opened(to=parties(*ours), cc=parties(BOB, BOB.upper(), MARIA.title()))
    assert sent(bench, ticket, reply_all=True)[1:] == ([MARIA], [BOB])


def test_an_answer_to_a_message_of_ours_goes_where_it_went(bench: Bench) -> None:
    ticket = bench.opened(cc=parties(BOB))
    first = bench.reply(ticket, reply_all=True, to=(EVE,), cc=(BOB,)).message_id
    bench.follow_up(ticket)
    assert sent(bench, ticket, answers=first)[1:] == ([EVE], [])
    assert sent(bench, ticket, answers=first, reply_all=True)[1:] == ([EVE], [BOB])


def test_a_note_is_not_answered(bench: Bench) -> None:
    ticket = bench.opened()
    note = bench.do(Note(ticket, "for us"))[0].message_id
    with pytest.raises(UsageError, match="is a note, which only the team knows"):
        bench.reply(ticket, answers=note)


def test_it_comes_from_the_alias_that_was_written_to(bench: Bench) -> None:
    assert sent(bench, bench.opened())[0] == "support@desk.example"
    ticket = bench.opened(to=parties(BOB, "HELP+dh1.abc@desk.example"))
    assert sent(bench, ticket)[0] == "help@desk.example"
    ticket = bench.opened(to=parties(BOB), cc=parties("Help@desk.example"))
    assert sent(bench, ticket)[0] == "help@desk.example"
    ours = bench.ticket(ticket).messages[-1].id
    assert sent(bench, ticket, answers=ours)[0] == "help@desk.example"
    assert sent(bench, ticket, sender="SUPPORT@desk.example")[0] == "support@desk.example"
    with pytest.raises(UsageError, match="no address of ours to send from: take one of support@"):
        bench.reply(ticket, sender="ana@desk.example")


def test_nobody_gets_it_twice(bench: Bench) -> None:
    ticket = bench.opened()
    outcome = bench.reply(
        ticket, to=(BOB, BOB.upper()), cc=(f"Bob <{BOB}>", EVE), bcc=(EVE, MARIA, MARIA)
    )
    message = bench.reads.message(outcome.message_id or 0)
    assert message is not None
    assert [message.to, message.cc, message.bcc] == [(("", BOB),), (("", EVE),), (("", MARIA),)]
    assert bench.reads.outbox_of(ticket)[-1].recipients == (BOB, EVE, MARIA)


def test_what_is_taken_back_comes_back_as_it_was(bench: Bench) -> None:
    """Not hidden, and To not in Cc as well, when it is opened again."""
    ticket = bench.opened(cc=parties(BOB))
    first = bench.ticket(ticket).messages[0].id
    bench.reply(ticket, "Dear Maria", reply_all=True, bcc=(EVE,), answers=first)
    before = bench.ticket(ticket).messages[-1]
    bench.desk.undo(ANA)
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    assert (draft.text, draft.answers) == ("Dear Maria", first)
    found = propose(bench.ticket(ticket), bench.settings, "ana", "reply", draft.options, first)
    assert [(p.name, p.address) for p in found.to] == list(before.to)
    assert [p.address for p in found.cc] == [BOB]
    assert [p.address for p in found.bcc] == [EVE]


def test_what_is_shown_is_what_is_done(bench: Bench) -> None:
    """The recipients above the text are those of the mail, in every case."""
    people = [
        (),
        parties(BOB),
        parties("support@desk.example", EVE),
        parties(LIST, "help@desk.example"),
    ]
    replies = [(), parties("home@customer.example"), parties(LIST), parties("help@desk.example")]
    options = [
        DraftOptions(),
        DraftOptions(reply_all=True),
        DraftOptions(to=(EVE,), bcc=(BOB,)),
        DraftOptions(cc=(EVE, MARIA)),
        DraftOptions(reply_all=True, sender="help@desk.example", subject="Other"),
    ]
    for to, cc, reply_to in itertools.product(people, people[:3], replies):
        ticket = bench.opened(to=to, cc=cc, reply_to=reply_to)
        detail = bench.ticket(ticket)
        for chosen in options:
            shown = propose(detail, bench.settings, "ana", "reply", chosen)
            done = bench.reads.message(
                bench.reply(
                    ticket,
                    reply_all=chosen.reply_all,
                    to=chosen.to,
                    cc=chosen.cc,
                    bcc=chosen.bcc,
                    sender=chosen.sender,
                    subject=chosen.subject,
                ).message_id
                or 0
            )
            assert done is not None
            for parts, pairs in ((shown.to, done.to), (shown.cc, done.cc), (shown.bcc, done.bcc)):
                assert [(p.name, p.address) for p in parts] == list(pairs)
            assert (shown.sender, shown.subject) == (done.from_address, done.subject)
            assert shown.problem is None


def test_the_difference_to_the_last_answer(bench: Bench) -> None:
    ticket = bench.opened()
    assert (
        propose(bench.ticket(ticket), bench.settings, "ana", "reply", DraftOptions()).differences
        == ()
    )
    bench.reply(ticket)
    bench.follow_up(ticket, cc=parties("bob@agency"))

    def told(**chosen: object) -> list[str]:
        options = DraftOptions(**chosen)  # type: ignore[arg-type]
        found = propose(bench.ticket(ticket), bench.settings, "ana", "reply", options)
        return [str(each) for each in found.differences]

    assert told() == []
    assert told(reply_all=True) == ["Cc +1 new: bob@agency"]
    assert told(to=(EVE,), bcc=(BOB,)) == [
        f"To changed: {EVE} instead of {MARIA}",
        f"Bcc +1 new: {BOB}",
    ]
    bench.reply(ticket, reply_all=True)
    assert told() == ["Cc -1: bob@agency"]
    assert told(to=(MARIA, EVE), cc=(BOB,)) == [
        f"To +1 new: {EVE}",
        f"Cc +1 new: {BOB} -1: bob@agency",
    ]
    assert difference(([MARIA.upper()], [], []), ([MARIA], [], [])) == ()


def test_the_last_answer_is_none_that_was_taken_back(bench: Bench) -> None:
    ticket = bench.opened()
    bench.reply(ticket)
    bench.reply(ticket, to=(EVE,))
    bench.desk.undo(ANA)
    found = propose(bench.ticket(ticket), bench.settings, "ana", "reply", DraftOptions())
    assert found.differences == ()


def test_without_an_address_the_proposal_says_so(bench: Bench) -> None:
    ticket = bench.opened(sender="support@desk.example")
    found = propose(bench.ticket(ticket), bench.settings, "ana", "reply", DraftOptions())
    assert "no address to answer" in (found.problem or "")
    with pytest.raises(Refusal, match="no address to answer"):
        bench.reply(ticket)


@pytest.mark.parametrize(
    ("typed", "name", "address"),
    [
        ("bob@agency", "", "bob@agency"),
        (" Bob Miller <bob@agency.example> ", "Bob Miller", "bob@agency.example"),
        ('"Miller, Bob" <b+x@a.example>', "Miller, Bob", "b+x@a.example"),
        ("käthe@münchen.example", "", "käthe@münchen.example"),
        ("a@[192.0.2.1]", "", "a@[192.0.2.1]"),
    ],
)
def test_addresses_that_a_person_types(typed: str, name: str, address: str) -> None:
    assert typed_party(typed) == Party(name, address)


@pytest.mark.parametrize(
    "typed",
    ["", "bob", "@x", "bob@", "b ob@x.example", "bob@x..example", "bob@-x.example", "b@x@y.example",
     "bob@x.example\x00", "a" * 65 + "@x.example", "bob@" + "a" * 64 + ".example", "b@x.example>"],
)  # fmt: skip
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(UsageError, match="is not an address: write it like"):
        typed_party(typed)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_what_is_shown_of_a_party_can_be_typed_again(names: list[str]) -> None:
    """Whatever a stranger calls themselves: nobody is added, and nobody is lost."""
    shown = [
        typed_text(Party(one_line(name), f"p{number}@x.example"))
        for number, name in enumerate(names)
    ]
    again = [typed_party(piece) for piece in split_typed(", ".join(shown))]
    assert [party.address for party in again] == [f"p{n}@x.example" for n in range(len(names))]


def test_a_line_of_several_addresses() -> None:
    line = 'Bob <b@x.example>, "Miller, Eve" <e@x.example>; <c@x.example>,, d@x.example'
    assert split_typed(line) == [
        "Bob <b@x.example>", '"Miller, Eve" <e@x.example>', "c@x.example", "d@x.example",
    ]  # fmt: skip
