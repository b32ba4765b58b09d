"""Reading queries: the tree, the errors and their places."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from workflow.errors import UsageError
from workflow.model import Priority, Status
from workflow.query.fields import FIELDS
from workflow.query.grammar import QuerySyntaxError, parse, parse_cell
from workflow.query.terms import term
from workflow.query.tree import All, Any, Condition, Not, Words
from workflow.query.values import Day, Mark, Span


def root(text):
    return parse(text).root


def word(text, prefix=False):
    return Words(term(text, prefix))


def tag(*values):
    return Condition("tag", ":", values)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", All(())),
        ("  \n ", All(())),
        ("refund", word("refund")),
        ("refund late", All((word("refund"), word("late")))),
        ("refund AND late", All((word("refund"), word("late")))),
        ("a OR b c", Any((word("a"), All((word("b"), word("c")))))),
        ("(a OR b) c", All((Any((word("a"), word("b"))), word("c")))),
        ("-a", Not(word("a"))),
        ("--a", word("a")),
        ("NOT a b", All((Not(word("a")), word("b")))),
        ("-(a b)", Not(All((word("a"), word("b"))))),
        ("NOT(a)", Not(word("a"))),
        ("a(b)c", All((word("a"), word("b"), word("c")))),
        ('"a b"c', All((word("a b"), word("c")))),
        ("“a b”", word("a b")),
        (r'"say \"hi\" now"', word("say hi now")),
        ("refun*", word("refun", prefix=True)),
        ('"charged tw"*', word("charged tw", prefix=True)),
        ("or and not", All((word("or"), word("and"), word("not")))),
        ("ORDER NOTE ANDY", All((word("order"), word("note"), word("andy")))),
        ("Re: hello", All((word("re"), word("hello")))),
        ("https://shop.example/a?b=c", word("https://shop.example/a?b=c")),
        ("12:30 e-mail a,b", All((word("12:30"), word("e-mail"), word("a,b")))),
        ("tag:a,b", tag("a", "b")),
        ('TAG:"a, b",c', tag("a, b", "c")),
        ("tag!=a", Condition("tag", "!=", ("a",))),
        ("tag:none", tag(Mark.NONE)),
        ('tag:"none"', tag("none")),
        ("assignee:ME", Condition("assignee", ":", (Mark.ME,))),
        ("priority>=High", Condition("priority", ">=", (Priority.HIGH,))),
        ("status:on-hold,open", Condition("status", ":", (Status.ON_HOLD, Status.OPEN))),
        ("id:#42,7", Condition("id", ":", (42, 7))),
        ("due<-1h30m", Condition("due", "<", (Span(-5400),))),
        ("due<2026-03-01", Condition("due", "<", (Day(date(2026, 3, 1)),))),
        ("updated>=yesterday", Condition("updated", ">=", (Day(None, -1),))),
        (
            "created>=2026-03-01T09:00Z",
            Condition("created", ">=", (datetime(2026, 3, 1, 9, tzinfo=UTC),)),
        ),
        ("sentiment<-0.3", Condition("sentiment", "<", (-0.3,))),
        ('text:refund,"charged twice"', Any((word("refund"), word("charged twice")))),
    ],
)
def test_trees(text, tree):
    assert root(text) == tree


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("refund statsu:open", 7, "there is no field 'statsu': did you mean status?"),
        ("owner:ana", 0, "did you mean assignee?"),
        ("qqqq:1", 0, "the fields are id, status, priority"),
        (
            "status:opne",
            7,
            "'opne' is not a value of status: did you mean open? it takes new, open,",
        ),
        ("is:snozed", 3, "did you mean snoozed?"),
        ("is:open", 3, "is said as status:open"),
        ("has:xyz", 4, "it takes attachment, draft, note, reply"),
        ("priority:huge", 9, "it takes unset, low, medium, high, urgent"),
        ("status:none", 7, "status is never empty"),
        ("status>open", 0, "status cannot be compared by >: it takes : or = or !="),
        ("tag:", 4, "tag: has no value: it takes a tag, or none"),
        ("tag:a, b", 6, "tag: has no value"),
        ("tag:a,", 6, "tag: has no value"),
        (
            'subject:""',
            8,
            "the value of subject is empty: for those without one write subject:none",
        ),
        ("priority>=high,low", 15, "priority>= takes one value, not 2"),
        ("due:2h", 4, "compare it, like due<2h"),
        ("due<soon", 4, "'soon' does not fit due: it takes a length of time such as 30m"),
        ("due<999w9999w", 4, "longer than 100 years"),
        ("waiting>2026-03-01", 8, "does not fit waiting"),
        ("created>2026-13-01", 8, "is not a date: write it like 2026-03-01"),
        ("created>0001-01-01", 8, "between 1970 and 9000"),
        ("due>none", 4, "none cannot be compared by >: write due:none"),
        ("sentiment<bad", 10, "is not a number between -1 and 1"),
        ("id:abc", 3, "is not a ticket number: write it like id:42"),
        ("a (b", 2, "a ( has no ) after it"),
        ("a) b", 1, "a ) has no ( before it"),
        ("()", 1, "missing before the )"),
        ("a OR", 4, "something is missing at the end"),
        ("OR a", 0, "OR stands between two conditions"),
        ("a OR OR b", 5, "OR stands between two conditions"),
        ("a AND", 5, "something is missing at the end"),
        ("a -", 2, "- has nothing after it"),
        ("a - b", 2, "- has nothing after it"),
        ("NOT", 0, "NOT has nothing after it"),
        ('say "hello', 4, "a quote has no end"),
        ("a & b", 2, "'&' has no letter and no digit to search for"),
        ('tag:a"b"', 5, "put a blank between"),
        ("(" * 40 + "a" + ")" * 40, 31, "nested more than 30 deep"),
        ("a " * 400, 600, "more than 300 conditions"),
        ("a" * 10_001, 10_000, "longer than 10000 characters"),
        ("a" * 501, 0, "at most 500 characters"),
        ("tag:" + "a" * 501, 4, "at most 500 characters"),
    ],
)
def test_errors_name_place_find_and_what_fits(text, at, says):
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert caught.value.position == at
    assert f"(character {at + 1} of the query)" in str(caught.value)
    assert isinstance(caught.value, UsageError)


def test_every_field_has_an_example_that_reads_and_names_it():
    for name, field in FIELDS.items():
        assert field.name == name
        assert field.meaning.endswith(".")
        assert parse(field.example).fields == {name}


def test_the_fields_of_a_query_are_known():
    assert parse("status:open (tag:a OR -refund) tag:b").fields == {"status", "tag", "text"}
    assert parse("").empty
    assert not parse("a").empty


@pytest.mark.parametrize(
    ("field", "cell", "same"),
    [
        ("topic", "", ""),
        ("topic", " billing ", "topic:billing"),
        ("text", "refund,charged twice", 'text:refund,"charged twice"'),
        ("text", ' "charged, twice" , refund ', 'text:"charged, twice",refund'),
        ("priority", ">=high", "priority>=high"),
        ("priority", ">= high", "priority>=high"),
        ("status", "on hold,pending", 'status:"on hold",pending'),
        ("tier", "-vip", "-tier:vip"),
        ("tier", "!=vip", "tier!=vip"),
        ("group", "none", "group:none"),
        ("group", '"none"', 'group:"none"'),
        ("sentiment", "<-0.3", "sentiment<-0.3"),
        ("due", "<2h", "due<2h"),
    ],
)
def test_a_cell_of_a_table_reads_as_its_field(field, cell, same):
    assert parse_cell(field, cell).root == parse(same).root


@pytest.mark.parametrize(
    ("field", "cell", "says"),
    [
        ("topik", "x", "did you mean topic?"),
        ("status", "opne", "did you mean open?"),
        ("status", ",", "has no value"),
        ("text", '"open', "a quote in the cell has no end"),
        ("text", '"a" b', "something stands beside it"),
    ],
)
def test_a_cell_that_does_not_read_says_so(field, cell, says):
    with pytest.raises(QuerySyntaxError, match=says.replace("?", r"\?")):
        parse_cell(field, cell)
