"""Verbs that run for a while: engine, doctor, demo."""

from __future__ import annotations

import signal
import threading
from argparse import Namespace
from dataclasses import asdict
from types import FrameType

from console.bootstrap import Desktop
from console.commands.answer import Answer, tell

__all__ = ["demo", "doctor", "engine"]


def engine(desktop: Desktop, args: Namespace) -> Answer:
    """Receive, decide and send: one whole pass, or until SIGTERM or ctrl+c."""
    for warning in desktop.settings.warnings:
        tell(f"deskhand: {warning}")
    for problem in desktop.rule_book.problems:
        tell(f"deskhand: {problem}")
    if args.once:
        done = desktop.engine().run_once()
        document = asdict(done)
        # The pass was made, whatever an account said: its state is in the answer and the reason is told beside it.
        for account in done.accounts:
            if not account.ok:
                tell(f"deskhand: {account.name}: {account.error}")
        text = (
            f"received {done.received} (created {done.created}, appended {done.appended},"
            f" duplicate {done.duplicate}, held {done.held}), timers {done.timers},"
            f" sent {done.sent}, failed {done.failed}"
        )
        return Answer(document, text)
    return _keep_running(desktop)


def _keep_running(desktop: Desktop) -> Answer:
    stop = threading.Event()

    def leave(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    running = desktop.engine()
    running.start()
    tell(f"deskhand: the engine of {desktop.home} runs; ctrl+c ends it")
    said: dict[str, str] = {}
    try:
        while not stop.wait(0.5):
            for state in running.states():
                if said.get(state.name) != state.words:
                    said[state.name] = state.words
                    tell(f"{state.name}: {state.words}")
    finally:
        running.stop()
    return Answer({"stopped": True}, "the engine has stopped; nothing was lost")


def doctor(desktop: Desktop, _args: Namespace) -> Answer:
    """Check everything that can be wrong; exit status 1 if something is."""
    from console.doctor import examine

    findings = list(examine(desktop))
    document = {
        "ok": all(finding.ok for finding in findings),
        "findings": [asdict(finding) for finding in findings],
    }
    lines = []
    for finding in findings:
        lines.append(f"{'ok  ' if finding.ok else 'FAIL'} {finding.about}: {finding.says}")
        if finding.remedy:
            lines.append(f"     {finding.remedy}")
    return Answer(document, "\n".join(lines), 0 if document["ok"] else 1)


def demo(desktop: Desktop, args: Namespace) -> Answer:
    """A desk of its own, with its servers and its customers, until it is closed."""
    from console.demo.play import play

    return Answer(status=play(desktop.clock, args.seed))
