"""The words of a mail: as they were typed, and as HTML where they have marks."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.compose import EmailComposer
from channels.email.inbound import read_mail
from channels.email.letter import html_letter, plain_letter
from channels.email.markdown import has_marks, to_html
from workflow.errors import Refusal
from workflow.files import FileStore
from workflow.inbound import Party, Source
from workflow.outgoing import Answered, OutgoingFile, OutgoingMessage
from workflow.settings import ChannelSettings, Settings

NOW = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)
ACCOUNT = ChannelSettings(
    "support", "email", "support@desk.example", aliases=("help@desk.example",)
)
ASKED = Answered(
    Party("Joe <b>", "joe@x.example"), (), (), (), "<q@x.example>", (), NOW, "*Why* <i>&\n\n> older"
)


def message(text: str, **changes: object) -> OutgoingMessage:
    usual: dict[str, object] = {
        "ticket": 7, "account": "support", "agent": "ana", "subject": "Re: Hi", "text": text,
        "to": (Party("Joe", "joe@x.example"),), "cc": (), "bcc": (), "files": (), "answered": ASKED,
        "token": "dh7.abcdefghijklmnop", "at": NOW,
    }  # fmt: skip
    return OutgoingMessage(**{**usual, **changes})  # type: ignore[arg-type]


def mailed(
    store: FileStore, found: OutgoingMessage, account: ChannelSettings = ACCOUNT
) -> EmailMessage:
    made = EmailComposer(Settings(channels=(account,)), store).compose(found)
    raw = store.read(made.raw_sha256)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


@pytest.mark.parametrize(
    "text",
    ["Hello,\n\nsee https://x.example/a_b_c and mail a@b.example.\n", "2 * 3 * 4 and snake_case_name",
     "#42 is done", "Total\n5 > 3", "a -- b", "C:\\temp", "[1]: see below", "&copy; 2026", ""],
)  # fmt: skip
def test_plain_words_stay_plain(text: str, files: FileStore) -> None:
    assert not has_marks(text)
    assert html_letter(message(text)) is None
    assert mailed(files, message(text or "x")).get_content_type() == "text/plain"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**now**", "<p><strong>now</strong></p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"),
        ("one  \ntwo *x*", "<p>one<br />\ntwo <em>x</em></p>"),
        (
            "[here](https://x.example/?a=1&b=2)",
            '<p><a href="https://x.example/?a=1&amp;b=2">here</a></p>',
        ),
        ("~~old~~", "<p><s>old</s></p>"),
    ],
)
def test_marks_become_html(text: str, html: str) -> None:
    assert has_marks(text)
    assert to_html(text).strip() == html


def test_code_tables_quotes_and_headings_bear_their_style_themselves() -> None:
    found = to_html("# Head\n\n```py\nif a < b: pass\n```\n\n> quoted\n\n|a|b|\n|-|-|\n|1|`2`|\n")
    assert "<h1" not in found
    assert "if a &lt; b: pass" in found
    assert "language-" not in found
    for tag in ("blockquote", "table", "td", "code"):
        assert f'<{tag} style="' in found


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script> **x**", "[x](javascript:alert(1))", "[x](data:text/html,hi)", "[x](file:///etc/passwd)",
     "![pixel](https://x.example/p.png)", "<img src=x onerror=y> *a*", "[x](vbscript:y)", "<https://x.example/>\n*a*"],
)  # fmt: skip
def test_nothing_that_runs_or_loads(text: str) -> None:
    found = to_html(text)
    for evil in (
        "<script",
        "<img",
        'href="javascript',
        'href="data',
        'href="file',
        'href="vbscript',
    ):
        assert evil not in found.lower()


@given(st.text(max_size=200))
def test_any_text_becomes_html_that_a_cleaner_leaves_alone(text: str) -> None:
    tags = set(nh3.ALLOWED_TAGS) | {"s", "pre", "code", "table", "thead", "tbody", "tr", "th", "td"}
    attributes = {"*": {"style"}, "a": {"href"}, "ol": {"start"}, "td": {"style"}, "th": {"style"}}
    made = to_html(text)
    assert "<script" not in made.lower()
    cleaned = nh3.clean(made, tags=tags, attributes=attributes, link_rel=None)
    assert nh3.clean(cleaned, tags=tags, attributes=attributes, link_rel=None) == cleaned
    assert cleaned.count("<a ") == made.count("<a ")


def test_signature_above_history_in_both_forms(files: FileStore) -> None:
    found = mailed(files, message("Try **this**.", signature="Ana\nACME <support>"))
    assert found.get_content_type() == "multipart/alternative"
    plain, html = found.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == (
        "Try **this**.\n\n-- \nAna\nACME <support>\n\n"
        "On 2026-11-23 09:12, Joe <b> wrote:\n> *Why* <i>&\n>\n>> older\n"
    )
    body = html.get_content()
    assert "<strong>this</strong>" in body
    assert "-- <br>" in body
    assert "ACME &lt;support&gt;" in body
    assert "On 2026-11-23 09:12, Joe &lt;b&gt; wrote:" in body
    assert '<blockquote type="cite"' in body
    assert "*Why* &lt;i&gt;&amp;<br>" in body
    order = [body.index(word) for word in ("this", "ACME", "wrote:", "*Why*")]
    assert order == sorted(order)


def test_what_we_read_of_it_is_what_was_typed(files: FileStore) -> None:
    """Our own cutter of history and signatures finds the answer in it."""
    made = EmailComposer(Settings(channels=(ACCOUNT,)), files).compose(
        message("Grüße, **done** ✓", signature="Ana")
    )
    item = read_mail(
        files.read(made.raw_sha256),
        source=Source("support"),
        now=NOW,
        settings=Settings(),
        files=files,
        channel=None,
    )
    assert item.text.startswith("Grüße, **done** ✓")
    assert "Why" not in item.text


def test_files_beside_both_forms_with_names_of_any_script(files: FileStore) -> None:
    names = (
        "Rechnung März.pdf",
        "請求書 (1).pdf",
        "x" * 140 + ".txt",
        'a"b;c.txt',
        "../../etc/passwd",
    )
    stored = tuple(OutgoingFile(n, "application/pdf", files.put(n.encode()), 5) for n in names)
    found = mailed(files, message("See the *file*", files=stored))
    assert found.get_content_type() == "multipart/mixed"
    first, *attached = found.iter_parts()
    assert first.get_content_type() == "multipart/alternative"
    assert [part.get_filename() for part in attached] == [*names[:4], "passwd"]
    assert attached[0].get_content() == names[0].encode()
    made = EmailComposer(Settings(channels=(ACCOUNT,)), files).compose(
        message("x", files=stored[:2])
    )
    raw = files.read(made.raw_sha256)
    assert b"filename*=utf-8''Rechnung%20M%C3%A4rz.pdf" in raw


def test_too_much_for_a_mail_is_refused_with_its_name(files: FileStore) -> None:
    big = OutgoingFile("film.mp4", "video/mp4", "0" * 64, 20_000_000)
    other = OutgoingFile("b.zip", "application/zip", "1" * 64, 9_000_000)
    with pytest.raises(Refusal, match=r"film\.mp4 makes the files of this mail 29 MB.*25 MB"):
        mailed(files, message("x", files=(big, other)))


def test_an_account_may_want_plain_text_only(files: FileStore) -> None:
    plain = ChannelSettings("support", "email", "support@desk.example", format="plain")
    found = mailed(files, message("**bold**", signature="[x](https://x.example)"), plain)
    assert found.get_content_type() == "text/plain"
    assert found.get_content().startswith("**bold**")


def test_a_forward_starts_a_thread_of_its_own(files: FileStore) -> None:
    passed = (ASKED, Answered(Party("", "support@desk.example"), (), (Party("", "joe@x.example"),), (),
                              "<a@desk.example>", (), NOW, "We **look**.", True, "Re: Hi"))  # fmt: skip
    found = message("FYI", answered=None, forwarded=passed, sender="help@desk.example")
    mail = mailed(files, found)
    assert mail["From"] == "help@desk.example"
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None
    text = plain_letter(found)
    assert text.count("---------- Forwarded message ----------") == 2
    assert "From: Joe (b) <joe@x.example>" in text
    assert text.index("*Why*") < text.index("We **look**.")
    html = html_letter(message("*FYI*", answered=None, forwarded=passed)) or ""
    assert "&lt;joe@x.example&gt;" in html
    assert "We **look**." in html
