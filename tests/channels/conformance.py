"""What every channel must do, whatever it is: one suite, run against real servers.

A channel is shown to it by a :class:`Rig`; ``tests/live/test_conformance.py`` has those of mail,
Telegram and a toy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from channels.engine import Engine
from channels.registry import channel_of, readers
from tests.live.desks import LiveDesk, wait_until
from workflow import actions as a
from workflow.clock import ManualClock, SystemClock
from workflow.errors import Refusal
from workflow.model import Actor
from workflow.store.rows import MessageDetail, OutboxRow

__all__ = ["Conformance", "Rig"]

ANA = Actor.agent("ana")
STATES = ("held", "scheduled", "queued", "sending", "sent", "failed", "cancelled")
HOSTILE = "\x1b[2J\x1b]0;owned\x07 [bold]{{ secret }}[/] <b>&amp;</b> \u202eevil\u2069 \x9b31m"
UNICODE = "Grüße, 你好 👩‍👩‍👧, *stars* _lines_ <tag> & `code`"


class Rig(Protocol):
    """A channel's servers and customers, for the suite."""

    kind: str
    account: str

    def configure(self, home: Path) -> None:
        """Write the deskhand.toml of a home with one account of this channel, without an undo
        window, and an agent ``ana``.
        """
        ...

    def writes(self, who: str, text: str) -> None:
        """A customer writes, of their own accord or in answer to what they got."""
        ...

    def got(self) -> list[str]:
        """The texts of the answers that customers have got, oldest first."""
        ...

    def files(self) -> list[bytes]:
        """The files that customers have got."""
        ...

    def down(self) -> None:
        """No server answers any more."""
        ...

    def up(self) -> None:
        """All answer again."""
        ...

    def cut_next(self) -> None:
        """The next answer is handed over, and the connection breaks before its fate is told."""
        ...

    def refuse_next(self) -> bool:
        """The next answer is refused for good; False where the channel knows no such thing."""
        ...


class Conformance:
    """The suite; a subclass in a test module gives the fixture ``rig``."""

    @pytest.fixture
    def live(self, rig: Rig, tmp_path: Path) -> Iterator[LiveDesk]:
        """A desk with the channel, at a time that the test moves."""
        rig.configure(tmp_path / "desk")
        desk = LiveDesk.open(tmp_path / "desk", ManualClock(SystemClock().now()))
        yield desk
        desk.close()

    @pytest.fixture
    def started(self, rig: Rig, tmp_path: Path) -> Iterator[tuple[LiveDesk, Engine]]:
        """A desk with an engine that runs."""
        rig.configure(tmp_path / "desk")
        desk = LiveDesk.open(tmp_path / "desk")
        engine = desk.engine()
        engine.start()
        yield desk, engine
        engine.stop()
        desk.close()

    # -- in ----------------------------------------------------------------------------------------

    def test_what_is_written_becomes_a_ticket(self, rig: Rig, live: LiveDesk) -> None:
        """A message with its sender, its account and its bytes."""
        rig.writes("Anna", "Where is my parcel?")
        done = live.engine().run_once()
        assert (done.received, done.created) == (1, 1)
        assert [one.error for one in done.accounts] == [None]
        (message,) = _messages(live)
        assert message.direction == "in"
        assert "Where is my parcel?" in message.text
        (row,) = live.reads.fetch("SELECT channel, account, raw_sha256, author FROM message")
        assert tuple(row[:2]) == (rig.kind, rig.account)
        assert "Anna" in row[3]
        raw = live.files.read(row[2])
        again = readers(live.settings, live.files)[rig.kind].read(
            raw, rig.account, live.desk.clock.now()
        )
        assert again.text == message.text
        assert live.desk.receive([again])[0].outcome == "duplicate"

    def test_nothing_comes_twice(self, rig: Rig, live: LiveDesk) -> None:
        """Neither in a second pass nor by another engine."""
        for n in range(5):
            rig.writes(f"Person{n}", f"Hello {n}")
        assert live.engine().run_once().created == 5
        assert live.engine().run_once().received == 0
        rig.writes("Person9", "Hello 9")
        assert live.engine().run_once().received == 1
        assert live.count("message") == live.count("arrival") == 6

    def test_the_cursor_moves_with_the_message_or_not_at_all(
        self, rig: Rig, live: LiveDesk
    ) -> None:
        """What could not be stored is asked for again."""
        with live.desk.store.write(live.desk.clock.now()) as transaction:
            for verb in ("INSERT", "UPDATE"):
                transaction.connection.exec_driver_sql(
                    f"CREATE TRIGGER no_{verb} BEFORE {verb} ON cursor"
                    " BEGIN SELECT RAISE(ABORT, 'the disk says no'); END"
                )
        rig.writes("Anna", "Important")
        (result,) = live.engine().run_once().accounts
        assert not result.ok
        assert live.count("message") == 0
        with live.desk.store.write(live.desk.clock.now()) as transaction:
            for verb in ("INSERT", "UPDATE"):
                transaction.connection.exec_driver_sql(f"DROP TRIGGER no_{verb}")
        assert live.engine().run_once().created == 1
        assert live.count("message") == live.count("cursor") == 1

    def test_hostile_text_comes_out_as_text(self, rig: Rig, live: LiveDesk) -> None:
        """No control byte of a stranger is stored as readable text."""
        rig.writes("Anna", HOSTILE)
        live.engine().run_once()
        for message in _messages(live):
            for text in (message.text, message.full_text, message.author, message.subject):
                assert not [c for c in text or "" if c < " " and c != "\n"]
                assert not {"\x7f", "\x9b", "\u202e", "\u2069"} & set(text or "")
            assert "[bold]{{ secret }}[/]" in message.text

    def test_a_server_that_is_away_is_told_in_words(self, rig: Rig, live: LiveDesk) -> None:
        """And what was written meanwhile comes when it is back."""
        rig.down()
        (result,) = live.engine().run_once().accounts
        assert not result.ok
        assert len(result.error or "") > 20
        rig.up()
        rig.writes("Anna", "Still there?")
        assert live.engine().run_once().created == 1

    # -- out ---------------------------------------------------------------------------------------

    def test_an_answer_arrives_once_and_its_answer_comes_back(
        self, rig: Rig, live: LiveDesk
    ) -> None:
        """One compose is one send, and the conversation goes on in its ticket."""
        rig.writes("Anna", "Where is my parcel?")
        live.engine().run_once()
        number = _answer(live, UNICODE)
        assert live.engine().run_once().sent == 1
        assert live.engine().run_once().sent == 0
        (text,) = rig.got()
        assert UNICODE in text
        assert _item(live, number).state == "sent"
        rig.writes("Anna", "Thank you")
        done = live.engine().run_once()
        assert (done.appended, live.count("ticket")) == (1, 1)

    def test_an_answer_waits_for_a_server_that_is_away(self, rig: Rig, live: LiveDesk) -> None:
        """It is tried again, and sent once."""
        number = self._first(rig, live)
        rig.down()
        done = live.engine().run_once()
        assert (done.sent, done.failed) == (0, 0)
        assert _item(live, number).state == "queued"
        assert _item(live, number).error
        rig.up()
        _later(live, 3600)
        assert live.engine().run_once().sent == 1
        assert len(rig.got()) == 1

    def test_an_unknown_fate_is_left_to_a_person(self, rig: Rig, live: LiveDesk) -> None:
        """Never silently twice."""
        number = self._first(rig, live)
        rig.cut_next()
        assert live.engine().run_once().failed == 1
        assert _item(live, number).state == "failed"
        assert "may have been sent" in (_item(live, number).error or "")
        _later(live, 86_400)
        live.engine().run_once()
        assert len(rig.got()) <= 1

    def test_a_refusal_for_good_is_explained_and_can_be_retried(
        self, rig: Rig, live: LiveDesk
    ) -> None:
        """A person decides."""
        number = self._first(rig, live)
        if not rig.refuse_next():
            pytest.skip(f"{rig.kind} refuses nothing")
        assert live.engine().run_once().failed == 1
        row = _item(live, number)
        assert row.state == "failed"
        assert len(row.error or "") > 20
        live.desk.perform(a.RetrySend(number), ANA, "test")
        assert live.engine().run_once().sent == 1

    def test_files_go_out_where_the_channel_carries_them(self, rig: Rig, live: LiveDesk) -> None:
        """And are refused before anything is queued where it does not."""
        rig.writes("Anna", "Send me the paper")
        live.engine().run_once()
        data = b"%PDF-1.7 paper \x00\xff"
        file = ("paper.pdf", "application/pdf", live.files.put(data), len(data))
        reply = a.Reply(1, "Here", attachments=(file,))
        if channel_of(rig.kind).capabilities.attachments:
            live.desk.perform(reply, ANA, "test")
            assert live.engine().run_once().sent == 1
            assert rig.files() == [data]
        else:
            with pytest.raises(Refusal, match="files"):
                live.desk.perform(reply, ANA, "test")
            assert live.count("outbox") == 0

    # -- running -----------------------------------------------------------------------------------

    def test_a_message_and_an_answer_are_through_within_seconds(
        self, rig: Rig, started: tuple[LiveDesk, Engine]
    ) -> None:
        """In the background, both ways, and it ends when it is told to."""
        live, engine = started
        wait_until(lambda: "waiting" in engine.states()[0].words)
        rig.writes("Anna", "Hello")
        wait_until(lambda: live.count("ticket") == 1, 5)
        _answer(live, "Hello Anna")
        wait_until(lambda: live.count("outbox", "state = 'sent'") == 1, 5)
        assert len(rig.got()) == 1
        begin = time.monotonic()
        engine.stop()
        assert time.monotonic() - begin < 5
        assert live.count("lease") == 0

    def test_it_says_what_it_is(self, rig: Rig) -> None:
        """The registry knows it under its kind."""
        channel = channel_of(rig.kind)
        assert channel.kind == rig.kind
        assert channel.capabilities.starts in ("anyone", "customer")
        assert set(channel.capabilities.receipts) <= {"sent", "delivered", "read", "failed"}

    def _first(self, rig: Rig, live: LiveDesk) -> int:
        """An answer that waits to be sent."""
        rig.writes("Anna", "A question")
        assert live.engine().run_once().created == 1
        return _answer(live, "An answer")


Made = Callable[..., Rig]


def _messages(live: LiveDesk) -> list[MessageDetail]:
    ticket = live.reads.ticket(1)
    assert ticket is not None
    return list(ticket.messages)


def _answer(live: LiveDesk, text: str) -> int:
    done = live.desk.perform(a.Reply(1, text), ANA, "test")
    assert done.outbox_id is not None
    return done.outbox_id


def _item(live: LiveDesk, number: int) -> OutboxRow:
    return next(row for row in live.reads.outbox(STATES) if row.id == number)


def _later(live: LiveDesk, seconds: float) -> None:
    clock = live.desk.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds)
