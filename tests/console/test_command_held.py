"""held: what was kept out and why, on the command line."""

from __future__ import annotations

from tests.console.command_line import CommandLine

SPAM = {"x_spam_flag": "YES", "from": "Eve <eve@shop.example>"}


def spam(deskhand: CommandLine, name: str) -> int:
    document = deskhand.json("intake", str(deskhand.mail(name, **SPAM)))
    assert (document["outcome"], document["cause"]) == ("held", "spam")
    return int(document["held"])


def test_the_list_and_one_of_them(deskhand: CommandLine) -> None:
    assert "nothing is held" in deskhand("held").out
    number = spam(deskhand, "one")
    (item,) = deskhand.json("held")["items"]
    assert (item["id"], item["cause"], item["from"], item["subject"], item["state"]) == (
        number,
        "spam",
        "eve@shop.example",
        "subject of one",
        "held",
    )
    assert item["evidence"] == "the mail server calls it spam (X-Spam-Flag: YES)"
    assert item["reached_at"] == "2026-11-23T08:00:00Z"
    shown = deskhand.json("held", "show", str(number))
    assert "X-Spam-Flag: YES" in shown["head"]
    assert (shown["text"], shown["attachments"], shown["whole"]) == ("the body of one", [], True)
    words = deskhand("held", "show", str(number)).out
    for expected in (
        "cause: spam",
        "the mail server calls it spam",
        "the body of one",
        "From: Eve",
    ):
        assert expected in words
    assert "eve@shop.example" in deskhand("held", "list").out


def test_several_are_let_in_or_not_as_one_change(deskhand: CommandLine) -> None:
    one, two, three = (str(spam(deskhand, name)) for name in ("one", "two", "three"))
    document = deskhand.json("held", "release", one, two)
    assert [item["state"] for item in document["items"]] == ["released", "released"]
    assert [item["ticket"] for item in document["items"]] == [1, 2]
    assert (document["held"], document["ticket"]) == (int(one), 1)
    assert deskhand.json("held", "discard", three)["state"] == "discarded"
    assert deskhand.json("held")["items"] == []
    assert len(deskhand.json("held", "--all")["items"]) == 3
    deskhand.json("undo")
    assert [item["id"] for item in deskhand.json("held")["items"]] == [int(three)]
    assert "was already released" in deskhand.refused(1, "held", "release", three, one)
    assert [item["id"] for item in deskhand.json("held")["items"]] == [int(three)], "all or none"


def test_a_sender_is_allowed_for_ever_or_blocked(deskhand: CommandLine) -> None:
    number = str(spam(deskhand, "one"))
    document = deskhand.json("held", "allow", number)
    assert [(r["pattern"], r["rule"], r["by"]) for r in document["rules"]] == [
        ("eve@shop.example", "allow", "ana")
    ]
    assert document["items"] == [{"held": int(number), "ticket": 1, "state": "released"}]
    later = deskhand.json("intake", str(deskhand.mail("two", **SPAM)))
    assert later["outcome"] == "created"
    deskhand.json("held", "rules", "remove", "eve@shop.example")
    number = str(spam(deskhand, "three"))
    document = deskhand.json("held", "block", number, "--domain")
    assert [(r["pattern"], r["rule"]) for r in document["rules"]] == [("@shop.example", "block")]
    assert document["items"][0]["state"] == "discarded"
    blocked = deskhand.json("intake", str(deskhand.mail("four", **{"from": "x@shop.example"})))
    assert (blocked["outcome"], blocked["cause"]) == ("held", "blocked sender")
    assert deskhand.json("held")["items"] == []
    assert "block  @shop.example" in deskhand("held", "rules").out
    deskhand.json("undo")
    assert deskhand.json("held", "rules")["rules"] == []
    assert [item["id"] for item in deskhand.json("held")["items"]] == [int(number)]


def test_a_rule_for_an_address_that_has_not_written_yet(deskhand: CommandLine) -> None:
    deskhand.json("held", "block", "Bad@Example.org", "@worse.example")
    assert {r["pattern"] for r in deskhand.json("held", "rules")["rules"]} == {
        "bad@example.org",
        "@worse.example",
    }
    found = deskhand.json("intake", str(deskhand.mail("one", **{"from": "bad@example.org"})))
    assert found["cause"] == "blocked sender"


def test_what_cannot_be_done_is_said(deskhand: CommandLine) -> None:
    number = str(spam(deskhand, "one"))
    assert "there is no held item 99" in deskhand.refused(1, "held", "show", "99")
    assert "there is no held item 99" in deskhand.refused(1, "held", "allow", "99")
    assert "say which ones" in deskhand.refused(2, "held", "release")
    assert "'x' is not the number" in deskhand.refused(2, "held", "release", "x")
    assert "held show 1" in deskhand.refused(2, "held", "list", number)
    assert "is an address of this desk" in deskhand.refused(1, "held", "allow", "ana@desk.example")
    assert "neither an address" in deskhand.refused(2, "held", "block", "shop.example@")
    assert "there is no rule" in deskhand.refused(1, "held", "rules", "remove", "a@b.example")
    assert "held rules remove" in deskhand.refused(2, "held", "rules", "drop")


def test_what_the_server_found_out_is_in_the_ticket(deskhand: CommandLine) -> None:
    said = "mx.desk.example; dmarc=pass header.from=customer.example"
    ticket = deskhand.opened(authentication_results=said)
    (message,) = deskhand.json("show", str(ticket))["messages"]
    assert message["authentication"]["verdict"] == "verified"
    assert message["authentication"]["words"] == "mx.desk.example says DMARC pass"
