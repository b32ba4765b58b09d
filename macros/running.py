"""What a macro would do to a ticket, and doing it to many: each planned by itself, all that can be
done then done in one change, so that one undo takes everything back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from macros.library import check, variant_for, why_variant
from macros.model import Macro, Steps
from macros.placeholders import Scene, unfilled_in, values
from macros.render import Rendered, render
from workflow.actions import (
    Action,
    AddTags,
    Assign,
    Escalate,
    Note,
    RemoveTags,
    Reply,
    SetField,
    SetPriority,
    SetStatus,
    Snooze,
)
from workflow.clock import Clock
from workflow.errors import DeskError, NotFound, Refusal, StoreError, UsageError
from workflow.model import Actor, Delivery, Priority, Status, rfc3339
from workflow.query.context import Context
from workflow.query.grammar import parse
from workflow.query.sql import compile_sql
from workflow.settings import Settings
from workflow.store.reads import Reads
from workflow.store.rows import TicketDetail

if TYPE_CHECKING:
    from workflow.desk import Desk

__all__ = ["Difference", "Plan", "Ran", "Runner"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of the ticket, what it is now and what it becomes; empty is nothing."""

    field: str
    before: str
    after: str

    @property
    def words(self) -> str:
        """As a person reads it: ``status open -> pending``, ``+refund -billing``, the note."""
        if self.field == "tags":
            before, after = self.before.split(), self.after.split()
            new = [f"+{tag}" for tag in after if tag not in before]
            return " ".join([*new, *(f"-{tag}" for tag in before if tag not in after)])
        if self.field == "note":
            return f"note: {self.after}"
        return f"{self.field} {self.before or 'none'} -> {self.after or 'none'}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a macro does to one ticket. ``unfilled`` are placeholders that are empty for it and have
    no default; the text shows them as marks and must not be sent like that.
    """

    ticket: int
    text: str
    language: str
    actions: tuple[Action, ...]
    differences: tuple[Difference, ...]
    unfilled: tuple[str, ...] = ()
    why: str = ""
    """Which text was chosen and why; empty where the macro has none."""

    def refuse_gaps(self) -> None:
        """Raise Refusal where the text or the note still has gaps."""
        if self.unfilled:
            raise self._refusal(self.unfilled)

    def beside(self, text: str) -> tuple[Action, ...]:
        """The actions besides the reply, for a console that sends the reply itself; ``text`` is the
        reply as the agent has it by now.

        Raises Refusal where a gap is left in it or in the macro's note.
        """
        others = tuple(action for action in self.actions if not isinstance(action, Reply))
        notes = [action.text for action in others if isinstance(action, Note)]
        gaps = [gap for written in (text, *notes) for gap in unfilled_in(written)]
        if gaps:
            raise self._refusal(tuple(dict.fromkeys(gaps)))
        return others

    def _refusal(self, gaps: tuple[str, ...]) -> Refusal:
        return Refusal(
            f"#{self.ticket} has no {', '.join(gaps)} for the text: fill it in, give it"
            " with --set where the macro asks for it, or write a default into the macro"
        )


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a ticket. ``problem`` is the sentence why nothing was done to it, else empty."""

    ticket: int
    plan: Plan | None = None
    problem: str = ""
    change: int | None = None
    outbox: int | None = None


class _RehearsedError(Exception):
    """Leaves a transaction that must not be kept."""


class Runner:
    """Plans and runs macros as an agent. ``desk`` None can only plan."""

    def __init__(
        self, reads: Reads, settings: Settings, clock: Clock, agent: str, desk: Desk | None = None
    ) -> None:
        self._reads = reads
        self._settings = settings
        self._clock = clock
        self._agent = agent
        self._desk = desk

    def plan(self, macro: Macro, ticket: int, answers: Mapping[str, str] | None = None) -> Plan:
        """What would happen to one ticket; changes nothing.

        Raises MacroProblem for a text that is wrong, NotFound without such a ticket, Refusal where
        the macro is not for it or was not asked what is answered.
        """
        self._refuse_faults(macro)
        return self._plan(macro, ticket, answers)

    def _refuse_faults(self, macro: Macro) -> None:
        problems = check(macro, self._settings)
        if problems:
            raise problems[0]

    def _plan(self, macro: Macro, ticket: int, answers: Mapping[str, str] | None) -> Plan:
        given = {q.name: q.default for q in macro.questions} | dict(answers or {})
        asked = [question.name for question in macro.questions]
        for name in given:
            if name not in asked:
                known = ", ".join(asked) or "nothing"
                raise Refusal(f"{macro.name} does not ask for {name!r}: it asks for {known}")
        detail = self._reads.ticket(ticket)
        if detail is None:
            raise NotFound(f"there is no ticket #{ticket}: deskhand list shows those there are")
        now = self._clock.now()
        if macro.only and not self.fitting([macro], ticket):
            raise Refusal(f"{macro.name} is not for #{ticket}: it is only for {macro.only}")
        filled = values(Scene(detail, self._agent, self._settings, now, given))
        variant = variant_for(macro, detail.language, detail.channel)
        text = render(variant.text, filled) if variant else Rendered("")
        note = render(macro.steps.note, filled) if macro.steps.note else Rendered("")
        actions, differences = _steps(macro.steps, detail, self._agent, now)
        if note.text.strip():
            actions.append(Note(ticket, note.text))
            differences.append(Difference("note", "", note.text))
        if macro.steps.escalate is not None:
            # Last, since its packet tells what the others have made of the ticket.
            up = macro.steps.escalate
            actions.append(Escalate(ticket, up.reason, up.to, tried=up.tried, needed=up.needed))
            level = detail.escalation.to_level if detail.escalation else ""
            differences.append(Difference("escalated", level, up.to or "the next level"))
        gaps = note.unfilled
        if macro.reply and text.text.strip():
            newest = max((message.id for message in detail.messages), default=None)
            # First, since a reply opens a new ticket by itself; the macro's status comes after it.
            reply = Reply(ticket, text.text, reply_all=macro.reply_all, expect_last=newest)
            actions.insert(0, reply)
            gaps = (*text.unfilled, *gaps)
            if detail.status == Status.NEW and macro.steps.status is None:
                differences.append(Difference("status", Status.NEW, Status.OPEN))
        return Plan(
            ticket,
            text.text,
            (variant.language if variant else None) or macro.language,
            tuple(actions),
            tuple(differences),
            tuple(dict.fromkeys(gaps)),
            why_variant(macro, variant, detail.language) if variant else "",
        )

    def fitting(self, macros: Sequence[Macro], ticket: int) -> frozenset[str]:
        """The names of those that may be run on a ticket, by what they are only for."""
        limited = [macro for macro in macros if macro.only]
        context = Context(self._agent, self._clock.now())
        conditions = [compile_sql(parse(m.only), context, scoped=False) for m in limited]
        found = self._reads.fetch(
            " UNION ALL ".join(
                f"SELECT {index} FROM ticket WHERE ticket.id = ? AND ({condition.where})"
                for index, condition in enumerate(conditions)
            )
            or "SELECT 0 WHERE 0",
            [value for condition in conditions for value in (ticket, *condition.params)],
        )
        free = {macro.name for macro in macros if not macro.only}
        return frozenset(free | {limited[index].name for (index,) in found})

    def rehearse(
        self, macro: Macro, tickets: Sequence[int], answers: Mapping[str, str] | None = None
    ) -> list[Ran]:
        """A plan for each ticket, or why there is none; changes nothing.

        Raises MacroProblem for a fault that no ticket can help, and StoreError.
        """
        self._refuse_faults(macro)
        results = []
        for ticket in dict.fromkeys(tickets):
            try:
                plan = self._plan(macro, ticket, answers)
                plan.refuse_gaps()
                self._refuse_to_lose_a_draft(plan)
                if not plan.actions:
                    raise Refusal(f"{macro.name} changes nothing on #{ticket}: it is so already")
            except StoreError:
                raise
            except DeskError as fault:
                results.append(Ran(ticket, problem=str(fault)))
            else:
                results.append(Ran(ticket, plan))
        return results

    def _refuse_to_lose_a_draft(self, plan: Plan) -> None:
        """Sending a reply drops the writer's draft; what the agent has typed must not go that way."""
        if not any(isinstance(action, Reply) for action in plan.actions):
            return
        draft = self._reads.draft(self._agent, plan.ticket, "reply")
        detail = self._reads.ticket(plan.ticket) if draft is not None else None
        if draft is None or detail is None:
            return
        # What an undo gave back is no loss: it stands in the message that was taken back.
        taken_back = [m.text for m in detail.messages if m.delivery == Delivery.CANCELLED]
        if draft.text not in taken_back:
            raise Refusal(
                f"you have an unsent draft on #{plan.ticket}: send or discard it, then run the macro"
            )

    def run(
        self, macro: Macro, tickets: Sequence[int], answers: Mapping[str, str] | None = None
    ) -> list[Ran]:
        """Do it: a result for each ticket. Whatever could be done is one change with one undo.

        Raises MacroProblem, and StoreError; then nothing has changed. So it is with a Refusal of
        what each of them could have done alone.
        """
        return self.carry_out(macro, self.rehearse(macro, tickets, answers))

    def carry_out(self, macro: Macro, rehearsed: Sequence[Ran]) -> list[Ran]:
        """Do what was rehearsed, to the letter: the texts that go out are those that were shown.

        A ticket whose customer has written since, or on which the agent has begun a reply, is left
        out with the reason. Raises as :meth:`run`.
        """
        assert self._desk is not None
        actor, cause = Actor.agent(self._agent), f"macro:{macro.name}"
        results = [self._still_without_draft(ran) for ran in rehearsed]
        while True:
            try:
                return self._do(self._desk, results, actor, cause)
            except (Refusal, NotFound, UsageError):
                # One of them cannot be done: find out which, each by itself, and do the others. A
                # ticket that changes meanwhile is found in the next round.
                tried = [_tried(self._desk, ran, actor, cause) for ran in results]
                if tried == results:
                    raise
                results = tried

    def taken_back(self, results: Sequence[Ran]) -> bool:
        """Whether the change that a run made has been undone."""
        change = next((ran.change for ran in results if ran.change is not None), None)
        rows = self._reads.fetch("SELECT undone_by FROM change WHERE id = ?", (change,))
        return bool(rows) and rows[0][0] is not None

    def _still_without_draft(self, ran: Ran) -> Ran:
        try:
            if ran.plan is not None:
                self._refuse_to_lose_a_draft(ran.plan)
        except Refusal as fault:
            return Ran(ran.ticket, problem=str(fault))
        return ran

    @staticmethod
    def _do(desk: Desk, results: list[Ran], actor: Actor, cause: str) -> list[Ran]:
        actions = [action for ran in results if ran.plan for action in ran.plan.actions]
        outcomes = desk.perform_all(actions, actor, cause)
        sent = {o.ticket: o.outbox_id for o in outcomes if o.outbox_id is not None}
        change = outcomes[0].change_id if outcomes else None
        return [
            replace(ran, change=change, outbox=sent.get(ran.ticket)) if ran.plan else ran
            for ran in results
        ]


def _tried(desk: Desk, ran: Ran, actor: Actor, cause: str) -> Ran:
    """A result after its actions were done in a transaction that is not kept."""
    from workflow.apply import APPLY

    if ran.plan is None:
        return ran
    try:
        with desk.engine_change(cause) as context:
            for action in ran.plan.actions:
                APPLY[type(action)](replace(context, actor=actor), action)
            raise _RehearsedError
    except _RehearsedError:
        return ran
    except StoreError:
        raise
    except DeskError as fault:
        return Ran(ran.ticket, problem=str(fault))


def _steps(
    steps: Steps, ticket: TicketDetail, agent: str, now: datetime
) -> tuple[list[Action], list[Difference]]:
    """The actions of what is not so already, with what they change."""
    actions: list[Action] = []
    differences: list[Difference] = []

    def add(field: str, before: str | None, after: str | None, action: Action) -> None:
        if (before or "") != (after or ""):
            actions.append(action)
            differences.append(Difference(field, before or "", after or ""))

    number = ticket.id
    if steps.priority is not None:
        before, after = Priority(ticket.priority).word, Priority(steps.priority).word
        add("priority", before, after, SetPriority(number, steps.priority))
    if steps.topic is not None:
        add("topic", ticket.topic, steps.topic, SetField(number, "topic", steps.topic or None))
    if steps.group is not None:
        add("group", ticket.group_name, steps.group, Assign(number, group=steps.group))
    if steps.assign is not None:
        assignee = agent if steps.assign == "me" else steps.assign
        add("assignee", ticket.assignee, assignee, Assign(number, assignee=assignee))
    tags = sorted(ticket.tags)
    new = tuple(tag for tag in dict.fromkeys(steps.add_tags) if tag not in tags)
    gone = tuple(tag for tag in dict.fromkeys(steps.remove_tags) if tag in tags)
    after_tags = " ".join(sorted({*tags, *new} - {*gone}))
    if new or gone:
        differences.append(Difference("tags", " ".join(tags), after_tags))
        actions += [AddTags(number, new)] if new else []
        actions += [RemoveTags(number, gone)] if gone else []
    if steps.status is not None:
        add("status", ticket.status, steps.status, SetStatus(number, steps.status))
    if steps.snooze_s is not None:
        until = now + timedelta(seconds=steps.snooze_s) if steps.snooze_s else None
        asleep = rfc3339(ticket.snoozed_until) or ("reply" if ticket.snoozed_until_reply else "")
        add("snoozed", asleep, rfc3339(until) or "reply", Snooze(number, until))
    return actions, differences
