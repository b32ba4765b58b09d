"""What rules do as time passes, in one look: what events have set off, what was put off until now, and
the notices that are told by mail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.triggers.react import react
from workflow.triggers.telling import mail_due
from workflow.triggers.timed import fire_timers

if TYPE_CHECKING:
    from workflow.desk import Desk

__all__ = ["act_on_time"]

_FEW = 50
"""So many in one transaction, since each may do much."""


def act_on_time(desk: Desk) -> int:
    """Do all of it; how much there was. Raises StoreError."""
    done = react(desk)
    while True:
        with desk.engine_change("timer") as context:
            known = desk.reactions.of(context.rules).by_name
            some = fire_timers(context, known, _FEW)
        done += some
        if some < _FEW:
            break
    with desk.engine_change("timer") as context:
        return done + mail_due(context, _FEW)
