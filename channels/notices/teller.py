"""Tells what rules have put down: takes each notice once, tells it, writes what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.notices.outcome import Untold
from channels.notices.program import run_program
from channels.notices.service import notify_service
from channels.notices.webhook import post_webhook
from channels.secrets import read_secret
from workflow.desk import Desk
from workflow.errors import DeskError
from workflow.settings import Secret
from workflow.triggers.notices import APPRISE, OUTSIDE, WEBHOOK
from workflow.triggers.telling import Claimed, claim_notices, mark_told, mark_untold

__all__ = ["tell_due"]

_FEW = 5


def tell_due(desk: Desk) -> int:
    """Tell everything that is due by now; how many were told. Raises StoreError.

    Blocks for as long as those who are told need.
    """
    told = 0
    while True:
        with desk.engine_change("notices") as context:
            claimed = claim_notices(context, OUTSIDE, _FEW)
        for notice in claimed:
            told += _tell(desk, notice)
        if len(claimed) < _FEW:
            return told


def _tell(desk: Desk, notice: Claimed) -> int:
    try:
        answer = _out(desk, notice)
    except Untold as fault:
        with desk.engine_change("notices") as context:
            mark_untold(context, notice.id, str(fault), passes=fault.passes)
        return 0
    except DeskError as fault:
        # A secret that is not there by now may be later.
        with desk.engine_change("notices") as context:
            mark_untold(context, notice.id, str(fault), passes=True)
        return 0
    with desk.engine_change("notices") as context:
        mark_told(context, notice.id, answer)
    return 1


def _out(desk: Desk, notice: Claimed) -> str:
    target, body = notice.target, notice.body
    if notice.kind == WEBHOOK:
        url = _secret(target["url"], f"the webhook of {notice.rule}")
        secret = target.get("secret")
        key = _secret(secret, f"the secret of the webhook of {notice.rule}") if secret else ""
        return post_webhook(url, key, notice.id, body)
    if notice.kind == APPRISE:
        return notify_service(_url_of(desk, target), str(body["subject"]), str(body["text"]))
    return run_program(target["argv"], int(target["timeout_s"]), notice.id, body)


def _secret(reference: Mapping[str, str], what: str) -> str:
    kind, value = next(iter(reference.items()))
    return read_secret(Secret(kind, value), what)


def _url_of(desk: Desk, target: Mapping[str, Any]) -> str:
    """The URL that an agent has in deskhand.toml by now: none stands in the database."""
    for agent in desk.settings.agents:
        if agent.name == target["agent"] and int(target["way"]) < len(agent.ways):
            way = agent.ways[int(target["way"])]
            if way.url is not None:
                return read_secret(way.url, f"the service that tells {agent.name}")
    raise Untold(f"{target['agent']} has no such service in deskhand.toml by now", passes=False)
