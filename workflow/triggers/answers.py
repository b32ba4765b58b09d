"""Texts of rules for the customer: put before the agent, or sent where the file says so."""

from __future__ import annotations

from datetime import timedelta

from workflow import actions as a
from workflow.apply import APPLY, Context
from workflow.caps import span_words
from workflow.drafts import SUGGESTED
from workflow.errors import Refusal
from workflow.macro_plans import MacroPlan
from workflow.model import Direction
from workflow.store.statements import col, func, select
from workflow.store.tables import Draft, Message, Ticket
from workflow.triggers.occasion import Occasion

__all__ = ["answer_by_itself", "suggest_reply"]


def suggest_reply(context: Context, occasion: Occasion, plan: MacroPlan) -> None:
    """Put a text before the agent, who sends it or not. The newest of a rule takes the place of its
    older one; nobody's own draft is touched.
    """
    number, session = occasion.ticket or 0, context.transaction.session
    if not plan.text.strip():
        raise Refusal("there is no text to propose: the macro has none for this ticket")
    key = (context.actor.wire, number, SUGGESTED)
    draft = session.get(Draft, key) or Draft(
        agent=context.actor.wire, ticket_id=number, kind=SUGGESTED, updated_at=context.now
    )
    draft.text, draft.updated_at = plan.text, context.now
    session.add(draft)
    context.record("reply.suggested", number, {"rule": occasion.rule.name})


def answer_by_itself(context: Context, occasion: Occasion, plan: MacroPlan) -> None:
    """Send a text that nobody looks at. It counts as automatic: it stops no clock, says so in its
    header (RFC 3834), answers no machine, and goes no further than the desk's caps for loops.
    """
    number = occasion.ticket or 0
    if plan.gaps:
        raise Refusal(f"#{number} has no {', '.join(plan.gaps)} for the text: nothing is sent")
    ticket = context.transaction.ticket(number)
    newest = context.transaction.session.exec(
        select(Message)
        .where(
            col(Message.ticket_id) == number,
            col(Message.direction) == Direction.IN.value,
            col(Message.aside).is_(False),
        )
        .order_by(col(Message.id).desc())
        .limit(1)
    ).first()
    if newest is None:
        raise Refusal(f"the customer of #{number} has written nothing that could be answered")
    if newest.automatic or newest.bounce is not None:
        raise Refusal(f"the newest message of #{number} is automatic: it gets no automatic answer")
    _refuse_a_loop(context, ticket)
    APPLY[a.Reply](
        context,
        a.Reply(number, plan.text, answers=newest.id, undo_window_s=0, automatic=True),
    )


def _refuse_a_loop(context: Context, ticket: Ticket) -> None:
    """By the caps for automatic mail that comes in: what we send is counted alike."""
    caps = context.settings.caps
    sent = (col(Message.direction) == Direction.OUT.value, col(Message.automatic))
    of_customer = col(Message.ticket_id).in_(
        select(Ticket.id).where(col(Ticket.customer_id) == ticket.customer_id)
    )
    for windows, where, what in (
        (caps.answers, of_customer, "to this customer"),
        (caps.desk, col(Message.id) > 0, "in all"),
    ):
        for cap in windows:
            since = context.now - timedelta(seconds=cap.seconds)
            count = context.transaction.session.scalar(
                select(func.count()).where(*sent, where, col(Message.at) > since)
            )
            if (count or 0) >= cap.count:
                raise Refusal(
                    f"{count} automatic answers went {what} within {span_words(cap.seconds)}, the cap"
                    f" is {cap.count}"
                )
