"""The signature below an answer: of the agent who sends it and of the account that it leaves
through. It is made when the answer is sent, so that nobody sends a colleague's.
"""

from __future__ import annotations

import re

from workflow.settings import ChannelSettings, Settings

__all__ = ["PLACEHOLDER", "PLACEHOLDERS", "signature_of"]

PLACEHOLDERS = ("agent", "email", "account", "address")
PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")


def signature_of(
    settings: Settings, account: ChannelSettings, agent: str | None, sender: str = ""
) -> str:
    """The lines of the agent, then those of the account, without the ``-- `` above them.

    ``sender`` is the address that the answer comes from. Empty where neither has a signature, or
    the channel is no mail.
    """
    if account.kind != "email":
        return ""
    who = next((one for one in settings.agents if one.name == agent), None)
    values = {
        "agent": (who.display_name or who.name) if who else agent or "",
        "email": who.email if who else "",
        "account": account.display_name or account.name,
        "address": sender or account.address,
    }
    parts = ((who.signature if who else "").strip("\n"), account.signature.strip("\n"))

    def fill(match: re.Match[str]) -> str:
        return values.get(match[1], match[0])

    return "\n".join(PLACEHOLDER.sub(fill, part).rstrip() for part in parts if part.strip())
