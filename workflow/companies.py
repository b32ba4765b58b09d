"""What ``workflow/companies.csv`` says: the company and the tier of everybody who writes from a
domain.

It is read for customers who are new: nobody's company or tier is ever overwritten by it. A file
that cannot be used never stops the desk (:mod:`workflow.watched`).
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow.errors import SettingsError
from workflow.plaintext import one_line
from workflow.watched import WatchedFile

__all__ = ["FILE", "STANDARD", "Company", "CompanyFile", "load_companies"]

FILE = "workflow/companies.csv"
COLUMNS = ("domain", "company", "tier")
STANDARD = "standard"

_DOMAIN = re.compile(r"(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})+")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Company:
    """A line of the table; ``company`` and ``tier`` may be empty, which says nothing about them."""

    domain: str
    company: str
    tier: str
    line: int

    @property
    def cause(self) -> str:
        """How events name it: ``companies.csv:3``."""
        return f"companies.csv:{self.line}"

    @property
    def changes(self) -> list[dict[str, str]]:
        """What it sets on a customer of whom nothing is known, as events tell it."""
        fields = (("company", "", self.company), ("tier", STANDARD, self.tier))
        return [
            {"field": name, "before": before, "after": after}
            for name, before, after in fields
            if after and after != before
        ]


def load_companies(home: Path) -> Mapping[str, Company]:
    """The table of a home by domain, empty where there is no file.

    Raises SettingsError that names the file, the line, what was found and what fits.
    """
    path = home / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as fault:
        raise SettingsError(
            f"{path} cannot be read ({fault.strerror}): give this user the right to read it"
        ) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise SettingsError(f"{path}:{line}: this is not UTF-8: save the file as UTF-8") from None
    return _table(path, text)


def _table(path: Path, text: str) -> dict[str, Company]:
    found: dict[str, Company] = {}
    head: list[str] | None = None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if head is None:
                head = _head(path, line, cells)
                continue
            if len(cells) != len(head):
                raise SettingsError(
                    f"{path}:{line}: found {len(cells)} cells where the head has {len(head)}: give"
                    f" each line {', '.join(head)}; a cell with a comma stands in double quotes"
                )
            company = _company(path, line, dict(zip(head, cells, strict=True)))
            if company.domain in found:
                raise SettingsError(
                    f"{path}:{line}: {company.domain!r} stands in line"
                    f" {found[company.domain].line} already: keep one of the two"
                )
            found[company.domain] = company
    except csv.Error as fault:
        raise SettingsError(
            f"{path}:{reader.line_num}: {fault}: look at the quotes of that line"
        ) from None
    return found


def _head(path: Path, line: int, cells: list[str]) -> list[str]:
    head = [cell.strip().lower() for cell in cells]
    for name in head:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(COLUMNS)}"
            raise SettingsError(f"{path}:{line}: there is no column {name!r}: {hint}")
    if "domain" not in head or len(set(head)) != len(head) or len(head) < 2:
        raise SettingsError(
            f"{path}:{line}: the first line must name the columns, found {','.join(head)!r}: write"
            f" {','.join(COLUMNS)}"
        )
    return head


def _company(path: Path, line: int, cells: dict[str, str]) -> Company:
    domain = _comparable(cells["domain"].strip())
    if not _DOMAIN.fullmatch(domain):
        raise SettingsError(
            f"{path}:{line}: {one_line(cells['domain'], 80)!r} is no domain: write it like"
            " example.com"
        )
    return Company(
        domain,
        one_line(cells.get("company", ""), _LONGEST),
        one_line(cells.get("tier", ""), _LONGEST).lower(),
        line,
    )


def _comparable(domain: str) -> str:
    """A domain as it is compared: in lower case, a name in other letters in its ASCII form (RFC
    3490).
    """
    bare = domain.rstrip(".").lower()
    if bare.isascii():
        return bare
    try:
        return bare.encode("idna").decode("ascii")
    except UnicodeError:
        return bare


class CompanyFile(WatchedFile[Mapping[str, Company]]):
    """The table as it stands: a running desk picks up an edit by itself."""

    def __init__(self, home: Path | None) -> None:
        super().__init__(home, FILE, load_companies, {})

    def of(self, address: str) -> Company | None:
        """The line for a mail address; None for what is none, or of a domain that is not there."""
        _name, at, domain = address.rpartition("@")
        return self.value.get(_comparable(domain)) if at else None
