"""What a rule does, as its file says: the words of a macro's ``[actions]`` and those that only rules
have. Every complaint names file, line and column, what was found and what fits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from workflow.clock import parse_duration
from workflow.model import Priority, Status
from workflow.plaintext import one_line
from workflow.settings import Secret, Settings
from workflow.toml_lines import Entry
from workflow.triggers.rule import Answer, Do, Program, Tell, Up, Webhook

__all__ = ["ACTIONS", "SECRETS", "WHO", "read_do", "read_notify", "read_secret", "read_up"]

ACTIONS = (
    "status", "priority", "topic", "assign", "group", "policy", "add_tags", "remove_tags", "snooze",
    "note", "escalate", "suggest", "macro", "draft", "reply", "notify", "webhook", "run",
)  # fmt: skip
SECRETS = ("env", "keyring", "command")
WHO = ("leads", "assignee", "group")
"""Words for people, beside names of agents and groups and mail addresses."""

_TAG = re.compile(r"[^\s,:;\"'()]{1,40}")
_LONGEST_SNOOZE_S = 366 * 86_400
_LONGEST_TEXT = 20_000
_LONGEST_RUN_S = 600


def read_do(entry: Entry, settings: Settings) -> Do:
    """The actions of a rule; raises SettingsError."""
    entry.allow(ACTIONS)
    if not entry.values:
        raise entry.fault("do", "the rule does nothing: give at least one action")
    if "escalate" in entry.values:
        for other in ("assign", "group"):
            if other in entry.values:
                raise entry.fault(other, f"escalate decides who has the ticket: drop {other}")
    note, draft = _text(entry, "note"), _answer(entry, "draft")
    return Do(
        status=_one_of(entry, "status", tuple(Status)),
        priority=_priority(entry),
        topic=_line(entry, "topic"),
        assign=_named(entry, "assign", [agent.name for agent in settings.agents]),
        group=_named(entry, "group", [group.name for group in settings.groups]),
        policy=_line(entry, "policy"),
        add_tags=_tags(entry, "add_tags"),
        remove_tags=_tags(entry, "remove_tags"),
        snooze_s=_snooze(entry),
        note=note,
        escalate=_escalate(entry),
        suggest=_line(entry, "suggest") or "",
        macro=_line(entry, "macro") or "",
        draft=draft,
        send=_send(entry),
        notify=_notify(entry, settings),
        webhooks=_webhooks(entry),
        run=_run(entry),
    )


def read_up(entry: Entry) -> Up:
    """An escalation; levels and reasons are judged where they are known."""
    texts = {key: _text(entry, key) for key in ("tried", "needed")}
    return Up(_line(entry, "to"), _line(entry, "reason") or "", **texts)


def read_notify(entry: Entry, key: str, settings: Settings) -> tuple[str, ...]:
    """Who is told, as names, words and addresses; raises SettingsError for nobody we know."""
    known = [agent.name for agent in settings.agents] + [group.name for group in settings.groups]
    found = tuple(one_line(word) for word in entry.words(key))
    for word in found:
        if word in WHO or word in known or _is_address(word):
            continue
        there = ", ".join((*WHO, *known))
        raise entry.fault(
            key, f"{word!r} is nobody to tell: write a mail address, or one of {there}"
        )
    if not found:
        raise entry.fault(key, f"nobody is told: write a mail address, or one of {', '.join(WHO)}")
    return found


def read_secret(entry: Entry, key: str, found: object) -> Secret:
    """A text that may stand elsewhere: ``{ env = "NAME" }`` and its like, or the text itself."""
    if isinstance(found, str) and found.strip():
        return Secret("bare", found.strip())
    if isinstance(found, dict) and len(found) == 1:
        kind, value = next(iter(found.items()))
        if kind in SECRETS and isinstance(value, str) and value:
            return Secret(kind, value)
    raise entry.fault(
        key,
        f"{key} is a text in quotes or one of {{ env = ... }}, {{ keyring = ... }},"
        f" {{ command = ... }}, found {found!r}",
    )


def _is_address(word: str) -> bool:
    local, at, domain = word.rpartition("@")
    return bool(local and at and domain) and not any(mark in word for mark in " <>,;\r\n")


def _line(entry: Entry, key: str) -> str | None:
    return one_line(entry.text(key), 200) if key in entry.values else None


def _text(entry: Entry, key: str) -> str:
    text = entry.text(key)
    if len(text) > _LONGEST_TEXT:
        raise entry.fault(key, f"{key} has {len(text)} characters: {_LONGEST_TEXT} fit")
    return text.strip("\n")


def _one_of(entry: Entry, key: str, known: tuple[str, ...]) -> str | None:
    word = _line(entry, key)
    if word is None or word in known:
        return word
    raise entry.fault(key, f"there is no {key} {word!r}: there are {', '.join(map(str, known))}")


def _priority(entry: Entry) -> int | None:
    word = _line(entry, "priority")
    try:
        return None if word is None else int(Priority.parse(word))
    except ValueError as fault:
        raise entry.fault("priority", str(fault)) from None


def _named(entry: Entry, key: str, known: list[str]) -> str | None:
    name = _line(entry, key)
    if name is None or name == "none":
        return None if name is None else ""
    if name not in known:
        there = ", ".join(known) or "none yet"
        what = "agent" if key == "assign" else key
        raise entry.fault(key, f"there is no {what} {name!r} in deskhand.toml: there are {there}")
    return name


def _tags(entry: Entry, key: str) -> tuple[str, ...]:
    found = entry.words(key)
    for tag in found:
        if not _TAG.fullmatch(tag):
            raise entry.fault(key, f"{tag!r} cannot be a tag: take one word of up to 40 letters")
    return tuple(tag.lower() for tag in found)


def _snooze(entry: Entry) -> int | None:
    words = _line(entry, "snooze")
    if words is None or words == "reply":
        return None if words is None else 0
    try:
        seconds = parse_duration(words)
    except ValueError as fault:
        raise entry.fault("snooze", f'{fault}; or "reply"') from None
    if not 0 < seconds <= _LONGEST_SNOOZE_S:
        raise entry.fault("snooze", f'{words!r} is not between 1s and a year; or "reply"')
    return seconds


def _escalate(entry: Entry) -> Up | None:
    found = entry.values.get("escalate")
    if found is None:
        return None
    if not isinstance(found, dict):
        form = 'escalate = { to = "L2", reason = "technical" }'
        raise entry.fault("escalate", f"escalate is a table: write {form}, found {found!r}")
    inner = entry.inner("escalate", found)
    inner.allow(("to", "reason", "tried", "needed"))
    return read_up(inner)


def _answer(entry: Entry, key: str) -> Answer | None:
    """``draft = "text"`` or ``{ macro = "NAME" }`` or ``{ text = "..." }``."""
    found = entry.values.get(key)
    if found is None:
        return None
    if isinstance(found, dict):
        inner = entry.inner(key, found)
        inner.allow(("text", "macro", "send"))
        made = Answer(_text(inner, "text"), _line(inner, "macro") or "")
    else:
        made = Answer(_text(entry, key))
    if bool(made.text.strip()) == bool(made.macro):
        raise entry.fault(
            key, f'{key} needs a text or a macro: {key} = {{ macro = "acknowledge" }}'
        )
    return made


def _send(entry: Entry) -> Answer | None:
    found = entry.values.get("reply")
    if found is None:
        return None
    if not isinstance(found, dict) or found.get("send") != "auto":
        raise entry.fault(
            "reply",
            "a rule sends only what says so: write reply ="
            ' { macro = "acknowledge", send = "auto" }, or draft in place of reply to propose it',
        )
    return _answer(entry, "reply")


def _notify(entry: Entry, settings: Settings) -> Tell | None:
    found = entry.values.get("notify")
    if found is None:
        return None
    if not isinstance(found, dict):
        return Tell(read_notify(entry, "notify", settings))
    inner = entry.inner("notify", found)
    inner.allow(("to", "text"))
    return Tell(read_notify(inner, "to", settings), _text(inner, "text"))


def _webhooks(entry: Entry) -> tuple[Webhook, ...]:
    found = entry.values.get("webhook")
    if found is None:
        return ()
    each = found if isinstance(found, list) else [found]
    return tuple(_webhook(entry, one) for one in each)


def _webhook(entry: Entry, found: object) -> Webhook:
    values: Mapping[str, Any] = found if isinstance(found, dict) else {"url": found}
    if isinstance(found, dict) and "url" not in found:
        # { env = "NAME" } alone is the URL.
        values = {"url": found}
    inner = entry.inner("webhook", values)
    inner.allow(("url", "secret"))
    url = read_secret(inner, "url", values.get("url"))
    if url.kind == "bare":
        parts = urlsplit(url.value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise entry.fault("webhook", f"{url.value!r} is no http or https address")
    secret = values.get("secret")
    return Webhook(url, read_secret(inner, "secret", secret) if secret is not None else None)


def _run(entry: Entry) -> Program | None:
    found = entry.values.get("run")
    if found is None:
        return None
    form = 'run is a list of the program and its arguments: run = ["/usr/local/bin/page", "--now"]'
    values: Mapping[str, Any] = found if isinstance(found, dict) else {"argv": found}
    inner = entry.inner("run", values)
    inner.allow(("argv", "timeout"))
    argv = values.get("argv")
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        raise entry.fault("run", f"{form}, found {found!r}")
    if not argv[0].strip() or any("\x00" in word for word in argv):
        raise entry.fault("run", f"{form}, found {found!r}")
    try:
        seconds = parse_duration(inner.text("timeout", "30s"))
    except ValueError as fault:
        raise inner.fault("timeout", str(fault)) from None
    if not 0 < seconds <= _LONGEST_RUN_S:
        raise inner.fault("timeout", "a program may take up to 10m")
    return Program(tuple(argv), seconds)
