"""A desk with a bot on the local Bot API server."""

from __future__ import annotations

from pathlib import Path

from tests.live.desks import LiveDesk
from tests.servers.telegram import TelegramServer
from workflow import actions as a
from workflow.clock import Clock
from workflow.model import Actor
from workflow.store.rows import OutboxRow

__all__ = ["ANA", "answer", "bot_desk", "item", "write_bot_settings"]

ANA = Actor.agent("ana")


def write_bot_settings(home: Path, server: TelegramServer, more: str = "") -> None:
    """The deskhand.toml of a desk with one bot."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "deskhand.toml").write_text(
        '[[agent]]\nname = "ana"\nemail = "ana@example.com"\n\n'
        '[[channel]]\nname = "bot"\nkind = "telegram"\nundo_send = "0s"\n'
        f'token = "{server.token}"\nbase_url = "{server.base_url}"\n{more}',
        encoding="utf-8",
    )


def bot_desk(home: Path, server: TelegramServer, clock: Clock | None = None) -> LiveDesk:
    """The desk, opened."""
    write_bot_settings(home, server)
    return LiveDesk.open(home, clock)


def answer(live: LiveDesk, ticket: int, text: str = "Here it is.", **more: object) -> int:
    """Queue an answer; its number in the outbox."""
    done = live.desk.perform(a.Reply(ticket, text, **more), ANA, "test")  # type: ignore[arg-type]
    assert done.outbox_id is not None
    return done.outbox_id


def item(live: LiveDesk, number: int) -> OutboxRow:
    """An item of the outbox."""
    states = ("held", "scheduled", "queued", "sending", "sent", "failed", "cancelled")
    return next(row for row in live.reads.outbox(states) if row.id == number)
