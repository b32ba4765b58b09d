"""A reply in the agent's own editor, in a private file that is gone afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

__all__ = ["edit", "editor_command"]


def editor_command() -> list[str] | None:
    """The words of $VISUAL or $EDITOR, else the first of nano, vim and vi that is there."""
    for name in ("VISUAL", "EDITOR"):
        if words := shlex.split(os.environ.get(name, "")):
            return words
    return next(
        ([found] for known in ("nano", "vim", "vi") if (found := shutil.which(known))), None
    )


def edit(
    app: App[Any], text: str, then: Callable[[str], None], failed: Callable[[str], None]
) -> None:
    """Suspend the screen, run the editor on the text, give back what it left. Nothing is lost when it fails."""
    command = editor_command()
    if command is None:
        failed("No editor was found: set $VISUAL or $EDITOR.")
        return
    with tempfile.TemporaryDirectory(prefix="deskhand-") as folder:
        path = Path(folder) / "reply.txt"
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                status = subprocess.call([*command, str(path)])
        except SuspendNotSupported:
            failed("This terminal cannot be handed to an editor: write here.")
            return
        except OSError as fault:
            failed(f"{command[0]} cannot be started ({fault.strerror}): set $VISUAL or $EDITOR.")
            return
        if status != 0:
            failed(f"{command[0]} ended with status {status}: the text is as it was.")
            return
        written = path.read_text(encoding="utf-8", errors="replace")
    then(written.rstrip("\n") + "\n" if written.strip() else "")
