"""deskhand.toml read and checked: every complaint names the file, the line, what was found and what
fits.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workflow.cap_settings import Caps, read_caps
from workflow.clock import parse_duration
from workflow.errors import SettingsError
from workflow.plaintext import printable
from workflow.settings import (
    DATABASE,
    AgentSettings,
    ChannelSettings,
    GroupSettings,
    OAuthSettings,
    Secret,
    ServerSettings,
    Settings,
    Way,
)
from workflow.signatures import PLACEHOLDER, PLACEHOLDERS

__all__ = ["read_settings"]

_LONGEST_S = 366 * 86_400
_LONGEST_SIGNATURE = 2_000
_MOST_DAYS = 36_500
_MOST_OPEN = 1_000
ASSIGNING = ("manual", "round-robin", "least-loaded", "previous")
TELEGRAM_URL = "https://api.telegram.org/bot"


def read_settings(path: Path, text: str) -> Settings:
    """The settings of a file's text; raises SettingsError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(
            f"{path}:{_toml_fault(fault, text)}: mend that line, the rest is unread until then"
        ) from None
    return _Check(path, text).settings(data)


def _toml_fault(fault: tomllib.TOMLDecodeError, text: str) -> str:
    """The line and what is wrong with it, from the parser's English."""
    said = str(fault)
    match = re.search(r"\(at line (\d+), column (\d+)\)", said)
    if match:
        return f"{match[1]}: column {match[2]}: {said[: match.start()].strip().lower()}"
    return f"{len(text.splitlines()) or 1}: {said.partition('(')[0].strip().lower()} at the end of the file"


class _Check:
    """Turns parsed TOML into settings; every complaint carries the line where the entry stands."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()
        self.warnings: list[str] = []

    def settings(self, data: dict[str, Any]) -> Settings:
        known = {"database", "agent", "group", "channel", "caps", "reopen_days", "suggest_days"}
        self._known(data, known, ("", 0))
        agents = tuple(
            self._agent(e, ("agent", i)) for i, e in enumerate(self._tables(data, "agent"))
        )
        groups = tuple(
            self._group(e, ("group", i)) for i, e in enumerate(self._tables(data, "group"))
        )
        channels = tuple(
            self._channel(e, ("channel", i)) for i, e in enumerate(self._tables(data, "channel"))
        )
        for kind, names in (
            ("agent", [a.name for a in agents]),
            ("group", [g.name for g in groups]),
            ("channel", [c.name for c in channels]),
        ):
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise self._fault(
                        (kind, index),
                        "name",
                        f"{name!r} stands there twice: give each {kind} its own name",
                    )
        known_groups = {group.name for group in groups}
        for index, agent in enumerate(agents):
            for name in agent.groups:
                if name not in known_groups:
                    raise self._fault(
                        ("agent", index),
                        "groups",
                        f"there is no [[group]] named {name!r}: add it or correct the name",
                    )
        database = data.get("database", DATABASE)
        if not isinstance(database, str) or "://" not in database:
            raise self._fault(
                ("", 0),
                "database",
                f'{database!r} is no database address: write "sqlite:///deskhand.db"',
            )
        return Settings(
            database,
            agents,
            groups,
            channels,
            self._caps(data.get("caps", {})),
            tuple(self.warnings),
            reopen_days=self._days(data, "reopen_days", ("", 0), 30) or 0,
            suggest_days=self._days(data, "suggest_days", ("", 0), 7) or 0,
        )

    def _caps(self, entry: object) -> Caps:
        if not isinstance(entry, dict):
            raise self._fault(
                ("", 0), "caps", 'write a table: [caps], below it ticket = ["10/10m"]'
            )
        try:
            return read_caps(entry)
        except ValueError as fault:
            raise self._fault(("caps", 0), *fault.args) from None

    def _agent(self, entry: dict[str, Any], where: tuple[str, int]) -> AgentSettings:
        known = {
            "name", "email", "groups", "role", "display_name", "signature", "notify", "notify_hours",
        }  # fmt: skip
        self._known(entry, known, where)
        role = self._text(entry, "role", where, "agent")
        if role not in ("agent", "lead"):
            raise self._fault(where, "role", f"{role!r} is not one of agent, lead")
        return AgentSettings(
            self._name(entry, where),
            self._text(entry, "email", where, ""),
            self._texts(entry, "groups", where),
            role,
            self._text(entry, "display_name", where, ""),
            self._signature(entry, where),
            self._ways(entry, where),
            self._text(entry, "notify_hours", where, "always"),
        )

    def _ways(self, entry: dict[str, Any], where: tuple[str, int]) -> tuple[Way, ...]:
        """How somebody wants to be told: ``["mail", "desktop", { apprise = { env = "NAME" } }]``."""
        found = entry.get("notify", ["mail"])
        ways = []
        for way in found if isinstance(found, list) else [found]:
            if way in ("mail", "desktop"):
                ways.append(Way(str(way)))
                continue
            url = way.get("apprise") if isinstance(way, dict) and len(way) == 1 else None
            if isinstance(way, str) and way.startswith("apprise:"):
                url = way.removeprefix("apprise:")
            if not url:
                raise self._fault(
                    where,
                    "notify",
                    f'{way!r} is no way to tell somebody: there are "mail", "desktop" and'
                    ' { apprise = { env = "NAME" } } with the URL of a service',
                )
            ways.append(Way("apprise", self._secret(url, "apprise", where)))
        return tuple(ways)

    def _group(self, entry: dict[str, Any], where: tuple[str, int]) -> GroupSettings:
        self._known(entry, {"name", "level", "assign", "cap", "prefer_previous"}, where)
        assign = self._text(entry, "assign", where, "manual")
        if assign not in ASSIGNING:
            near = difflib.get_close_matches(assign, ASSIGNING, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise self._fault(
                where,
                "assign",
                f"{assign!r} is no way to assign: {hint}take one of {', '.join(ASSIGNING)}",
            )
        cap = entry.get("cap")
        if cap is not None and (type(cap) is not int or not 0 < cap <= _MOST_OPEN):
            raise self._fault(
                where, "cap", f"{cap!r} is not a number of open tickets from 1 to {_MOST_OPEN}"
            )
        previous = self._flag(entry, "prefer_previous", where)
        for key, written in (("cap", cap is not None), ("prefer_previous", previous)):
            if assign == "manual" and written:
                raise self._fault(
                    where,
                    key,
                    f"{key} says how tickets are handed out, and nobody hands out those of this group:"
                    ' write assign = "least-loaded" or "round-robin" beside it',
                )
        return GroupSettings(
            self._name(entry, where),
            self._text(entry, "level", where, "L1"),
            assign,
            cap,
            previous,
        )

    def _channel(self, entry: dict[str, Any], where: tuple[str, int]) -> ChannelSettings:
        kind = self._text(entry, "kind", where, "")
        if not kind:
            raise self._fault(where, "kind", 'the channel has no kind: write kind = "email"')
        name = self._name(entry, where)
        if kind == "telegram":
            return self._telegram(entry, name, where)
        if kind != "email":
            # Other kinds check their own keys when they are used.
            return ChannelSettings(
                name=name,
                kind=kind,
                display_name=self._text(entry, "display_name", where, ""),
                since=self._date(entry, "since", where),
                undo_send_s=self._duration(entry, "undo_send", where, 15),
                options=entry,
            )
        known = {
            "name", "kind", "address", "display_name", "aliases", "since", "undo_send", "imap", "smtp",
            "folders", "sent_folder", "read_sent", "poll", "max_size", "auth_servers", "dmarc", "spam",
            "unknown_address", "signature", "format", "reopen_days", "subject_reference",
        }  # fmt: skip
        self._known(entry, known, where)
        address = self._text(entry, "address", where, "")
        if "@" not in address:
            raise self._fault(
                where,
                "address",
                'the account needs its address: write address = "support@example.com"',
            )
        form = self._text(entry, "format", where, "markdown")
        if form not in ("markdown", "plain"):
            raise self._fault(where, "format", f"{form!r} is not one of markdown, plain")
        return ChannelSettings(
            name=name,
            kind=kind,
            address=address,
            display_name=self._text(entry, "display_name", where, ""),
            aliases=self._texts(entry, "aliases", where),
            folders=self._texts(entry, "folders", where) or ("INBOX",),
            sent_folder=self._text(entry, "sent_folder", where, "") or None,
            read_sent=self._yes(entry, "read_sent", where, default=True),
            since=self._date(entry, "since", where),
            undo_send_s=self._duration(entry, "undo_send", where, 15),
            poll_s=self._duration(entry, "poll", where, 60),
            max_bytes=self._size(entry, where),
            auth_servers=tuple(n.lower() for n in self._texts(entry, "auth_servers", where)),
            hold_dmarc=self._holds(entry, "dmarc", where, "show"),
            hold_spam=self._holds(entry, "spam", where, "hold"),
            hold_unknown=self._holds(entry, "unknown_address", where, "show"),
            reopen_days=self._days(entry, "reopen_days", where, None),
            subject_reference=self._flag(entry, "subject_reference", where),
            imap=self._server(entry, "imap", where, 993),
            smtp=self._server(entry, "smtp", where, 465),
            signature=self._signature(entry, where),
            format=form,
        )

    def _signature(self, entry: dict[str, Any], where: tuple[str, int]) -> str:
        """A signature as it stands here, or in the file that is named."""
        text = self._text(entry, "signature", where, "")
        if "\n" not in text and text.strip().endswith((".md", ".txt")):
            path = self.path.parent / text.strip()
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as fault:
                why = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8"
                raise self._fault(
                    where,
                    "signature",
                    f"{path} cannot be read ({why}): write the signature into that file, or here"
                    ' between """ and """',
                ) from None
        for name in PLACEHOLDER.findall(text):
            if name not in PLACEHOLDERS:
                raise self._fault(
                    where,
                    "signature",
                    f"there is no placeholder {name!r} in a signature: take one of"
                    f" {', '.join(PLACEHOLDERS)}",
                )
        if len(text) > _LONGEST_SIGNATURE:
            raise self._fault(
                where, "signature", f"it is longer than {_LONGEST_SIGNATURE} characters: shorten it"
            )
        return printable(text).strip("\n")

    def _telegram(
        self, entry: dict[str, Any], name: str, where: tuple[str, int]
    ) -> ChannelSettings:
        known = {
            "name", "kind", "display_name", "since", "undo_send", "token", "base_url", "reopen_days",
        }  # fmt: skip
        self._known(entry, known, where)
        token = self._secret(entry.get("token"), "token", where)
        if token is None:
            raise self._fault(
                where,
                "token",
                'the bot needs its token: write token = { keyring = "NAME" } with what'
                " @BotFather gave you",
            )
        base_url = self._text(entry, "base_url", where, TELEGRAM_URL)
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise self._fault(
                where, "base_url", f'{base_url!r} is no address: write "{TELEGRAM_URL}"'
            )
        if address.scheme == "http" and not _is_loopback(address.hostname):
            raise self._fault(
                where,
                "base_url",
                f"{base_url} would send the token readable to {address.hostname}: take https",
            )
        return ChannelSettings(
            name=name,
            kind="telegram",
            display_name=self._text(entry, "display_name", where, ""),
            since=self._date(entry, "since", where),
            undo_send_s=self._duration(entry, "undo_send", where, 15),
            token=token,
            base_url=base_url,
            reopen_days=self._days(entry, "reopen_days", where, None),
        )

    def _server(
        self, entry: dict[str, Any], key: str, where: tuple[str, int], port: int
    ) -> ServerSettings | None:
        found = entry.get(key)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise self._fault(
                where, key, f'expected a table like {key} = {{ host = "...", user = "..." }}'
            )
        self._known(found, {"host", "port", "security", "user", "password", "oauth"}, where, key)
        host = found.get("host")
        if not isinstance(host, str) or not host:
            raise self._fault(where, key, 'the server has no host: write host = "mail.example.com"')
        security = found.get("security", "tls")
        if security not in ("tls", "starttls", "none"):
            raise self._fault(
                where, key, f"security {security!r} is not one of tls, starttls, none"
            )
        if security == "none" and not _is_loopback(host):
            raise self._fault(
                where,
                key,
                f'security = "none" would send the password readable to {host}: take "tls" or "starttls"',
            )
        number = found.get("port", port)
        if type(number) is not int or not 0 < number < 65536:
            raise self._fault(where, key, f"port {number!r} is not a number from 1 to 65535")
        user = self._text(found, "user", where, "", key)
        password = self._secret(found.get("password"), key, where)
        oauth = self._oauth(found, key, where)
        if oauth is not None and password is not None:
            raise self._fault(where, key, "the server has a password and oauth: keep one of them")
        if oauth is not None and not user:
            raise self._fault(
                where, key, "with oauth the server needs its user, mostly the address"
            )
        return ServerSettings(host, number, security, user, password, oauth)

    def _oauth(
        self, server: dict[str, Any], key: str, where: tuple[str, int]
    ) -> OAuthSettings | None:
        found = server.get("oauth")
        if found is None:
            return None
        if not isinstance(found, dict):
            raise self._fault(
                where,
                key,
                'oauth must be a table like { provider = "google", client_id = "...", keyring = "NAME" }',
            )
        known = {field.name for field in fields(OAuthSettings)}
        self._known(found, known, where, key)

        def text(name: str, default: str = "") -> str:
            return self._text(found, name, where, default, key)

        provider, keyring, file = text("provider"), text("keyring"), text("file")
        if provider not in ("google", "microsoft", "custom"):
            raise self._fault(
                where,
                key,
                f"the oauth provider {provider!r} is not one of google, microsoft, custom",
            )
        if not text("client_id"):
            raise self._fault(
                where, key, "oauth needs a client_id: docs/oauth.md tells where to get one"
            )
        if bool(keyring) == bool(file):
            raise self._fault(
                where,
                key,
                'oauth must say where tokens are kept: keyring = "NAME", or file = "NAME"',
            )
        if provider == "custom" and not text("token_url"):
            raise self._fault(
                where, key, 'a custom oauth provider needs its token_url = "https://..."'
            )
        for name in ("auth_url", "token_url", "device_url"):
            address = urlsplit(text(name))
            here = address.hostname is not None and _is_loopback(address.hostname)
            if text(name) and address.scheme != "https" and not (address.scheme == "http" and here):
                raise self._fault(where, key, f"{name} {text(name)!r} must begin with https://")
        if text("mechanism") not in ("", "xoauth2", "oauthbearer"):
            raise self._fault(where, key, "the oauth mechanism is xoauth2 or oauthbearer")
        tenant = text("tenant", "common")
        if not re.fullmatch(r"[\w.-]+", tenant):
            raise self._fault(where, key, f"the tenant {tenant!r} is no name or number of one")
        return OAuthSettings(
            provider=provider,
            client_id=text("client_id"),
            client_secret=self._secret(found.get("client_secret"), key, where),
            keyring=keyring,
            file=self.path.parent / file if file else None,
            tenant=tenant,
            auth_url=text("auth_url"),
            token_url=text("token_url"),
            device_url=text("device_url"),
            scope=text("scope"),
            mechanism=text("mechanism"),
        )

    def _secret(self, found: object, key: str, where: tuple[str, int]) -> Secret | None:
        if found is None:
            return None
        if isinstance(found, str):
            line = self._line(where, "notify" if key == "apprise" else key)
            word = "address" if key == "apprise" else "token" if key == "token" else "password"
            self.warnings.append(
                f"{self.path}:{line}: a {word} stands in the file: safer are"
                ' { keyring = "NAME" }, { env = "NAME" } or { command = "..." }'
            )
            return Secret("bare", found)
        if isinstance(found, dict) and len(found) == 1:
            kind, value = next(iter(found.items()))
            if kind in ("env", "keyring", "command") and isinstance(value, str) and value:
                return Secret(kind, value)
        raise self._fault(
            where,
            key,
            f"the {'token' if key == 'token' else 'password'} must be "
            '{ env = "NAME" }, { keyring = "NAME" } or { command = "..." }',
        )

    def _yes(
        self, entry: dict[str, Any], key: str, where: tuple[str, int], *, default: bool
    ) -> bool:
        found = entry.get(key, default)
        if not isinstance(found, bool):
            raise self._fault(where, key, f"{found!r} is neither true nor false")
        return found

    def _date(self, entry: dict[str, Any], key: str, where: tuple[str, int]) -> datetime | None:
        found = entry.get(key)
        if found is None:
            return None
        try:
            moment = datetime.fromisoformat(str(found))
        except ValueError:
            raise self._fault(
                where, key, f'{found!r} is not a date: write since = "2026-01-01"'
            ) from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def _duration(
        self, entry: dict[str, Any], key: str, where: tuple[str, int], default: int
    ) -> int:
        found = entry.get(key)
        if found is None:
            return default
        try:
            seconds = parse_duration(str(found))
        except ValueError as fault:
            raise self._fault(where, key, str(fault)) from None
        if not 0 <= seconds <= _LONGEST_S:
            raise self._fault(where, key, f"{found!r} is not between 0s and a year")
        return seconds

    def _holds(self, entry: dict[str, Any], key: str, where: tuple[str, int], default: str) -> bool:
        """Whether such mail is to be held, by the words ``hold`` and ``show``."""
        found = self._text(entry, key, where, default)
        if found not in ("hold", "show"):
            raise self._fault(where, key, f"{found!r} is neither hold nor show")
        return found == "hold"

    def _days(
        self, entry: dict[str, Any], key: str, where: tuple[str, int], default: int | None
    ) -> int | None:
        found = entry.get(key, default)
        if found is not None and (type(found) is not int or not 0 <= found <= _MOST_DAYS):
            raise self._fault(
                where, key, f"{found!r} is not a number of days from 0 to {_MOST_DAYS}"
            )
        return found

    def _flag(self, entry: dict[str, Any], key: str, where: tuple[str, int]) -> bool:
        found = entry.get(key, False)
        if not isinstance(found, bool):
            raise self._fault(where, key, f"{key} is true or false, found {found!r}")
        return found

    def _size(self, entry: dict[str, Any], where: tuple[str, int]) -> int:
        found = entry.get("max_size", "50MB")
        match = re.fullmatch(r"(\d+)\s*(KB|MB|GB)?", str(found).strip().upper())
        if not match:
            raise self._fault(
                where, "max_size", f'{found!r} is not a size: write max_size = "50MB"'
            )
        return int(match[1]) * {None: 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}[match[2]]

    def _tables(self, data: dict[str, Any], key: str) -> list[dict[str, Any]]:
        found = data.get(key, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise self._fault((key, 0), key, f"write each as [[{key}]] on a line of its own")
        return found

    def _name(self, entry: dict[str, Any], where: tuple[str, int]) -> str:
        name = self._text(entry, "name", where, "")
        if not name or not re.fullmatch(r"[\w.@-]+", name):
            raise self._fault(
                where,
                "name",
                f"{name!r} cannot name the {where[0]}: use letters, digits, dots and hyphens, no blanks",
            )
        return name

    def _text(
        self,
        entry: dict[str, Any],
        key: str,
        where: tuple[str, int],
        default: str,
        inside: str = "",
    ) -> str:
        found = entry.get(key, default)
        if not isinstance(found, str):
            raise self._fault(
                where, inside or key, f"{key} must be a text in quotes, found {found!r}"
            )
        return found

    def _texts(self, entry: dict[str, Any], key: str, where: tuple[str, int]) -> tuple[str, ...]:
        found = entry.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise self._fault(where, key, f'{key} must be a list of texts like ["a", "b"]')
        return tuple(found)

    def _known(
        self, entry: dict[str, Any], known: set[str], where: tuple[str, int], inside: str = ""
    ) -> None:
        for key in entry:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = (
                    f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
                )
                raise self._fault(
                    where,
                    inside or key,
                    f"there is no setting {key!r} here: {hint}",
                )

    def _fault(self, where: tuple[str, int], key: str, sentence: str) -> SettingsError:
        return SettingsError(f"{self.path}:{self._line(where, key)}: {sentence}")

    def _line(self, where: tuple[str, int], key: str) -> int:
        """The line of a key inside the n-th table of a kind (or of the table itself)."""
        kind, index = where
        start, seen = 0, -1
        if kind:
            for number, line in enumerate(self.lines):
                if re.match(rf"\s*\[{{1,2}}\s*{re.escape(kind)}\s*\]", line):
                    seen += 1
                    if seen == index:
                        start = number
                        break
        inside = rf"{re.escape(kind)}\s*\.\s*" if kind else r"\[?\s*"
        below = re.compile(rf"\s*\[\s*{inside}{re.escape(key)}\s*\]")
        named = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
        for number in range(start, len(self.lines)):
            line = self.lines[number]
            if named.match(line) or below.match(line):
                return number + 1
            # A table of the entry's own ([channel.imap]) belongs to it, any other ends it.
            own = re.match(rf"\s*\[\s*{re.escape(kind)}\s*\.", line)
            if number > start and kind and re.match(r"\s*\[", line) and not own:
                break
        return start + 1


def _is_loopback(host: str) -> bool:
    """Whether a host is this very computer; a name that only begins like one is not."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
