"""The macros of a home: those that ship, each replaced by the team's file of the same name."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from macros.model import Macro, MacroProblem, Variant
from macros.reading import read_macro
from macros.render import problems_of
from workflow.errors import NotFound
from workflow.settings import Settings

__all__ = ["FOLDER", "STARTER", "Library", "check", "variant_for"]

FOLDER = "macros"
"""The folder of the team's own macros in a home."""
STARTER = Path(__file__).parent / "starter"
"""The macros that ship."""


class Library:
    """What there is by now: every look reads the files again, so that an edit counts at once."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self._home = home
        self._settings = settings

    def files(self) -> dict[str, Path]:
        """The file of each name, in the order of the names."""
        found = {path.stem: path for path in STARTER.glob("*.md")}
        found |= {path.stem: path for path in (self._home / FOLDER).glob("*.md")}
        return dict(sorted(found.items()))

    def read(self) -> tuple[list[Macro], list[MacroProblem]]:
        """Every macro that can be read, and what is wrong with the files of the others."""
        macros, problems = [], []
        for path in self.files().values():
            try:
                macros.append(read_macro(path, ships=path.parent == STARTER))
            except MacroProblem as problem:
                problems.append(problem)
        return macros, problems

    def get(self, name: str) -> Macro:
        """The macro of a name; raises NotFound, or MacroProblem where its file is no macro."""
        files = self.files()
        if name not in files:
            near = get_close_matches(name, files, 1)
            hint = (
                f"did you mean {near[0]}?" if near else "deskhand macro list shows those there are"
            )
            raise NotFound(f"there is no macro {name!r}: {hint}")
        return read_macro(files[name], ships=files[name].parent == STARTER)

    def check(self) -> tuple[int, list[MacroProblem]]:
        """How many files there are, and everything that is wrong with any of them."""
        macros, problems = self.read()
        for macro in macros:
            problems += check(macro, self._settings)
        problems += _double_keys(macros)
        ordered = sorted(problems, key=lambda p: (p.place.file, p.place.line, p.place.column))
        return len(self.files()), ordered


def check(macro: Macro, settings: Settings) -> list[MacroProblem]:
    """Everything that is wrong with a macro that could be read: its texts and whom it names."""
    answers = frozenset(question.name for question in macro.questions)
    problems = [problem for text in macro.texts for problem in problems_of(text, answers)]
    agents = [agent.name for agent in settings.agents]
    groups = [group.name for group in settings.groups]
    for key, wanted, known in (
        ("assign", macro.steps.assign, agents),
        ("group", macro.steps.group, groups),
    ):
        if wanted and wanted != "me" and wanted not in known:
            there = ", ".join(known) or "none yet"
            problems.append(
                MacroProblem(
                    macro.place(f"actions.{key}"),
                    f"there is no {key.replace('assign', 'agent')} {wanted!r} in deskhand.toml:"
                    f" there are {there}",
                )
            )
    return problems


def _double_keys(macros: list[Macro]) -> list[MacroProblem]:
    taken: dict[str, Macro] = {}
    problems = []
    for macro in macros:
        if macro.key and macro.key in taken:
            problems.append(
                MacroProblem(
                    macro.place("key"),
                    f"{taken[macro.key].name} has the key {macro.key} already: take another",
                )
            )
        elif macro.key:
            taken[macro.key] = macro
    return problems


def variant_for(macro: Macro, language: str | None, channel: str) -> Variant | None:
    """The text that fits a ticket best: the customer's language first, then the channel.

    Without the language it is the macro's own. None where the macro has no text.
    """
    spoken = (language or "").lower().replace("_", "-").partition("-")[0]
    wanted = None if spoken in ("", macro.language) else spoken
    fits = [
        variant
        for variant in macro.variants
        if variant.language in (None, wanted) and variant.channel in (None, channel)
    ]
    return max(
        fits,
        key=lambda v: (v.language == wanted, v.channel == channel),
        default=None,
    )
