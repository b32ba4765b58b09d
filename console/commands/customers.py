"""The people verb: who they are, what they wrote about, and who of them is one person."""

from __future__ import annotations

from argparse import Namespace

from console.bootstrap import Desktop
from console.commands import documents
from console.commands.answer import Answer, table, tell
from workflow.actions import Action, JoinCustomers, Signal, SplitCustomer
from workflow.errors import NotFound, UsageError
from workflow.model import ENGINE, Actor, rfc3339
from workflow.store import people
from workflow.store.rows import CustomerDetail, CustomerRow, HistoryRow

__all__ = ["customer", "event"]

_SHOWN = 100
_EVERY = 1_000_000
CAUSE = "command"


def customer(desktop: Desktop, args: Namespace) -> Answer:
    """``customer list|show|merge|unmerge``."""
    if (problem := desktop.rule_book.companies.problem) is not None:
        tell(f"deskhand: {problem}; until then new customers get what the last good version says")
    doing = {"list": _list, "show": _show, "merge": _merge, "unmerge": _unmerge}
    return doing[args.what](desktop, args)


def event(desktop: Desktop, args: Namespace) -> Answer:
    """``event NAME --customer X [--data K=V]``: a signal of another system."""
    data = []
    for pair in args.data:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{pair!r} is no K=V: write it like --data times=5")
        data.append((key.strip(), value))
    number = people.root_number(
        desktop.reads.fetch, people.find_customer(desktop.reads.fetch, args.customer)
    )
    before = desktop.reads.last_event_id()
    action = Signal(number, args.name, tuple(data))
    actor = Actor.agent(desktop.agent) if desktop.agent else ENGINE
    outcome = desktop.desk.perform(action, actor, CAUSE)
    fired = desktop.reads.fetch(
        "SELECT json_extract(data, '$.rule') FROM event WHERE id > ? AND name = 'rule.fired'"
        " ORDER BY id",
        (before,),
    )
    document = {
        "event": args.name,
        "customer": number,
        "ticket": outcome.ticket,
        "fired": [rule for (rule,) in fired],
    }
    done = f"; fired {', '.join(document['fired'])}" if fired else ""
    return Answer(document, f"{outcome.summary}{done}")


def _list(desktop: Desktop, args: Namespace) -> Answer:
    text = " ".join(args.text)
    limit = args.limit if args.limit is not None else _EVERY if args.json else _SHOWN
    rows, total = people.customers(desktop.reads.fetch, text, limit)
    document = {"customers": [documents.customer_row(row) for row in rows], "total": total}
    if not rows:
        return Answer(document, "no customer matches" if text else "no customers yet")
    head = ("id", "name", "company", "tier", "tickets", "reached by")
    lines = table([_row(row) for row in rows], head, (0, 28, 20, 0, 0, 60))
    more = f"\n{total - len(rows)} more: narrow the query or give --limit"
    return Answer(document, lines + (more if total > len(rows) else ""))


def _row(row: CustomerRow) -> tuple[str, ...]:
    return (
        str(row.id),
        row.name or "(no name)",
        row.company or "-",
        row.tier,
        f"{row.tickets} ({row.unresolved} open)" if row.unresolved else str(row.tickets),
        ", ".join(f"{one.kind}:{one.value}" for one in row.identities),
    )


def _show(desktop: Desktop, args: Namespace) -> Answer:
    return _whole(desktop, people.find_customer(desktop.reads.fetch, args.who))


def _merge(desktop: Desktop, args: Namespace) -> Answer:
    fetch = desktop.reads.fetch
    keep, other = (people.find_customer(fetch, words) for words in (args.who, args.other))
    said = _do(desktop, JoinCustomers(keep, other))
    return _whole(desktop, people.root_number(fetch, keep), said)


def _unmerge(desktop: Desktop, args: Namespace) -> Answer:
    fetch = desktop.reads.fetch
    number = people.find_joined(fetch, args.who)
    said = _do(desktop, SplitCustomer(number))
    return _whole(desktop, number, said)


def _do(desktop: Desktop, action: Action) -> str:
    return desktop.desk.perform(action, Actor.agent(desktop.acting_agent()), CAUSE).summary


def _whole(desktop: Desktop, number: int, said: str = "") -> Answer:
    """A person with every ticket, the newest first."""
    detail = people.customer(desktop.reads.fetch, number)
    if detail is None:
        raise NotFound(f"there is no customer {number}: deskhand customer list shows who is there")
    now = desktop.clock.now()
    history = desktop.reads.history(number, limit=_EVERY)
    text = "\n".join(filter(None, (said, _text(detail, history))))
    found = desktop.reads.tickets([row.id for row in history])
    outcomes = {row.id: row.outcome for row in history}
    tickets = [
        documents.customer_ticket(one, outcomes[one.id], now, desktop.calendars) for one in found
    ]
    return Answer(documents.customer(detail, tickets), text)


def _text(detail: CustomerDetail, history: list[HistoryRow]) -> str:
    lines = [
        " · ".join(
            part
            for part in (f"{detail.id}  {detail.name or '(no name)'}", detail.company, detail.tier)
            if part
        )
    ]
    if detail.merged_into is not None:
        lines.append(
            f"joined with customer {detail.merged_into}, who has the tickets: deskhand customer show"
            f" {detail.merged_into}"
        )
    for one in detail.identities:
        shown = f" ({one.display})" if one.display and one.display != one.value else ""
        lines.append(f"  {one.kind}:{one.value}{shown}: {one.evidence}")
    if not history:
        return "\n".join([*lines, "no tickets"])
    rows = [
        (
            f"#{row.id}",
            row.channel,
            row.outcome,
            row.subject or "(no subject)",
            rfc3339(row.updated_at) or "",
        )
        for row in history
    ]
    head = ("ticket", "channel", "outcome", "subject", "changed")
    return "\n".join([*lines, table(rows, head, (0, 0, 30, 46, 0))])
