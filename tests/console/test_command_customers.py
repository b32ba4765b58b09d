"""The people verb: who is there, what they wrote about, who is one person."""

from __future__ import annotations

import pytest

from tests.console.command_line import LISTED, CommandLine, check

IDENTITY = {"kind": str, "value": str, "display": str, "evidence": str}
TICKET = {
    **{
        name: shape
        for name, shape in LISTED.items()
        if name not in ("clocks", "next_clock", "customer")
    },
    "outcome": str,
}
PERSON = {
    "id": int,
    "name": str,
    "company": str,
    "tier": str,
    "identities": [IDENTITY],
    "merged_into": (int, type(None)),
    "tickets": [TICKET],
}
PEOPLE = {
    "customers": [
        {"id": int, "name": str, "company": str, "tier": str, "identities": [IDENTITY],
         "tickets": int, "unresolved": int}
    ],
    "total": int,
}  # fmt: skip


@pytest.fixture
def two(deskhand: CommandLine) -> CommandLine:
    """Maria writes from work, and somebody called Marie from home."""
    deskhand.opened("work")
    deskhand.opened("home", **{"from": "Marie <marie@home.example>"})
    return deskhand


def customer_of(deskhand: CommandLine, ticket: int) -> int:
    return int(deskhand.json("show", str(ticket))["customer"]["id"])


def test_list_and_show(two: CommandLine) -> None:
    found = two.json("customer", "list")
    check(found, PEOPLE)
    assert [row["name"] for row in found["customers"]] == ["Marie", "Maria Lopez"]
    assert two.json("customer", "list", "home.example")["total"] == 1
    assert two.json("customer", "list", "lopez", "customer.ex")["customers"][0]["tickets"] == 1
    assert two.json("customer", "list", "--limit", "1")["total"] == 2
    two.json("set", "1", "status=resolved", "tier=vip")
    for words in ("maria@customer.example", "Maria Lopez", "1", "email:maria@customer.example"):
        shown = two.json("customer", "show", words)
        check(shown, PERSON)
        assert shown["tier"] == "vip"
        assert [(t["id"], t["outcome"]) for t in shown["tickets"]] == [(1, "resolved by ana")]
        assert "clocks" not in shown["tickets"][0]
    assert two.json("customer", "maria@customer.example") == shown
    said = two("customer", "maria@customer.example").out
    assert "email:maria@customer.example (Maria Lopez): wrote from it" in said
    assert "resolved by ana" in said


def test_merge_unmerge_and_undo(two: CommandLine) -> None:
    before = [two.json("customer", "show", number) for number in ("1", "2")]
    joined = two.json("customer", "merge", "maria@customer.example", "Marie")
    check(joined, PERSON)
    assert joined["id"] == 1
    assert [t["id"] for t in joined["tickets"]] == [2, 1]
    assert [i["evidence"] for i in joined["identities"]] == ["wrote from it", "joined by agent:ana"]
    assert two.json("customer", "show", "2")["merged_into"] == 1
    assert two.json("customer", "list")["total"] == 1
    assert "the same person already" in two.refused(1, "customer", "merge", "1", "2")
    assert two.json("undo")["undone"] == ["undid joined Marie (2) with Maria Lopez (1)"]
    after = [two.json("customer", "show", number) for number in ("1", "2")]
    assert [{**one, "tickets": len(one["tickets"])} for one in after] == [
        {**one, "tickets": len(one["tickets"])} for one in before
    ]
    two.json("redo")
    for words in ("marie@home.example", "Marie", "2"):
        assert two.json("customer", "unmerge", words)["identities"] == before[1]["identities"]
        two.json("undo")
    assert two.json("customer", "unmerge", "1")["identities"] == before[0]["identities"]
    assert two.json("customer", "show", "2")["merged_into"] is None


def test_who_is_not_there_is_answered_with_who_is_nearly_it(two: CommandLine) -> None:
    said = two.refused(1, "customer", "show", "maria@custmer.exmaple")
    assert "did you mean 1 maria@customer.example" in said
    assert "fits several customers" in two.refused(2, "customer", "show", "mari")
    assert "deskhand customer list" in two.refused(1, "customer", "show", "zzz")
    assert "was not joined with anybody" in two.refused(1, "customer", "unmerge", "1")
    assert "required" in two.refused(2, "customer")


def test_an_answer_by_another_address(two: CommandLine) -> None:
    assert "is none of the addresses" in two.refused(
        2, "reply", "1", "--text", "hi", "--via", "marie@home.example"
    )
    two.json("customer", "merge", "1", "2")
    sent = two.json("reply", "1", "--text", "hi", "--via", "marie@home.example")
    assert sent["message"]["to"] == ["marie@home.example"]
    said = two.refused(2, "reply", "1", "--text", "hi", "--via", "email")
    assert "fits several" in said
    assert "email:maria@customer.example, email:marie@home.example" in said


def test_hostile_names_are_text(deskhand: CommandLine) -> None:
    name = "=?utf-8?q?[/]_[red]x[/red]_=1B[2J=E2=80=AE?="
    deskhand.opened("evil", **{"from": f"{name} <evil@x.example>"})
    (row,) = deskhand.json("customer", "list")["customers"]
    assert row["name"].startswith("[/] [red]x[/red] ")
    for out in (
        deskhand("customer", "list").out,
        deskhand("customer", "show", "evil@x.example").out,
        deskhand.refused(1, "customer", "show", "\x1b[2J\u202e[/]"),
    ):
        assert "[/]" in out
        assert not {"\x1b", "\u202e"} & set(out)


def test_a_bad_table_of_companies_is_told_and_stops_nothing(two: CommandLine) -> None:
    path = two.home / "workflow" / "companies.csv"
    path.parent.mkdir()
    path.write_text("domain,company,tier\nacme.example,Acme,vip\nacme\n", encoding="utf-8")
    done = two("--json", "customer", "list")
    assert done.status == 0
    assert done.document["total"] == 2
    assert f"{path}:3: found 1 cells" in done.err
    findings = two("--json", "doctor").document["findings"]
    assert [f["ok"] for f in findings if f["about"] == "workflow"] == [False]
    path.write_text("domain,company,tier\nacme.example,Acme,vip\n", encoding="utf-8")
    new = two.opened("new", **{"from": "boss@acme.example"})
    assert two.json("show", str(new))["customer"]["company"] == "Acme"
