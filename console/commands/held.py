"""The verb held: what was kept out and why, and what a person decides about it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence

from console import fmt
from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer, table
from workflow import actions as a
from workflow.errors import NotFound, UsageError
from workflow.model import Actor, rfc3339
from workflow.store.rows import HeldRow

__all__ = ["held"]

CAUSE = "command"


def held(desktop: Desktop, args: Namespace) -> Answer:
    """``held WHAT``; without a word, the list."""
    return _WHATS[args.what](desktop, args)


def _list(desktop: Desktop, args: Namespace) -> Answer:
    if args.words:
        raise UsageError(f"to see one of them whole: deskhand held show {args.words[0]}")
    rows = desktop.reads.held(None if args.all else "held")
    lines = [
        (str(r.id), r.cause, r.sender, r.subject, rfc3339(r.reached_at) or "", _state(r))
        for r in rows
    ]
    text = table(lines, ("n", "cause", "from", "subject", "reached us", ""), (0, 20, 30, 36, 0, 0))
    hint = "\n\ndeskhand held show N tells why; release, discard, allow and block decide"
    return Answer(
        {"items": [documents.held_item(row) for row in rows]},
        f"{text}{hint}" if rows else "nothing is held: everything that came in is in the queue",
    )


def _state(row: HeldRow) -> str:
    return {"held": "", "wanted": "released, being fetched"}.get(row.state, row.state)


def _show(desktop: Desktop, args: Namespace) -> Answer:
    if len(args.words) != 1:
        raise UsageError("say which one: deskhand held show N")
    row = _row(desktop, args.words[0])
    whole = desktop.desk.look_into(row)
    raw = desktop.files.read(row.raw_sha256).decode("utf-8", "replace")
    lines = [
        f"held item {row.id}, {_state(row) or 'waits for a decision'}",
        f"cause: {row.cause}",
        f"       {row.evidence}" if row.evidence else "",
        f"reached us {rfc3339(row.reached_at)}, {fmt.size(row.raw_size)}, account {row.account or 'none'}",
        f"would join #{row.ticket}" if row.ticket else "",
        ""
        if whole.whole
        else "only its header is here: a release fetches the rest from the server",
        whole.fault,
    ]
    files = [f"  {name}  {kind}  {fmt.size(size)}" for name, kind, size in whole.files]
    parts = ["\n".join(line for line in lines if line), whole.head, whole.text, "\n".join(files)]
    return Answer(
        {**documents.held_whole(whole), "raw": raw}, "\n\n".join(part for part in parts if part)
    )


def _release(desktop: Desktop, args: Namespace) -> Answer:
    return _decide(desktop, args, a.ReleaseHeld)


def _discard(desktop: Desktop, args: Namespace) -> Answer:
    return _decide(desktop, args, a.DiscardHeld)


def _decide(desktop: Desktop, args: Namespace, action: Callable[[int], a.Action]) -> Answer:
    """One change for all of them, or none."""
    numbers = [_number(word) for word in args.words]
    if not numbers:
        raise UsageError(f"say which ones: deskhand held {args.what} N...")
    outcomes = desktop.desk.perform_all([action(n) for n in numbers], _actor(desktop), CAUSE)
    pairs = [(n, outcome.ticket) for n, outcome in zip(numbers, outcomes, strict=True)]
    return Answer(_decided(desktop, pairs), "\n".join(outcome.summary for outcome in outcomes))


def _decided(desktop: Desktop, pairs: Sequence[tuple[int, int | None]]) -> documents.Document:
    items = []
    for number, ticket in pairs:
        row = desktop.reads.held_item(number)
        assert row is not None
        items.append({"held": number, "ticket": ticket, "state": row.state})
    return {**items[0], "items": items} if items else {"items": items}


def _allow(desktop: Desktop, args: Namespace) -> Answer:
    return _rule(desktop, args, allow=True)


def _block(desktop: Desktop, args: Namespace) -> Answer:
    return _rule(desktop, args, allow=False)


def _rule(desktop: Desktop, args: Namespace, *, allow: bool) -> Answer:
    """A rule for each sender. What is named by number is let in, or discarded, with it."""
    if not args.words:
        raise UsageError(
            f"say which: deskhand held {args.what} N... or an address, with --domain for all of its domain"
        )
    rows = [_row(desktop, word) for word in args.words if "@" not in word]
    named = [word for word in args.words if "@" in word]
    nameless = [row.id for row in rows if "@" not in row.sender]
    if nameless:
        raise UsageError(
            f"held item {nameless[0]} has no sender's address: release or discard it alone"
        )
    senders = dict.fromkeys([*named, *(row.sender for row in rows)])
    patterns = dict.fromkeys(_pattern(sender, args.domain) for sender in senders)
    rules: list[a.Action] = [a.RuleSender(pattern, allow) for pattern in patterns]
    actor = _actor(desktop)
    waiting = [row for row in rows if row.state in ("held", "blocked", "discarded")]
    if allow:
        # Let in first, so that an undo takes the rule back: what came in stays.
        releases = [a.ReleaseHeld(row.id) for row in waiting]
        outcomes = list(desktop.desk.perform_all(releases, actor, CAUSE))
        tickets = [outcome.ticket for outcome in outcomes]
        ids = [action.held for action in releases]
        outcomes += desktop.desk.perform_all(rules, actor, CAUSE)
    else:
        discards = [a.DiscardHeld(row.id) for row in waiting if row.state != "discarded"]
        outcomes = desktop.desk.perform_all([*rules, *discards], actor, CAUSE)
        ids, tickets = [action.held for action in discards], [None] * len(discards)
    return Answer(
        {
            "rules": [
                documents.sender_rule(r)
                for r in desktop.reads.sender_rules()
                if r.pattern in patterns
            ],
            **_decided(desktop, list(zip(ids, tickets, strict=True))),
        },
        "\n".join(outcome.summary for outcome in outcomes),
    )


def _pattern(sender: str, domain: bool) -> str:
    return f"@{sender.rpartition('@')[2]}".lower() if domain else sender.lower()


def _rules(desktop: Desktop, args: Namespace) -> Answer:
    if args.words:
        if args.words[0] != "remove" or len(args.words) < 2:
            raise UsageError("write deskhand held rules, or deskhand held rules remove ADDRESS")
        actions = [a.RuleSender(word, None) for word in args.words[1:]]
        outcomes = desktop.desk.perform_all(actions, _actor(desktop), CAUSE)
        text = "\n".join(outcome.summary for outcome in outcomes)
    else:
        text = ""
    rows = desktop.reads.sender_rules()
    lines = [("allow" if r.allow else "block", r.pattern, r.by, rfc3339(r.at) or "") for r in rows]
    listed = table(lines, ("rule", "sender", "by", "since"), (0, 50, 0, 0))
    return Answer(
        {"rules": [documents.sender_rule(row) for row in rows]},
        text or (listed if rows else "there are no rules about senders"),
    )


_WHATS: dict[str, Callable[[Desktop, Namespace], Answer]] = {
    "list": _list,
    "show": _show,
    "release": _release,
    "discard": _discard,
    "allow": _allow,
    "block": _block,
    "rules": _rules,
}


def _row(desktop: Desktop, word: str) -> HeldRow:
    row = desktop.reads.held_item(_number(word))
    if row is None:
        raise NotFound(f"there is no held item {word}: deskhand held lists them")
    return row


def _number(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise UsageError(f"{word!r} is not the number of a held item: write it like 3") from None


def _actor(desktop: Desktop) -> Actor:
    return Actor.agent(desktop.acting_agent())
