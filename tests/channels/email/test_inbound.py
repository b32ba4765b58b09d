"""From bytes to what the desk takes in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.inbound import TOO_LARGE, UNREADABLE, EmailReader, read_header, read_mail
from channels.email.parse import ParsedMail
from workflow.errors import StoreError
from workflow.files import FileStore
from workflow.inbound import Inbound, Source
from workflow.settings import AgentSettings, ChannelSettings, Settings
from workflow.tokens import make_token

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CHANNEL = ChannelSettings(
    "support",
    "email",
    "support@example.com",
    aliases=("help@example.com",),
    since=datetime(2026, 1, 1, tzinfo=UTC),
    max_bytes=10_000,
)
SETTINGS = Settings(agents=(AgentSettings("ana", "ana@example.com"),), channels=(CHANNEL,))
TOKEN = make_token(b"secret", 42)


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def mail(
    *headers: str, body: str = "Hello", date: str = "Mon, 23 Nov 2026 08:00:00 +0000"
) -> bytes:
    known = {line.partition(":")[0].lower() for line in headers}
    usual = {
        "from": "From: Joe <joe@example.org>",
        "to": "To: support@example.com",
        "subject": "Subject: Hi",
        "date": f"Date: {date}",
        "message-id": "Message-ID: <1@example.org>",
    }
    lines = [*headers, *(line for name, line in usual.items() if name not in known)]
    return "\r\n".join([*lines, "", body]).encode()


def read(
    raw: bytes,
    files: FileStore,
    *,
    channel: ChannelSettings | None = CHANNEL,
    now: datetime = NOW,
    received_at: datetime | None = None,
) -> Inbound:
    return read_mail(
        raw,
        files=files,
        channel=channel,
        settings=SETTINGS,
        source=Source("support", "INBOX", 1, 7),
        now=now,
        received_at=received_at,
    )


def test_bytes_and_attachments_are_stored_before_anything_is_given(files: FileStore) -> None:
    raw = mail(
        "Content-Type: multipart/mixed; boundary=b",
        body="--b\r\n\r\nSee this.\r\n--b\r\nContent-Type: image/png\r\n"
        'Content-Disposition: attachment; filename="a.png"\r\n\r\nPNG\r\n--b--\r\n',
    )
    item = read(raw, files)
    assert files.read(item.raw_sha256) == raw
    (file,) = item.attachments
    assert (file.name, file.content_type, files.read(file.sha256)) == ("a.png", "image/png", b"PNG")
    assert item.source == Source("support", "INBOX", 1, 7)


def test_it_reached_us_when_the_server_says_and_never_later_than_now(files: FileStore) -> None:
    noon = "Received: from x by y; Mon, 23 Nov 2026 08:30:00 +0000"
    server = NOW - timedelta(minutes=10)
    assert read(mail(noon), files, received_at=server).reached_at == server
    assert read(mail(noon), files).reached_at == NOW - timedelta(minutes=30)
    assert read(mail(), files).reached_at == NOW - timedelta(hours=1)
    assert read(mail(date="Mon, 23 Nov 2037 08:00:00 +0000"), files).reached_at == NOW
    assert read(mail(date="nonsense"), files).reached_at == NOW
    assert read(mail(), files, received_at=NOW + timedelta(days=1)).reached_at == NOW


def test_one_message_id_hides_no_other_mail(files: FileStore) -> None:
    first = read(mail(), files).dedupe_key
    assert (
        read(mail("Received: by another way; Mon, 23 Nov 2026 08:30:00 +0000"), files).dedupe_key
        == first
    )
    assert read(mail("From: Eve <eve@example.net>"), files).dedupe_key != first
    assert read(mail(date="Mon, 23 Nov 2026 08:00:01 +0000"), files).dedupe_key != first
    assert read(mail("Message-ID: <2@example.org>"), files).dedupe_key != first


def test_without_an_id_or_a_date_the_words_decide(files: FileStore) -> None:
    for header in ("Message-ID:", "Date: never"):
        bare = read(mail(header), files).dedupe_key
        assert read(mail(header), files).dedupe_key == bare
        assert read(mail(header, body="Other"), files).dedupe_key != bare
        assert read(mail(header, "Subject: Other"), files).dedupe_key != bare


@pytest.mark.parametrize(
    "header",
    [
        f"To: support+{TOKEN}@example.com",
        f"Cc: Desk <SUPPORT+{TOKEN.upper()}@EXAMPLE.COM>",
        f"Delivered-To: support+{TOKEN}@example.com",
        f"X-Original-To: support+{TOKEN}@example.com",
        f"In-Reply-To: <{TOKEN}.0123abcd@example.com>",
        f"References: <a@b> <{TOKEN}.0123abcd@example.com> <c@d>",
    ],
)
def test_tokens_are_found_wherever_an_answer_carries_them(files: FileStore, header: str) -> None:
    assert read(mail(header), files).reply_tokens == (TOKEN,)


@pytest.mark.parametrize(
    "header",
    [
        f"Subject: {TOKEN}",
        f"To: {TOKEN}@example.com",
        f"References: <x{TOKEN}.0123abcd@example.com>",
        f"References: <{TOKEN}@example.com>",
    ],
)
def test_what_only_looks_like_a_token_is_none(files: FileStore, header: str) -> None:
    assert read(mail(header), files).reply_tokens == ()


def test_the_newest_token_comes_first(files: FileStore) -> None:
    other = make_token(b"secret", 43)
    item = read(mail(f"References: <{TOKEN}.1@x> <{other}.2@x>"), files)
    assert item.reply_tokens == (other, TOKEN)


@pytest.mark.parametrize("address", ["Support@Example.com", "help@example.com", "ana@example.com"])
def test_our_own_mail_is_known(files: FileStore, address: str) -> None:
    assert read(mail(f"From: {address}"), files).own
    assert not read(mail(), files).own


def test_mail_from_before_the_cut_off_is_marked(files: FileStore) -> None:
    old = datetime(2025, 12, 31, tzinfo=UTC)
    assert read(mail(), files, received_at=old).before_cutoff
    assert not read(mail(), files).before_cutoff
    assert not read(mail(), files, channel=None, received_at=old).before_cutoff


def test_a_bounce_answers_the_mail_that_it_returns(files: FileStore) -> None:
    raw = mail(
        "From: MAILER-DAEMON@example.org",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        body="--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\n"
        "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 nobody\r\n\r\n--b\r\n"
        "Content-Type: message/rfc822\r\n\r\n"
        f"Message-ID: <{TOKEN}.1@example.com>\r\nSubject: Re: Hi\r\n\r\nText\r\n--b--\r\n",
    )
    item = read(raw, files)
    assert item.automatic
    assert item.bounce is not None
    assert item.in_reply_to == (f"<{TOKEN}.1@example.com>",)
    assert item.reply_tokens == (TOKEN,)


def test_a_mail_without_a_sender_is_a_ticket_all_the_same(files: FileStore) -> None:
    item = read(mail("From:"), files)
    assert (item.sender.name, item.sender.address, item.held_cause) == ("no sender", "", None)
    assert read(mail("From:", "Sender: x@example.org"), files).sender.address == "x@example.org"


def test_a_mail_over_the_limit_is_held_and_released_whole(files: FileStore) -> None:
    raw = mail(body="line of text\r\n" * 1000)
    item = read(raw, files)
    assert item.held_cause == TOO_LARGE
    assert "max_size of support" in item.held_evidence
    assert read(raw, files, channel=None).held_cause is None
    released = EmailReader(SETTINGS, files).read(raw, "support", NOW)
    assert (released.held_cause, released.dedupe_key) == (None, item.dedupe_key)


def test_a_header_alone_has_the_identity_of_the_whole(files: FileStore) -> None:
    raw = mail(body="text\r\n" * 5000)
    head = raw[: raw.index(b"\r\n\r\n") + 4]
    item = read_header(
        head,
        len(raw),
        files=files,
        channel=CHANNEL,
        settings=SETTINGS,
        source=Source("support", "INBOX", 1, 7),
        now=NOW,
    )
    assert (item.held_cause, item.raw_size, item.subject) == (TOO_LARGE, len(raw), "Hi")
    assert item.dedupe_key == read(raw, files).dedupe_key
    assert "stays in INBOX of support" in item.held_evidence


def test_what_cannot_be_read_is_held_with_its_bytes(
    files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_raw: bytes) -> ParsedMail:
        return ParsedMail(defects=("could not be read (KeyError)",))

    monkeypatch.setattr("channels.email.inbound.parse_mail", broken)
    item = read(b"anything", files)
    assert (item.held_cause, files.read(item.raw_sha256)) == (UNREADABLE, b"anything")

    def raises(_raw: bytes) -> ParsedMail:
        raise KeyError("x")

    monkeypatch.setattr("channels.email.inbound.parse_mail", raises)
    item = read(b"anything", files)
    assert item.held_cause == UNREADABLE
    assert "KeyError" in item.held_evidence


def test_a_full_disk_is_no_property_of_the_mail(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    with pytest.raises(StoreError):
        read(mail(), FileStore(tmp_path / "files"))


@given(raw=st.binary(max_size=2000))
def test_any_bytes_become_an_item(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    item = read(raw, FileStore(tmp_path_factory.getbasetemp() / "any"))
    assert item.dedupe_key
    assert item.reached_at <= NOW
    assert item.raw_size == len(raw)


def test_every_real_mail_becomes_an_item(mail_samples: Path, files: FileStore) -> None:
    with files.batch():
        items = [
            read(path.read_bytes(), files, channel=replace(CHANNEL, max_bytes=10**8))
            for path in sorted(mail_samples.rglob("*.eml"))
        ]
    assert items
    assert [item.held_evidence for item in items if item.held_cause] == []
