"""Large providers of mail: their servers, and what they want in place of the usual password.

For when nothing else says it: no network, a domain whose mail one of them runs (told by its MX
records), and the sentence for a login that was refused. Hosts and ports are what the providers'
own help pages give.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["PROVIDERS", "Provider", "provider_by_host", "provider_by_mx", "provider_of"]


@dataclass(frozen=True, slots=True)
class Provider:
    """One of them. ``mx``: the ends of the names that its mail exchangers have.

    ``app_password``: where one is made, if the account's own password is refused. ``switch``: where
    IMAP has to be switched on. ``oauth``: the name of its way to log in without a password;
    ``only_oauth``: there is no other. ``remark``: what else has to be known.
    """

    name: str
    domains: tuple[str, ...]
    imap: tuple[str, int, str]
    smtp: tuple[str, int, str]
    mx: tuple[str, ...] = ()
    app_password: str = ""
    switch: str = ""
    oauth: str = ""
    only_oauth: bool = False
    remark: str = ""

    @property
    def hosts(self) -> tuple[str, str]:
        """Its servers for receiving and for sending."""
        return self.imap[0], self.smtp[0]


def _plain(
    name: str,
    domains: str,
    imap: str,
    smtp: str,
    *,
    smtp_port: int = 465,
    **more: str | tuple[str, ...] | bool,
) -> Provider:
    """A provider with TLS from the first byte for IMAP, and for SMTP on 465 (else STARTTLS)."""
    security = "tls" if smtp_port == 465 else "starttls"
    return Provider(
        name,
        tuple(domains.split()),
        (imap, 993, "tls"),
        (smtp, smtp_port, security),
        **more,  # type: ignore[arg-type]
    )


PROVIDERS: tuple[Provider, ...] = (
    _plain(
        "Gmail",
        "gmail.com googlemail.com",
        "imap.gmail.com",
        "smtp.gmail.com",
        mx=(".google.com", ".googlemail.com"),
        app_password="https://myaccount.google.com/apppasswords",
        switch="Gmail, Settings, Forwarding and POP/IMAP (at work: the administrator)",
        oauth="google",
    ),
    _plain(
        "Microsoft 365",
        "outlook.com hotmail.com live.com msn.com outlook.de outlook.fr hotmail.de hotmail.fr hotmail.co.uk",
        "outlook.office365.com",
        "smtp.office365.com",
        smtp_port=587,
        mx=(".mail.protection.outlook.com", ".olc.protection.outlook.com", ".mx.microsoft"),
        oauth="microsoft",
        only_oauth=True,
        switch="the Microsoft 365 admin center, the user, Mail, Manage email apps (IMAP, Authenticated SMTP)",
    ),
    _plain(
        "Yahoo",
        "yahoo.com yahoo.de yahoo.fr yahoo.co.uk yahoo.it yahoo.es yahoo.ca yahoo.com.br ymail.com rocketmail.com",
        "imap.mail.yahoo.com",
        "smtp.mail.yahoo.com",
        mx=(".yahoodns.net",),
        app_password="https://login.yahoo.com/account/security",
    ),
    _plain(
        "AOL",
        "aol.com aim.com",
        "imap.aol.com",
        "smtp.aol.com",
        app_password="https://login.aol.com/account/security",
    ),
    _plain(
        "iCloud",
        "icloud.com me.com mac.com",
        "imap.mail.me.com",
        "smtp.mail.me.com",
        smtp_port=587,
        mx=(".mail.icloud.com",),
        app_password="https://account.apple.com, Sign-In and Security",
    ),
    _plain(
        "Fastmail",
        "fastmail.com fastmail.fm messagingengine.com",
        "imap.fastmail.com",
        "smtp.fastmail.com",
        mx=(".messagingengine.com",),
        app_password="Fastmail, Settings, Privacy & Security, App passwords",
    ),
    _plain(
        "Zoho",
        "zoho.com zohomail.com",
        "imap.zoho.com",
        "smtp.zoho.com",
        mx=(".zoho.com",),
        app_password="https://accounts.zoho.com, Security, App Passwords",
        switch="Zoho Mail, Settings, Mail Accounts, IMAP",
    ),
    _plain(
        "Zoho",
        "zoho.eu zohomail.eu",
        "imap.zoho.eu",
        "smtp.zoho.eu",
        mx=(".zoho.eu",),
        app_password="https://accounts.zoho.eu, Security, App Passwords",
        switch="Zoho Mail, Settings, Mail Accounts, IMAP",
    ),
    _plain(
        "GMX",
        "gmx.net gmx.de gmx.at gmx.ch",
        "imap.gmx.net",
        "mail.gmx.net",
        mx=(".gmx.net",),
        switch="GMX, Einstellungen, POP3/IMAP Abruf",
        app_password="the security page of GMX, if two-factor is on",
    ),
    _plain(
        "GMX",
        "gmx.com gmx.us gmx.co.uk gmx.fr",
        "imap.gmx.com",
        "mail.gmx.com",
        mx=(".gmx.com",),
        switch="GMX, Settings, POP3 & IMAP",
    ),
    _plain(
        "WEB.DE",
        "web.de",
        "imap.web.de",
        "smtp.web.de",
        smtp_port=587,
        mx=(".web.de",),
        switch="WEB.DE, Einstellungen, POP3/IMAP Abruf",
        app_password="the security page of WEB.DE, if two-factor is on",
    ),
    _plain("mail.com", "mail.com email.com", "imap.mail.com", "smtp.mail.com"),
    _plain(
        "Telekom",
        "t-online.de magenta.de",
        "secureimap.t-online.de",
        "securesmtp.t-online.de",
        mx=(".t-online.de",),
        app_password="the Kundencenter of Telekom: its password for mail programs",
    ),
    _plain(
        "freenet",
        "freenet.de",
        "mx.freenet.de",
        "mx.freenet.de",
        smtp_port=587,
        mx=(".freenet.de",),
    ),
    _plain(
        "IONOS",
        "ionos.de online.de",
        "imap.ionos.de",
        "smtp.ionos.de",
        mx=(".ionos.de", ".kundenserver.de"),
    ),
    _plain(
        "IONOS", "ionos.com", "imap.ionos.com", "smtp.ionos.com", mx=(".ionos.com", ".1and1.com")
    ),
    _plain("STRATO", "strato.de", "imap.strato.de", "smtp.strato.de", mx=(".rzone.de",)),
    _plain(
        "mailbox.org",
        "mailbox.org",
        "imap.mailbox.org",
        "smtp.mailbox.org",
        mx=(".mailbox.org",),
        app_password="mailbox.org, Settings, Security, if two-factor is on",
    ),
    _plain(
        "Posteo", "posteo.de posteo.net posteo.org", "posteo.de", "posteo.de", mx=(".posteo.de",)
    ),
    _plain("OVH", "ovh.net", "ssl0.ovh.net", "ssl0.ovh.net", mx=(".ovh.net",)),
    _plain("Gandi", "gandi.net", "mail.gandi.net", "mail.gandi.net", mx=(".mail.gandi.net",)),
    _plain(
        "Infomaniak",
        "ik.me etik.com",
        "mail.infomaniak.com",
        "mail.infomaniak.com",
        mx=(".infomaniak.ch", ".infomaniak.com"),
        app_password="the Infomaniak manager, Mail, the device passwords of the address",
    ),
    _plain("Migadu", "migadu.com", "imap.migadu.com", "smtp.migadu.com", mx=(".migadu.com",)),
    _plain(
        "Rackspace Email",
        "emailsrvr.com",
        "secure.emailsrvr.com",
        "secure.emailsrvr.com",
        mx=(".emailsrvr.com",),
    ),
    _plain(
        "Namecheap Private Email",
        "privateemail.com",
        "mail.privateemail.com",
        "mail.privateemail.com",
        mx=(".privateemail.com",),
    ),
    _plain(
        "Hostinger",
        "hostinger.com",
        "imap.hostinger.com",
        "smtp.hostinger.com",
        mx=(".hostinger.com", ".titan.email"),
    ),
    _plain(
        "GoDaddy",
        "secureserver.net",
        "imap.secureserver.net",
        "smtpout.secureserver.net",
        mx=(".secureserver.net",),
    ),
    _plain(
        "Yandex",
        "yandex.com yandex.ru ya.ru",
        "imap.yandex.com",
        "smtp.yandex.com",
        mx=(".yandex.net", ".yandex.ru"),
        app_password="https://id.yandex.com/security/app-passwords",
        switch="Yandex Mail, Settings, Email clients",
    ),
    _plain(
        "Mail.ru",
        "mail.ru inbox.ru list.ru bk.ru",
        "imap.mail.ru",
        "smtp.mail.ru",
        mx=(".mail.ru",),
        app_password="https://account.mail.ru/user/2-step-auth/passwords",
    ),
    _plain(
        "Orange", "orange.fr wanadoo.fr", "imap.orange.fr", "smtp.orange.fr", mx=(".orange.fr",)
    ),
    _plain("Free", "free.fr", "imap.free.fr", "smtp.free.fr", mx=(".free.fr",)),
    _plain("La Poste", "laposte.net", "imap.laposte.net", "smtp.laposte.net", mx=(".laposte.net",)),
    _plain("Libero", "libero.it", "imapmail.libero.it", "smtp.libero.it", mx=(".libero.it",)),
    _plain(
        "NAVER",
        "naver.com",
        "imap.naver.com",
        "smtp.naver.com",
        mx=(".naver.com",),
        switch="NAVER Mail, Settings, POP3/IMAP",
        app_password="the security page of NAVER, if two-factor is on",
    ),
    _plain(
        "QQ Mail",
        "qq.com foxmail.com",
        "imap.qq.com",
        "smtp.qq.com",
        mx=(".qq.com",),
        switch="QQ Mail, Settings, Account, IMAP/SMTP",
        app_password="QQ Mail, Settings, Account: an authorization code",
    ),
    _plain(
        "NetEase",
        "163.com",
        "imap.163.com",
        "smtp.163.com",
        mx=(".netease.com",),
        switch="163 Mail, Settings, POP3/SMTP/IMAP",
        app_password="163 Mail, Settings, POP3/SMTP/IMAP: an authorization code",
    ),
    _plain("Comcast", "comcast.net", "imap.comcast.net", "smtp.comcast.net", mx=(".comcast.net",)),
    Provider(
        "Proton Mail",
        ("proton.me", "protonmail.com", "pm.me"),
        ("127.0.0.1", 1143, "starttls"),
        ("127.0.0.1", 1025, "starttls"),
        mx=(".protonmail.ch",),
        app_password="Proton Mail Bridge, the details of the mailbox",
        remark="Proton Mail is reached through Proton Mail Bridge on this computer: install it first,"
        " and add its certificate to this system's trusted ones",
    ),
)

_BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}
_BY_HOST = {
    host: provider for provider in PROVIDERS for host in provider.hosts if host != "127.0.0.1"
}


def provider_of(domain: str) -> Provider | None:
    """The provider whose own domain it is."""
    return _BY_DOMAIN.get(domain.lower())


def provider_by_host(host: str) -> Provider | None:
    """The provider that a server belongs to."""
    return _BY_HOST.get(host.lower().rstrip("."))


def provider_by_mx(exchangers: Iterable[str]) -> Provider | None:
    """The provider that runs the mail of a domain with these mail exchangers, the best first."""
    for exchanger in exchangers:
        name = "." + exchanger.lower().rstrip(".")
        for provider in PROVIDERS:
            if any(name.endswith(end) for end in provider.mx):
                return provider
    return None
