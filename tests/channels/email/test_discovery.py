"""From an address to servers, against a web server and a name server on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from channels.email.discovery import Discovery, Found, Lookups, discover, domain_of
from channels.email.names import Names
from channels.email.providers import PROVIDERS, provider_by_host, provider_by_mx, provider_of
from channels.web import Web
from tests.channels.email.test_autoconfig import GOOD
from tests.servers.dns import NameServer
from tests.servers.tls import Certificate, make_certificate
from tests.servers.web import Answer, Asked, WebServer

Records = dict[tuple[str, str], list[str]]
SRV: Records = {
    ("_imaps._tcp.example.org", "SRV"): [
        "20 0 993 late.example.org.",
        "10 1 993 low.example.org.",
        "10 9 1993 high.example.org.",
    ],
    ("_imap._tcp.example.org", "SRV"): ["0 0 0 ."],
    ("_submission._tcp.example.org", "SRV"): ["0 1 587 mail.example.org."],
    ("example.org", "MX"): ["10 mail.example.org."],
}
GOOGLE: Records = {("example.org", "MX"): ["20 alt1.aspmx.l.google.com.", "1 aspmx.l.google.com."]}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(
        tmp_path_factory.mktemp("named"),
        "autoconfig.example.org",
        "example.org",
        "autoconfig.gmail.com",
    )


def refuse(_host: str, _port: int, _limit_s: float) -> socket.socket:
    raise ConnectionRefusedError


@contextmanager
def world(
    named: Certificate, pages: dict[str, bytes], records: Records, *, silent: bool = False
) -> Iterator[Lookups]:
    def page(asked: Asked) -> Answer:
        found = pages.get(f"{asked.host}{asked.path}")
        return Answer(b"", 404) if found is None else Answer(found)

    with (
        WebServer(page, named.server_context()) as web,
        NameServer(records, silent=silent) as names,
    ):
        yield Lookups(
            Web(dial=refuse if silent else web.dial, context=named.client_context(), limit_s=3),
            Names([names.host], names.port, limit_s=0.5 if silent else 3),
        )


def find(
    named: Certificate,
    address: str,
    pages: dict[str, bytes],
    records: Records,
    *,
    silent: bool = False,
) -> Discovery:
    with world(named, pages, records, silent=silent) as lookups:
        return discover(address, lookups)


AUTOCONFIG = "autoconfig.example.org/mail/config-v1.1.xml"
WELL_KNOWN = "example.org/.well-known/autoconfig/mail/config-v1.1.xml"


@pytest.mark.parametrize("place", [AUTOCONFIG, WELL_KNOWN])
def test_the_domains_own_file_comes_first(named: Certificate, place: str) -> None:
    found = find(named, "ana@example.org", {place: GOOD}, SRV)
    source = f"autoconfig of {place.split('/')[0]}"
    assert found.imap == Found("imaps.example.org", 993, "tls", "ana@example.org", source)
    assert found.smtp == Found("smtp.example.org", 587, "starttls", "ana.example.org", source)


def test_a_hostile_file_falls_back_to_records_by_priority_and_weight(named: Certificate) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbb">]><clientConfig>&b;</clientConfig>'
    found = find(named, "ana@example.org", {AUTOCONFIG: bomb}, SRV)
    source = "SRV record of example.org"
    assert found.imap == Found("high.example.org", 1993, "tls", "ana@example.org", source)
    assert found.smtp == Found("mail.example.org", 587, "starttls", "ana@example.org", source)


def test_a_record_that_leads_to_another_domain_has_to_be_confirmed(named: Certificate) -> None:
    records = {
        ("_imaps._tcp.example.org", "SRV"): ["0 1 993 imap.elsewhere.example."],
        ("_submissions._tcp.example.org", "SRV"): ["0 1 465 smtp.fastmail.com."],
    }
    found = find(named, "ana@example.org", {}, records)
    assert found.imap is not None
    assert found.smtp is not None
    assert (found.imap.sure, found.smtp.sure) == (False, True)


def test_who_runs_the_mail_is_known_by_its_exchangers(named: Certificate) -> None:
    found = find(named, "ana@example.org", {}, GOOGLE)
    assert found.imap is not None
    assert (found.imap.host, found.imap.source) == (
        "imap.gmail.com",
        "mail of example.org is run by Gmail (MX record)",
    )
    assert found.provider is not None
    assert found.provider.oauth == "google"


def test_halves_from_two_places_make_a_whole(named: Certificate) -> None:
    records = GOOGLE | {("_imaps._tcp.example.org", "SRV"): ["0 1 993 imap.example.org."]}
    found = find(named, "ana@example.org", {}, records)
    assert found.imap is not None
    assert found.smtp is not None
    assert (found.imap.host, found.smtp.host) == ("imap.example.org", "smtp.gmail.com")


def test_without_a_network_the_table_serves_and_says_so(named: Certificate) -> None:
    found = find(named, "ana@gmail.com", {}, {}, silent=True)
    assert found.imap is not None
    assert (found.imap.host, found.imap.source) == (
        "imap.gmail.com",
        "what deskhand knows of Gmail",
    )
    assert found.remarks == (
        "no name server answers, so this is from what deskhand knows by itself",
    )
    unknown = find(named, "ana@example.org", {}, {}, silent=True)
    assert (unknown.imap, unknown.smtp) == (None, None)
    assert unknown.remarks == ("no name server answers: is this computer online?",)


def test_a_domain_that_does_not_exist_is_said_to_be_none(named: Certificate) -> None:
    found = find(named, "ana@exmaple.org", {}, SRV)
    assert found.remarks == ("there is no domain exmaple.org: is the address right?",)


def test_domains_of_all_scripts() -> None:
    assert domain_of("ana@Bücher.example") == "xn--bcher-kva.example"
    for wrong in ("ana", "ana@", "@", "ana@" + "x" * 70 + ".org", "a@b..c"):
        with pytest.raises(ValueError, match=r"no mail address|no domain"):
            domain_of(wrong)


def test_the_table_holds_together() -> None:
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))
    assert len({provider.name for provider in PROVIDERS}) >= 25
    for provider in PROVIDERS:
        for host, port, security in (provider.imap, provider.smtp):
            assert security == {993: "tls", 465: "tls", 587: "starttls"}.get(port, "starttls"), host
        assert provider_of(provider.domains[0].upper()) is provider
        assert all(
            end.startswith(".") and provider_by_mx([f"mx1{end}."]) is not None
            for end in provider.mx
        )
        if provider.imap[0] != "127.0.0.1":
            assert provider_by_host(provider.imap[0]) is not None
    assert provider_by_mx(["mx.notgoogle.com", "evil-google.com"]) is None
