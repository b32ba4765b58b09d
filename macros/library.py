"""The macros of a home: those that ship, each replaced by the team's file of the same name.

A running desk takes an edit as soon as it looks again. An edit with a fault never takes a macro
away: the last good version goes on, and the fault is told.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from macros.model import Escalation, Macro, MacroProblem, Variant
from macros.reading import read_macro
from macros.render import problems_of
from workflow.errors import NotFound, SettingsError
from workflow.escalation_rules import EscalationRules, load_escalation
from workflow.settings import Settings

__all__ = ["FOLDER", "STARTER", "Library", "check", "variant_for", "why_variant"]

FOLDER = "macros"
"""The folder of the team's own macros in a home."""
STARTER = Path(__file__).parent / "starter"
"""The macros that ship."""


_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """A file as it was last read: its version, the macro that counts, what is wrong with it."""

    stamp: _Stamp
    macro: Macro | None
    problem: MacroProblem | None


class Library:
    """What there is by now: a look reads again the files that have changed, from any thread."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._known: dict[Path, _Known] = {}
        self._lock = threading.Lock()

    def files(self) -> dict[str, Path]:
        """The file of each name, in the order of the names."""
        found = {path.stem: path for path in STARTER.glob("*.md")}
        found |= {path.stem: path for path in (self._home / FOLDER).glob("*.md")}
        return dict(sorted(found.items()))

    def read(self) -> tuple[list[Macro], list[MacroProblem]]:
        """Every macro that can be used, and what is wrong with files as they are now.

        A file with a fault has its last good version among the macros, if this library saw one.
        """
        paths = self.files().values()
        with self._lock:
            # A file that went away and comes back has no version before.
            self._known = {path: self._known[path] for path in paths if path in self._known}
        found = [self._look(path) for path in paths]
        macros = [known.macro for known in found if known is not None and known.macro is not None]
        problems = [known.problem for known in found if known is not None and known.problem]
        return macros, problems

    def _look(self, path: Path) -> _Known | None:
        """What a file says by now; None where it went away at this moment."""
        try:
            info = path.stat()
        except FileNotFoundError:
            with self._lock:
                self._known.pop(path, None)
            return None
        except OSError:
            stamp: _Stamp = (0, 0, 0)
        else:
            stamp = (info.st_mtime_ns, info.st_size, info.st_ino)
        with self._lock:
            known = self._known.get(path)
            if known is None or known.stamp != stamp:
                known = self._known[path] = _reread(path, stamp, known.macro if known else None)
            return known

    def get(self, name: str) -> Macro:
        """The macro of a name, the last good version where the file has a fault by now.

        Raises NotFound, or MacroProblem where there was none.
        """
        files = self.files()
        known = self._look(files[name]) if name in files else None
        if known is None:
            near = get_close_matches(name, files, 1)
            hint = (
                f"did you mean {near[0]}?" if near else "deskhand macro list shows those there are"
            )
            raise NotFound(f"there is no macro {name!r}: {hint}")
        if known.macro is None:
            assert known.problem is not None
            raise known.problem
        return known.macro

    def check(self) -> tuple[int, list[MacroProblem]]:
        """How many files there are, and everything that is wrong with any of them as they are now."""
        macros: list[Macro] = []
        problems: list[MacroProblem] = []
        for path in self.files().values():
            try:
                macros.append(_read(path))
            except MacroProblem as problem:
                problems.append(problem)
        try:
            rules = load_escalation(self._home, self._settings)
        except SettingsError:
            # Another file's fault, which doctor tells; the levels are not judged then.
            rules = None
        for macro in macros:
            problems += check(macro, self._settings, rules)
        problems += _double_keys(macros)
        ordered = sorted(problems, key=lambda p: (p.place.file, p.place.line, p.place.column))
        return len(self.files()), ordered


def _read(path: Path) -> Macro:
    return read_macro(path, ships=path.parent == STARTER)


def _reread(path: Path, stamp: _Stamp, before: Macro | None) -> _Known:
    """A changed file. Its new version counts unless it has a fault that the one before had not."""
    try:
        macro = _read(path)
    except MacroProblem as problem:
        return _Known(stamp, before, problem)
    if before is not None and not _text_problems(before):
        problems = _text_problems(macro)
        if problems:
            return _Known(stamp, before, problems[0])
    return _Known(stamp, macro, None)


def _text_problems(macro: Macro) -> list[MacroProblem]:
    answers = frozenset(question.name for question in macro.questions)
    return [problem for text in macro.texts for problem in problems_of(text, answers)]


def check(
    macro: Macro, settings: Settings, escalation: EscalationRules | None = None
) -> list[MacroProblem]:
    """Everything that is wrong with a macro that could be read: its texts and whom it names.

    Levels and reasons of an escalation are judged where the rules are given.
    """
    problems = _text_problems(macro)
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
    if macro.steps.escalate is not None and escalation is not None:
        problems += _wrong_escalation(macro, macro.steps.escalate, settings, escalation)
    return problems


def _wrong_escalation(
    macro: Macro, wanted: Escalation, settings: Settings, rules: EscalationRules
) -> list[MacroProblem]:
    place, problems = macro.place("actions.escalate"), []
    named = {group.name.lower() for group in settings.groups}
    if wanted.to and rules.level(wanted.to) is None and wanted.to.lower() not in named:
        levels = ", ".join(level.name for level in rules.levels) or "none yet"
        problems.append(
            MacroProblem(place, f"no group has the level {wanted.to!r}: there are {levels}")
        )
    if rules.reason(wanted.reason) is None:
        reasons = ", ".join(rules.reasons)
        problems.append(
            MacroProblem(place, f"{wanted.reason!r} is no reason of the team: there are {reasons}")
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
    spoken = _spoken(language)
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


def why_variant(macro: Macro, variant: Variant, language: str | None) -> str:
    """Which text was chosen and why, as a phrase: ``de, as the customer writes; for telegram``."""
    spoken, taken = _spoken(language), variant.language or macro.language
    if not spoken:
        reason = "since the ticket's language is not known"
    elif spoken == taken:
        reason = "as the customer writes"
    else:
        reason = f"since there is no text in {spoken}"
    return f"{taken}, {reason}; for {variant.channel or 'every channel'}"


def _spoken(language: str | None) -> str:
    """The language alone: ``de`` of ``de-AT``."""
    return (language or "").lower().replace("_", "-").partition("-")[0]
