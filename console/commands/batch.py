"""Many verbs in one process: a line each, a JSON document for each, and a failing line stops
nothing.
"""

from __future__ import annotations

import io
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from console.bootstrap import Desktop
from console.commands.answer import Answer
from workflow.errors import DeskError, UsageError

__all__ = ["batch"]


def batch(desktop: Desktop, args: Namespace) -> Iterator[Answer]:
    """Carry out each line; global options stand before the verb of a line."""
    args.json = True
    if args.file == "-":
        yield from _lines(desktop, sys.stdin)
        return
    try:
        lines = Path(args.file).open(encoding="utf-8", errors="replace")  # noqa: SIM115  closed below
    except OSError as fault:
        raise UsageError(f"{args.file} cannot be read ({fault.strerror}): check the path") from None
    with lines:
        yield from _lines(desktop, lines)


def _lines(desktop: Desktop, lines: Iterable[str]) -> Iterator[Answer]:
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            yield Answer(_line(desktop, line))


def _line(desktop: Desktop, line: str) -> dict[str, Any]:
    from console.__main__ import carry_out, desktop_for
    from console.commands.arguments import read_arguments

    try:
        # Help that a line asks for is no JSON document.
        with redirect_stdout(io.StringIO()):
            args = read_arguments(shlex.split(line))
        if args.verb in (None, "batch", "demo") or (args.verb == "engine" and not args.once):
            raise UsageError(f"{args.verb or 'the console'} cannot be used in a batch")
        args.json = True
        with _beside(desktop, desktop_for(args), args) as asked:
            answers = carry_out(asked, args)
            found = [answers] if isinstance(answers, Answer) else list(answers)
    except (DeskError, ValueError) as fault:
        return {"ok": False, "error": str(fault)}
    except SystemExit:
        return {"ok": False, "error": "this line asks for help: give a verb with its arguments"}
    except Exception as fault:  # noqa: BLE001  a fault of ours must not stop the lines that follow
        return {
            "ok": False,
            "error": f"deskhand met a fault of its own ({type(fault).__name__}: {fault}): report it",
        }
    documents = [answer.document for answer in found]
    result = documents[0] if len(documents) == 1 else documents
    failed = next((answer for answer in found if answer.status), None)
    if failed is not None:
        error = failed.document.get("error") or failed.text
        return {"ok": False, "error": error, "result": result}
    return {"ok": True, "result": result}


@contextmanager
def _beside(desktop: Desktop, asked: Desktop, args: Namespace) -> Iterator[Desktop]:
    """The open desk as another agent or at another time; another home is opened for its own."""
    if args.home and asked.home != desktop.home:
        try:
            yield asked
        finally:
            asked.close()
    elif args.now or args.agent:
        yield desktop.beside(
            asked.clock if args.now else desktop.clock,
            asked.agent_wanted if args.agent else desktop.agent_wanted,
        )
    else:
        yield desktop
