"""The verb setup: a dialogue at a terminal, or flags in a script."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import asdict

from channels.contract import Check
from console.bootstrap import Desktop
from console.commands.answer import Answer, tell
from console.setup.asking import Asker, Scripted, Terminal
from console.setup.dialogue import Outcome, Setup, Tools, set_up
from console.setup.ready_made import ask_place, words_of
from workflow.errors import DeskError, UsageError
from workflow.settings import ChannelSettings, load_settings
from workflow.starter_set import Installed, install, is_fresh

__all__ = ["our_tools", "setup"]


def setup(desktop: Desktop, args: Namespace) -> Answer:
    """Ask for agents and accounts, try them, write deskhand.toml and store secrets."""
    outcomes: list[Outcome] = []
    work = Setup(
        desktop.home,
        desktop.clock,
        args,
        _asker(args),
        our_tools(),
        load_settings(desktop.home),
    )
    try:
        if args.login is not None:
            from console.setup.permission import log_in_again

            outcomes.append(log_in_again(work, args.login))
            return Answer(_document(desktop, outcomes))
        for outcome in set_up(work):
            outcomes.append(outcome)
    except KeyboardInterrupt:
        written = [outcome for outcome in outcomes if outcome.written]
        kept = "what was written before is kept" if written else "nothing was changed"
        tell(f"\ndeskhand: stopped; {kept}")
        return Answer(_document(desktop, outcomes), status=130)
    installed = _workflow(work, outcomes)
    document = _document(desktop, outcomes)
    document["workflow"] = asdict(installed) if installed is not None else None
    return Answer(document, _next_steps(args, desktop, outcomes))


def _workflow(work: Setup, outcomes: list[Outcome]) -> Installed | None:
    """The ready-made workflow, for a desk that has been set up and has none yet."""
    if work.options.no_workflow or not any(outcome.written for outcome in outcomes):
        return None
    if not is_fresh(work.home):
        return None
    asker = work.asker
    if asker.interactive:
        asker.say(
            "\nA ready-made workflow says what you promise, who gets what, and when it is moved up."
            f" It is text in {work.home / 'workflow'}, for you to read and change."
        )
        if not asker.agrees("  Install it?", default=True):
            return None
    try:
        place = ask_place(asker, work.options)
    except KeyboardInterrupt:
        asker.say("\nno workflow was installed: deskhand workflow install does it later")
        return None
    try:
        done = install(work.home, load_settings(work.home), place)
    except DeskError as fault:
        # The accounts are written and work; this can be done later.
        asker.say(f"no workflow was installed: {fault}")
        return None
    asker.say(words_of(done, work.home))
    return done


def our_tools() -> Tools:
    """The real ones."""
    from channels.email.discovery import discover
    from channels.email.trial import send_test

    return Tools(discover, _check, send_test, lambda login, way: login.run(way))


def _check(channel: ChannelSettings) -> Iterable[Check]:
    from channels.registry import channel_of

    kind = channel_of(channel.kind)
    return kind.check(channel) if kind.check is not None else ()


def _asker(args: Namespace) -> Asker:
    """A person where there is one who was not told to be left alone."""
    if args.json:
        # All that would be told is in the document.
        return Scripted(lambda _: None, tell)
    if args.yes:
        return Scripted(tell, tell)
    if sys.stdin.isatty() and sys.stdout.isatty():
        return Terminal()
    told = any(
        value not in (None, False, [])
        for name, value in vars(args).items()
        if name not in ("home", "agent", "now", "json", "verb", "version", "agent_role")
    )
    if not told:
        raise UsageError(
            "setup asks questions and needs a terminal: run it in one, or say all with flags, such as"
            " --agent-name ana --address support@example.com --password-env SUPPORT_PASSWORD --yes"
            " (deskhand setup --help lists them)"
        )
    return Scripted(tell, tell)


def _document(desktop: Desktop, outcomes: list[Outcome]) -> dict[str, object]:
    return {
        "file": str(desktop.home / "deskhand.toml"),
        "written": any(outcome.written for outcome in outcomes),
        "agent": next((one.agent for one in outcomes if one.agent), None),
        "accounts": [
            {
                **(outcome.account or {}),
                "found_by": outcome.found_by,
                "ok": outcome.ok,
                "checks": [asdict(check) for check in outcome.checks],
            }
            for outcome in outcomes
            if outcome.account is not None
        ],
    }


def _next_steps(args: Namespace, desktop: Desktop, outcomes: list[Outcome]) -> str:
    if not any(outcome.written for outcome in outcomes):
        return "nothing was changed"
    command = f"deskhand --home {desktop.home}" if args.home else "deskhand"
    return (
        f"\nNow: {command}           the console; it receives and sends in the background\n"
        f"     {command} doctor    tries everything again"
    )
