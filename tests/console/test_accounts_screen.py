"""How the accounts do, in words: on the status line and in their room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.bridge import AccountState
from console.screens.accounts import AccountsRoom
from console.screens.foot import account_words
from tests.console.conftest import Opened, console_of
from tests.console.waiting import until
from tests.screens.strips import lines_of

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SENTENCE = (
    "cannot connect: mail.example.com:993 refuses connections: check port and security in deskhand.toml;"
    " next try in 9 s"
)
WORKS = AccountState("bot", True, "waiting for messages", "waiting for messages", NOW)
BROKEN = AccountState(
    "support",
    False,
    SENTENCE,
    "cannot connect",
    NOW - timedelta(minutes=5),
    NOW + timedelta(seconds=9),
)


def test_the_status_line_names_what_does_not_work_first() -> None:
    assert account_words([WORKS], NOW) == [("bot ✓ waiting for messages", "dim")]
    assert account_words([WORKS, BROKEN], NOW) == [
        ("support ✕ cannot connect, again in 9 s", "late"),
        ("@ tells more", "dim"),
        ("bot ✓ waiting for messages", "dim"),
    ]
    many = [BROKEN._replace(name=f"a{n}") for n in range(4)]
    assert account_words([WORKS, *many], NOW)[0] == ("✕ 4 of 5 accounts do not work", "late")


async def test_a_server_that_goes_and_comes_back_shows_in_words(opened: Opened) -> None:
    asked: list[str] = []
    async with opened(size=(80, 24)) as pilot:
        app = console_of(pilot)
        now = app.bridge.now()
        app.bridge.hurry = asked.append
        broken = BROKEN._replace(
            since=now - timedelta(minutes=5), next_try=now + timedelta(seconds=9)
        )
        for state in (WORKS._replace(since=now), broken):
            app.tell_account(state)
        await until(pilot, lambda: "support ✕ cannot connect, again in 9 s" in lines_of(app)[-2])
        await pilot.press("at")
        await until(
            pilot, lambda: isinstance(app.screen, AccountsRoom) and len(app.screen.items) == 2
        )
        await pilot.press("j")
        await until(pilot, lambda: any("mail.example.com:993" in line for line in lines_of(app)))
        shown = lines_of(app)
        assert shown[1].split()[:5] == ["✓", "bot", "waiting", "for", "messages"]
        assert "✕ support" in shown[2]
        assert "next try in 9 s" in shown[2]
        assert "since" in shown[2]
        assert not any("…" in line for line in shown), "the sentence is whole"
        await pilot.press("r")
        await until(pilot, lambda: asked == ["support"])
        app.tell_account(AccountState("support", True, "waiting for mail", "waiting for mail", now))
        await until(pilot, lambda: "✓ support" in lines_of(app)[2])
        await pilot.press("escape")
        await until(pilot, lambda: "support ✓ waiting for mail" in lines_of(app)[-2])
        assert "✕" not in lines_of(app)[-2]


async def test_a_desk_without_accounts_says_how_to_get_one(opened: Opened) -> None:
    async with opened() as pilot:
        await pilot.press("at")
        await until(
            pilot,
            lambda: any("deskhand setup adds one" in line for line in lines_of(console_of(pilot))),
        )
