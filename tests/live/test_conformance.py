"""The suite of all channels, run for mail, for Telegram and for a toy."""

from __future__ import annotations

import email
import email.policy
import itertools
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.channels.conformance import Conformance, Rig
from tests.live.bots import write_bot_settings
from tests.live.desks import letter, write_settings
from tests.servers.acts import drop, refuse
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpSink
from tests.servers.telegram import TelegramServer, cut
from tests.servers.telegram import refuse as refused

_REPOSITORY = Path(__file__).resolve().parents[2]


class MailRig:
    """Mail over Dovecot and a real SMTP server."""

    kind, account = "email", "support"

    def __init__(self, dovecot: Dovecot, sink: SmtpSink) -> None:
        self._dovecot = dovecot
        self._sink = sink
        self._numbers = itertools.count(1)
        self._is_down = False
        self._home = Path()

    def configure(self, home: Path) -> None:
        self._home = home
        write_settings(home, imap_port=self._dovecot.port, smtp_port=self._sink.port)

    def writes(self, who: str, text: str) -> None:
        mail = email.message_from_bytes(
            letter(next(self._numbers), sender=f"{who.lower()}@example.org"),
            policy=email.policy.SMTP,
        )
        assert isinstance(mail, EmailMessage)
        del mail["From"]
        mail["From"] = f"{who} <{who.lower()}@example.org>"
        mail.set_content(text, cte="base64")
        if self._sink.messages:
            mail["In-Reply-To"] = self._mails()[-1]["Message-ID"]
        self._dovecot.deliver(mail.as_bytes())

    def _mails(self) -> list[EmailMessage]:
        found = [
            email.message_from_bytes(got.content, policy=email.policy.SMTP)
            for got in self._sink.messages
        ]
        return [mail for mail in found if isinstance(mail, EmailMessage)]

    def got(self) -> list[str]:
        bodies = [mail.get_body(("plain",)) for mail in self._mails()]
        return [str(body.get_content()) for body in bodies if body is not None]

    def files(self) -> list[bytes]:
        return [
            part.get_payload(decode=True)  # type: ignore[misc]
            for mail in self._mails()
            for part in mail.iter_attachments()
        ]

    def down(self) -> None:
        self._sink.stop()
        self._dovecot.halt()

    def up(self) -> None:
        self._dovecot.resume()
        self._sink.resume()

    def cut_next(self) -> None:
        self._sink.script(drop("dot", keep=True))

    def refuse_next(self) -> bool:
        self._sink.script(refuse("550 5.7.1 we do not like you", "dot"))
        return True


class TelegramRig:
    """A bot on the local Bot API server."""

    kind, account = "telegram", "bot"

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        self._people: dict[str, int] = {}

    def configure(self, home: Path) -> None:
        write_bot_settings(home, self._server)

    def writes(self, who: str, text: str) -> None:
        number = self._people.setdefault(who, 100 + len(self._people))
        self._server.customer(number, who).says(text)

    def got(self) -> list[str]:
        return [sent.text for sent in self._server.messages]

    def files(self) -> list[bytes]:
        return [data for sent in self._server.messages for _name, data in sent.files]

    def down(self) -> None:
        self._server.stop()

    def up(self) -> None:
        self._server.resume()

    def cut_next(self) -> None:
        self._server.script(cut("after"))

    def refuse_next(self) -> bool:
        self._server.script(refused(403, "Forbidden: bot was blocked by the user"))
        return True


class ToyRig:
    """Files in a folder; the channel is found by its entry point, as a package's would be."""

    kind, account = "toy", "toys"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        for name in ("in", "out"):
            (folder / name).mkdir(parents=True)

    def configure(self, home: Path) -> None:
        home.mkdir(parents=True)
        (home / "deskhand.toml").write_text(
            '[[agent]]\nname = "ana"\n\n[[channel]]\nname = "toys"\nkind = "toy"\n'
            f'undo_send = "0s"\nfolder = "{self._folder}"\n'
        )

    def writes(self, who: str, text: str) -> None:
        path = self._folder / "in" / f"{next(self._numbers)}.txt"
        path.with_suffix(".part").write_bytes(f"{who}\n{text}".encode())
        path.with_suffix(".part").rename(path)

    def got(self) -> list[str]:
        return [path.read_text("utf-8") for path in sorted((self._folder / "out").glob("*"))]

    def files(self) -> list[bytes]:
        return []

    def down(self) -> None:
        self._folder.rename(self._folder.with_name("away"))

    def up(self) -> None:
        self._folder.with_name("away").rename(self._folder)

    def cut_next(self) -> None:
        (self._folder / "out").rmdir()

    def refuse_next(self) -> bool:
        return False


class TestMail(Conformance):
    @pytest.fixture
    def rig(self, dovecot: Dovecot, smtp_sink: SmtpSink) -> Rig:
        return MailRig(dovecot, smtp_sink)


class TestTelegram(Conformance):
    @pytest.fixture
    def rig(self, telegram: TelegramServer) -> Rig:
        return TelegramRig(telegram)


class TestToy(Conformance):
    @pytest.fixture
    def rig(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
        about = tmp_path / "packages" / "deskhand_toy-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deskhand-toy\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(
            "[deskhand.channels]\ntoy = tests.channels.toy:CHANNEL\n"
        )
        monkeypatch.syspath_prepend(about.parent)
        return ToyRig(tmp_path / "toys")


def test_the_toy_is_small() -> None:
    lines = (_REPOSITORY / "tests" / "channels" / "toy.py").read_text().splitlines()
    assert len(lines) < 60
