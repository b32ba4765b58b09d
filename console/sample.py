# ruff: noqa: E501 - the lines of the mails are data
"""A small desk with fixed tickets, for pictures and for tests of the screens. No real person, no network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.clock import ManualClock
from workflow.inbound import Attachment, Inbound, Party, Source

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.bootstrap import Desktop

__all__ = ["NOW", "SampleDesk", "make_sample"]

NOW = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)
"""The moment of the sample: a Tuesday afternoon."""

SETTINGS = """\
database = "sqlite:///deskhand.db"

[[agent]]
name = "ana"
email = "ana@northwind.example"
groups = ["support"]

[[agent]]
name = "ben"
email = "ben@northwind.example"
groups = ["support", "finance"]

[[agent]]
name = "chidi"
email = "chidi@northwind.example"
groups = ["seniors"]
role = "lead"

[[group]]
name = "support"
level = "L1"

[[group]]
name = "finance"
level = "L1"

[[group]]
name = "seniors"
level = "L2"

[[channel]]
name = "support"
kind = "email"
address = "support@northwind.example"
since = "2026-01-01"
imap = { host = "127.0.0.1", port = 1, security = "none", user = "u", password = { env = "NONE" } }
smtp = { host = "127.0.0.1", port = 1, security = "none", user = "u", password = { env = "NONE" } }
"""


@dataclass(frozen=True, slots=True)
class _Mail:
    minutes_ago: int
    name: str
    address: str
    subject: str
    text: str
    full_text: str = ""
    files: tuple[tuple[str, str, int], ...] = ()
    answers: str = ""
    cc: tuple[str, ...] = ()
    key: str = ""


_REFUND = """\
Hello,

I was charged twice for order 48213 on 6 March: two payments of 89.00 EUR with the same reference on my card \
statement. Could you please refund one of them? I attach the statement, both lines are marked.

Thank you
Maria Gonzalez
"""
_REFUND_AGAIN = """\
Hi Ana,

thanks for the quick answer. The bank says that neither payment is pending any more, both are booked. So I do need \
the refund from your side.

Is it possible to have it by Friday? My rent goes out on the 14th.

Maria
"""
_QUOTED = """
On Mon, 9 Mar 2026 at 11:02, Northwind Support wrote:
> Hello Maria,
>
> I can see both payments. One of them may still be a reservation that your
> bank releases by itself within three days. Could you ask them?
>
> Kind regards
> Ana
"""

_MAILS = (
    _Mail(1660, "Maria Gonzalez", "maria.gonzalez@mail.example", "Charged twice for order 48213", _REFUND,
          files=(("statement-march.pdf", "application/pdf", 214_311),), key="refund"),
    _Mail(1500, "Tom Okafor", "tom@okafor-design.example", "Cannot sign in since the update",
          "Since yesterday's update the app says 'session expired' right after I sign in. iPhone 14, iOS 19.3.\n\nTom\n", key="signin"),
    _Mail(900, "佐藤 美咲", "misaki.sato@mail.example", "請求書の宛名変更をお願いします",
          "お世話になっております。\n\n先月分の請求書の宛名を「株式会社サトウ」に変更していただけますでしょうか。\n\nよろしくお願いいたします。\n佐藤", key="invoice"),
    _Mail(420, "Lena Vogt", "lena.vogt@vogt-gmbh.example", "Export stops at 10,000 rows",
          "Our nightly export has stopped at 10,000 rows since Sunday. Nothing has changed on our side. We need the full "
          "list for the accountant today.\n\nLena Vogt\n", key="export", files=(("export.log", "text/plain", 18_220), ("screenshot.png", "image/png", 402_118))),
    _Mail(242, "Priya Raman", "priya@raman.example", "Where is my parcel?",
          "The tracking page has said 'in transit' for nine days now. Order 47990.\n", key="parcel"),
    _Mail(200, "Jonas Lind", "jonas.lind@mail.example", "Change of delivery address",
          "I am moving on the 20th. Please send the next box to Storgatan 12, 411 38 Göteborg.\n", key="address"),
    _Mail(150, "Grace Mbeki", "grace@mbeki-law.example", "Do you sign a data processing agreement?",
          "Before we can go on our office needs a signed DPA. Do you have a template, or shall we send ours?\n", key="dpa"),
    _Mail(95, "Noah Fischer", "noah.f@mail.example", "[/] [@click=app.quit]free[/] \x1b[31mprize\x1b[0m \u202egnp.exe",
          "Text that pretends: [bold]markup[/bold], \x1b]52;c;aGVsbG8=\x07 clipboard, \u202eright to left.\n", key="hostile"),
    _Mail(64, "Maria Gonzalez", "maria.gonzalez@mail.example", "Re: Charged twice for order 48213", _REFUND_AGAIN,
          full_text=_REFUND_AGAIN + _QUOTED, answers="refund", key="refund2", cc=("accounts@gonzalez.example",)),
    _Mail(48, "Oskar Nowak", "oskar@nowak.example", "Invoice 2026-0117 has the wrong VAT number",
          "Our VAT number is PL5250001009, the invoice shows an old one. Please send a corrected invoice.\n", key="vat"),
    _Mail(31, "Ines Duarte", "ines.duarte@mail.example", "Love the new colours, one question",
          "Will the green one be back in size M? I would order two at once 💚\n", key="colours"),
    _Mail(12, "Sam Lee", "sam.lee@leeandsons.example", "URGENT: checkout is down for all our customers",
          "Every checkout ends with error 502 since 14:15. This is our busiest hour. Please call me: +44 20 7946 0123.\n", key="down"),
    _Mail(3, "Anna Kowalska", "anna.k@mail.example", "Password reset mail does not arrive",
          "I have asked for it four times, nothing in spam either.\n", key="reset"),
)  # fmt: skip


@dataclass
class SampleDesk:
    """Where the sample lives, its clock, and the numbers of its tickets by a short name."""

    home: Path
    clock: ManualClock
    tickets: dict[str, int]

    def app(self, theme: str = "dark", agent: str | None = "ana") -> ConsoleApp:
        """A console on the sample: its clock stands still, its time zone is UTC."""
        from console.app import ConsoleApp, make_desk
        from console.bootstrap import Desktop
        from console.bridge import Bridge
        from workflow.store.reads import Reads

        desktop = Desktop(self.home, self.clock, agent)
        bridge = Bridge(
            Reads(desktop.database),
            self.clock,
            agent,
            lambda: make_desk(desktop),
            self.home / "files",
        )
        return ConsoleApp(bridge, home=self.home, theme=theme, zone=UTC)


def make_sample(home: Path) -> SampleDesk:
    """Make the sample desk in an empty folder. Slow: it loads the store."""
    from console.bootstrap import Desktop

    home.mkdir(parents=True, exist_ok=True)
    (home / "deskhand.toml").write_text(SETTINGS, encoding="utf-8")
    clock = ManualClock(NOW - timedelta(days=3))
    desktop = Desktop(home, clock, "ana")
    desktop.prepare()
    try:
        return _Maker(home, clock, desktop).make()
    finally:
        desktop.store.close()


class _Maker:
    def __init__(self, home: Path, clock: ManualClock, desktop: Desktop) -> None:
        from workflow.desk import Desk

        self._home, self._clock = home, clock
        # No channel is needed: nothing of the sample is parsed or sent.
        self._desk = Desk(desktop.store, clock, desktop.settings, desktop.files)
        self._tickets: dict[str, int] = {}

    def make(self) -> SampleDesk:
        """All tickets, in the order in which things happened."""
        from workflow.actions import (
            AddTags,
            Assign,
            Escalate,
            Note,
            SetField,
            SetPriority,
            SetStatus,
            Snooze,
        )  # fmt: skip
        from workflow.model import Actor, Priority

        ana, ben = Actor.agent("ana"), Actor.agent("ben")
        number = self._tickets
        for mail in _MAILS:
            at = NOW - timedelta(minutes=mail.minutes_ago)
            self._clock.set(at)
            self._take(mail, at)
            ticket = number[mail.key]
            match mail.key:
                case "refund":
                    self._do(
                        4,
                        [
                            Assign(ticket, assignee="ana", group="finance"),
                            AddTags(ticket, ("refund", "billing")),
                        ],
                        ana,
                    )
                    self._do(
                        2,
                        [
                            SetPriority(ticket, Priority.HIGH),
                            SetField(ticket, "tier", "vip"),
                            SetField(ticket, "topic", "billing"),
                        ],
                        ana,
                    )
                    self._do(
                        30,
                        [
                            Note(
                                ticket,
                                "Both payments are booked (pay_7F3A and pay_7F3B), the second one was a retry by our gateway.\nRefund is ours to make.",
                            )
                        ],
                        ben,
                    )
                case "signin":
                    self._do(
                        20,
                        [
                            Assign(ticket, assignee="ben", group="support"),
                            SetStatus(ticket, "pending"),
                        ],
                        ben,
                    )
                case "invoice":
                    self._do(
                        15, [Assign(ticket, assignee="ana"), SetStatus(ticket, "resolved")], ana
                    )
                case "export":
                    self._do(
                        10,
                        [
                            Assign(ticket, assignee="ana", group="support"),
                            SetPriority(ticket, Priority.HIGH),
                        ],
                        ana,
                    )
                    self._do(
                        50,
                        [
                            Escalate(
                                ticket,
                                "bug",
                                "L2",
                                "Repeated it with her account, stops at row 10,000.",
                                "Somebody who can read the export job's log.",
                                None,
                                "An answer today",
                            )
                        ],
                        ana,
                    )
                case "parcel":
                    self._do(
                        9,
                        [
                            Assign(ticket, assignee="ana", group="support"),
                            SetStatus(ticket, "on hold"),
                        ],
                        ana,
                    )
                case "address":
                    self._do(
                        5,
                        [Assign(ticket, assignee="ben"), Snooze(ticket, NOW + timedelta(days=1))],
                        ben,
                    )
                case "down":
                    self._do(1, [SetPriority(ticket, Priority.URGENT)], ben)
                case "vat":
                    self._do(6, [Assign(ticket, assignee="ben", group="finance")], ben)
                case _:
                    pass
        self._clock.set(NOW)
        self._desk.save_draft("ana", number["refund"], "reply", "Hello Maria,\n\n", None)
        return SampleDesk(self._home, self._clock, dict(number))

    def _do(self, minutes: int, actions: list[object], actor: object) -> None:
        self._clock.advance(minutes * 60)
        self._desk.perform_all(actions, actor, "key:a")  # type: ignore[arg-type]

    def _take(self, mail: _Mail, at: datetime) -> None:
        from workflow.plaintext import one_line, printable

        raw = self._desk.files.put(f"{mail.key}\n{mail.text}".encode())
        files = tuple(
            Attachment(name, kind, size, self._desk.files.put(name.encode()))
            for name, kind, size in mail.files
        )
        answers = (f"<{mail.answers}@sample.example>",) if mail.answers else ()
        item = Inbound(
            channel="email",
            source=Source("support", "INBOX", 1, len(self._tickets) + 1),
            raw_sha256=raw,
            raw_size=len(mail.text),
            reached_at=at,
            sender=Party(mail.name, mail.address),
            subject=one_line(mail.subject),
            date=at,
            to=(Party("", "support@northwind.example"),),
            cc=tuple(Party("", address) for address in mail.cc),
            message_id=f"<{mail.key}@sample.example>",
            in_reply_to=answers,
            references=answers,
            text=printable(mail.text),
            full_text=printable(mail.full_text or mail.text),
            attachments=files,
            dedupe_key=f"sample:{mail.key}",
        )
        (received,) = self._desk.receive([item])
        ticket = received.ticket
        assert ticket is not None, f"the sample mail {mail.key} was not taken: {received}"
        self._tickets[mail.key] = ticket
