"""Who a mail is really from: headers of our server and forged ones, mail that says it is from us."""

from __future__ import annotations

from pathlib import Path

import pytest

from channels.email.authentication import OwnServers, read_authentication, top_fields
from channels.email.inbound import read_mail
from workflow.clock import parse_moment
from workflow.files import FileStore
from workflow.inbound import Inbound, Source
from workflow.settings import AgentSettings, ChannelSettings, ServerSettings, Settings

NOW = parse_moment("2026-03-10T12:00:00Z")
AGENTS = (AgentSettings("ana", "ana@desk.example"),)


def account(host: str = "imap.desk.example", **changes: object) -> ChannelSettings:
    server = ServerSettings(host, 993, "tls", "support", None)
    return ChannelSettings("support", "email", "support@desk.example", imap=server, **changes)  # type: ignore[arg-type]


def read(
    files: FileStore, head: str, channel: ChannelSettings | None = None, *, sent: bool = False
) -> Inbound:
    channel = channel or account()
    to = "joe@shop.example" if sent else "support@desk.example"
    raw = f"{head.strip()}\nTo: {to}\nSubject: Hi\n\nHello\n".encode()
    return read_mail(
        raw,
        files=files,
        channel=channel,
        settings=Settings(agents=AGENTS, channels=(channel,)),
        source=Source("support", "Sent" if sent else "INBOX", 1, 1),
        now=NOW,
        sent=sent,
    )


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def verdict(head: str, sender: str = "joe@shop.example", **settings: object) -> tuple[str, str]:
    servers = OwnServers(account(**settings))  # type: ignore[arg-type]
    found = read_authentication(
        top_fields(f"{head.strip()}\n\n".encode(), servers), servers, sender
    )
    return ("", "") if found is None else (found.verdict, found.words)


OURS = "Received: from out.shop.example (out.shop.example [192.0.2.7]) by mx.desk.example with ESMTPS; x"
THEIRS = "Received: from pc (pc [10.0.0.3]) by out.shop.example with ESMTPSA; x"


@pytest.mark.parametrize(
    ("results", "wanted"),
    [
        ("mx.desk.example; dmarc=pass (p=none) header.from=shop.example", "verified"),
        ("mx.desk.example 1; dkim=pass header.d=mail.shop.example", "verified"),
        ("mx.desk.example; dkim=pass header.i=@shop.example header.s=s", "verified"),
        ("mx.desk.example; spf=pass smtp.mailfrom=bounce@shop.example", "verified"),
        ("mx.desk.example; spf=pass smtp.mailfrom=a@sender.example; dkim=none", "unverified"),
        (
            "mx.desk.example; dkim=fail header.d=shop.example; dkim=pass header.d=shop.example",
            "verified",
        ),
        ("mx.desk.example; spf=pass smtp.mailfrom=a@shop.example; dmarc=fail (p=REJECT)", "failed"),
        ("mx.desk.example; DMARC = Fail header.from=shop.example", "failed"),
        ("mx.desk.example; none", "unverified"),
        # The result of another From is none about this sender.
        ("mx.desk.example; dmarc=pass header.from=evil.example", "unverified"),
        (
            'mx.desk.example; spf=pass (a ; dmarc=fail ("x") ) smtp.mailfrom=a@shop.example',
            "verified",
        ),
        ("mx.desk.example", "unverified"),
        ("mx.evil.example; dmarc=pass", ""),
        ("dmarc=pass header.from=shop.example", ""),
        ("", ""),
        (";;;=;(", ""),
    ],
)
def test_results(results: str, wanted: str) -> None:
    assert verdict(f"{OURS}\nAuthentication-Results: {results}\n{THEIRS}")[0] == wanted


def test_the_words_name_the_server_and_its_results() -> None:
    said = "mx.desk.example; spf=pass smtp.mailfrom=a@x.example; dkim=none; dmarc=fail; arc=pass"
    assert verdict(f"Authentication-Results: {said}") == (
        "failed",
        "mx.desk.example says SPF pass, DKIM none, DMARC fail, ARC pass",
    )


def test_a_header_that_came_with_the_mail_is_not_read() -> None:
    good = "Authentication-Results: mx.desk.example; dmarc=pass header.from=shop.example"
    bad = "Authentication-Results: mx.desk.example; dmarc=fail header.from=shop.example"
    # Below the first Received of a server that is not ours it is the sender's.
    assert verdict(f"{OURS}\n{THEIRS}\n{good}") == ("", "")
    assert verdict(f"{OURS}\n{bad}\n{good}\n{THEIRS}")[0] == "failed"
    # A second one may have been there before: it can only take away.
    none = "Authentication-Results: mx.desk.example; spf=none"
    assert verdict(f"{none}\n{OURS}\n{good}")[0] == "unverified"
    assert verdict(f"{none}\n{OURS}\n{bad}")[0] == "failed"
    inner = "Received: from mx.desk.example by store with LMTP; x"
    assert verdict(f"{inner}\n{OURS}\n{good}\n{THEIRS}")[0] == "verified"


def test_which_servers_are_ours() -> None:
    google = "Authentication-Results: mx.google.com; dmarc=pass header.from=shop.example"
    microsoft = (
        "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=shop.example;\n"
        " dkim=pass (signature was verified) header.d=shop.example;dmarc=pass action=none\n"
        " header.from=shop.example;compauth=pass reason=100"
    )
    assert verdict(google, host="imap.gmail.com")[0] == "verified"
    assert verdict(google)[0] == ""
    assert verdict(microsoft, host="outlook.office365.com")[0] == "verified"
    assert verdict(microsoft)[0] == ""
    named = {"host": "imap.elsewhere.example", "auth_servers": ("filter.example",)}
    assert (
        verdict("Authentication-Results: mx1.filter.example; dmarc=pass", **named)[0] == "verified"
    )
    assert verdict("Authentication-Results: other.example; dmarc=pass", **named)[0] == ""
    ours = "Authentication-Results: mail.desk.example; dmarc=pass"
    assert verdict(ours, host="127.0.0.1")[0] == "verified", "the address tells as well"


def test_it_is_on_the_message(files: FileStore) -> None:
    said = "Authentication-Results: mx.desk.example; spf=pass smtp.mailfrom=joe@shop.example"
    found = read(files, f"{said}\nFrom: joe@shop.example").authentication
    assert found is not None
    assert (found["verdict"], found["spf"], found["dmarc"], found["server"]) == (
        "verified",
        "pass",
        "",
        "mx.desk.example",
    )
    assert read(files, "From: joe@shop.example").authentication is None


FAILED = "Authentication-Results: mx.desk.example; spf=fail; dkim=none; dmarc=fail (p=reject)"


def test_a_failed_dmarc_is_held_if_the_team_says_so(files: FileStore) -> None:
    mail = f"{FAILED}\nFrom: joe@shop.example"
    assert read(files, mail).held_cause is None
    held = read(files, mail, account(hold_dmarc=True))
    assert (held.held_cause, held.held_evidence) == (
        "failed check",
        "mx.desk.example says SPF fail, DKIM none, DMARC fail: it may not be from joe@shop.example",
    )


ANA = "From: Ana <ana@desk.example>"
INSIDE = "Received: from phone (phone [203.0.113.9]) by mx.desk.example with ESMTPSA id 1; x"


@pytest.mark.parametrize(
    ("head", "believed"),
    [
        ("", True),
        (INSIDE, True),
        (f"Received: from mx by mx with LMTP id 2; x\n{INSIDE}", True),
        ("Received: by mx.desk.example (Postfix, from userid 1000) id 3; x", True),
        (
            f"Received: from localhost (localhost [127.0.0.1]) by mx with ESMTP; x\n{INSIDE}",
            True,
        ),
        (f"{OURS}\nAuthentication-Results: mx.desk.example; dmarc=pass\n{THEIRS}", True),
        # Nothing confirms these.
        (OURS, False),
        (f"{OURS}\n{INSIDE}", False),
        (
            "Received: from [127.0.0.1] (evil [198.51.100.1]) by mx.desk.example with ESMTP; x",
            False,
        ),
        (
            "Received: from localhost ([198.51.100.1]) by mx with ESMTP id with ESMTPSA; x",
            False,
        ),
        (f"{OURS}\nAuthentication-Results: mx.desk.example; spf=softfail", False),
        ("Authentication-Results: somebody.example; dmarc=fail", False),
    ],
)
def test_mail_that_says_it_is_from_us(files: FileStore, head: str, believed: bool) -> None:
    item = read(files, f"{head}\n{ANA}")
    assert (item.own, item.claims_us, item.held_cause) == (believed, not believed, None)


def test_what_lies_in_the_folder_of_sent_mail_is_ours(files: FileStore) -> None:
    for head in (f"{OURS}\n{ANA}", f"{FAILED}\nFrom: ana.private@home.example"):
        item = read(files, head, account(hold_dmarc=True), sent=True)
        assert (item.own, item.claims_us, item.held_cause) == (True, False, None)


@pytest.mark.parametrize("results", ["dmarc=fail", "spf=fail; dkim=none", "dkim=fail"])
def test_what_our_server_denies_to_be_from_us_is_held(files: FileStore, results: str) -> None:
    item = read(files, f"Authentication-Results: mx.desk.example; {results}\n{ANA}")
    assert (item.own, item.claims_us, item.held_cause) == (False, True, "says it is from us")
    assert "it says it is from ana@desk.example, but mx.desk.example says" in item.held_evidence


@pytest.mark.parametrize(
    ("head", "evidence"),
    [
        ("X-Spam-Flag: YES", "the mail server calls it spam (X-Spam-Flag: YES)"),
        (
            "X-Spam-Status: Yes, score=9.1 required=5.0\nX-Spam-Level: *********",
            "the mail server calls it spam (X-Spam-Status: Yes, score=9.1 required=5.0, X-Spam-Level 9)",
        ),
        ("X-Spam: Yes", "the mail server calls it spam (X-Spam: Yes)"),
        (
            "X-Rspamd-Action: add header",
            "the mail server calls it spam (X-Rspamd-Action: add header)",
        ),
        ("X-Spam-Flag: NO", ""),
        ("X-Spam-Status: No, score=1", ""),
        # Another server's opinion, and one that came with the mail.
        ("X-Spam-Flag: YES\nX-Spam-Checker-Version: SpamAssassin 4 on mail.other.example", ""),
        (f"{OURS}\n{THEIRS}\nX-Spam-Flag: YES", ""),
    ],
)
def test_spam(files: FileStore, head: str, evidence: str) -> None:
    item = read(files, f"{head}\nFrom: joe@shop.example")
    assert (item.held_cause, item.held_evidence) == ("spam" if evidence else None, evidence)
    shown = read(files, f"{head}\nFrom: joe@shop.example", account(hold_spam=False))
    assert shown.held_cause is None


@pytest.mark.parametrize(
    ("head", "held"),
    [
        ("Delivered-To: old@elsewhere.example\nTo: old@elsewhere.example", True),
        ("Delivered-To: Support+dh1@desk.example\nTo: list@lists.example", False),
        ("Delivered-To: old@elsewhere.example\nCc: support@desk.example", False),
        ("To: undisclosed-recipients:;", False),
        ("Delivered-To: l@lists.example\nList-Id: <l.lists.example>", False),
    ],
)
def test_unknown_addresses_are_held_only_if_the_team_says_so(
    files: FileStore, head: str, held: bool
) -> None:
    def item(channel: ChannelSettings) -> Inbound:
        return read_mail(
            f"{head}\nFrom: joe@shop.example\n\nHi\n".encode(),
            files=files,
            channel=channel,
            settings=Settings(channels=(channel,)),
            source=Source("support"),
            now=NOW,
        )

    assert item(account()).held_cause is None
    found = item(account(hold_unknown=True))
    assert found.held_cause == ("unknown address" if held else None)
    assert ("old@elsewhere.example, which is no account" in found.held_evidence) == held


def test_history_is_believed(files: FileStore) -> None:
    settings = Settings(agents=AGENTS, channels=(account(),))
    raw = f"{OURS}\n{FAILED}\nX-Spam-Flag: YES\n{ANA}\n\nHi\n".encode()
    item = read_mail(
        raw, files=files, channel=None, settings=settings, source=Source(None), now=NOW
    )
    assert (item.own, item.claims_us, item.held_cause) == (True, False, None)
