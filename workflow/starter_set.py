"""The workflow that ships: files for a home's ``workflow/`` folder that fit its groups and its zone.

Nothing that is there is ever written over, and nothing is written that the desk could not use.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from string import Template

from workflow.errors import NotFound, Refusal, StoreError
from workflow.rulebook import RuleBook
from workflow.settings import FILE as SETTINGS
from workflow.settings import AgentSettings, GroupSettings, Settings
from workflow.settings_edit import SettingsEdit

__all__ = ["PIECES", "Installed", "Piece", "Place", "chosen", "install", "is_fresh", "text_of"]

FOLDER = Path(__file__).parent / "starter"
"""The files as they ship, with ``$names`` for what differs between desks."""

_LEADS = ("lead", "leads", "manager", "managers")


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of the set: its name on the command line, where it goes, what it decides."""

    name: str
    file: str
    about: str

    @property
    def source(self) -> Path:
        """The file as it ships."""
        return FOLDER / Path(self.file).name

    @property
    def aliases(self) -> tuple[str, ...]:
        """What it may be called: its name, its file."""
        path = Path(self.file)
        return (self.name, path.stem, path.name, self.file)

    @property
    def names_groups(self) -> bool:
        """Whether groups of the desk stand in it."""
        return "_group" in self.source.read_text(encoding="utf-8")


PIECES = (
    Piece("calendar", "workflow/calendars.toml", "office hours, holidays and days off"),
    Piece("policies", "workflow/sla.toml", "what is promised, by what a ticket is about"),
    Piece("topics", "workflow/topics.toml", "the words that tell what a message is about"),
    Piece("companies", "workflow/companies.csv", "customers of a higher tier, by domain"),
    Piece("routing", "workflow/routing.csv", "who gets a new ticket, and how urgent it is"),
    Piece("escalation", "workflow/escalation.toml", "when a ticket is moved up, and to whom"),
    Piece("triggers", "workflow/triggers.toml", "who is told of what; the ladder of an incident"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the team works: its zone, and the country whose holidays it keeps."""

    timezone: str = "UTC"
    country: str = ""
    subdivision: str = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """What came of it: files that were written, those that were there, groups that were added, and
    those of them that nobody is in.
    """

    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    empty_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Lines:
    """The three groups that the set speaks of."""

    first: GroupSettings
    second: GroupSettings
    lead: GroupSettings


def is_fresh(home: Path) -> bool:
    """Whether a home has no file of the set yet."""
    return not any((home / piece.file).exists() for piece in PIECES)


def chosen(names: Collection[str]) -> list[Piece]:
    """The pieces of names, or of files such as ``sla.toml``; all without names. Raises NotFound."""
    known = {alias: piece for piece in PIECES for alias in piece.aliases}
    for name in names:
        if name not in known:
            there = ", ".join(piece.name for piece in PIECES)
            raise NotFound(f"there is nothing ready-made named {name!r}: there are {there}")
    return list(dict.fromkeys(known[name] for name in names)) if names else list(PIECES)


def text_of(piece: Piece, settings: Settings, place: Place) -> str:
    """A file as it would be written for a desk."""
    lines = _lines(settings)
    holidays = '# holidays = { country = "DE", subdivision = "BE" }'
    if place.country:
        inside = f'country = "{place.country}"'
        inside += f', subdivision = "{place.subdivision}"' if place.subdivision else ""
        holidays = f"holidays = {{ {inside} }}"
    return Template(piece.source.read_text(encoding="utf-8")).safe_substitute(
        timezone=place.timezone,
        holidays=holidays,
        first_group=lines.first.name,
        first_level=lines.first.level,
        second_group=lines.second.name,
        second_level=lines.second.level,
        lead_group=lines.lead.name,
        lead_level=lines.lead.level,
    )


def install(
    home: Path,
    settings: Settings,
    place: Place,
    names: Collection[str] = (),
    *,
    beside: bool = False,
) -> Installed:
    """Write the pieces (all without names) that a home does not have; those that it has stay.

    With ``beside`` these are written as ``NAME.ready-made.EXT``, which no desk reads. Groups that
    are missing are added to deskhand.toml. Raises NotFound for a name that is none, Refusal where
    the files would not fit what is there, StoreError where they cannot be written.
    """
    wanted = chosen(names)
    kept = [piece for piece in wanted if (home / piece.file).exists()]
    missing = [piece for piece in wanted if piece not in kept]
    texts = {piece.file: text_of(piece, settings, place) for piece in missing}
    named = any(piece.names_groups for piece in missing)
    edit, added = _with_groups(home, settings) if named else (None, ())
    grown = edit.check() if edit is not None else settings
    _refuse_what_does_not_fit(home, settings, edit, grown, texts)
    if beside:
        texts |= {_beside(piece.file): text_of(piece, settings, place) for piece in kept}
        for file in [
            _beside(piece.file) for piece in kept if (home / _beside(piece.file)).exists()
        ]:
            raise Refusal(f"{home / file} is there already: move it away first")
    if edit is not None and added:
        edit.save()
    for file, text in texts.items():
        _write(home / file, text)
    manned = {group for agent in grown.agents for group in agent.groups}
    return Installed(
        tuple(texts),
        tuple(piece.file for piece in kept),
        added,
        tuple(group for group in added if group not in manned),
    )


def _beside(file: str) -> str:
    path = Path(file)
    return str(path.with_name(f"{path.stem}.ready-made{path.suffix}"))


def _lines(settings: Settings) -> _Lines:
    """The groups of the first line, the second one and the leads: those of the desk by their
    levels, else new ones.
    """
    leads = [g for g in settings.groups if g.level.lower() in _LEADS or g.name.lower() in _LEADS]
    levels = [level for level in settings.levels if level not in {g.level for g in leads}]
    known = {group.name for group in settings.groups}

    def of_level(index: int, usual: str, level: str) -> GroupSettings:
        if index < len(levels):
            return next(g for g in settings.groups if g.level == levels[index])
        return GroupSettings(usual if usual not in known else f"{usual}-{level.lower()}", level)

    lead = leads[0] if leads else of_level(2, "leads", "lead")
    return _Lines(of_level(0, "support", "L1"), of_level(1, "senior", "L2"), lead)


def _with_groups(home: Path, settings: Settings) -> tuple[SettingsEdit, tuple[str, ...]]:
    """deskhand.toml with the groups that are missing, and with their people where it is clear who
    they are: leads, or the one who does everything.
    """
    edit = SettingsEdit(home)
    lines = _lines(settings)
    known = {group.name for group in settings.groups}
    added = [g for g in (lines.first, lines.second, lines.lead) if g.name not in known]
    for group in added:
        edit.add("group", {"name": group.name, "level": group.level})
    for agent in settings.agents:
        joins = [group.name for group in added if _belongs(agent, group, lines, settings)]
        if joins:
            edit.replace("agent", agent.name, {"groups": [*agent.groups, *joins]})
    return edit, tuple(group.name for group in added)


def _belongs(agent: AgentSettings, group: GroupSettings, lines: _Lines, settings: Settings) -> bool:
    alone = len(settings.agents) == 1
    return alone or (group == lines.lead and agent.role == "lead")


def _refuse_what_does_not_fit(
    home: Path,
    settings: Settings,
    edit: SettingsEdit | None,
    grown: Settings,
    texts: dict[str, str],
) -> None:
    """Read the home as it would be; a fault that is not there now is a reason to write nothing."""
    before = set(RuleBook(home, settings).problems)
    with tempfile.TemporaryDirectory(prefix="deskhand-") as folder:
        trial = Path(folder)
        if (home / "workflow").is_dir():
            shutil.copytree(home / "workflow", trial / "workflow")
        if edit is not None:
            (trial / SETTINGS).write_text(edit.text(), encoding="utf-8")
        for file, text in texts.items():
            _write(trial / file, text)
        found = [fault.replace(str(trial), str(home)) for fault in RuleBook(trial, grown).problems]
    fresh = [fault for fault in found if fault not in before]
    if fresh:
        raise Refusal(
            f"the ready-made files do not fit those that are there, nothing was written: {fresh[0]}"
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # "x": what is there by now is not written over.
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Refusal(f"{path} is there already and stays as it is") from None
    except OSError as fault:
        raise StoreError(f"{path} cannot be written ({fault.strerror})") from None
