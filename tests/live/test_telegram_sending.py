"""Answers out through a bot: each part at most once, and every refusal in words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.bots import ANA, answer, bot_desk, item
from tests.live.conftest import Running
from tests.live.desks import LiveDesk, wait_until
from tests.servers.telegram import TelegramServer, cut, late, refuse
from workflow import actions as a
from workflow.clock import ManualClock, parse_moment
from workflow.errors import Refusal

LONG = "\n\n".join(f"Paragraph {n}. " + "A sentence of the answer. " * 30 for n in range(12))


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer.start() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(parse_moment("2026-11-23T09:00:00Z"))


@pytest.fixture
def live(tmp_path: Path, server: TelegramServer, clock: ManualClock) -> Iterator[LiveDesk]:
    """A desk where Anna has written in chat 1."""
    desk = bot_desk(tmp_path / "desk", server, clock)
    server.customer(1, "Anna").says("Where is it?")
    assert desk.engine().run_once().created == 1
    yield desk
    desk.close()


def test_an_answer_goes_out_once_as_text_and_replies(
    live: LiveDesk, server: TelegramServer
) -> None:
    number = answer(live, 1, "*On its way* <b>now</b> _and_ [here](x)")
    assert live.engine().run_once().sent == 1
    assert live.engine().run_once().sent == 0
    (sent,) = server.messages
    assert (sent.chat_id, sent.text) == (1, "*On its way* <b>now</b> _and_ [here](x)")
    assert sent.reply_to == 2
    assert "parse_mode" not in sent.more
    assert item(live, number).state == "sent"
    assert live.column("SELECT alias FROM message_alias") == [f"<tg.bot.1.{sent.message_ids[0]}>"]


def test_a_long_answer_with_files_goes_in_parts(live: LiveDesk, server: TelegramServer) -> None:
    files = tuple(
        (name, kind, live.files.put(data), len(data))
        for name, kind, data in (
            ("a.png", "image/png", b"png"),
            ("b.jpg", "image/jpeg", b"jpg"),
            ("in voice.pdf", "application/pdf", b"%PDF"),
        )
    )
    answer(live, 1, LONG, attachments=files)
    assert live.engine().run_once().sent == 1
    assert [sent.method for sent in server.messages] == [
        "sendMessage", "sendMessage", "sendMessage", "sendMediaGroup", "sendDocument",
    ]  # fmt: skip
    texts = [sent.text for sent in server.messages[:3]]
    assert " ".join(" ".join(texts).split()) == " ".join(LONG.split())
    assert [data for _name, data in server.messages[3].files] == [b"png", b"jpg"]
    assert server.messages[4].files == (("in voice.pdf", b"%PDF"),)
    assert live.count("message_alias") == 6


def test_a_short_text_is_the_caption_of_its_photo(live: LiveDesk, server: TelegramServer) -> None:
    answer(live, 1, "Like this", attachments=(("a.png", "image/png", live.files.put(b"p"), 1),))
    live.engine().run_once()
    (sent,) = server.messages
    assert (sent.method, sent.text) == ("sendPhoto", "Like this")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (refuse(403, "Forbidden: bot was blocked by the user"), "has blocked the bot"),
        (refuse(403, "Forbidden: user is deactivated"), "account is gone"),
        (refuse(400, "Bad Request: chat not found"), "the chat is gone"),
        (refuse(400, "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=-100), "supergroup"),
    ],
)  # fmt: skip
def test_a_refusal_for_good_is_explained(
    live: LiveDesk, server: TelegramServer, act: object, words: str
) -> None:
    server.script(act)  # type: ignore[arg-type]
    number = answer(live, 1)
    done = live.engine().run_once()
    assert (done.sent, done.failed) == (0, 1)
    row = item(live, number)
    assert row.state == "failed"
    assert words in (row.error or "")


@pytest.mark.parametrize(
    "act", [refuse(500, "Internal Server Error"), refuse(502, "Bad Gateway")], ids=["500", "502"]
)
def test_a_fault_that_passes_is_tried_again(
    live: LiveDesk, server: TelegramServer, clock: ManualClock, act: object
) -> None:
    server.script(act)  # type: ignore[arg-type]
    number = answer(live, 1)
    assert live.engine().run_once().sent == 0
    assert item(live, number).state == "queued"
    clock.advance(31)
    assert live.engine().run_once().sent == 1
    assert len(server.messages) == 1


def test_telegram_asks_to_wait_and_is_left_alone_so_long(
    live: LiveDesk, server: TelegramServer, clock: ManualClock
) -> None:
    server.script(refuse(429, "Too Many Requests: retry after 70", retry_after=70))
    first, second = answer(live, 1, "One"), answer(live, 1, "Two")
    done = live.engine().run_once()
    assert (done.sent, done.failed) == (0, 0)
    assert "asks to wait 70 s" in (done.accounts[0].error or "")
    assert server.calls.count("sendMessage") == 1
    clock.advance(60)
    assert live.engine().run_once().sent == 0
    clock.advance(11)
    assert live.engine().run_once().sent == 2
    assert [sent.text for sent in server.messages] == ["One", "Two"]
    assert item(live, first).state == item(live, second).state == "sent"


@pytest.mark.parametrize("act", [cut("before"), cut("after")], ids=["lost", "taken"])
def test_an_unknown_fate_is_left_to_a_person(
    live: LiveDesk, server: TelegramServer, clock: ManualClock, act: object
) -> None:
    server.script(act)  # type: ignore[arg-type]
    number = answer(live, 1)
    done = live.engine().run_once()
    assert (done.sent, done.failed) == (0, 1)
    assert "may have been sent" in (item(live, number).error or "")
    clock.advance(86_400)
    live.engine().run_once()
    assert len(server.messages) == (act == cut("after"))


def test_only_the_part_in_doubt_is_sent_again(
    live: LiveDesk, server: TelegramServer, clock: ManualClock
) -> None:
    number = answer(live, 1, LONG)
    server.script(late(0), cut("before"))
    live.engine().run_once()
    error = item(live, number).error or ""
    assert "part 2 of 3" in error
    assert "(the part before it arrived)" in error
    live.desk.perform(a.RetrySend(number), ANA, "test")
    assert live.engine().run_once().sent == 1
    texts = [sent.text for sent in server.messages]
    assert len(texts) == len(set(texts)) == 3
    assert " ".join(" ".join(texts).split()) == " ".join(LONG.split())


def test_a_server_that_is_down_makes_answers_wait(
    live: LiveDesk, server: TelegramServer, clock: ManualClock
) -> None:
    number = answer(live, 1)
    server.stop()
    done = live.engine().run_once()
    assert (done.sent, done.failed) == (0, 0)
    assert "cannot be reached" in (done.accounts[0].error or "")
    assert item(live, number).state == "queued"
    server.resume()
    clock.advance(31)
    assert live.engine().run_once().sent == 1


def test_a_token_that_was_revoked_makes_answers_wait(
    live: LiveDesk, server: TelegramServer, clock: ManualClock
) -> None:
    number = answer(live, 1)
    server.revoke()
    done = live.engine().run_once()
    assert "token of bot was refused" in (done.accounts[0].error or "")
    assert server.token not in (done.accounts[0].error or "")
    assert item(live, number).state == "queued"
    server.revoke(revoked=False)
    clock.advance(31)
    assert live.engine().run_once().sent == 1


def test_nobody_can_be_written_to_first(live: LiveDesk) -> None:
    with pytest.raises(Refusal, match="nobody can be written to first"):
        live.desk.perform(a.Reply(1, "Hi", to=("999",), account="bot"), ANA, "test")
    with pytest.raises(Refusal, match="no Cc"):
        live.desk.perform(a.Reply(1, "Hi", bcc=("x@example.com",)), ANA, "test")


def test_an_answer_leaves_within_a_second(
    tmp_path: Path, server: TelegramServer, running: Running
) -> None:
    live = bot_desk(tmp_path / "desk", server)
    server.customer(1).says("Hello")
    running(live)
    wait_until(lambda: live.count("ticket") == 1)
    answer(live, 1, "Hello Anna")
    server.wait_for(1, limit_s=2)
    live.close()


def test_the_customer_sees_that_somebody_writes(
    tmp_path: Path, server: TelegramServer, running: Running
) -> None:
    live = bot_desk(tmp_path / "desk", server)
    server.customer(1).says("Hello")
    engine = running(live)
    wait_until(lambda: live.count("lease") == 2)
    engine.typing("bot", "1")
    wait_until(lambda: server.actions == [(1, "typing")], 3)
    engine.typing("bot", "nonsense")
    engine.typing("nobody", "1")
    wait_until(lambda: live.count("ticket") == 1)
    answer_number = answer(live, 1)
    server.wait_for(1, limit_s=3)
    wait_until(lambda: item(live, answer_number).state == "sent", 3)
    assert len(server.actions) == 1
    live.close()


def test_typing_is_shown_where_another_process_has_the_lease_and_never_disturbs(
    tmp_path: Path,
    server: TelegramServer,
    running: Running,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "deskhand.typing")
    live = bot_desk(tmp_path / "desk", server)
    server.customer(1).says("Hello")
    running(live)
    wait_until(lambda: live.count("ticket") == 1)
    other = LiveDesk.open(live.home)
    console = running(other)

    def shown() -> bool:
        # Dropped while the engine still starts; once shown, what follows at once is throttled.
        console.typing("bot", "1")
        return server.actions == [(1, "typing")]

    wait_until(shown)
    console.typing("bot", "1")
    server.script(
        refuse(429, "Too Many Requests: retry after 5", retry_after=5), method="sendChatAction"
    )
    console.typing("bot", "2")
    wait_until(lambda: "typing was not shown" in caplog.text)
    console.typing("bot", "3")
    answer_number = answer(live, 1)
    wait_until(lambda: item(live, answer_number).state == "sent")
    assert server.calls.count("sendChatAction") == 2, "throttled, then hushed"
    assert server.actions == [(1, "typing")]
    other.close()
    live.close()
