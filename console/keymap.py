"""From the table of actions to Textual's bindings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from console.actions import entries_for
from console.own_keys import MOVING

__all__ = ["LIST_KEYS", "bindings_for"]


def bindings_for(place: str) -> list[BindingType]:
    """The bindings of a place; each runs ``action_run`` of the widget that has them."""
    return [
        Binding(
            key=",".join(known.keys),
            action=f"run('{known.id}')",
            description=known.title,
            show=False,
            priority=known.priority,
            id=known.id,
        )
        for known in entries_for(place)
        if known.keys and (place in known.places or place == "desk")
    ]


LIST_KEYS: list[BindingType] = [
    Binding(keys, action, words, show=False) for keys, action, words in MOVING
]
"""The keys that move in every list and in every text that is read."""
