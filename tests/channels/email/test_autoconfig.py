"""The file by which a domain tells its servers, and what may not stand in it."""

from __future__ import annotations

import pytest

from channels.email.autoconfig import ConfigFault, Server, read_config

GOOD = b"""<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="example.org">
  <domain>example.org</domain>
  <incomingServer type="pop3"><hostname>pop.example.org</hostname><port>995</port>
    <socketType>SSL</socketType></incomingServer>
  <incomingServer type="imap"><hostname>plain.example.org</hostname><port>143</port>
    <socketType>plain</socketType></incomingServer>
  <incomingServer type="imap"><hostname>imap.example.org</hostname><port>143</port><socketType>STARTTLS</socketType>
    <username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
  <incomingServer type="imap"><hostname>IMAPS.example.org</hostname><port>993</port><socketType>SSL</socketType>
    <username>%EMAILADDRESS%</username><authentication>OAuth2</authentication>
    <authentication>password-cleartext</authentication></incomingServer>
  <outgoingServer type="smtp"><hostname>smtp.example.org</hostname><port>587</port><socketType>STARTTLS</socketType>
    <username>%EMAILLOCALPART%.%EMAILDOMAIN%</username></outgoingServer>
</emailProvider></clientConfig>"""
ADDRESS = "ana@example.org"


def test_the_best_encrypted_servers_are_taken() -> None:
    assert read_config(GOOD, ADDRESS) == (
        Server("imaps.example.org", 993, "tls", ADDRESS, ("OAuth2", "password-cleartext")),
        Server("smtp.example.org", 587, "starttls", "ana.example.org"),
    )


def test_servers_without_encryption_are_none() -> None:
    plain = GOOD.replace(b"SSL", b"plain").replace(b"STARTTLS", b"plain")
    assert read_config(plain, ADDRESS) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no xml",
        b"<html><body>404</body></html>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><clientConfig>&b;</clientConfig>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><clientConfig/>',
        b"<clientConfig>&nothing;</clientConfig>",
        b"<clientConfig>" + b"<a>" * 50 + b"</a>" * 50 + b"</clientConfig>",
        b"<clientConfig>" + b"<a/>" * 3000 + b"</clientConfig>",
        b"<clientConfig>" + b"x" * 300_000 + b"</clientConfig>",
        b'<?xml version="1.0" encoding="no-such"?><clientConfig/>',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_such_file_is_refused(text: bytes) -> None:
    with pytest.raises(ConfigFault):
        read_config(text, ADDRESS)


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        (b"IMAPS.example.org", b"imap.example.org/../x"),
        (b"IMAPS.example.org", b"-imap.example.org"),
        (b"IMAPS.example.org", b"imap example org"),
        (b"<port>993</port>", b"<port>993000</port>"),
        (b"<port>993</port>", b"<port>\xd9\xa9\xd9\xa9\xd9\xa3</port>"),
        (b"<port>993</port>", b""),
    ],
)
def test_a_server_with_nonsense_in_it_is_left_out(what: bytes, instead: bytes) -> None:
    imap, _ = read_config(GOOD.replace(what, instead), ADDRESS)
    assert imap is not None
    assert imap.host == "imap.example.org"


def test_a_user_name_cannot_steer_a_terminal() -> None:
    imap, _ = read_config(GOOD.replace(b"%EMAILADDRESS%", "a\x9b31m\u202eb".encode()), ADDRESS)
    assert imap is not None
    assert imap.user.isprintable()
