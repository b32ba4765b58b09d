"""The part of setup for a mailbox."""

from __future__ import annotations

from typing import Any

from channels.contract import Check
from channels.email.discovery import Discovery
from channels.email.providers import Provider, provider_by_host
from console.setup.asking import Asker
from console.setup.dialogue import NotSaved, Outcome, Setup, failed_checks, is_address
from console.setup.permission import Permission, ask_permission, log_in, take_back
from console.setup.secrets import Kept, given_secret, keep, text_of
from console.setup.servers import Servers, ask_again, find_servers
from workflow.errors import DeskError
from workflow.settings import ChannelSettings

__all__ = ["set_up_mailbox"]

_AGAIN = (
    ("secret", "give the password again"),
    ("servers", "correct the servers"),
    ("keep", "keep it all the same, and mend it later"),
    ("leave", "leave without writing anything"),
)


def set_up_mailbox(setup: Setup, agent: dict[str, Any] | None) -> Outcome:
    """Ask, try, write. Raises NotSaved where it does not work and was not to be kept so."""
    asker, options = setup.asker, setup.options
    address = asker.ask(
        "\nThe address of the mailbox" if asker.interactive else "The address of the mailbox",
        "--address",
        given=options.address,
        check=is_address,
    )
    _warn_of_twins(setup, address)
    servers = find_servers(asker, options, address, setup.tools.discover)
    entry: dict[str, Any] = {
        "name": setup.account_name(_usual_name(setup, address)),
        "kind": "email",
        "address": address,
    }
    shown = asker.ask(
        "The name that customers see beside the address (- for none)",
        "--display-name",
        given=options.display_name,
        default="-",
    )
    if shown != "-":
        entry["display_name"] = shown
    if options.alias:
        entry["aliases"] = [is_address(alias) for alias in options.alias]
    entry["since"] = setup.since()
    permission = ask_permission(setup, entry["name"], _provider(servers.discovery, servers))
    secrets = {} if permission else _secrets(setup, servers, address)
    try:
        while True:
            channel = setup.trial(_with_servers(entry, servers, secrets, permission))
            checks = () if options.no_check else _tried(setup, channel, permission)
            failed = [check for check in checks if not check.ok]
            if not failed:
                break
            usual = "secret" if asker.interactive else "leave"
            choice = asker.choose("\nThat did not work. What now?", "--yes", _AGAIN, usual)
            if choice == "leave":
                raise NotSaved(f"{failed_checks(failed)}; nothing was written")
            if choice == "keep":
                break
            if choice == "servers":
                servers = ask_again(asker, servers, address)
            elif permission is None:
                secrets = _secrets(setup, servers, address)
        if servers.smtp is not None and not failed and not options.no_check:
            _test_mail(setup, channel)
        kept = _kept(setup, entry["name"], secrets)
        client = permission.kept(setup, entry["name"]) if permission is not None else None
        final = _with_servers(entry, servers, kept, permission, client)
        fresh = [
            *(one for one in kept.values() if isinstance(one, Kept)),
            *([client] if client else []),
        ]
        setup.write(final, fresh, agent)
    except BaseException:
        if permission is not None and setup.settings.channel(entry["name"]) is None:
            take_back(setup.trial(_with_servers(entry, servers, secrets, permission)))
        raise
    asker.say(f"\n{setup.home / 'deskhand.toml'} has the account {entry['name']} now.")
    if permission is not None and options.no_check:
        asker.say(f"Log in next: deskhand setup --login {entry['name']}")
    return Outcome(account=final, found_by=servers.found_by, checks=checks, written=True)


def _tried(
    setup: Setup, channel: ChannelSettings, permission: Permission | None
) -> tuple[Check, ...]:
    """Log in where a person has to, then try everything."""
    if permission is not None:
        try:
            log_in(setup, channel)
        except DeskError as fault:
            setup.asker.say(f"  FAIL login: {fault}")
            return (Check("login", False, str(fault)),)
    setup.asker.say("Trying it:")
    return setup.tried(channel)


def _warn_of_twins(setup: Setup, address: str) -> None:
    for channel in setup.settings.channels:
        if channel.address.lower() == address.lower():
            setup.asker.say(f"  {address} is set up already, as the account {channel.name}.")


def _usual_name(setup: Setup, address: str) -> str:
    """The local part, or the domain's first word where that is taken."""
    local, _, domain = address.partition("@")
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in local).strip("-.") or "mail"
    if setup.settings.channel(name) is None or setup.options.replace:
        return name
    return f"{name}-{domain.split('.')[0]}"


Secrets = dict[str, dict[str, str] | str]
"""For imap and smtp: what deskhand.toml will say, or the text that was typed."""


def _secrets(setup: Setup, servers: Servers, address: str) -> Secrets:
    """The passwords, one for both servers unless flags say otherwise."""
    asker, options = setup.asker, setup.options
    given = given_secret(options, "password")
    for_smtp = given_secret(options, "smtp_password")
    needs = {
        kind: bool(server and server.get("user"))
        for kind, server in (("imap", servers.imap), ("smtp", servers.smtp))
    }
    found: Secrets = {}
    if (given is None and needs["imap"]) or (for_smtp is None and given is None and needs["smtp"]):
        _explain_password(asker, servers.discovery, servers)
        typed = asker.secret(f"The password of {address}", "--password-env")
        found = {kind: typed for kind, needed in needs.items() if needed}
    elif given is not None:
        found = {kind: given for kind, needed in needs.items() if needed}
    if for_smtp is not None and needs["smtp"]:
        found["smtp"] = for_smtp
    for kind, secret in found.items():
        if isinstance(secret, dict) and not options.no_check:
            text_of(secret, f"the {kind} password")
    return found


def _explain_password(asker: Asker, discovery: Discovery | None, servers: Servers) -> None:
    provider = _provider(discovery, servers)
    if provider is None:
        return
    if provider.app_password:
        asker.say(
            f"{provider.name} wants an app password, not the one you log in with on its pages."
            f"\n  Make one: {provider.app_password}"
        )
    if provider.switch:
        asker.say(f"  IMAP may have to be switched on: {provider.switch}")


def _provider(discovery: Discovery | None, servers: Servers) -> Provider | None:
    for server in (servers.imap, servers.smtp):
        if server is not None and (found := provider_by_host(server["host"])) is not None:
            return found
    return discovery.provider if discovery is not None else None


def _with_servers(
    entry: dict[str, Any],
    servers: Servers,
    secrets: Any,
    permission: Permission | None = None,
    client: Kept | None = None,
) -> dict[str, Any]:
    """The account with its servers. What was typed and is not kept yet stands in it as it is: that is
    for the trial, and is never written.
    """
    made = dict(entry)
    for kind, server in (("imap", servers.imap), ("smtp", servers.smtp)):
        if server is None:
            continue
        made[kind] = {key: value for key, value in server.items() if value != ""}
        secret = secrets.get(kind)
        if permission is not None:
            made[kind]["oauth"] = permission.toml(client)
        elif secret is not None:
            made[kind]["password"] = secret.entry if isinstance(secret, Kept) else secret
    return made


def _kept(setup: Setup, name: str, secrets: Secrets) -> dict[str, Kept | dict[str, str]]:
    """Where each secret will be; those that flags name stay there, unless they are to move into the
    keyring. Two servers with one password share it.
    """
    made: dict[str, Kept | dict[str, str]] = {}
    typed: dict[str, Kept] = {}
    for kind, secret in secrets.items():
        place = name if not typed else f"{name}-{kind}"
        if isinstance(secret, str):
            if secret not in typed:
                typed[secret] = keep(setup.asker, f"the password of {name}", place, secret)
            made[kind] = typed[secret]
        elif setup.options.store_in_keyring:
            text = text_of(secret, f"the {kind} password")
            made[kind] = typed.setdefault(text, Kept({"keyring": place}, text))
        else:
            made[kind] = secret
    return made


def _test_mail(setup: Setup, channel: ChannelSettings) -> None:
    asker = setup.asker
    if not setup.options.test_mail:
        question = f"Send a test mail from {channel.address} to itself?"
        if not asker.agrees(question, default=False):
            return
    asker.say("Sending it, and looking whether it arrives ...")
    try:
        asker.say(f"  ok   test mail: {setup.tools.send_test(channel, setup.clock)}")
    except DeskError as fault:
        asker.say(f"  FAIL test mail: {fault}")
        if not asker.interactive:
            raise NotSaved(f"test mail: {fault}; nothing was written") from fault
