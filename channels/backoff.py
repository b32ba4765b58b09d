"""How long a server is left alone after a fault, and the word for the state until then."""

from __future__ import annotations

import random
from dataclasses import dataclass

from channels.faults import AccountRefused, Busy, Unreachable
from workflow.errors import DeskError, SettingsError, StoreError

__all__ = ["Pause", "pause_after"]

FIRST_S = 1.0
LONGEST_S = 300.0
FIRST_REFUSED_S = 30.0
"""After a login that was refused: a person has to mend it, and providers lock out who tries often."""

LONGEST_REFUSED_S = 1800.0
FIRST_BUSY_S = 15.0
"""After an answer that asks for patience: coming back at once is what it complains of."""

STORE_S = 5.0
_JITTER = 0.2
_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Pause:
    """``what`` does not go meanwhile (``cannot connect``), for how many seconds."""

    what: str
    seconds: float


def pause_after(fault: DeskError, failures: int) -> Pause:
    """The pause after the n-th fault in a row (from 1): doubled each time up to a limit.

    With some jitter, so that many desks do not come back to a server in the same second; never
    shorter than the server asked for.
    """
    if isinstance(fault, AccountRefused):
        what, first, longest = "cannot log in", FIRST_REFUSED_S, LONGEST_REFUSED_S
    elif isinstance(fault, StoreError):
        what, first, longest = "cannot store", STORE_S, STORE_S
    elif isinstance(fault, Busy):
        what, first, longest = "is asked to wait", FIRST_BUSY_S, LONGEST_S
    elif isinstance(fault, SettingsError):
        what, first, longest = "is not set up", FIRST_S, LONGEST_S
    else:
        what = "cannot connect" if isinstance(fault, Unreachable) else "cannot receive"
        first, longest = FIRST_S, LONGEST_S
    seconds = min(first * 2 ** min(failures - 1, _MOST_DOUBLINGS), longest)
    seconds *= random.uniform(1 - _JITTER, 1 + _JITTER)
    asked = fault.wait_s if isinstance(fault, Unreachable) else 0.0
    return Pause(what, max(seconds, asked))
