"""What rules put before the one who sits here: a suggested reply, and notices."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from console.bootstrap import Desktop
from console.desktop_notices import terminal_notice
from console.sample import SampleDesk
from console.widgets.composer import Composer
from tests.console.conftest import Opened, console_of
from tests.console.test_desk_screen import open_ticket
from tests.console.waiting import screen_text, until
from workflow.actions import AddTags
from workflow.model import Actor

RULES = """\
[[trigger]]
name = "outage"
on = "tagged"
to = "outage"
do = { draft = "Hello {{ customer.first_name }},\\n\\nwe are on it.", notify = "ana" }
"""


@pytest.fixture
def desktop(sample: SampleDesk) -> Iterator[Desktop]:
    """The same desk as another process sees it."""
    (sample.home / "workflow").mkdir(exist_ok=True)
    (sample.home / "workflow" / "triggers.toml").write_text(RULES)
    text = (sample.home / "deskhand.toml").read_text()
    chosen = 'name = "ana"\nnotify = ["desktop"]\n'
    (sample.home / "deskhand.toml").write_text(text.replace('name = "ana"\n', chosen, 1))
    made = Desktop(sample.home, sample.clock, "ben")
    yield made
    made.close()


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_suggested_reply_stands_over_the_ticket_and_one_key_takes_it(
    opened: Opened, sample: SampleDesk, desktop: Desktop, size: tuple[int, int]
) -> None:
    number = next(iter(sample.tickets.values()))
    key = next(iter(sample.tickets))
    async with opened(size) as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, sample, key)
        assert "suggested reply" not in screen_text(pilot)
        desktop.desk.perform(AddTags(number, ("outage",)), Actor.agent("ben"), "command")
        await until(pilot, lambda: "suggested reply from outage: Hello" in screen_text(pilot))
        assert "D takes it" in screen_text(pilot)
        await pilot.press("r")
        await until(pilot, lambda: desk.writing.active)
        await pilot.press(*"Mine.")
        await pilot.press("escape")
        await until(pilot, lambda: not desk.writing.active)
        await pilot.press("D")
        await until(pilot, lambda: desk.writing.length > 10)
        text = desk.query_one(Composer).text
        assert "Mine.\n\nHello " in text
        assert text.endswith("we are on it.")
    with sqlite3.connect(sample.home / "deskhand.db") as connection:
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


async def test_a_notice_comes_to_the_console_of_whom_it_is_for_once(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    number = next(iter(sample.tickets.values()))

    def state() -> str:
        with sqlite3.connect(sample.home / "deskhand.db") as connection:
            return str(connection.execute("SELECT state FROM notice").fetchone()[0])

    async with opened(agent="ben") as pilot:
        desktop.desk.perform(AddTags(number, ("outage",)), Actor.agent("ben"), "command")
        await until(pilot, lambda: console_of(pilot).desk.view is not None)
        await pilot.pause(0.3)
        assert state() == "queued"
    async with opened(agent="ana") as pilot:
        await until(pilot, lambda: state() == "sent")
        await until(pilot, lambda: bool(pilot.app._notifications))
        (shown,) = pilot.app._notifications
        assert shown.message.startswith(f"#{number} ")
        assert shown.message.endswith("(outage)")


def test_a_notice_of_the_terminal_carries_no_control_of_a_stranger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TERM_PROGRAM", raising=False)
    made = terminal_notice("#1 a\x07\x1b]0;evil; b\n")
    assert made.startswith("\x1b]777;notify;deskhand;#1 a")
    assert made.count("\x1b") == 1
    assert made.count("\x07") == 1
    assert made.count(";") == 3
    monkeypatch.setenv("TERM_PROGRAM", "iTerm.app")
    assert terminal_notice("x") == "\x1b]9;deskhand: x\x07"
