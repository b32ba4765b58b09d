"""workflow/routing.csv: what it may say, and what is said of what it may not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.workflow.routing.tables import CONTRACT, SETTINGS, problems, table
from workflow.errors import SettingsError
from workflow.model import Priority
from workflow.query.grammar import parse
from workflow.query.predicate import TicketFacts
from workflow.query.terms import word_line
from workflow.routing.matching import Matcher
from workflow.routing.table import FILE, Given, load_routes


def first(text: str, **facts: object) -> str | None:
    route = Matcher(table(text)).first(TicketFacts(**facts)).route  # type: ignore[arg-type]
    return route.name if route else None


def test_the_contract_s_own_table() -> None:
    found = table(CONTRACT)
    billing, vip, rest = found.routes
    assert billing.given == Given(group="finance", level="L1", priority=int(Priority.HIGH))
    assert billing.evidence == (
        'routing.csv:2 billing-first: topic:billing text:refund,"charged twice"'
    )
    assert (vip.condition, vip.cause) == ("tier:vip", "routing.csv:3")
    assert rest.evidence == "routing.csv:4 everything else: everything"
    assert found.needs_text
    refund = (word_line("They charged twice!"),)
    assert first(CONTRACT, topic="billing", texts=refund) == "billing-first"
    assert first(CONTRACT, topic="billing", tier="vip") == "vip"
    assert first(CONTRACT, texts=refund) == "everything else"


def test_the_words_of_a_row_are_a_query_that_asks_the_same() -> None:
    text = (
        "rule,topic,tier,sentiment,company,text,when,->,group\n"
        'a,"billing, technical",!vip,<-0.3,=Globex Inc,"refund,""charged, twice""",,,finance\n'
        "b,none,-vip,,!=globex,,tag:a OR tag:b,,finance\n"
    )
    a, b = table(text).routes
    assert a.condition == (
        'topic:billing,technical -tier:vip sentiment<-0.3 company="Globex Inc"'
        ' text:refund,"charged, twice"'
    )
    assert b.condition == "topic:none -tier:vip company!=globex (tag:a OR tag:b)"
    parse(a.condition)
    facts = TicketFacts(
        topic="technical", sentiment=-0.5, company="globex inc", texts=(" charged twice ",)
    )
    assert Matcher(table(text)).first(facts).route == a
    for other in ({"tier": "vip"}, {"sentiment": 0.1}, {"company": "globex"}, {"topic": "sales"}):
        changed = TicketFacts(
            **{
                **{n: getattr(facts, n) for n in ("topic", "sentiment", "company", "texts")},
                **other,
            }  # type: ignore[arg-type]
        )
        assert Matcher(table(text)).first(changed).route is None
    assert Matcher(table(text)).first(TicketFacts(tags=frozenset({"b"}))).route == b


def test_everything_that_a_row_can_give() -> None:
    text = (
        "rule,->,group,level,assignee,priority,policy,tags,suggest,macro,mode\n"
        'all,->,Finance,l2,Ana,Urgent,Billing error,"#refund, Bank",refund,ack,live\n'
        "quiet,,,,,,,,,,shadow\n"
    )
    everything, quiet = table(text).routes
    assert everything.given == Given(
        "finance", "L2", "ana", int(Priority.URGENT), "Billing error", ("refund", "bank"), "refund",
        "ack",
    )  # fmt: skip
    assert (everything.live, quiet.live) == (True, False)
    assert everything.given.to_json()["priority"] == "urgent"
    assert quiet.given.to_json() == {}


def test_a_row_in_shadow_is_told_and_does_not_win() -> None:
    text = "rule,topic,->,group,mode\na,billing,,finance,shadow\nb,,,support,\nc,,,senior,shadow\n"
    matcher = Matcher(table(text))
    verdict = matcher.first(TicketFacts(topic="billing"))
    assert (verdict.route, verdict.shadow) == (matcher.table.named("b"), matcher.table.named("a"))
    assert matcher.first(TicketFacts()).shadow is None


HEAD = "rule,topic,->,group\n"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("rule,topic,group\na,b,c\n", ["1:12: the first line has no -> between"]),
        ("topic,->,group\na,,support\n", ["1:1: the first column names the row: write rule"]),
        ("rule,topik,->,group\n", ["1:6: there is no field 'topik': did you mean topic?"]),
        ("rule,owner,->,group\n", ["1:6: there is no field 'owner': did you mean assignee?"]),
        ("rule,macro,->,group\n", ["1:6: there is no field 'macro': a row gives it, so it stands"]),
        ("rule,zzz,->,group\n", ["1:6: there is no field 'zzz': the fields are when, id, status"]),
        ("rule,->,grup\n", ["1:9: 'grup' is nothing that a row can give: did you mean group?"]),
        ("rule,->,team\n", ["1:9: 'team' is nothing that a row can give: did you mean group?"]),
        ("rule,->,topic\n", ["1:9: 'topic' is nothing .*: as a condition it stands before ->"]),
        ("rule,->,group,group\n", ["1:15: the column 'group' stands there twice"]),
        ("rule,topic,->\n", ["1:12: no result stands behind ->: take one of group, level"]),
        ("rule,due,->,group\n", ["1:6: due changes with time, .*triggers.toml"]),
        ("rule,policy,->,group\n", ["1:6: policy is chosen after the table"]),
        (f"{HEAD}a,b,support\n", ["2:5: found 3 cells where the first line names 4 columns"]),
        (f"{HEAD}a,b,,support,\n", ["2:14: found 5 cells where the first line names 4"]),
        (f"{HEAD}a,b,c,support\n", ["2:5: found 'c' below ->: leave that cell empty"]),
        (f"{HEAD},b,,support\n", ["2:1: '' cannot name the row"]),
        (f"{HEAD}a,b,,support\nA,c,,support\n", ["3:1: 'A' names the row of line 2 already"]),
        (f"{HEAD}a,b,,suport\n", ["2:6: there is no group 'suport' in deskhand.toml: did you mean"]),
        ("rule,->,assignee\na,,anna\n", ["2:4: there is no agent 'anna' .* did you mean ana"]),
        ("rule,->,level\na,,L9\n", ["2:4: there is no level 'L9' .* there are L1, L2"]),
        ("rule,->,priority\na,,hihg\n", ["2:4: priority 'hihg' is not one of unset, low"]),
        ("rule,->,mode\na,,off\n", ["2:4: 'off' is not one of live, shadow"]),
        ("rule,->,tags\na,,a:b\n", ["2:4: 'a:b' cannot be a tag"]),
        ("rule,priority,->,group\na,>=hihg,,support\n", ["2:5: priority: 'hihg' is not a value"]),
        ('rule,priority,->,group\na,"low, hihg",,support\n', ["2:9: priority: 'hihg' is not"]),
        ("rule,topic,->,group\na,>x,,support\n", ["2:4: topic: topic cannot be compared by >"]),
        ("rule,when,->,group\na,topic:x (,,support\n", ["2:12: when: something is missing"]),
        ("rule,when,->,group\na,tier:vip age>2d,,support\n", ["2:12: age changes with time"]),
        ("rule,is,->,group\na,breached,,support\n", ["2:3: is:breached is never so when a message"]),
        ("rule,id,->,group\na,7,,support\n", ["2:3: a table is for tickets to come"]),
        ("rule,assignee,->,group\na,me,,support\n", ["2:3: assignee:me is whoever asks"]),
        ("rule,group,->,level\na,suport,,L1\n", ["2:3: there is no group 'suport' .* did you mean"]),
        ("rule,account,->,group\na,sales,,support\n", ["2:3: there is no \\[\\[channel\\]\\] 'sales'"]),
        (f'{HEAD}a,"b,,support\n', ["2:3: the cell begins with a \" that has no end"]),
        (
            f"{HEAD}a,b,,suport\nb,c,support\n",
            ["2:6: there is no group", "3:5: found 3 cells"],
        ),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_place(text: str, places: list[str]) -> None:
    found = problems(text)
    assert len(found) == len(places), found
    for problem, place in zip(found, places, strict=True):
        assert re.match(f"routing.csv:{place}", str(problem)), problem


def test_policies_are_checked_where_they_are_known() -> None:
    text = "rule,->,policy,group\na,,billing eror,support\n"
    assert problems(text) == []
    (fault,) = problems(text, ["Billing error", "General"])
    assert str(fault) == (
        "routing.csv:2:4: there is no policy 'billing eror' in workflow/sla.toml:"
        " did you mean Billing error? there are Billing error, General"
    )
    assert problems(text.replace("eror", "error"), ["Billing error"]) == []


def test_a_file_is_loaded_with_its_mark_and_refused_with_its_first_fault(tmp_path: Path) -> None:
    assert load_routes(tmp_path, SETTINGS).routes == ()
    path = tmp_path / FILE
    path.parent.mkdir()
    path.write_bytes(b"\xef\xbb\xbf" + CONTRACT.replace("\n", "\r\n").encode())
    assert [route.name for route in load_routes(tmp_path, SETTINGS).routes] == [
        "billing-first",
        "vip",
        "everything else",
    ]
    path.write_text("rule,->,group\na,,x\nb,,y\n")
    with pytest.raises(SettingsError, match=r"routing\.csv:2:4: .*\(and 1 more: deskhand workflow"):
        load_routes(tmp_path, SETTINGS)
    path.write_bytes(b"rule,->,group\na,,\xff\n")
    with pytest.raises(SettingsError, match=r"routing\.csv:2:4: this is not UTF-8"):
        load_routes(tmp_path, SETTINGS)
