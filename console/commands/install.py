"""``deskhand workflow install``: the ready-made files into a home, never over what is there."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from console.bootstrap import Desktop
from console.commands.answer import Answer, table
from console.setup.ready_made import place_of, words_of
from workflow.errors import Refusal
from workflow.settings import load_settings
from workflow.starter_set import PIECES, chosen, install, text_of

__all__ = ["install_workflow"]


def install_workflow(desktop: Desktop, args: Namespace) -> Answer:
    """Write what is missing; with ``--list`` say what there is, with ``--print`` show it."""
    if args.list:
        return _listed(desktop)
    place = place_of(args)
    if args.print:
        texts = {
            piece.file: text_of(piece, desktop.settings, place) for piece in chosen(args.names)
        }
        return Answer({"files": texts}, "\n".join(texts.values()).rstrip("\n"))
    done = install(desktop.home, load_settings(desktop.home), place, args.names, beside=args.beside)
    if args.names and done.kept and not done.written:
        raise Refusal(
            f"{desktop.home / done.kept[0]} is there already and stays as it is: give --beside to have"
            " the ready-made one next to it, or --print to read it"
        )
    return Answer(asdict(done), words_of(done, desktop.home))


def _listed(desktop: Desktop) -> Answer:
    there = {piece.name: (desktop.home / piece.file).exists() for piece in PIECES}
    document = {
        "pieces": [
            {"name": p.name, "file": p.file, "about": p.about, "there": there[p.name]}
            for p in PIECES
        ]
    }
    rows = [(p.name, p.file, "there" if there[p.name] else "-", p.about) for p in PIECES]
    return Answer(document, table(rows, ("name", "file", "here", "what it decides"), (0, 0, 0, 0)))
