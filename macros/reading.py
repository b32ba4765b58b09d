"""A macro's file: front matter in TOML between two lines ``+++``, then Liquid text, then sections for
other languages and channels that begin ``## language=de channel=telegram``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from macros.model import (
    CHANNELS,
    Escalation,
    Macro,
    MacroProblem,
    Place,
    Question,
    Steps,
    Text,
    Variant,
)
from workflow.clock import parse_duration
from workflow.model import Priority, Status
from workflow.plaintext import one_line
from workflow.query.grammar import QuerySyntaxError, parse

__all__ = ["read_macro", "read_text"]

_FENCE = "+++"
_TOP = ("title", "description", "tags", "language", "only", "key", "ask", "actions")
_ACTIONS = (
    "status", "priority", "assign", "group", "topic", "add_tags", "remove_tags", "snooze", "note",
    "escalate", "reply", "reply_all",
)  # fmt: skip
_ESCALATE = ("reason", "to", "tried", "needed")
_SECTION = re.compile(r"##[ \t]+(?=[a-z_]+[ \t]*=)(.*)")
_PAIR = re.compile(r"(\w+)[ \t]*=[ \t]*(\S+)")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_KEY = re.compile(r"(?:(?:ctrl|alt|shift)\+)*(?:[a-z0-9]|f\d{1,2})")
_TAG = re.compile(r"[^\s,:;\"'()#]{1,40}")
_QUESTION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_LONGEST_SNOOZE_S = 366 * 86_400
_LARGEST = 200_000


def read_macro(path: Path, *, ships: bool = False) -> Macro:
    """The macro in a file, which is named as the file is; raises MacroProblem."""
    place = Place(str(path))
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise MacroProblem(
            place, f"the file cannot be read ({fault.strerror}): give this user the right to"
        ) from None
    if len(data) > _LARGEST:
        raise MacroProblem(place, f"the file is larger than {_LARGEST} bytes: shorten it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise MacroProblem(
            Place(str(path), line), "there is a byte that is not UTF-8: save the file as UTF-8"
        ) from None
    return read_text(path.stem, text, str(path), ships=ships)


def read_text(name: str, text: str, file: str, *, ships: bool = False) -> Macro:
    """The macro in a text; ``file`` is what complaints name. Raises MacroProblem."""
    return _Reader(name, text.replace("\r\n", "\n"), file).macro(ships)


class _Reader:
    def __init__(self, name: str, text: str, file: str) -> None:
        self.name = name
        self.file = file
        self.lines = text.split("\n")
        if self.lines[0].rstrip() != _FENCE:
            raise self.fault(
                1, "a macro begins with a line +++, its settings, and another line +++"
            )
        ends = (n for n, line in enumerate(self.lines) if n and line.rstrip() == _FENCE)
        self.end = next(ends, 0)
        if not self.end:
            raise self.fault(
                len(self.lines), "the settings have no end: close them with a line +++"
            )
        self.places = dict(self._places())

    def fault(self, line: int, sentence: str, column: int = 1) -> MacroProblem:
        return MacroProblem(Place(self.file, line, column), sentence)

    def wrong(self, key: str, sentence: str) -> MacroProblem:
        return MacroProblem(self.places.get(key, Place(self.file, 2)), sentence)

    def _places(self) -> list[tuple[str, Place]]:
        """Where each key stands, the ones of tables as ``table.key``; the first where it is twice."""
        found: dict[str, Place] = {}
        table = ""
        for number, line in enumerate(self.lines[1 : self.end], 2):
            if match := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
                table = f"{match[1]}."
                found.setdefault(match[1], Place(self.file, number, line.index("[") + 1))
            elif match := re.match(r"\s*([\w-]+)\s*[=.]", line):
                found.setdefault(table + match[1], Place(self.file, number, match.start(1) + 1))
        return list(found.items())

    def macro(self, ships: bool) -> Macro:
        values = self._front_matter()
        self._allow(values, _TOP, "")
        actions, asked = self._table(values, "actions"), self._table(values, "ask")
        self._allow(actions, _ACTIONS, "actions.")
        language = self._text(values, "language") or "en"
        if not _LANGUAGE.fullmatch(language):
            raise self.wrong("language", f"{language!r} is no language: write a code like en or de")
        key = self._text(values, "key")
        if key and not _KEY.fullmatch(key):
            raise self.wrong("key", f"{key!r} is no key: write it like f5 or ctrl+g")
        only = self._text(values, "only")
        try:
            parse(only)
        except QuerySyntaxError as fault:
            raise self.wrong("only", f"only is no query: {fault}") from None
        variants = self._variants(language)
        return Macro(
            name=self.name,
            file=self.file,
            title=self._text(values, "title") or self.name.replace("-", " "),
            description=self._text(values, "description"),
            tags=self._tags(values, "tags", ""),
            language=language,
            variants=variants,
            reply=self._switch(actions, "reply", bool(variants)) and bool(variants),
            reply_all=self._switch(actions, "reply_all", False),
            only=only,
            questions=tuple(self._question(asked, name) for name in asked),
            key=key,
            ships=ships,
            steps=self._steps(actions),
            places=tuple(self.places.items()),
        )

    def _front_matter(self) -> dict[str, Any]:
        try:
            # An empty line in place of the fence: lines count as in the file.
            return tomllib.loads("\n" + "\n".join(self.lines[1 : self.end]))
        except tomllib.TOMLDecodeError as fault:
            said = str(fault)
            match = re.search(r"\(at line (\d+), column (\d+)\)", said)
            line, column = (
                (int(match[1]), int(match[2]))
                if match
                else (self.end, len(self.lines[self.end - 1]) + 1)
            )
            what = said.partition("(at")[0].strip().lower()
            raise self.fault(line, f"this is no TOML ({what}): mend the line", column) from None

    def _allow(self, values: dict[str, Any], known: Collection[str], table: str) -> None:
        for key in values:
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                if not table and key in _ACTIONS:
                    hint = "it belongs under [actions]"
                raise self.wrong(table + key, f"there is no setting {key!r} here: {hint}")

    def _table(self, values: dict[str, Any], key: str) -> dict[str, Any]:
        found = values.get(key, {})
        if not isinstance(found, dict):
            raise self.wrong(key, f"{key} is a table: write [{key}] on a line of its own")
        return found

    def _text(self, values: dict[str, Any], key: str, table: str = "") -> str:
        found = values.get(key, "")
        if not isinstance(found, str):
            raise self.wrong(table + key, f"{key} must be a text in quotes, found {found!r}")
        return found if key == "note" else one_line(found)

    def _switch(self, values: dict[str, Any], key: str, default: bool) -> bool:
        found = values.get(key, default)
        if not isinstance(found, bool):
            raise self.wrong(f"actions.{key}", f"{key} must be true or false, found {found!r}")
        return found

    def _tags(self, values: dict[str, Any], key: str, table: str) -> tuple[str, ...]:
        found = values.get(key, [])
        good = isinstance(found, list) and all(
            isinstance(tag, str) and _TAG.fullmatch(tag) for tag in found
        )
        if not good:
            raise self.wrong(
                table + key,
                f'{key} must be a list of single words like ["refund"], found {found!r}',
            )
        return tuple(tag.lower() for tag in found)

    def _question(self, asked: dict[str, Any], name: str) -> Question:
        if not _QUESTION.fullmatch(name) or not isinstance(asked[name], str):
            raise self.wrong(
                f"ask.{name}", 'write what is asked as a name and a question: amount = "How much?"'
            )
        return Question(name, one_line(asked[name]))

    def _steps(self, actions: dict[str, Any]) -> Steps:
        def text(key: str) -> str | None:
            return self._text(actions, key, "actions.") if key in actions else None

        status, assign, group, note = text("status"), text("assign"), text("group"), text("note")
        if status is not None and status not in tuple(Status):
            raise self.wrong(
                "actions.status", f"there is no status {status!r}: there are {', '.join(Status)}"
            )
        return Steps(
            status=status,
            priority=self._priority(text("priority")),
            assign="" if assign == "none" else assign,
            group="" if group == "none" else group,
            topic=text("topic"),
            add_tags=self._tags(actions, "add_tags", "actions."),
            remove_tags=self._tags(actions, "remove_tags", "actions."),
            snooze_s=self._snooze(text("snooze")),
            note=Text(note, self._inside("actions.note")) if note else None,
            escalate=self._escalate(actions),
        )

    def _escalate(self, actions: dict[str, Any]) -> Escalation | None:
        if "escalate" not in actions:
            return None
        key, form = "actions.escalate", 'write escalate = { to = "L2", reason = "technical" }'
        found = actions["escalate"]
        if not isinstance(found, dict):
            raise self.wrong(key, f"escalate is a table: {form}")
        for name, said in found.items():
            if name not in _ESCALATE:
                near = get_close_matches(name, _ESCALATE, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_ESCALATE)}"
                raise self.wrong(key, f"there is no setting {name!r} in escalate: {hint}")
            if not isinstance(said, str):
                raise self.wrong(key, f"{name} must be a text in quotes, found {said!r}")
        reason = one_line(found.get("reason", ""))
        if not reason:
            raise self.wrong(key, f"an escalation needs a reason: {form}")
        for other in ("assign", "group"):
            if other in actions:
                raise self.wrong(
                    f"actions.{other}", f"escalate decides who has the ticket: drop {other}"
                )
        to = one_line(found.get("to", "")) or None
        return Escalation(reason, to, found.get("tried", ""), found.get("needed", ""))

    def _inside(self, key: str) -> Place:
        """Where the text in the quotes of a key begins."""
        place = self.places.get(key, Place(self.file, 2))
        line = self.lines[place.line - 1]
        opening = re.search(r"=\s*(\"\"\"$|'''$|\"\"\"|'''|\"|')", line)
        if opening is None:
            return place
        if opening[1] in ('"""', "'''") and opening.end() == len(line):
            return Place(self.file, place.line + 1)
        return Place(self.file, place.line, opening.end() + 1)

    def _priority(self, word: str | None) -> int | None:
        if word is None:
            return None
        try:
            return int(Priority.parse(word))
        except ValueError as fault:
            raise self.wrong("actions.priority", str(fault)) from None

    def _snooze(self, words: str | None) -> int | None:
        """Seconds; 0 for ``reply``, which is until the customer writes."""
        if words is None or words == "reply":
            return None if words is None else 0
        try:
            seconds = parse_duration(words)
        except ValueError as fault:
            raise self.wrong("actions.snooze", f'{fault}; or "reply"') from None
        if not 0 < seconds <= _LONGEST_SNOOZE_S:
            raise self.wrong(
                "actions.snooze", f'{words!r} is not between 1s and a year; or "reply"'
            )
        return seconds

    def _variants(self, own: str) -> tuple[Variant, ...]:
        """The texts in their order, empty ones left out."""
        found: dict[tuple[str | None, str | None], Variant] = {}
        wanted: tuple[str | None, str | None] = (None, None)
        start = self.end + 1
        for number in range(start, len(self.lines) + 1):
            at_end = number == len(self.lines)
            head = None if at_end else _SECTION.fullmatch(self.lines[number].rstrip())
            if not at_end and head is None:
                continue
            body = "\n".join(self.lines[start:number])
            if body.strip():
                found[wanted] = Variant(*wanted, Text(body, Place(self.file, start + 1)))
            elif wanted != (None, None):
                raise self.fault(
                    start, "this section has no text: write it below, or drop the line"
                )
            if head is not None:
                wanted = self._section(head[1], number + 1, own)
                if wanted in found:
                    raise self.fault(number + 1, "there is a text for this already: drop one")
                start = number + 1
        return tuple(found.values())

    def _section(self, words: str, line: int, own: str) -> tuple[str | None, str | None]:
        language = channel = None
        for match in _PAIR.finditer(words):
            key, value, column = match[1], match[2], match.start() + 4
            if key == "language" and _LANGUAGE.fullmatch(value):
                language = None if value == own else value
            elif key == "channel" and value in CHANNELS:
                channel = value
            elif key == "channel":
                near = get_close_matches(value, CHANNELS, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CHANNELS)}"
                raise self.fault(line, f"there is no channel {value!r}: {hint}", column)
            else:
                raise self.fault(
                    line,
                    f"{key}={value} does not fit: write ## language=de channel=telegram, or one of both",
                    column,
                )
        if _PAIR.sub("", words).strip():
            raise self.fault(line, "write ## language=de channel=telegram, or one of both")
        return language, channel
