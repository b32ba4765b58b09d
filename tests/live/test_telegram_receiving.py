"""Messages in through a bot: the engine against a Bot API server over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.bots import bot_desk
from tests.live.conftest import Running
from tests.live.desks import LiveDesk, wait_until
from tests.servers.telegram import TelegramServer, cut, refuse
from workflow import actions as a
from workflow.clock import ManualClock, parse_moment
from workflow.inbound import Inbound, Party, Source
from workflow.model import Actor
from workflow.query.context import Context
from workflow.store.search import search

ANA = Actor.agent("ana")


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer.start() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, server: TelegramServer) -> Iterator[Callable[..., LiveDesk]]:
    desks: list[LiveDesk] = []

    def open_desk(**options: object) -> LiveDesk:
        desks.append(bot_desk(tmp_path / "desk", server, **options))  # type: ignore[arg-type]
        return desks[-1]

    yield open_desk
    for live in desks:
        live.close()


def texts(live: LiveDesk, ticket: int = 1) -> list[str]:
    found = live.reads.ticket(ticket)
    assert found is not None
    return [message.text for message in found.messages]


def found(live: LiveDesk, word: str) -> int:
    return search(live.reads, word, Context("ana", live.desk.clock.now())).total


def test_one_pass_takes_all_in_and_a_second_nothing(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    anna, ben = server.customer(1, "Anna", "anna"), server.customer(2, "Ben")
    anna.says("My parcel is late")
    ben.says("Hello")
    anna.sends_photo(b"\xff\xd8 a photo", "this one")
    anna.sends_voice(b"OggS...")

    done = live.engine().run_once()

    assert (done.received, done.created, done.appended, done.held) == (4, 2, 2, 0)
    assert done.accounts[0].error is None
    ticket = live.reads.ticket(1)
    assert ticket is not None
    assert (ticket.subject, ticket.channel, ticket.account) == (
        "My parcel is late",
        "telegram",
        "bot",
    )
    assert [m.matched_by for m in ticket.messages] == ["new", "conversation", "conversation"]
    assert [(f.name, f.content_type) for m in ticket.messages for f in m.attachments] == [
        ("photo-4.jpg", "image/jpeg"),
        ("voice-message-5.ogg", "audio/ogg"),
    ]
    photo = ticket.messages[1].attachments[0]
    assert live.files.read(photo.sha256) == b"\xff\xd8 a photo"
    assert ticket.customer.name == "Anna"
    assert live.column("SELECT kind || value || display FROM identity ORDER BY id") == [
        "telegram1@anna",
        "telegram2Ben",
    ]
    assert live.engine().run_once().received == 0
    assert server.pending == []


def test_what_was_not_stored_is_not_confirmed(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    server.customer(1).sends_photo(b"photo")
    server.script(cut("before"), method="file")
    done = live.engine().run_once()
    assert (done.received, done.accounts[0].ok) == (0, False)
    assert len(server.pending) == 1
    assert live.engine().run_once().created == 1


def test_a_file_that_never_comes_stands_in_nobodys_way(
    desk: Callable[..., LiveDesk], server: TelegramServer, running: Running
) -> None:
    live = desk()
    server.script(refuse(502, "Bad Gateway"), method="file", always=True)
    server.customer(1).sends_photo(b"photo", "look")
    server.customer(2).says("And me")
    running(live)
    wait_until(lambda: live.count("message") == 2, 15)
    assert "could not be fetched" in texts(live)[0]
    assert texts(live)[0].startswith("look\n[Photo")


def test_a_file_too_large_for_bots_is_told_in_words(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    anna = server.customer(1)
    about = {"file_id": "F1-x", "file_unique_id": "u", "file_size": 34_000_000}
    anna.sends(video={**about, "width": 1, "height": 1, "duration": 9, "file_name": "trip.mp4"})
    live.engine().run_once()
    assert texts(live) == [
        "[Video trip.mp4: 34 MB, more than the 20 MB that Telegram gives to bots: ask for it another way]"
    ]
    assert server.downloads == 0


def test_an_album_is_one_entry_also_when_its_parts_come_apart(
    desk: Callable[..., LiveDesk], server: TelegramServer, running: Running
) -> None:
    live = desk()
    anna, ben = server.customer(1), server.customer(2, "Ben")
    running(live)
    wait_until(lambda: "getUpdates" in server.calls)
    parts = anna.album([b"one", b"two", b"three"], "The damage")
    server.add({"message": parts[0]})
    ben.says("In between")
    server.add({"message": parts[1]})
    wait_until(lambda: live.count("message") == 2)
    # Long after its window was over.
    server.add({"message": parts[2]})
    wait_until(lambda: live.count("attachment") == 3)
    assert live.count("message") == 2
    assert texts(live, live.column("SELECT ticket_id FROM message WHERE text = 'The damage'")[0])
    server.add({"message": parts[2]})
    wait_until(lambda: live.count("arrival") == 4)
    assert live.count("attachment") == 3


def test_an_album_across_two_batches_is_one_entry(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    for n in range(98):
        server.customer(100 + n, f"P{n}").says("Hello")
    server.customer(1).sends_album([b"1", b"2", b"3", b"4"], "Four")
    done = live.engine().run_once()
    assert (done.received, done.created) == (99, 99)
    assert live.count("attachment") == 4


def test_edits_keep_the_earlier_text_and_are_found(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    anna = server.customer(1)
    message = anna.says("My number is 4711")
    live.engine().run_once()
    edited = anna.edits(message, "My number is 4712")
    anna.edits(edited, "My number is 4713, sorry")

    done = live.engine().run_once()

    assert (done.created, done.appended) == (0, 2)
    assert texts(live) == ["My number is 4713, sorry"]
    events = live.reads.fetch("SELECT data FROM event WHERE name = 'message.edited' ORDER BY id")
    assert '"before": "My number is 4711"' in events[0][0]
    assert '"before": "My number is 4712"' in events[1][0]
    for word, hits in (("4711", 0), ("4712", 0), ("4713", 1), ("sorry", 1)):
        assert found(live, word) == hits, word


def test_a_message_and_its_edit_in_one_batch(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    anna = server.customer(1)
    anna.edits(anna.says("Frist"), "First")
    live.engine().run_once()
    assert texts(live) == ["First"]
    assert (found(live, "first"), found(live, "frist")) == (1, 0)


def test_deletions_of_a_business_chat_keep_the_text(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    anna = server.customer(1)
    message = anna.message(text="Secret", business_connection_id="c1")
    server.add({"business_message": message})
    live.engine().run_once()
    server.add(
        {
            "deleted_business_messages": {
                "business_connection_id": "c1",
                "chat": anna.chat,
                "message_ids": [message["message_id"], 99],
            }
        }
    )
    live.engine().run_once()
    assert texts(live) == ["Secret"]
    assert live.count("event", "name = 'message.deleted'") == 1
    live.desk.perform(a.Reply(1, "Hi"), ANA, "test")
    live.engine().run_once()
    assert server.messages[0].more["business_connection_id"] == "c1"


def test_the_conversation_goes_on_until_a_week_after_it_was_resolved(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    clock = ManualClock(parse_moment("2026-11-23T09:00:00Z"))
    live = desk(clock=clock)
    anna = server.customer(1)

    def says(text: str) -> None:
        anna.started_at = int(clock.now().timestamp())
        anna.says(text)
        live.engine().run_once()

    def resolve(ticket: int) -> None:
        live.desk.perform(a.SetStatus(ticket, "resolved"), ANA, "test")

    says("One")
    resolve(1)
    clock.set(parse_moment("2026-11-29T09:00:00Z"))
    says("Two")
    assert live.column("SELECT status FROM ticket") == ["open"]
    resolve(1)
    clock.set(parse_moment("2026-12-07T09:00:00Z"))
    says("Three")
    assert live.count("ticket") == 2
    says("Four")
    assert [texts(live, 1), texts(live, 2)] == [["One", "Two"], ["Three", "Four"]]


def test_a_reply_quotes_and_finds_the_ticket_of_what_it_answers(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    anna = server.customer(1)
    anna.says("First matter")
    live.engine().run_once()
    live.desk.perform(a.Reply(1, "Which colour?", to_status="pending"), ANA, "test")
    live.engine().run_once()
    sent = anna.known[server.messages[0].message_ids[0]]
    live.desk.perform(a.SetStatus(1, "closed"), ANA, "test")
    anna.says("Second matter")
    live.engine().run_once()
    anna.says("Red", reply_to=sent)
    live.engine().run_once()
    assert set(texts(live, 1)) == {"First matter", "Which colour?", "> Which colour?\n\nRed"}
    assert live.column("SELECT matched_by FROM message ORDER BY id DESC LIMIT 1") == ["in-reply-to"]


def test_what_no_person_wrote_is_set_aside_and_the_unknown_is_held(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    anna = server.customer(1)
    anna.starts()
    anna.starts("order-77")
    anna.sends(pinned_message={"message_id": 1, "date": 0, "chat": anna.chat})
    anna.sends(telepathy={"thought": "hm"})
    server.allowed = ["message", "dream"]
    server.add({"dream": {"about": "sheep"}})
    server.add({"message": {"message_id": "x", "chat": 5}})

    done = live.engine().run_once()

    assert (done.created, done.held) == (1, 5)
    assert texts(live) == ["[Came with: order-77]"]
    held = live.reads.fetch("SELECT state, cause FROM held ORDER BY id")
    assert [tuple(row) for row in held] == [
        ("discarded", "not written by a person"),
        ("discarded", "not written by a person"),
        ("held", "an unknown kind of message"),
        ("held", "an unknown kind of update"),
        ("held", "could not be read"),
    ]


def test_numbers_that_begin_anew_lose_nothing_and_do_not_spin(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    anna = server.customer(1)
    anna.says("One")
    live.engine().run_once()
    live.engine().run_once()
    server.renumber(500)
    anna.says("Two")
    anna.says("Three")
    assert live.engine().run_once().received == 2
    before = len(server.calls)
    assert live.engine().run_once().received == 0
    assert len(server.calls) - before <= 2
    assert texts(live) == ["One", "Two", "Three"]


def test_states_in_words_and_a_way_back(
    desk: Callable[..., LiveDesk], server: TelegramServer, running: Running
) -> None:
    live = desk()
    server.revoke()
    (result,) = live.engine().run_once().accounts
    assert "token of bot was refused" in (result.error or "")
    server.revoke(revoked=False)
    server.webhook = "https://elsewhere.example/hook"
    (result,) = live.engine().run_once().accounts
    assert "webhook" in (result.error or "")
    server.webhook = ""
    server.script(refuse(502, "Bad Gateway"), cut("after"), method="getUpdates")
    engine = running(live)
    wait_until(lambda: "next try" in engine.states()[0].words)
    wait_until(lambda: engine.states()[0].words == "waiting for messages", 15)
    server.customer(1).says("Hello")
    wait_until(lambda: live.count("message") == 1, 2)


def test_another_program_that_polls_is_named(
    desk: Callable[..., LiveDesk], server: TelegramServer, running: Running
) -> None:
    import httpx

    live = desk()
    engine = running(live)
    wait_until(lambda: engine.states()[0].words == "waiting for messages")

    def is_named() -> bool:
        httpx.post(f"{server.base_url}{server.token}/getUpdates", data={"timeout": "0"})
        return "another program polls" in engine.states()[0].words

    wait_until(is_named)
    assert not engine.states()[0].ok


def test_stopping_does_not_wait_for_a_poll(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    import time

    live = desk()
    engine = live.engine()
    engine.start()
    wait_until(lambda: engine.states()[0].words == "waiting for messages")
    begin = time.monotonic()
    engine.stop()
    assert time.monotonic() - begin < 3
    assert live.count("lease") == 0


def test_a_mail_that_names_a_chat_message_does_not_get_into_its_ticket(
    desk: Callable[..., LiveDesk], server: TelegramServer
) -> None:
    live = desk()
    server.customer(1).says("My secret")
    live.engine().run_once()
    mail = Inbound(
        channel="email",
        source=Source("support"),
        raw_sha256=live.files.put(b"x"),
        raw_size=1,
        reached_at=live.desk.clock.now(),
        sender=Party("Mallory", "mallory@example.org"),
        in_reply_to=("<tg.bot.1.2>",),
        text="Answer me instead",
    )
    (received,) = live.desk.receive([mail])
    assert (received.outcome, received.ticket) == ("created", 2)
