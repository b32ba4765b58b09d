"""The ready-made workflow in a home: where the team works is asked or found, the rest is
:mod:`workflow.starter_set`.
"""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from console.setup.asking import Asker
from workflow.calendar_file import zone_named
from workflow.errors import UsageError
from workflow.starter_set import Installed, Place

__all__ = ["ask_place", "local_zone", "place_of", "words_of"]

_LOCALTIME = Path("/etc/localtime")


def local_zone(localtime: Path = _LOCALTIME) -> str:
    """The zone of this computer; UTC where it does not tell."""
    named = os.environ.get("TZ", "").removeprefix(":")
    # A link into the zones of the system, such as /usr/share/zoneinfo/Europe/Berlin.
    linked = os.path.realpath(localtime).partition("zoneinfo/")[2]
    for name in filter(None, (named, linked)):
        try:
            return zone_named(name).key
        except ValueError:
            continue
    return "UTC"


def place_of(options: Namespace) -> Place:
    """What the flags say, and the zone of this computer; raises UsageError."""
    return Place(
        _checked_zone(options.timezone or local_zone()),
        *_checked_country(options.country or "", options.subdivision or ""),
    )


def ask_place(asker: Asker, options: Namespace) -> Place:
    """As :func:`place_of`, asking a person for what the flags do not say."""
    zone = asker.ask(
        "  Which time zone do you work in?",
        "--timezone",
        given=options.timezone,
        default=local_zone(),
        check=_zone_or_fault,
    )
    if options.country is not None or not asker.interactive:
        return Place(zone, *_checked_country(options.country or "", options.subdivision or ""))
    country = asker.ask(
        "  Which country's holidays do you keep? DE, or DE-BE for a part of it; - for none",
        "--country",
        default="-",
        check=_country_or_fault,
    )
    name, _, part = country.strip("-").partition("-")
    return Place(zone, name, part)


def words_of(done: Installed, home: Path) -> str:
    """What was installed, for a person."""
    lines = [f"written: {home / file}" for file in done.written]
    lines += [f"there already, as it was: {home / file}" for file in done.kept]
    if done.groups:
        lines.append(f"added to deskhand.toml: the groups {', '.join(done.groups)}")
    lines += [
        f'nobody is in {group} yet: add "{group}" to the groups of an agent in deskhand.toml'
        for group in done.empty_groups
    ]
    return "\n".join(lines)


def _checked_zone(name: str) -> str:
    try:
        return _zone_or_fault(name)
    except ValueError as fault:
        raise UsageError(f"--timezone: {fault}") from None


def _zone_or_fault(name: str) -> str:
    return zone_named(name).key


def _checked_country(country: str, subdivision: str) -> tuple[str, str]:
    if not country:
        if subdivision:
            raise UsageError("--subdivision is a part of a country: give --country, too")
        return "", ""
    from workflow.holiday_dates import holidays_of

    try:
        holidays_of(country, subdivision or None)
    except ValueError as fault:
        key, sentence = fault.args
        raise UsageError(f"--{key}: {sentence}") from None
    return country, subdivision


def _country_or_fault(answer: str) -> str:
    country, _, part = answer.strip().strip("-").partition("-")
    try:
        _checked_country(country, part)
    except UsageError as fault:
        raise ValueError(str(fault).partition(": ")[2]) from None
    return answer
