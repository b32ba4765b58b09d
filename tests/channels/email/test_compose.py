"""Answers as mails: what a customer's program reads is what the agent wrote, to whom they meant."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.compose import EmailComposer
from channels.email.inbound import read_mail
from channels.email.letter import MOST_QUOTED_LINES, quoted
from workflow.errors import Refusal
from workflow.files import FileStore
from workflow.inbound import Party, Source
from workflow.outgoing import Answered, Composed, OutgoingFile, OutgoingMessage
from workflow.plaintext import one_line
from workflow.settings import ChannelSettings, Settings
from workflow.tokens import make_token

NOW = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)
TOKEN = make_token(b"secret", 42)
SETTINGS = Settings(
    channels=(ChannelSettings("support", "email", "support@example.com", "Müller, Support"),)
)
QUESTION = Answered(
    sender=Party("Joe", "joe@example.org"),
    reply_to=(),
    to=(Party("", "support@example.com"),),
    cc=(),
    message_id="<q@example.org>",
    references=("<p@example.org>",),
    at=NOW,
    text="Where is it?\n> an older line",
)


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def outgoing(**changes: object) -> OutgoingMessage:
    usual: dict[str, object] = {
        "ticket": 42,
        "account": "support",
        "agent": "ana",
        "subject": "Re: Hi",
        "text": "Here it is.",
        "to": (Party("Joe", "joe@example.org"),),
        "cc": (),
        "bcc": (),
        "files": (),
        "answered": QUESTION,
        "token": TOKEN,
        "at": NOW,
    }
    return OutgoingMessage(**{**usual, **changes})  # type: ignore[arg-type]


def composed(store: FileStore, **changes: object) -> tuple[Composed, bytes, EmailMessage]:
    made = EmailComposer(SETTINGS, store).compose(outgoing(**changes))
    raw = store.read(made.raw_sha256)
    return made, raw, email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def test_a_plain_answer(files: FileStore) -> None:
    made, raw, mail = composed(files, cc=(Party("", "boss@example.org"),))
    assert str(mail["From"]) == '"Müller, Support" <support@example.com>'
    assert (mail["To"], mail["Cc"]) == ("Joe <joe@example.org>", "boss@example.org")
    assert (mail["Subject"], mail["Date"]) == ("Re: Hi", "Mon, 23 Nov 2026 09:12:00 +0000")
    assert mail["In-Reply-To"] == "<q@example.org>"
    assert mail["References"] == "<p@example.org> <q@example.org>"
    assert mail["Message-ID"] == made.message_id
    assert re.fullmatch(rf"<{re.escape(TOKEN)}\.[0-9a-f]{{16}}@example\.com>", made.message_id)
    assert mail.get_content().replace("\r\n", "\n") == (
        "Here it is.\n\nOn 2026-11-23 09:12, Joe wrote:\n> Where is it?\n>> an older line\n"
    )
    assert made.recipients == ("joe@example.org", "boss@example.org")
    assert made.raw_size == len(raw)
    assert {name.lower() for name in mail} == {
        "from", "to", "cc", "subject", "date", "message-id", "x-loop", "in-reply-to", "references",
        "mime-version", "content-type", "content-transfer-encoding",
    }  # fmt: skip


def test_every_answer_has_an_id_of_its_own(files: FileStore) -> None:
    assert composed(files)[0].message_id != composed(files)[0].message_id


def test_blind_copies_are_in_no_header(files: FileStore) -> None:
    made, raw, _ = composed(files, bcc=(Party("", "hidden@example.org"),))
    assert made.recipients == ("joe@example.org", "hidden@example.org")
    assert b"hidden" not in raw


def test_a_long_id_is_never_encoded(files: FileStore) -> None:
    long = f"<{'a' * 200}@example.org>"
    answered = Answered(
        Party("", "joe@example.org"), (), (), (), long, (f"<{'b' * 150}@x>", "<c@d>"), NOW, ""
    )
    _, raw, mail = composed(files, answered=answered)
    assert mail["In-Reply-To"] == long
    assert mail["References"].split() == [f"<{'b' * 150}@x>", "<c@d>", long]
    assert b"=?" not in raw.partition(b"References:")[2].partition(b"MIME-Version")[0]


def test_an_id_that_is_no_id_is_left_out(files: FileStore) -> None:
    answered = Answered(
        Party("", "joe@example.org"), (), (), (), "<ü@x>", ("<a b>", "<ok@x>"), NOW, ""
    )
    _, _, mail = composed(files, answered=answered)
    assert mail["In-Reply-To"] is None
    assert mail["References"] == "<ok@x>"


HOSTILE = st.text(max_size=120)


@given(name=HOSTILE, subject=HOSTILE, text=HOSTILE, quote=HOSTILE, file=HOSTILE)
def test_no_text_makes_a_header_and_all_arrives(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    subject: str,
    text: str,
    quote: str,
    file: str,
) -> None:
    files = FileStore(tmp_path_factory.getbasetemp() / "hostile")
    sha256 = files.put(b"data")
    answered = Answered(Party(quote, "x@y.example"), (), (), (), None, (), NOW, quote)
    _, raw, mail = composed(
        files,
        to=(Party(name, "joe@example.org"), Party(f"{name}, Inc.", "inc@example.org")),
        subject=subject,
        text=text,
        answered=answered,
        files=(OutgoingFile(file, "text/plain", sha256, 4),),
    )
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert [name.lower() for name in mail] == [
        "from", "to", "subject", "date", "message-id", "x-loop", "mime-version", "content-type",
    ]  # fmt: skip
    assert [one.addr_spec for one in mail["To"].addresses] == ["joe@example.org", "inc@example.org"]
    item = read_mail(
        raw,
        files=files,
        channel=None,
        settings=SETTINGS,
        source=Source(None),
        now=NOW,
    )
    assert item.subject.split() == one_line(subject).split()
    assert item.to[0].address == "joe@example.org"
    assert len(item.attachments) == 1


@pytest.mark.parametrize(
    "name",
    [
        "plain.pdf",
        "Übersicht der Rechnungen, die seit dem letzten Jahr offen sind (Kopie).pdf",
        "請求書.pdf",
        'with "quotes"; and = signs.txt',
    ],
)
def test_names_of_files_arrive_as_they_are(files: FileStore, name: str) -> None:
    sha256 = files.put(b"\x00\xffdata")
    _, _, mail = composed(files, files=(OutgoingFile(name, "application/pdf", sha256, 6),))
    (part,) = mail.iter_attachments()
    assert part.get_filename() == name
    assert part.get_content() == b"\x00\xffdata"  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed", "nonsense", "a/b\r\nX: y"])
def test_a_type_that_cannot_be_sent_is_sent_as_a_file(files: FileStore, kind: str) -> None:
    sha256 = files.put(b"Subject: x\r\n\r\ny")
    _, _, mail = composed(files, files=(OutgoingFile("../a.eml", kind, sha256, 4),))
    (part,) = mail.iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == ("application/octet-stream", "a.eml")


def test_a_foreign_domain_is_written_so_that_every_server_knows_it(files: FileStore) -> None:
    made, _, mail = composed(files, to=(Party("J", "joe@bücher.example"),))
    assert made.recipients == ("joe@xn--bcher-kva.example",)
    assert mail["To"] == "J <joe@xn--bcher-kva.example>"


@pytest.mark.parametrize(
    "address", ["jö@example.org", "nobody", "a@b c", "@example.org", "a@", 'a"b@x', "x\r\n@y"]
)
def test_an_address_that_cannot_be_written_is_refused(files: FileStore, address: str) -> None:
    with pytest.raises(Refusal):
        composed(files, to=(Party("", address),))


def test_a_long_history_is_cut(files: FileStore) -> None:
    text = quoted(Answered(Party("Joe", "j@x"), (), (), (), None, (), NOW, "line\n" * 5000))
    lines = text.splitlines()
    assert len(lines) == MOST_QUOTED_LINES + 2
    assert lines[-1] == "> [...]"


def test_our_own_reader_takes_the_history_off_again(files: FileStore) -> None:
    _, raw, _ = composed(files)
    item = read_mail(
        raw, files=files, channel=None, settings=SETTINGS, source=Source(None), now=NOW
    )
    assert item.text == "Here it is."
    assert "Where is it?" in item.full_text
