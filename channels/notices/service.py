"""Services that reach people (Slack, Telegram, ntfy, SMS, ...), through the library apprise."""

from __future__ import annotations

import logging

from channels.notices.outcome import Untold

__all__ = ["notify_service"]


def notify_service(url: str, title: str, text: str) -> str:
    """Tell somebody over a service whose URL they chose. Raises Untold.

    The text goes as plain text: what a customer wrote in it is no markup.
    """
    try:
        import apprise
    except ImportError:
        raise Untold(
            "apprise is not installed: install deskhand[notify], then retry", passes=True
        ) from None
    # Its log would have the URL, which is a secret.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    teller = apprise.Apprise()
    if not teller.add(url):
        raise Untold(
            "the URL is none that apprise knows: look at its list of services", passes=False
        )
    if not teller.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT):
        raise Untold("the service did not take it", passes=True)
    return "told"
