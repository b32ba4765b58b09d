"""The part of setup for a Telegram bot."""

from __future__ import annotations

from typing import Any

from console.setup.dialogue import NotSaved, Outcome, Setup, failed_checks
from console.setup.secrets import Kept, given_secret, keep, text_of

__all__ = ["set_up_bot"]

_HOW = (
    "\nA bot is made in Telegram: write /newbot to @BotFather, answer its two questions, and copy the"
    " token that it gives you."
)
_AGAIN = (
    ("secret", "give the token again"),
    ("keep", "keep it all the same, and mend it later"),
    ("leave", "leave without writing anything"),
)


def set_up_bot(setup: Setup, agent: dict[str, Any] | None) -> Outcome:
    """Ask, try with getMe, write. Raises NotSaved where it does not work and was not to be kept so."""
    asker, options = setup.asker, setup.options
    given = given_secret(options, "telegram_token")
    if given is None:
        asker.say(_HOW)
    entry: dict[str, Any] = {"name": setup.account_name("bot"), "kind": "telegram"}
    if options.base_url:
        entry["base_url"] = options.base_url
    entry["since"] = setup.since()
    while True:
        secret: dict[str, str] | str
        secret = (
            given
            if given is not None
            else asker.secret("The token of the bot", "--telegram-token-env")
        )
        channel = setup.trial({**entry, "token": secret})
        asker.say("Trying it:")
        checks = () if options.no_check else setup.tried(channel)
        failed = [check for check in checks if not check.ok]
        if not failed:
            break
        choice = asker.choose(
            "\nThat did not work. What now?",
            "--yes",
            _AGAIN,
            "secret" if asker.interactive else "leave",
        )
        if choice == "leave":
            raise NotSaved(f"{failed_checks(failed)}; nothing was written")
        if choice == "keep":
            break
        given = None
    kept: Kept
    if isinstance(secret, str):
        kept = keep(asker, f"the token of {entry['name']}", entry["name"], secret)
    elif options.store_in_keyring:
        kept = Kept({"keyring": entry["name"]}, text_of(secret, "the token"))
    else:
        kept = Kept(secret)
    entry["token"] = kept.entry
    setup.write(entry, [kept], agent)
    asker.say(f"\n{setup.home / 'deskhand.toml'} has the account {entry['name']} now.")
    return Outcome(account=entry, checks=checks, written=True)
