"""reply and forward: to whom, from where, with what; what looks wrong is said before it leaves."""

from __future__ import annotations

from pathlib import Path

from tests.console.command_line import MESSAGE, CommandLine, check

SENT = {"message": MESSAGE, "outbox": int, "state": str, "warnings": [{"code": str, "text": str}]}


def test_reply_to_a_message_from_an_alias(deskhand: CommandLine) -> None:
    number = str(deskhand.opened(to="help@desk.example", cc="bob@x.example"))
    first = deskhand.json("show", number)["messages"][0]["id"]
    deskhand.opened("second", in_reply_to="<first@customer.example>", From="eve@x.example")
    found = deskhand.json("reply", number, "--text", "Hi", "--answer", str(first), "--all")
    check(found, SENT)
    message = found["message"]
    assert (message["to"], message["cc"]) == (["maria@customer.example"], ["bob@x.example"])
    assert message["from"]["address"] == "help@desk.example"
    found = deskhand.json(
        "reply", number, "--text", "Hi", "--from", "support@desk.example", "--subject", "Anders ü",
        "--to", "Bob Miller <bob@x.example>", "--bcc", "chief@x.example",
    )["message"]  # fmt: skip
    assert (found["from"]["address"], found["subject"]) == ("support@desk.example", "Anders ü")
    assert (found["to"], found["bcc"]) == (["bob@x.example"], ["chief@x.example"])
    assert "no address of ours" in deskhand.refused(
        2, "reply", number, "--text", "x", "--from", "me@x.example"
    )
    assert "is not on ticket" in deskhand.refused(
        2, "reply", number, "--text", "x", "--answer", "99"
    )


def test_what_looks_wrong_is_said_and_with_strict_stops(deskhand: CommandLine) -> None:
    number = str(deskhand.opened(subject=""))
    text = "Hello Bob,\nplease see the attachment."
    said = deskhand.refused(1, "reply", number, "--text", text, "--strict")
    for words in (
        "speaks of an attachment",
        "says 'Bob', and it goes to Maria",
        "subject is empty",
    ):
        assert words in said
    assert "nothing was queued" in said
    assert deskhand.json("outbox")["items"] == []
    done = deskhand("reply", number, "--text", text)
    assert done.status == 0
    assert done.err.count("deskhand: look again: ") == 3
    found = deskhand.json("reply", number, "--text", text, "--subject", "Your pump")
    assert [each["code"] for each in found["warnings"]] == ["attachment", "greeting"]
    assert deskhand.json("reply", number, "--text", "Hello Maria,", "--strict", "--subject", "x")


def test_reply_stops_at_what_is_new(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    seen = str(deskhand.json("show", number)["messages"][-1]["id"])
    deskhand.agent = "ben"
    deskhand.json("reply", number, "--note", "--text", "Wait for the lab")
    deskhand.agent = "ana"
    said = deskhand.refused(1, "reply", number, "--text", "Hi", "--expect-last", seen)
    assert "ben wrote a note since you began" in said
    assert "Wait for the lab" in said


def test_send_later_unless_the_customer_writes(deskhand: CommandLine) -> None:
    number = str(deskhand.opened())
    words = ("reply", number, "--text", "Still there?", "--unless-reply")
    assert "give a time to send at" in deskhand.refused(2, *words)
    item = deskhand.json(*words, "--send-at", "2h")["outbox"]
    (row,) = deskhand.json("outbox")["items"]
    assert (row["id"], row["state"], row["unless_reply"]) == (item, "scheduled", True)
    assert "unless the customer writes first" in deskhand(*words, "--send-at", "3h").out
    deskhand.opened("second", in_reply_to="<first@customer.example>")
    assert deskhand.json("outbox")["items"] == []
    newest = deskhand.json("show", number)["messages"][-1]
    assert "the customer wrote first" in newest["text"]


def test_forward_with_the_files_of_the_messages(deskhand: CommandLine, tmp_path: Path) -> None:
    mail = deskhand.mail("photo")
    mail.write_bytes(
        mail.read_bytes().replace(b"Content-Type: text/plain; charset=utf-8\n", b"")
        .replace(b"\n\nthe body", b"\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nthe body")
        + b'--b\nContent-Type: image/png\nContent-Disposition: attachment; filename="pump.png"\n\nPNG\n--b--\n'
    )  # fmt: skip
    number = str(deskhand.json("intake", str(mail))["ticket"])
    sheet = tmp_path / "Blatt ä.txt"
    sheet.write_text("x")
    to = ("forward", number, "--to", "parts@supplier.example")
    found = deskhand.json(*to, "--text", "Can you help?", "--attach", str(sheet))
    check(found, SENT)
    message = found["message"]
    assert [file["name"] for file in message["attachments"]] == ["pump.png", "Blatt ä.txt"]
    assert (message["subject"], message["aside"]) == ("Fwd: subject of photo", True)
    assert message["to"] == ["parts@supplier.example"]
    assert "the body of photo" in message["full_text"]
    only = str(message["forwards"][0])
    bare = deskhand.json(*to, "--message", only, "--no-files", "--cc", "c@supplier.example")[
        "message"
    ]
    assert (bare["attachments"], bare["text"], bare["cc"]) == ([], "", ["c@supplier.example"])
    assert "give the address it is for" in deskhand.refused(2, "forward", number)
    assert "is not an address" in deskhand.refused(2, "forward", number, "--to", "supplier")
    states = {clock["state"] for clock in deskhand.json("show", number)["clocks"]}
    assert states == {"running"}
