"""Anything at all, through the whole intake: an outcome for each, no exception, and a document.

`make fuzz` tries many more than `make test`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.email.inbound import read_mail
from console.commands import documents
from tests.conftest import MAIL_SAMPLES
from workflow.clock import ManualClock
from workflow.desk import Desk
from workflow.files import FileStore
from workflow.inbound import Source
from workflow.model import Intake
from workflow.settings import ChannelSettings, Settings
from workflow.store.reads import Reads
from workflow.store.store import Store

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
EXAMPLES = int(os.environ.get("DESKHAND_FUZZ_EXAMPLES", "150"))

words = st.one_of(
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=30),
    st.sampled_from(
        [
            b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            b"=?utf-8?b?8J+Y?=",
            b"=?x-none?q?a?= =?",
            b'"a, b" <a@example.org>',
            b"<>",
            b"group: a@b.c, d@e.f;",
            b"a@[127.0.0.1]",
            b"<<a@b>>",
            b"@",
            b"\r\n ",
            b"\x1b]52;c;aGk=\x07",
            b"multipart/mixed; boundary=b",
            b'multipart/alternative; boundary="b"',
            b"multipart/report; report-type=delivery-status; boundary=b",
            b"message/rfc822",
            b"message/delivery-status",
            b"text/html; charset=utf-7",
            b"text/plain; charset=unknown-8bit",
            b"text/calendar",
            b"application/ms-tnef",
            b"text/plain; name*0*=utf-8''%C3; name*1=%BC",
            b'attachment; filename="../../etc/passwd"',
            b"base64",
            b"quoted-printable",
            b"x-uuencode",
            b"auto-replied",
            b"<a@b> <c@d>",
            b"Mon, 31 Feb 2026 25:61:61 +9999",
            b"Mon, 23 Nov 2026 08:00:00 +0000",
        ]
    ),
)
names = st.sampled_from(
    b"From To Cc Reply-To Sender Subject Date Message-ID In-Reply-To References Content-Type"
    b" Content-Transfer-Encoding Content-Disposition Received Return-Path Auto-Submitted"
    b" Precedence Authentication-Results X-Failed-Recipients Delivered-To X-Spam-Flag".split()
)
fields = st.lists(
    st.tuples(names, st.lists(words, max_size=3).map(b" ".join)).map(b": ".join), max_size=12
).map(b"\r\n".join)
bodies = st.lists(
    st.one_of(
        words,
        st.sampled_from(
            [
                b"--b",
                b"--b--",
                b"",
                b"> quoted",
                b"On Monday, A wrote:",
                b"-- ",
                b"<div><blockquote type=cite>x</blockquote></div>",
                b"<table><tr><td>a",
                b"Status: 5.1.1\r\nAction: failed\r\nFinal-Recipient: rfc822; a@b.c",
                b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:2026\r\nEND:VEVENT\r\nEND:VCALENDAR",
                b"\x78\x9f\x3e\x22\x01\x00\x01",
                b"begin 644 x",
                b"550 5.1.1 no such user",
            ]
        ),
        fields,
    ),
    max_size=14,
).map(b"\r\n".join)
grown = st.builds(lambda head, body: head + b"\r\n\r\n" + body, fields, bodies)


@cache
def seeds() -> list[bytes]:
    """Real mail to damage, where there is some beside this checkout."""
    files = sorted(MAIL_SAMPLES.rglob("*.eml")) if MAIL_SAMPLES.is_dir() else []
    raws = [file.read_bytes() for file in files]
    return [raw for raw in raws if len(raw) < 30_000] or [b"From: a@b.c\r\n\r\nhello\r\n"]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real mail with pieces cut out, doubled, moved or replaced."""
    raw = draw(st.sampled_from(seeds()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        end = min(len(raw), at + draw(st.integers(0, 400)))
        piece = draw(st.one_of(words, st.just(raw[at:end] * 2), st.just(b"")))
        raw = raw[:at] + piece + raw[end:]
    return raw


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Reads]]:
    """A desk that takes all of it in."""
    home = tmp_path_factory.mktemp("fuzzed")
    account = ChannelSettings("support", "email", "support@example.com")
    store = Store.open(home / "deskhand.db")
    files = FileStore(home / "files")
    reads = Reads(home / "deskhand.db")
    yield Desk(store, ManualClock(NOW), Settings(channels=(account,)), files), reads
    reads.close()
    store.close()


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(raw=st.one_of(grown, damaged(), st.binary(max_size=400)))
def test_every_item_has_an_outcome(desk: tuple[Desk, Reads], raw: bytes) -> None:
    on, reads = desk
    item = read_mail(
        raw,
        files=on.files,
        channel=on.settings.channels[0],
        settings=on.settings,
        source=Source("support"),
        now=NOW,
    )
    (received,) = on.receive([item])
    assert received.outcome in set(Intake)
    told = json.dumps(documents.intake(item, received))
    assert "\x1b" not in told
    if received.ticket is None:
        assert received.outcome in (Intake.HELD, Intake.DUPLICATE)
        assert received.cause
    else:
        assert reads.ticket(received.ticket) is not None
    assert Path(on.files.path(item.raw_sha256)).read_bytes() == raw
