"""The words of the verbs about the team and its rules: triage, presence, workflow."""

from __future__ import annotations

import argparse
from collections.abc import Callable

__all__ = ["place_words", "team_verbs"]


def team_verbs(
    verb: Callable[[str, str], argparse.ArgumentParser],
    part: Callable[..., argparse.ArgumentParser],
) -> None:
    """Add the verbs; ``part`` adds a word below one of them."""
    found = verb("triage", "what triage says of a text or of a ticket, with what it rests on")
    found.add_argument("words", nargs="*", metavar="TEXT|-|ID", help="- reads standard input")
    found.add_argument("--subject", metavar="S", help="the subject that goes with the text")
    found.add_argument(
        "--learned", action="store_true", help="what was learned from resolved tickets"
    )
    found = verb("presence", "who is at the desk; say that you are away, or here again")
    whats = found.add_subparsers(dest="what", metavar="WHAT", parser_class=type(found))
    for name, help_ in (
        ("list", "everybody, with how much waits for them (also without a word)"),
        ("away", "nothing is handed to you until you are back"),
        ("here", "back again: you are given what waits"),
    ):
        added = part(whats, name, help_)
        if name != "list":
            added.add_argument("name", nargs="?", metavar="AGENT", help="you if not given")
        if name == "away":
            added.add_argument("--until", metavar="TIME", help="as in 14:00, 2h, mon, 2026-12-01")
    _workflow(verb, part)


def _workflow(
    verb: Callable[[str, str], argparse.ArgumentParser],
    part: Callable[..., argparse.ArgumentParser],
) -> None:
    found = verb("workflow", "the team's files: check them, print them, draw them, try them")
    whats = found.add_subparsers(
        dest="what", metavar="WHAT", parser_class=type(found), required=True
    )
    part(whats, "check", "each fault with its place and what fits; exit status 1 if there is one")
    shown = part(whats, "show", "what the engine understood, as tables")
    shown.add_argument(
        "section",
        nargs="?",
        metavar="WHAT",
        help="groups, calendars, policies, topics, routing, rules, escalation; all if not given",
    )
    drawn = part(whats, "diagram", "the path of a ticket as a drawing")
    drawn.add_argument("--format", choices=("text", "mermaid"), default="text")
    added = part(
        whats,
        "install",
        "write the ready-made files that are missing; what is there stays as it is",
    )
    added.add_argument("names", nargs="*", metavar="NAME", help="only these of those --list shows")
    added.add_argument("--list", action="store_true", help="what there is, and what is here")
    added.add_argument("--print", action="store_true", help="show the texts, write nothing")
    added.add_argument(
        "--beside", action="store_true", help="what is there is also written next to it, unread"
    )
    place_words(added)

    tried = part(
        whats, "test", "the last days gone through again with changed files; writes nothing"
    )
    watched = part(whats, "shadow", "what rules in shadow would have done, beside what happened")
    for found in (tried, watched):
        found.add_argument("query", nargs="*", metavar="QUERY", help="only tickets that it finds")
        found.add_argument("--days", type=_days, default=30, metavar="N", help="30 if not given")
    tried.add_argument(
        "--against",
        metavar="DIR",
        help="a folder with a changed copy of workflow/ (and of deskhand.toml, if there is one);"
        " if not given, the files of the home as they are now",
    )
    tried.add_argument("--live", action="store_true", help="count rows in shadow as live")


def place_words(found: argparse._ActionsContainer) -> None:
    """Where the team works, for its calendar."""
    found.add_argument("--timezone", metavar="ZONE", help="that of this computer if not given")
    found.add_argument("--country", metavar="DE", help="whose public holidays are kept")
    found.add_argument("--subdivision", metavar="BE", help="the state or region of it")


def _days(word: str) -> int:
    if not word.isdigit() or not 0 < int(word) <= 3_660:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of days from 1 to 3660")
    return int(word)
