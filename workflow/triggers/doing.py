"""What a rule does, step by step: each step has words, so that a rule in shadow says what it would
have done, and a fault of one stops no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from workflow import actions as a
from workflow.apply import APPLY, Context, set_by_person, setter_of, suggest_macro
from workflow.errors import DeskError, Refusal, StoreError
from workflow.macro_plans import MacroPlan, filled, plans_of
from workflow.merge_tree import follow
from workflow.model import Priority, rfc3339
from workflow.store.statements import col, select
from workflow.store.tables import Ticket, TicketTag
from workflow.triggers.answers import answer_by_itself, suggest_reply
from workflow.triggers.notices import put_out, tell
from workflow.triggers.occasion import Occasion
from workflow.triggers.rule import Answer, Do, Up

__all__ = ["Done", "carry_out", "steps_of"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a rule does: in words, and how."""

    words: str
    act: Callable[[Context], None]


@dataclass(slots=True)
class Done:
    """What came of a firing: what was done, what could not be, what was left to a person's choice."""

    did: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def carry_out(context: Context, occasion: Occasion) -> Done:
    """Do what the rule says, each step by itself; in shadow only say it.

    Raises StoreError alone.
    """
    done = Done()
    for step in steps_of(context, occasion, done):
        if occasion.rule.shadow:
            done.did.append(step.words)
            continue
        try:
            with context.transaction.attempt():
                step.act(context)
        except StoreError:
            raise
        except DeskError as fault:
            done.failed.append(f"{step.words}: {fault}")
        else:
            done.did.append(step.words)
    return done


def steps_of(context: Context, occasion: Occasion, done: Done) -> Iterator[Step]:
    """The steps of a rule, those left out that change nothing. What a person has set is kept, and
    named in ``done``.
    """
    do = occasion.rule.do
    if occasion.ticket is not None:
        yield from _on_ticket(context, occasion, do, done)
    if do.notify is not None:
        words = f"notify {', '.join(do.notify.to)}"
        yield Step(words, lambda within: tell(within, occasion))
    if do.webhooks or do.run is not None:
        said = ["webhook"] * len(do.webhooks) + ([f"run {do.run.argv[0]}"] if do.run else [])
        yield Step(", ".join(said), lambda within: put_out(within, occasion))


def _on_ticket(context: Context, occasion: Occasion, do: Do, done: Done) -> Iterator[Step]:
    ticket = context.transaction.ticket(occasion.ticket or 0)
    number = occasion.ticket or 0
    yield from _macro(context, occasion, do, done)
    # Asked anew each time: what came before it may have changed it.
    ticket = context.transaction.ticket(number)
    for action, words in _fields(context, do, ticket, done):
        yield _step(action, words)
    if do.note:
        yield Step("note", lambda within: _note(within, occasion, do.note))
    if do.suggest and ticket.suggested_macro != do.suggest:
        yield Step(f"suggest {do.suggest}", lambda within: _suggest(within, number, do.suggest))
    if do.draft is not None:
        draft = do.draft
        yield Step(
            f"draft {draft.macro or 'a reply'}",
            lambda within: suggest_reply(within, occasion, answer_of(within, number, draft)),
        )
    if do.send is not None:
        send = do.send
        yield Step(
            f"send {send.macro or 'a reply'}",
            lambda within: answer_by_itself(within, occasion, answer_of(within, number, send)),
        )
    if do.escalate is not None:
        yield from _escalate(context, occasion, do.escalate, done)


def _fields(context: Context, do: Do, ticket: Ticket, done: Done) -> Iterator[tuple[a.Action, str]]:
    number = ticket.id or 0

    def free(name: str, wanted: str) -> bool:
        if set_by_person(ticket, name):
            by = setter_of(ticket, name)
            done.kept.append(f"{name} is {by}'s choice: not set to {wanted or 'none'}")
            return False
        return True

    if do.status is not None and do.status != ticket.status:
        yield a.SetStatus(number, do.status), f"status {do.status}"
    if do.priority is not None and do.priority != ticket.priority:
        word = Priority(do.priority).word
        if free("priority", word):
            yield a.SetPriority(number, do.priority), f"priority {word}"
    if do.topic is not None and (do.topic or None) != ticket.topic and free("topic", do.topic):
        yield a.SetField(number, "topic", do.topic or None), f"topic {do.topic or 'none'}"
    if do.policy is not None and do.policy != ticket.policy and free("policy", do.policy):
        yield a.SetField(number, "policy", do.policy or None), f"policy {do.policy or 'none'}"
    moves = do.group is not None and (do.group or None) != ticket.group_name
    if moves and free("group", do.group or ""):
        yield a.Assign(number, group=do.group), f"group {do.group or 'none'}"
    gives = do.assign is not None and (do.assign or None) != ticket.assignee
    if gives and free("assignee", do.assign or ""):
        yield a.Assign(number, assignee=do.assign), f"assign {do.assign or 'nobody'}"
    there = set(
        context.transaction.session.exec(
            select(TicketTag.tag).where(col(TicketTag.ticket_id) == number)
        )
    )
    if new := tuple(tag for tag in do.add_tags if tag not in there):
        yield a.AddTags(number, new), " ".join(f"+{tag}" for tag in new)
    if gone := tuple(tag for tag in do.remove_tags if tag in there):
        yield a.RemoveTags(number, gone), " ".join(f"-{tag}" for tag in gone)
    if do.snooze_s is not None:
        until = context.now + timedelta(seconds=do.snooze_s) if do.snooze_s else None
        yield a.Snooze(number, until), f"snooze until {rfc3339(until) or 'the customer writes'}"


def _step(action: a.Action, words: str) -> Step:
    def act(context: Context) -> None:
        followed = follow(context, action)
        APPLY[type(followed)](context, followed)

    return Step(words, act)


def _note(context: Context, occasion: Occasion, source: str) -> None:
    number = occasion.ticket or 0
    text = filled(context, number, source).text
    APPLY[a.Note](context, a.Note(number, text))


def _suggest(context: Context, number: int, macro: str) -> None:
    known = plans_of(context).names()
    if macro not in known:
        raise Refusal(f"there is no macro {macro!r}: deskhand macro list shows those there are")
    suggest_macro(context, context.transaction.ticket(number), macro)


def _macro(context: Context, occasion: Occasion, do: Do, done: Done) -> Iterator[Step]:
    """What a macro changes, and its text as a suggested reply."""
    if not do.macro:
        return
    number = occasion.ticket or 0
    try:
        plan = plans_of(context).plan(do.macro, number)
    except StoreError:
        raise
    except DeskError as fault:
        done.failed.append(f"macro {do.macro}: {fault}")
        return
    ticket = context.transaction.ticket(number)
    for action in plan.actions:
        held = [name for name in _set_by(action) if set_by_person(ticket, name)]
        if held:
            done.kept.append(
                f"{held[0]} is {setter_of(ticket, held[0])}'s choice: macro {do.macro}"
            )
            continue
        yield _step(action, f"macro {do.macro}: {action.word}")
    if plan.text.strip():
        words = f"macro {do.macro}: its text as a suggested reply"
        yield Step(words, lambda within: suggest_reply(within, occasion, plan))


def _set_by(action: a.Action) -> tuple[str, ...]:
    if isinstance(action, a.SetPriority):
        return ("priority",)
    if isinstance(action, a.SetField):
        return (action.field,)
    if isinstance(action, a.Assign):
        named = (("assignee", action.assignee), ("group", action.group))
        return tuple(name for name, value in named if value is not None)
    return ()


def _escalate(context: Context, occasion: Occasion, up: Up, done: Done) -> Iterator[Step]:
    """Up, unless the ticket is there already or higher: a rule never moves it sideways or down."""
    number = occasion.ticket or 0
    ticket = context.transaction.ticket(number)
    rules = context.escalation
    target = rules.level(up.to) if up.to else rules.after(ticket.level)
    names = [level.name.lower() for level in rules.levels]
    at = max(
        (names.index(name.lower()) for name in (ticket.escalated_to, ticket.level)
         if name and name.lower() in names),
        default=-1,
    )  # fmt: skip
    if target is not None and at >= names.index(target.name.lower()):
        done.kept.append(f"#{number} is at {rules.levels[at].name} already")
        return
    action = a.Escalate(
        number,
        reason=up.reason or occasion.on,
        to_level=up.to,
        tried=up.tried,
        needed=up.needed,
        urgent=occasion.rule.urgent,
    )
    yield _step(action, f"escalate to {up.to or (target.name if target else 'the next level')}")


def answer_of(context: Context, ticket: int, answer: Answer) -> MacroPlan:
    """The text of an answer for a ticket."""
    if answer.macro:
        return plans_of(context).plan(answer.macro, ticket)
    return filled(context, ticket, answer.text)
