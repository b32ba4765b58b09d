"""Two channels on one screen: what comes over Telegram is painted by itself, and one person over both is one story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.terminal import Terminal, terminal
from tests.live.bots import ANA, answer, bot_desk, item
from tests.live.desks import LiveDesk, wait_until
from tests.live.test_one_story import mail_of_anna
from tests.servers.telegram import TelegramServer
from workflow import actions as a


@pytest.fixture
def live(tmp_path: Path, telegram: TelegramServer) -> Iterator[LiveDesk]:
    desk = bot_desk(tmp_path / "desk", telegram)
    yield desk
    desk.close()


def console(live: LiveDesk) -> list[str]:
    return ["-m", "console", "--home", str(live.home), "--agent", "ana"]


def opens(screen: Terminal, ticket: str) -> None:
    """Open the ticket under the cursor, once it is the one that is meant."""
    screen.until(ticket)
    screen.send("\r")


@pytest.mark.slow
def test_a_message_is_a_row_without_a_key_and_typing_and_answers_go_back(
    live: LiveDesk, telegram: TelegramServer
) -> None:
    anna = telegram.customer(1, "Anna Berg", "anna")
    with terminal(console(live), size=(120, 36)) as screen:
        screen.until("waiting for messages")
        first = anna.says("Where is my parcel?")
        screen.until("Where is my parcel?")
        opens(screen, "Anna Berg")
        screen.until("← Anna Berg")
        anna.edits(first, "Where is my green parcel?")
        screen.until("edited")
        screen.until("Where is my green parcel?")
        screen.send("r")
        screen.until("plain text")
        assert telegram.actions == []
        screen.send("On its way.")
        wait_until(lambda: telegram.actions == [(1, "typing")], 5)
        screen.send("\x13")
        screen.until("sent ✓")
        anna.says("Thank you!")
        screen.until("Thank you!")
        screen.send("qq")
        assert screen.status() == 0
    assert [sent.text for sent in telegram.messages] == ["On its way."]


@pytest.mark.slow
def test_one_person_over_two_channels_is_one_story_on_the_screen(
    live: LiveDesk, telegram: TelegramServer
) -> None:
    mail = live.desk.receive([mail_of_anna(live.desk.clock)])[0].ticket
    assert mail is not None
    telegram.customer(1, "Anna B", "anna_b").says("Did you get my mail?")
    with terminal(console(live), size=(120, 36)) as screen:
        screen.until("Did you get my mail?")
        tickets = [live.reads.ticket(number) for number in (1, 2)]
        keep, other = (ticket.customer.id for ticket in tickets if ticket is not None)
        live.desk.perform(a.JoinCustomers(keep, other), ANA, "test")
        (account,) = live.column("SELECT id FROM identity WHERE kind = 'telegram'")
        queued = answer(live, mail, "We have it, it is on its way.", via=account)
        wait_until(lambda: item(live, queued).state == "sent")
        # Answered, so it stands below the chat that waits.
        screen.until("We have it, it is on its way.")
        screen.send("G")
        screen.send("\r")
        screen.until("sent ✓")
        # Both channels in the conversation, both ways to the person, and the chat's own ticket beside it.
        for words in (
            "← Anna",
            "✈ → ana",
            "We have it, it is on its way.",
            "✈ @anna_b",
            "anna@example.org",
            "Did you get my mail?",
        ):
            screen.until(words)
    assert [(sent.chat_id, sent.text) for sent in telegram.messages] == [
        (1, "We have it, it is on its way.")
    ]
