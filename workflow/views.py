"""Views: saved queries with a name and an order. The built-in ones; a team adds its own in
``workflow/views.toml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflow.errors import NotFound

__all__ = ["BUILT_IN", "View", "view"]


@dataclass(frozen=True, slots=True)
class View:
    """A named query and the order of its rows."""

    name: str
    query: str
    sort: str = "due"


BUILT_IN: tuple[View, ...] = (
    View("Mine", "assignee:me is:unresolved -is:snoozed"),
    View("Unassigned", "assignee:none is:unresolved -is:snoozed"),
    # What has run out stays here until it is answered: the worst must not leave the view that warns
    # of it.
    View("At risk", "is:at-risk,breached is:unresolved"),
    View("Escalated", "is:escalated"),
    View("Waiting", 'status:pending,"on hold"'),
    View("Snoozed", "is:snoozed"),
    View("All", ""),
)


def view(name: str, views: Sequence[View] = BUILT_IN) -> View:
    """The view of a name, in any case. Raises NotFound with the names there are."""
    wanted = name.strip().casefold()
    for candidate in views:
        if candidate.name.casefold() == wanted:
            return candidate
    raise NotFound(
        f"there is no view {name!r}: the views are {', '.join(each.name for each in views)}"
    )
