"""The desk: the one place where an action becomes a change, in one transaction with its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from workflow import (
    customer_events,
    customers,
    delivery,
    escalation,
    forward,
    linking,
    opening,
    release,
    reply,
    sender_rules,
    splitting,
    undo_merging,
)
from workflow.actions import Action
from workflow.apply import APPLY, Context, Result
from workflow.clock import Clock
from workflow.drafts import DraftOptions
from workflow.errors import DeskError, Refusal
from workflow.files import FileStore
from workflow.inbound import Inbound, Reader
from workflow.macro_plans import MacroPlans
from workflow.merge_tree import draft_on, follow, raise_drafts
from workflow.model import ENGINE, Actor
from workflow.outgoing import Composer
from workflow.projections import refresh
from workflow.receive import CursorMove, Received, receive
from workflow.routing import presence
from workflow.rulebook import RuleBook
from workflow.settings import Settings
from workflow.sorting import sort
from workflow.store.rows import HeldRow
from workflow.store.statements import ColumnElement, col, exists, select
from workflow.store.store import Store, Transaction
from workflow.store.tables import Agent, Change, Draft, Event, Group
from workflow.triggers.notices import DESKTOP
from workflow.triggers.react import Reactions, react
from workflow.triggers.telling import claim_notices, mark_told
from workflow.undo import revert

__all__ = ["Desk", "Outcome"]

_MOST_NOTICES = 200

_REGISTERED = (
    customer_events, customers, delivery, escalation, forward, linking, opening, presence, release, reply,
    sender_rules, splitting, undo_merging,
)  # fmt: skip
"""Modules that only need to be imported: they put their actions into ``APPLY``, and what takes them
back into ``REVERTS``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action came to. ``summary`` is a phrase for a person."""

    change_id: int
    summary: str
    ticket: int | None = None
    message_id: int | None = None
    outbox_id: int | None = None


class Desk:
    """Actions in, changes out. Every call is blocking and safe to make from any thread."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: Settings,
        files: FileStore,
        composers: Mapping[str, Composer] | None = None,
        readers: Mapping[str, Reader] | None = None,
        rule_book: RuleBook | None = None,
        macros: MacroPlans | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self.files = files
        self.rule_book = rule_book or RuleBook(None, settings)
        self.secret = store.secret(clock.now())
        self.clocks_made_by: str | None = None
        """By what the clocks were made when this process looked last; None while it has not."""
        self.reactions = Reactions()
        self._macros = macros
        self._composers = composers or {}
        self._readers = readers or {}
        self._mirror_settings()

    def perform(self, action: Action, actor: Actor, cause: str) -> Outcome:
        """Do one action. ``cause`` says through what: ``key:e``, ``command``, ``macro:refund``.

        Raises Refusal, NotFound, UsageError or StoreError with a sentence; then nothing has
        changed.
        """
        return self.perform_all([action], actor, cause)[0]

    def perform_all(self, actions: Sequence[Action], actor: Actor, cause: str) -> list[Outcome]:
        """Do several actions, all or none, as one change that one undo takes back."""
        if not actions:
            return []
        with self.store.write(self.clock.now()) as transaction:
            change = transaction.begin_change(actor, cause)
            context = self._context(transaction, actor, cause)
            self.reactions.begin(context)
            results = [self._apply(context, action) for action in actions]
            change.summary = "; ".join(dict.fromkeys(result.summary for result in results))[:500]
            transaction.session.add(change)
            raise_drafts(transaction)
            self._settle(context)
            assert change.id is not None
            outcomes = [
                Outcome(change.id, r.summary, r.ticket, r.message_id, r.outbox_id) for r in results
            ]
        self._react(transaction)
        return outcomes

    def undo(self, actor: Actor, count: int = 1) -> list[str]:
        """Take back the last ``count`` changes of this actor; the sentences say what was undone.

        Raises Refusal where a change cannot be taken back (a mail that has left, a field that
        somebody else changed since); those undone before it stay undone, and the sentence says so.
        """
        said: list[str] = []
        for _ in range(count):
            try:
                with self.store.write(self.clock.now()) as transaction:
                    target = self._latest(transaction, actor, col(Change.undoes).is_(None))
                    if target is None:
                        if said:
                            break
                        raise Refusal("there is nothing to undo: you have changed nothing yet")
                    self._revert(transaction, target, actor, f"undid {target.summary}")
                    said.append(f"undid {target.summary}")
            except Refusal as fault:
                if not said:
                    raise
                raise Refusal(f"{'; '.join(said)}; but {fault}") from None
        return said

    def redo(self, actor: Actor) -> str:
        """Do again what the last undo of this actor took back, if nothing was changed since."""
        with self.store.write(self.clock.now()) as transaction:
            originals = select(Change.id).where(col(Change.undoes).is_(None))
            undone = self._latest(transaction, actor, col(Change.undoes).in_(originals))
            newest = self._latest(transaction, actor, col(Change.undoes).is_(None))
            if undone is None or (newest and (newest.id or 0) > (undone.id or 0)):
                raise Refusal("there is nothing to redo: redo follows an undo at once")
            original = transaction.session.get(Change, undone.undoes)
            assert original is not None
            self._revert(transaction, undone, actor, f"redid {original.summary}")
            # What was done again can be undone again.
            original.undone_by = None
            transaction.session.add(original)
            return f"redid {original.summary}"

    @staticmethod
    def _latest(
        transaction: Transaction, actor: Actor, which: ColumnElement[bool]
    ) -> Change | None:
        """The newest change of an actor that stands and that changed something."""
        return transaction.session.exec(
            select(Change)
            .where(
                col(Change.actor) == actor.wire,
                col(Change.undone_by).is_(None),
                which,
                exists().where(col(Event.change_id) == col(Change.id)),
            )
            .order_by(col(Change.id).desc())
            .limit(1)
        ).first()

    def receive(self, items: Sequence[Inbound], cursor: CursorMove | None = None) -> list[Received]:
        """Take items from a channel: each becomes a message, a duplicate or a held item, and the
        cursor moves with them.
        """
        with self.store.write(self.clock.now()) as transaction:
            context = self._context(transaction, ENGINE, "intake")
            self.reactions.begin(context)
            found = receive(
                transaction, items, self.settings, self.secret, cursor, self.rule_book.companies
            )
            self._settle(context)
        self._react(transaction)
        return found

    def look_into(self, row: HeldRow) -> release.HeldWhole:
        """A held item with its header, its text and the names of its files; changes nothing about
        it.
        """
        return release.look_into(row, self._readers, self.files)

    def save_draft(
        self,
        agent: str,
        ticket: int,
        kind: str,
        text: str,
        answers: int | None,
        options: DraftOptions | None = None,
    ) -> None:
        """Keep what an agent has typed and chosen (None: what was chosen stays); an empty text with
        no file removes the draft.
        """
        with self.store.write(self.clock.now()) as transaction:
            draft = draft_on(transaction, agent, ticket, kind)
            if not text.strip() and not (options and options.files):
                if draft is not None:
                    transaction.session.delete(draft)
                raise_drafts(transaction)
                return
            if draft is None:
                transaction.ticket(ticket)
                draft = Draft(agent=agent, ticket_id=ticket, kind=kind, updated_at=transaction.now)
            draft.text, draft.answers, draft.updated_at = text, answers, transaction.now
            if options is not None:
                draft.options = options.to_json()
            transaction.session.add(draft)
            raise_drafts(transaction)

    def discard_draft(self, agent: str, ticket: int, kind: str) -> None:
        """Forget what an agent has typed."""
        self.save_draft(agent, ticket, kind, "", None)

    def take_notices(self, agent: str) -> list[str]:
        """The notices for an agent's desktop that are due, a line each; they count as told."""
        with self.engine_change("notices") as context:
            claimed = claim_notices(context, [DESKTOP], _MOST_NOTICES, agent)
            for notice in claimed:
                mark_told(context, notice.id, f"shown to {agent}")
            return [str(notice.body["subject"]) for notice in claimed]

    @contextmanager
    def engine_work(self) -> Iterator[Transaction]:
        """A transaction of the engine: timers and sending use it, with the same projections at its
        end. Raises StoreError.
        """
        with self.engine_change("timer") as context:
            yield context.transaction

    @contextmanager
    def engine_change(self, cause: str) -> Iterator[Context]:
        """As :meth:`engine_work`, with what applying actions needs: for timers that do what an
        agent could. Raises StoreError.
        """
        with self.store.write(self.clock.now()) as transaction:
            context = self._context(transaction, ENGINE, cause)
            self.reactions.begin(context)
            yield context
            self._settle(context)

    def _context(self, transaction: Transaction, actor: Actor, cause: str) -> Context:
        return Context(
            transaction=transaction,
            actor=actor,
            cause=cause,
            settings=self.settings,
            files=self.files,
            secret=self.secret,
            composers=self._composers,
            readers=self._readers,
            rules=self.rule_book.current,
            companies=self.rule_book.companies,
            macros=self._macros,
        )

    def _react(self, transaction: Transaction) -> None:
        """Fire the rules that a change has set off. A fault of theirs is none of the change's, which
        is made: an engine tries them again.
        """
        if self.reactions.waits_for(transaction.recorded):
            with suppress(DeskError):
                react(self)

    def _settle(self, context: Context) -> None:
        """What follows from whatever a transaction did: before it ends."""
        sort(context)
        refresh(context.transaction, context.rules)

    def _apply(self, context: Context, action: Action) -> Result:
        action = follow(context, action)
        return APPLY[type(action)](context, action)

    def _revert(self, transaction: Transaction, target: Change, actor: Actor, summary: str) -> None:
        assert target.id is not None
        change = transaction.begin_change(actor, "undo", summary)
        change.undoes = target.id
        context = self._context(transaction, actor, "undo")
        revert(context, target)
        transaction.session.flush()
        target.undone_by = change.id
        transaction.session.add_all([target, change])
        raise_drafts(transaction)
        self._settle(context)

    def _mirror_settings(self) -> None:
        """Bring the agents and groups of deskhand.toml into the database; those that are gone from
        it stay as names of the past.
        """
        wanted = (
            {a.name: (a.email, a.role, list(a.groups)) for a in self.settings.agents},
            {g.name: g.level for g in self.settings.groups},
        )
        with self.store.write(self.clock.now()) as transaction:
            self.reactions.begin(self._context(transaction, ENGINE, "start"))
            session = transaction.session
            agents = {row.name: row for row in session.exec(select(Agent))}
            groups = {row.name: row for row in session.exec(select(Group))}
            for name, (email, role, member_of) in wanted[0].items():
                row = agents.pop(name, None) or Agent(name=name)
                row.email, row.role, row.groups, row.active = email, role, member_of, True
                session.add(row)
            for name, level in wanted[1].items():
                group = groups.pop(name, None) or Group(name=name)
                group.level, group.active = level, True
                session.add(group)
            for gone in (*agents.values(), *groups.values()):
                gone.active = False
                session.add(gone)
