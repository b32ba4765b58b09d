"""Why a rule fires: on which ticket or for whom, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.triggers.rule import Rule

__all__ = ["Occasion"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """``on`` says in words what happened (``message in``, ``3 days after message sent``), ``event`` is
    the row of the event, ``chain`` the names of the rules whose firings led to it, the first one
    first; ``data`` what the event says. ``tickets`` are those of a digest.
    """

    rule: Rule
    on: str
    ticket: int | None = None
    customer: int | None = None
    event: int | None = None
    chain: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    tickets: tuple[int, ...] = ()
