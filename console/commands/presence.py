"""The presence verb: who is at the desk and who is away, and saying so."""

from __future__ import annotations

from argparse import Namespace

from console.bootstrap import Desktop
from console.commands.answer import Answer, table
from console.when_words import parse_when
from workflow.actions import SetPresence
from workflow.model import Actor, rfc3339
from workflow.store.team import AgentRow, agents

__all__ = ["presence"]

CAUSE = "command"


def presence(desktop: Desktop, args: Namespace) -> Answer:
    """``presence [list]``, ``presence away [--until TIME] [AGENT]``, ``presence here [AGENT]``."""
    if (args.what or "list") == "list":
        return _list(desktop)
    typed = args.until if args.what == "away" else None
    until = parse_when(typed, desktop.clock.now()) if typed else None
    me = desktop.acting_agent()
    action = SetPresence(args.name or me, args.what == "here", until)
    outcome = desktop.desk.perform(action, Actor.agent(me), CAUSE)
    shown = _list(desktop)
    return Answer({**_document(shown), "changed": [outcome.summary]}, outcome.summary)


def _document(answer: Answer) -> dict[str, object]:
    assert isinstance(answer.document, dict)
    return answer.document


def _list(desktop: Desktop) -> Answer:
    now = desktop.clock.now()
    _ = desktop.desk  # Brings the agents of deskhand.toml into the database.
    found = agents(desktop.reads.fetch)
    document = {
        "agents": [
            {
                "name": row.name,
                "groups": list(row.groups),
                "here": not row.away(now),
                "away_since": rfc3339(row.away_since) if row.away(now) else None,
                "away_until": rfc3339(row.away_until) if row.away(now) else None,
                "open": row.open,
            }
            for row in found
        ]
    }
    if not found:
        return Answer(document, "nobody works here yet: add an [[agent]] to deskhand.toml")
    rows = [(row.name, _words(row, desktop), ", ".join(row.groups), str(row.open)) for row in found]
    return Answer(document, table(rows, ("agent", "", "groups", "open"), (0, 0, 0, 0)))


def _words(row: AgentRow, desktop: Desktop) -> str:
    if not row.away(desktop.clock.now()):
        return "here"
    return f"away until {rfc3339(row.away_until)}" if row.away_until else "away"
