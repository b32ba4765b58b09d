"""What a table can never do and what it leaves undone; the search agrees with asking every ticket."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.routing.tables import CONTRACT, SETTINGS, table
from workflow.query.predicate import TicketFacts
from workflow.routing.matching import Matcher
from workflow.routing.reach import gap, unreachable
from workflow.routing.table import Table, read_table


def covered(text: str) -> dict[str, list[str]]:
    return {
        found.route.name: [route.name for route in found.covered_by]
        for found in unreachable(table(text))
    }


def test_the_contract_s_own_table_is_whole() -> None:
    assert covered(CONTRACT) == {}
    assert gap(table(CONTRACT)) is None


HEAD = "rule,topic,tier,priority,text,when,->,group\n"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("a,billing,,,,,,finance\nb,billing,vip,,,,,senior\n", {"b": ["a"]}),
        ("a,billing,vip,,,,,finance\nb,billing,,,,,,senior\n", {}),
        ('a,"billing,sales",,,,,,finance\nb,sales,,,,,,senior\n', {"b": ["a"]}),
        ('a,billing,,,,,,finance\nb,"billing,sales",,,,,,senior\n', {}),
        ("a,,,>=high,,,,finance\nb,,,urgent,,,,senior\n", {"b": ["a"]}),
        ("a,,,>=high,,,,finance\nb,,,<high,,,,finance\nc,,vip,,,,,senior\n", {"c": ["a", "b"]}),
        ("a,,vip,,,,,finance\nb,,!vip,,,,,finance\nc,sales,,,,,,senior\n", {"c": ["a", "b"]}),
        ("a,,vip,,,,,finance\nb,,!=vip,,,,,finance\nc,sales,,,,,,senior\n", {"c": ["a", "b"]}),
        ("a,,,,charged,,,finance\nb,,,,charged twice,,,senior\n", {"b": ["a"]}),
        ("a,,,,charged twice,,,finance\nb,,,,charged,,,senior\n", {}),
        ('a,,,,"refund,charged",,,finance\nb,,,,refund,,,senior\n', {"b": ["a"]}),
        ("a,,,,,topic:billing OR tier:vip,,finance\nb,billing,,,,,,senior\n", {"b": ["a"]}),
        ("a,,,,,contacts>=2,,finance\nb,,,,,contacts>=3,,senior\n", {"b": ["a"]}),
        ("a,,,,,contacts>=2,,support\nb,,,,,contacts<3,,senior\nc,,,,,,,finance\n", {"c": ["a", "b"]}),
        ("a,,,,,sentiment<0.1,,support\nb,,,,,sentiment>=0,,senior\nc,,,,,,,finance\n", {}),
        ("a,,,,,company:globex,,finance\nb,,,,,company=globex,,senior\n", {"b": ["a"]}),
        ('a,,,,,"from:@x.example",,finance\nb,,,,,from:a@x.example,,senior\n', {"b": ["a"]}),
        ('a,,,,,"tag:a,b",,finance\nb,,,,,tag:a,,senior\n', {"b": ["a"]}),
        ("a,,,,,-tag:none,,finance\nb,,,,,tag:a,,senior\n", {"b": ["a"]}),
        ("a,none,,,,,,finance\nb,!none,,,,,,finance\nc,,,,,,,senior\n", {"c": ["a", "b"]}),
        ("a,billing,,,,topic:sales,,finance\n", {"a": []}),
        ("a,,,>=high,,priority:low,,finance\n", {"a": []}),
        ("a,,,,,is:wants-person,,finance\nb,,,,,-is:wants-person,,finance\nc,,,,,,,senior\n",
         {"c": ["a", "b"]}),
    ],
)  # fmt: skip
def test_rows_that_are_never_reached(rows: str, found: dict[str, list[str]]) -> None:
    assert covered(HEAD + rows) == found


def test_a_row_in_shadow_covers_nothing_but_can_be_covered() -> None:
    head = "rule,topic,->,group,mode\n"
    assert covered(head + "a,,,support,shadow\nb,billing,,finance,\n") == {}
    assert covered(head + "a,,,support,\nb,billing,,finance,shadow\n") == {"b": ["a"]}


@pytest.mark.parametrize(
    ("rows", "row", "example"),
    [
        ("a,billing,,,,,,finance\n", None, "-topic:billing"),
        ("a,billing,,,,,,finance\nb,,vip,,,,,senior\n", None, "-topic:billing -tier:vip"),
        ("a,,,>=high,,,,finance\n", None, "priority:unset,low,medium"),
        ('a,,,,"refund,charged twice",,,finance\n', None, '-text:"refund" -text:"charged twice"'),
        ("a,billing,,,,,,\nb,,,,,,,support\n", "a", "topic:billing"),
        ("a,billing,,,,,,finance\nb,,,,,,,\n", "b", "any that no row above takes"),
    ],
)
def test_tickets_without_an_owner(rows: str, row: str | None, example: str) -> None:
    found = gap(table(HEAD + rows))
    assert found is not None
    assert (found.route.name if found.route else None, found.example) == (row, example)


def test_an_agent_is_an_owner_and_a_table_without_rows_is_a_gap() -> None:
    assert gap(table("rule,->,assignee\na,,ana\n")) is None
    found = gap(Table())
    assert found is not None
    assert found.example == "any"


TOPIC = st.sampled_from(["", "billing", "sales", '"billing,sales"', "none", "!billing"])
TIER = st.sampled_from(["", "vip", "!vip", '"vip,standard"'])
PRIORITY = st.sampled_from(["", ">=high", "<high", "low", "!low", "none"])
WHEN = st.sampled_from(
    ["", "topic:billing OR tier:vip", "-(topic:sales priority>=high)", "tag:a", "text:refund",
     "-text:refund tag:a", "contacts>=2", "is:wants-person"]
)  # fmt: skip
FACTS = [
    TicketFacts(
        topic=topic,
        tier=tier,
        priority=priority,
        tags=tags,
        texts=(" refund ",) if refund else (),
        contacts=contacts,
        wants_person=wants,
    )
    for topic, tier, priority, tags, refund, contacts, wants in product(
        (None, "billing", "sales", "other"),
        ("vip", "standard", "other"),
        range(5),
        (frozenset[str](), frozenset({"a"})),
        (False, True),
        (1, 2),
        (False, True),
    )
]


@given(st.lists(st.tuples(TOPIC, TIER, PRIORITY, WHEN), min_size=1, max_size=5))
def test_it_says_what_asking_every_ticket_shows(rows: list[tuple[str, str, str, str]]) -> None:
    text = "rule,topic,tier,priority,when,->,group\n" + "".join(
        f"r{number},{','.join(row)},,support\n" for number, row in enumerate(rows)
    )
    found, faults = read_table("x.csv", text, SETTINGS)
    assert faults == []
    matcher = Matcher(found)
    routes = [matcher.first(facts).route for facts in FACTS]
    winners = {route.name if route else None for route in routes}
    dead = {one.route.name for one in unreachable(found)}
    # These facts take every atom both ways, so nothing is reached in theory alone.
    assert dead == {route.name for route in found.routes} - winners
    assert (gap(found) is not None) == (None in winners)
