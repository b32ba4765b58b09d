"""Merging, splitting and linking from the command line, and what show and explain say of it."""

from __future__ import annotations

from tests.console.command_line import LISTED, MESSAGE, TICKET, CommandLine, check

CAME_TO = {"ticket": int, "changed": [str], "tickets": [LISTED]}
LINK = {"ticket": int, "kind": str, "subject": str, "status": str}
WHOLE = {
    **TICKET,
    "links": [LINK],
    "merged": [int],
    "suggestion": (type(None), {"ticket": int, "why": str}),
    "messages": [{**MESSAGE, "stranger": bool, "from_ticket": (int, type(None))}],
}


def test_merge_and_unmerge(deskhand: CommandLine) -> None:
    keep, one, two = (str(deskhand.opened(name)) for name in ("keep", "one", "two"))
    found = deskhand.json("merge", one, f"#{two}", keep)
    check(found, CAME_TO)
    assert found["ticket"] == int(keep)
    assert found["changed"] == [f"merged #{one} into #{keep}", f"merged #{two} into #{keep}"]
    shown = deskhand.json("show", keep)
    check(shown, WHOLE)
    assert shown["merged"] == [int(one), int(two)]
    assert [m["from_ticket"] for m in shown["messages"]] == [None, int(one), int(two)]
    other = deskhand.json("show", one)
    assert (other["merged_into"], other["messages"]) == (int(keep), [])
    assert deskhand.json("list")["total"] == 1
    assert f"merged into #{keep}: deskhand show {keep}" in deskhand("show", one).out
    assert f"merged in #{one}: subject of one" in deskhand("show", keep).out
    facts = deskhand.json("explain", one)["facts"]
    assert ("link", int(keep)) in [(fact["field"], fact["value"]) for fact in facts]
    out = deskhand.json("unmerge", one)
    assert (out["ticket"], [t["id"] for t in out["tickets"]]) == (int(one), [int(one), int(keep)])
    assert deskhand.json("list")["total"] == 2
    assert deskhand.json("undo", "2")["undone"]
    assert deskhand.json("list")["total"] == 3
    assert all("facts" not in event["data"] for event in deskhand.json("show", keep)["events"])


def test_bulk_merge_is_all_or_none(deskhand: CommandLine) -> None:
    keep, one = (str(deskhand.opened(name)) for name in ("keep", "one"))
    assert "no ticket #99" in deskhand.refused(1, "merge", one, "99", keep)
    assert deskhand.json("list")["total"] == 2
    assert "into which one" in deskhand.refused(2, "merge", one)


def test_split_and_its_undo(deskhand: CommandLine) -> None:
    ticket = str(deskhand.opened("first"))
    second = deskhand.mail("second", in_reply_to="<first@customer.example>")
    joined = deskhand.json("intake", str(second))
    number = str(joined["message"]["id"])
    found = deskhand.json("split", ticket, number)
    check(found, CAME_TO)
    assert found["changed"] == [f"split 1 message off #{ticket} as #{found['ticket']}"]
    fresh = deskhand.json("show", str(found["ticket"]))
    assert fresh["links"] == [
        {"ticket": 1, "kind": "split from", "subject": "subject of first", "status": "new"}
    ]
    assert fresh["messages"][0]["matched_by"] == "in-reply-to"
    assert f"split into #{found['ticket']}" in deskhand("show", ticket).out
    assert "message 999 is not on" in deskhand.refused(2, "split", ticket, "999")
    deskhand.json("undo")
    assert len(deskhand.json("show", ticket)["messages"]) == 2


def test_a_suggestion_is_shown_explained_and_dismissed(deskhand: CommandLine) -> None:
    first = deskhand.opened("first", subject="The lift is stuck")
    second = str(deskhand.opened("second", subject="Re: the lift is stuck"))
    shown = deskhand.json("show", second)
    assert (shown["suggestion"]["ticket"], shown["suggestion"]["status"]) == (first, "new")
    assert (
        f"deskhand merge {second} {first}, or deskhand dismiss {second}"
        in deskhand("show", second).out
    )
    (fact,) = [f for f in deskhand.json("explain", second)["facts"] if f["field"] == "suggestion"]
    assert (fact["value"], fact["cause"]) == (first, "same customer and subject within 7 days")
    check(deskhand.json("dismiss", second), CAME_TO)
    assert deskhand.json("show", second)["suggestion"] is None


def test_a_stranger_is_marked_and_the_reference_lets_in(deskhand: CommandLine) -> None:
    ticket = deskhand.opened("first")
    reference = deskhand.json("show", str(ticket))["reference"]
    mail = deskhand.mail(
        "second", subject=f"about {reference}", **{"from": "Eve <eve@elsewhere.example>"}
    )
    found = deskhand.json("intake", str(mail))
    assert (found["ticket"], found["matched_by"]) == (ticket, "token-in-subject")
    assert found["message"]["stranger"] is True
    assert "Eve · not a participant until now" in deskhand("show", str(ticket)).out
    quoted = deskhand.mail("third", body=f"what is this?\n\n> Reference: {reference.lower()}")
    found = deskhand.json("intake", str(quoted))
    assert (found["ticket"], found["matched_by"]) == (ticket, "token-in-text")
    assert found["message"]["stranger"] is False


def test_a_token_only_in_the_html(deskhand: CommandLine) -> None:
    ticket = deskhand.opened("first")
    reference = deskhand.json("show", str(ticket))["reference"]
    path = deskhand.home.parent / "html.eml"
    path.write_text(
        "From: maria@customer.example\nTo: support@desk.example\nSubject: hello\nMessage-ID: <h@c>\n"
        'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="b"\n\n--b\n'
        "Content-Type: text/plain\n\nhello\n--b\nContent-Type: text/html\n"
        "Content-Transfer-Encoding: quoted-printable\n\n"
        f'<p>hello</p><blockquote title=3D"{reference[:14]}=\n{reference[14:]}"></blockquote>\n--b--\n'
    )
    assert deskhand.json("intake", str(path))["matched_by"] == "token-in-text"


def test_links(deskhand: CommandLine) -> None:
    one, two = (str(deskhand.opened(name)) for name in ("one", "two"))
    check(deskhand.json("link", one, two), CAME_TO)
    assert deskhand.json("show", two)["links"][0]["kind"] == "related"
    assert "linked already" in deskhand.refused(1, "link", two, one)
    deskhand.json("unlink", one, two)
    assert deskhand.json("show", two)["links"] == []
    assert "cannot be linked with itself" in deskhand.refused(1, "link", one, one)


def test_the_days_of_the_settings_are_checked(deskhand: CommandLine) -> None:
    path = deskhand.home / "deskhand.toml"
    text = path.read_text()
    path.write_text(f"reopen_days = -1\n{text}")
    assert "deskhand.toml:1: -1 is not a number of days" in deskhand.refused(1, "list")
    path.write_text(text.replace('kind = "email"', 'kind = "email"\nsubject_reference = "yes"'))
    assert "subject_reference is true or false" in deskhand.refused(1, "list")
