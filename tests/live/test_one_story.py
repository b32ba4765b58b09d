"""One person writes by mail, then in Telegram, is joined, and is answered by the other channel."""

from __future__ import annotations

from pathlib import Path

from tests.live.bots import ANA, answer, bot_desk, item
from tests.servers.telegram import TelegramServer
from workflow import actions as a
from workflow.clock import Clock, ManualClock, parse_moment
from workflow.inbound import Inbound, Party, Source


def test_one_story_over_mail_and_telegram(tmp_path: Path) -> None:
    clock = ManualClock(parse_moment("2026-11-23T09:00:00Z"))
    with TelegramServer.start() as server:
        live = bot_desk(tmp_path / "desk", server, clock)
        try:
            mail = live.desk.receive([mail_of_anna(clock)])[0].ticket
            server.customer(1, "Anna").says("Did you get my mail?")
            assert live.engine().run_once().created == 1
            first, second = (live.reads.ticket(number) for number in (1, 2))
            assert first is not None
            assert second is not None
            assert mail == first.id
            live.desk.perform(a.JoinCustomers(first.customer.id, second.customer.id), ANA, "test")
            (account,) = live.column("SELECT id FROM identity WHERE kind = 'telegram'")
            queued = answer(live, first.id, "We have it, and it is on its way.", via=account)
            clock.advance(60)
            assert live.engine().run_once().sent == 1
            assert item(live, queued).state == "sent"
            assert [(m.chat_id, m.text, m.reply_to) for m in server.messages] == [
                (1, "We have it, and it is on its way.", None)
            ]
            told = live.reads.ticket(first.id)
            assert told is not None
            assert [(m.channel, m.direction) for m in told.messages] == [
                ("email", "in"),
                ("telegram", "out"),
            ]
            assert told.waiting_since is None, "an answer over any channel is an answer"
            history = live.reads.history(first.customer.id)
            assert [row.channel for row in history] == ["telegram", "email"]
        finally:
            live.close()


def mail_of_anna(clock: Clock) -> Inbound:
    """Her mail, as it comes in."""
    return Inbound(
        channel="email",
        source=Source(None),
        raw_sha256="0" * 64,
        raw_size=1,
        reached_at=clock.now(),
        sender=Party("Anna", "anna@example.org"),
        subject="Where is it?",
        to=(Party("", "support@example.com"),),
        message_id="<one@example.org>",
        text="Where is my parcel?",
        full_text="Where is my parcel?",
        dedupe_key="one",
    )
