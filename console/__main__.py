"""``deskhand``: from the words on the command line to a verb, a screen and an exit status."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.bootstrap import Desktop
    from console.commands.answer import Answers

__all__ = ["carry_out", "desktop_for", "main"]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; the exit status (0 done, 1 could not be done, 2 wrong usage)."""
    stranger = _stranger()
    if stranger:
        sys.stderr.write(f"deskhand: {stranger}\n")
        return 1
    from console.commands.answer import complain, leave_quietly
    from console.commands.arguments import read_arguments
    from workflow.errors import DeskError, UsageError

    try:
        args = read_arguments(sys.argv[1:] if words is None else words)
        if args.version:
            from importlib.metadata import version

            sys.stdout.write(f"deskhand {version('deskhand')}\n")
            return 0
        desktop = desktop_for(args)
        try:
            return _console(desktop) if args.verb is None else _verb(desktop, args)
        finally:
            desktop.close()
    except UsageError as fault:
        complain(str(fault))
        return 2
    except DeskError as fault:
        complain(str(fault))
        return 1
    except BrokenPipeError:
        return leave_quietly()
    except KeyboardInterrupt:
        complain("stopped; what was done so far is kept")
        return 130


def _stranger() -> str | None:
    """Whether another package of one of our names would be imported in place of ours (``channels``
    is also Django's).
    """
    here = Path(__file__).resolve().parent.parent
    for name in ("channels", "macros", "workflow"):
        spec = find_spec(name)
        if spec is None or spec.origin is None or Path(spec.origin).resolve().parent.parent != here:
            where = spec.origin if spec else "nowhere"
            return (
                f"the package {name!r} of another program is in the way ({where}): install deskhand in an"
                " environment of its own (uv tool install deskhand, or pipx install deskhand)"
            )
    return None


def desktop_for(args: Namespace) -> Desktop:
    """The home, the clock and the agent that the global options and the environment name."""
    from console.bootstrap import Desktop, default_home
    from workflow.clock import FixedClock, SystemClock, parse_moment
    from workflow.errors import UsageError

    home = args.home or os.environ.get("DESKHAND_HOME")
    now = args.now or os.environ.get("DESKHAND_NOW")
    try:
        clock = FixedClock(parse_moment(now)) if now else SystemClock()
    except ValueError as fault:
        raise UsageError(str(fault)) from None
    agent = args.agent or os.environ.get("DESKHAND_AGENT") or None
    return Desktop(Path(home).expanduser() if home else default_home(), clock, agent)


def carry_out(desktop: Desktop, args: Namespace) -> Answers:
    """Do a verb; its answer or answers. Raises DeskError with a sentence."""
    from console.commands.arguments import HANDLERS

    module, _, function = HANDLERS[args.verb].partition(":")
    answers: Answers = getattr(import_module(module), function)(desktop, args)
    return answers


def _verb(desktop: Desktop, args: Namespace) -> int:
    from console.commands.answer import Answer, write

    answers = carry_out(desktop, args)
    status = 0
    for answer in (answers,) if isinstance(answers, Answer) else answers:
        write(answer, as_json=args.json)
        status = max(status, answer.status)
    return status


def _console(desktop: Desktop) -> int:
    from console.app import run_console
    from workflow.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the console needs a terminal: use a verb such as deskhand list (deskhand --help)"
        )
    return run_console(desktop)


if __name__ == "__main__":
    raise SystemExit(main())
