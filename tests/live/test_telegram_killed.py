"""5,000 updates with duplicates, edits, albums and errors, answers meanwhile, and five times SIGKILL:
nothing is lost, nothing is there twice, answers are sent once.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.bots import answer, bot_desk
from tests.live.desks import LiveDesk, wait_until
from tests.live.test_killed import engine_process
from tests.servers.telegram import TelegramServer, cut, late, refuse

KILLS = 5
UPDATES = 5_000
PEOPLE = 150
ANSWERS = 40
EARLY = 600
"""Updates that wait before the first engine starts."""


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer.start() as running:
        yield running


class _Crowd:
    """What was written, and what must come of it."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        self._chance = random.Random(7)
        self.messages = 0
        self.files = 0
        self.held = 0
        self.final: dict[str, str] = {}
        """The text that each message must have at the end, by its name."""
        self._numbered: list[tuple[int, dict[str, object]]] = []
        self.updates = 0

    def write(self) -> None:
        """One more update, or those of an album."""
        chance = self._chance.random()
        customer = self._server.customer(self._chance.randint(1, PEOPLE), f"Person {self.updates}")
        n = self.updates
        if chance < 0.05 and self._numbered:
            # The same message again, under another number.
            _chat, message = self._chance.choice(self._numbered)
            self._server.add({"message": message})
            self.updates += 1
        elif chance < 0.15 and self._numbered:
            chat, message = self._chance.choice(self._numbered)
            text = f"Edited in update {n}"
            self._server.customer(chat).edits(message, text)
            self.final[f"<tg.bot.{chat}.{message['message_id']}>"] = text
            self.updates += 1
        elif chance < 0.18:
            count = self._chance.randint(2, 5)
            photos = [f"photo {n} {k}".encode() for k in range(count)]
            made = customer.sends_album(photos, f"Album {n}")
            self.final[f"<tg.bot.{customer.chat_id}.{made[0]['message_id']}>"] = f"Album {n}"
            self.messages += 1
            self.files += count
            self.updates += count
        elif chance < 0.20:
            self._server.add({"message": {"nonsense": n}})
            self.held += 1
            self.updates += 1
        else:
            made_one = customer.says(f"Update {n}")
            self._numbered.append((customer.chat_id, made_one))
            self.final[f"<tg.bot.{customer.chat_id}.{made_one['message_id']}>"] = f"Update {n}"
            self.messages += 1
            self.updates += 1


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killed_again_and_again_among_five_thousand_updates(
    tmp_path: Path, server: TelegramServer
) -> None:
    chance = random.Random(11)
    live = bot_desk(tmp_path / "desk", server)
    crowd = _Crowd(server)
    while crowd.updates < EARLY:
        crowd.write()
    faults = [cut("before"), cut("after"), refuse(502, "Bad Gateway")]
    stop = threading.Event()

    def customers() -> None:
        while crowd.updates < UPDATES:
            crowd.write()
            if crowd.updates % 500 == 0:
                server.script(faults[crowd.updates // 500 % len(faults)], method="getUpdates")
                server.script(refuse(500, "Internal Server Error"), method="file")
            stop.wait(0.002)

    def agents() -> None:
        desk = LiveDesk.open(live.home)
        server.script(late(0.05), always=True)
        for n in range(ANSWERS):
            # Some of more than one part.
            answer(desk, n + 1, f"Answer {n}. " + ("More words. " * 400 if n % 4 == 0 else ""))
            stop.wait(0.1)
        desk.close()

    with engine_process(live.home):
        wait_until(lambda: live.count("ticket") > ANSWERS + 5)
    busy = [threading.Thread(target=customers), threading.Thread(target=agents)]
    for thread in busy:
        thread.start()
    for _ in range(KILLS - 1):
        with engine_process(live.home):
            stop.wait(chance.uniform(0.5, 2.5))
    for thread in busy:
        thread.join()
    with engine_process(live.home) as last:
        wait_until(lambda: not server.pending, 120)
        wait_until(lambda: live.count("outbox", "state NOT IN ('sent', 'failed')") == 0, 60)
        last.terminate()
        assert last.wait(10) == 0

    # Nothing is lost and nothing is there twice.
    assert live.count("message", "direction = 'in'") == crowd.messages
    stored = dict(live.reads.fetch("SELECT message_id, text FROM message WHERE direction = 'in'"))
    assert stored == crowd.final
    assert live.count("attachment") == crowd.files
    assert live.count("held") == crowd.held
    assert live.count("arrival", "position = 0") == 0
    # Answers were sent once; a part that was on its way when the kill came is left to a person.
    texts = Counter((sent.chat_id, sent.text) for sent in server.messages)
    assert set(texts.values()) == {1}
    failed = live.count("outbox", "state = 'failed'")
    assert failed <= KILLS
    assert live.count("outbox", "state = 'sent'") == ANSWERS - failed
    for error in live.column("SELECT error FROM outbox WHERE state = 'failed'"):
        assert "may have been sent" in error
    whole = Counter(text.partition(".")[0] for _chat, text in texts if text.startswith("Answer"))
    sent = live.count("outbox", "state = 'sent'")
    assert sent <= len(whole) <= ANSWERS
    live.close()
