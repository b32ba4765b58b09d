"""The words of the command line: one table of verbs, from which the parser and the help are made."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from console.commands.team_arguments import place_words, team_verbs
from workflow.errors import UsageError

__all__ = ["HANDLERS", "build_parser", "read_arguments"]

HANDLERS = {
    "list": "console.commands.reading:list_tickets",
    "show": "console.commands.reading:show",
    "search": "console.commands.reading:search",
    "explain": "console.commands.reading:explain",
    "new": "console.commands.changing:new",
    "reply": "console.commands.answering:reply",
    "forward": "console.commands.answering:forward",
    "set": "console.commands.changing:set_fields",
    "triage": "console.commands.told:triage",
    "assign": "console.commands.changing:assign",
    "take": "console.commands.changing:take",
    "snooze": "console.commands.changing:snooze",
    "spam": "console.commands.changing:spam",
    "escalate": "console.commands.changing:escalate",
    "accept": "console.commands.changing:accept",
    "hand-back": "console.commands.changing:hand_back",
    "merge": "console.commands.joining:merge",
    "unmerge": "console.commands.joining:unmerge",
    "split": "console.commands.joining:split",
    "link": "console.commands.joining:link",
    "unlink": "console.commands.joining:unlink",
    "dismiss": "console.commands.joining:dismiss",
    "customer": "console.commands.customers:customer",
    "event": "console.commands.customers:event",
    "macro": "console.commands.macros:macro",
    "calendar": "console.commands.calendars:calendar",
    "presence": "console.commands.presence:presence",
    "workflow": "console.commands.workflow:workflow",
    "undo": "console.commands.changing:undo",
    "redo": "console.commands.changing:redo",
    "outbox": "console.commands.changing:outbox",
    "held": "console.commands.held:held",
    "intake": "console.commands.arriving:intake",
    "import": "console.commands.arriving:import_mail",
    "engine": "console.commands.running:engine",
    "doctor": "console.commands.running:doctor",
    "demo": "console.commands.running:demo",
    "setup": "console.commands.setup:setup",
    "batch": "console.commands.batch:batch",
}
"""Where each verb is done; loaded when it is used."""

_DASHED = ("set", "list", "search", "workflow")
"""Verbs whose words may begin with a hyphen: ``-assignee:me``, ``-tag``."""

_VALUED = (
    "--home",
    "--agent",
    "--now",
    "--view",
    "--sort",
    "--limit",
    "--order",
    "--days",
    "--against",
    "--format",
)
"""The options whose next word is their value, before such verbs and after them."""

_HELD_WORDS = ("list", "show", "release", "discard", "allow", "block", "rules")

_PEOPLE_WORDS = ("list", "show", "merge", "unmerge")

_MARK = "\x00"


_AddVerb = Callable[[str, str], argparse.ArgumentParser]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ({self.prog} --help shows the words)")


def _common(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """The global options. They stand before the verb; after it they are understood too."""
    default = None if top else argparse.SUPPRESS
    parser.add_argument("--home", metavar="DIR", default=default, help="where this desk lives")
    parser.add_argument("--agent", metavar="NAME", default=default, help="who acts")
    parser.add_argument(
        "--now", metavar="TIME", default=default, help="as if it were this moment (ISO 8601)"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=False if top else argparse.SUPPRESS,
        help="one JSON document on standard output",
    )


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="deskhand",
        description="A support desk in the terminal: mail and chat in one local queue."
        " Without a verb it opens the console.",
        epilog="deskhand VERB --help tells more of a verb; docs/ has a page for each idea.",
    )
    _common(parser, top=True)
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser)

    def verb(name: str, help_: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=help_, description=help_)
        _common(added, top=False)
        return added

    _reading_verbs(verb)
    _answering_verbs(verb)
    _changing_verbs(verb)
    _joining_verbs(verb)
    _people_verbs(verb)
    _event_verb(verb)
    _macro_verbs(verb)
    _calendar_verbs(verb)
    team_verbs(verb, _part)
    _moving_verbs(verb)
    _setup_verb(verb)
    return parser


def _part(whats: Any, name: str, help_: str) -> argparse.ArgumentParser:
    """A word below a verb."""
    added: argparse.ArgumentParser = whats.add_parser(name, help=help_, description=help_)
    _common(added, top=False)
    return added


def _reading_verbs(verb: _AddVerb) -> None:
    found = verb("list", "tickets that match a query, in the order of their promises")
    found.add_argument("query", nargs="*", help="as in: status:open priority>=high -assignee:me")
    found.add_argument("--view", metavar="NAME")
    found.add_argument(
        "--sort", metavar="ORDER", help="due, priority, waiting, age, newest, updated"
    )
    found.add_argument("--limit", type=_number, metavar="N")
    found = verb("show", "one ticket, whole")
    found.add_argument("id", type=_ticket, metavar="ID")
    found = verb("search", "full text over all messages, best first")
    found.add_argument("query", nargs="+")
    found.add_argument("--limit", type=_number, metavar="N")
    found.add_argument("--order", choices=("best", "newest"), default="best")
    found = verb("explain", "why a ticket is where it is, and what its clocks have counted")
    found.add_argument("id", type=_ticket, metavar="ID")


def _changing_verbs(verb: _AddVerb) -> None:
    found = verb("new", "open a ticket by hand: a phone call, a visit")
    found.add_argument("--from", dest="sender", required=True, metavar="ADDRESS")
    found.add_argument("--name", metavar="NAME")
    found.add_argument("--subject", required=True)
    found.add_argument("--text")
    found.add_argument("--channel", default="phone")
    found = verb("set", "status, priority, tags and fields of one ticket or many")
    found.add_argument("words", nargs="+", metavar="ID... FIELD=VALUE... +TAG -TAG")
    found = verb("assign", "give tickets to an agent or a group")
    found.add_argument("ids", nargs="+", type=_ticket, metavar="ID")
    found.add_argument("to", metavar="AGENT|GROUP|none")
    found = verb("take", "make tickets your own")
    found.add_argument("ids", nargs="+", type=_ticket, metavar="ID")
    found = verb("snooze", "put a ticket out of sight until a time, or until the customer writes")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument("until", nargs="+", metavar="TIME|reply|off")
    found = verb("spam", "take a ticket out of every view as spam")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument(
        "--not", dest="undo_spam", action="store_true", help="it is none: bring it back"
    )
    found = verb("escalate", "move a ticket up with what the next person needs")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument("--to", metavar="LEVEL")
    found.add_argument("--reason", required=True, metavar="CODE")
    for name in ("tried", "needed", "by", "promised"):
        found.add_argument(f"--{name}", metavar="T")
    found = verb("accept", "say that an escalated ticket is yours now")
    found.add_argument("id", type=_ticket, metavar="ID")
    found = verb("hand-back", "give an escalated ticket back to who had it before")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument("--note", metavar="T", help="what they should know")
    found = verb("undo", "take back your last changes")
    found.add_argument("count", nargs="?", type=_number, default=1, metavar="N")
    verb("redo", "do again what the last undo took back")
    found = verb("outbox", "what is to be sent")
    found.add_argument("what", nargs="?", choices=("list", "retry", "cancel"), default="list")
    found.add_argument("number", nargs="?", type=_number, metavar="N")
    found.add_argument("--all", action="store_true", help="what is over and done with as well")
    found = verb("held", "what was kept out, and why; let it in or not, always allow, always block")
    found.add_argument("what", nargs="?", choices=_HELD_WORDS, default="list")
    found.add_argument("words", nargs="*", metavar="N|ADDRESS")
    found.add_argument("--all", action="store_true", help="what is over and done with as well")
    found.add_argument(
        "--domain", action="store_true", help="allow, block: everybody at the domain of the sender"
    )


def _answering_verbs(verb: _AddVerb) -> None:
    found = verb("reply", "queue a reply, or write a note")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument(
        "source", nargs="?", metavar="-", help="- reads the text from standard input"
    )
    found.add_argument("--text", metavar="T")
    found.add_argument("--file", metavar="F")
    found.add_argument("--note", action="store_true", help="only the team sees it")
    found.add_argument("--all", action="store_true", help="to everybody who was written to")
    found.add_argument(
        "--answer", type=_number, metavar="MESSAGE", help="answer this message, not the newest"
    )
    found.add_argument(
        "--via", metavar="ADDRESS|KIND", help="by another address or account of the same person"
    )
    found.add_argument("--to-status", metavar="STATUS")
    found.add_argument(
        "--unless-reply", action="store_true", help="not if the customer writes before --send-at"
    )
    found.add_argument(
        "--dry-run", action="store_true", help="only say to whom and in which messages it would go"
    )
    _sending_words(found)
    found = verb("forward", "pass a conversation on to somebody who is not the customer")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument(
        "--message", type=_number, metavar="MESSAGE", help="only this one, not the conversation"
    )
    found.add_argument("--text", metavar="T", default="")
    found.add_argument(
        "--no-files", action="store_true", help="leave the attachments of the messages behind"
    )
    _sending_words(found)


def _sending_words(found: argparse.ArgumentParser) -> None:
    """What a reply and a forward can be given."""
    for name in ("to", "cc", "bcc"):
        found.add_argument(f"--{name}", action="append", default=[], metavar="ADDRESS")
    found.add_argument(
        "--from", dest="sender", metavar="ADDRESS", help="the address of ours that it comes from"
    )
    found.add_argument("--subject", metavar="S")
    found.add_argument("--attach", action="append", default=[], metavar="FILE")
    found.add_argument("--no-signature", action="store_true")
    found.add_argument("--send-at", metavar="TIME")
    found.add_argument("--undo-window", metavar="DURATION", help="0s queues at once")
    found.add_argument(
        "--expect-last",
        type=_number,
        metavar="MESSAGE",
        help="refuse if somebody else wrote after this message",
    )
    found.add_argument("--strict", action="store_true", help="refuse where something looks wrong")


def _joining_verbs(verb: _AddVerb) -> None:
    found = verb("merge", "put tickets about one matter into one of them, the last one named")
    found.add_argument("ids", nargs="+", type=_ticket, metavar="ID... INTO", action=_AtLeastTwo)
    found = verb("unmerge", "take a merged ticket out again, with everything that is its own")
    found.add_argument("id", type=_ticket, metavar="ID")
    found = verb("split", "make a ticket of its own of a message and all that came after it")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument(
        "message", type=_number, metavar="MESSAGE", help="its id, as show --json has it"
    )
    found.add_argument("--only", action="store_true", help="of this message alone")
    found = verb("link", "say that two tickets have to do with each other")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument("other", type=_ticket, metavar="OTHER")
    found = verb("unlink", "say that two tickets have nothing to do with each other after all")
    found.add_argument("id", type=_ticket, metavar="ID")
    found.add_argument("other", type=_ticket, metavar="OTHER")
    found = verb("dismiss", "say that a ticket is not about the matter of the one it looks like")
    found.add_argument("id", type=_ticket, metavar="ID")


class _AtLeastTwo(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        _option: str | None = None,
    ) -> None:
        if len(values) < 2:
            parser.error("say which ticket and into which one: deskhand merge 12 7")
        setattr(namespace, self.dest, values)


def _people_verbs(verb: _AddVerb) -> None:
    found = verb("customer", "people, their addresses and accounts, and all their tickets")
    whats = found.add_subparsers(dest="what", metavar="WHAT", parser_class=_Parser, required=True)
    who = "a number, an address, KIND:ACCOUNT or a name"
    for name, help_ in (
        ("list", "those who match, the ones who came last first"),
        ("show", "one of them with every ticket over all channels"),
        ("merge", "say that two are one person: A has everything of B from then on"),
        ("unmerge", "say that somebody who was joined is a person of their own after all"),
    ):
        added = whats.add_parser(name, help=help_, description=help_)
        _common(added, top=False)
        if name == "list":
            added.add_argument("text", nargs="*", metavar="QUERY", help="parts of name or address")
            added.add_argument("--limit", type=_number, metavar="N")
        elif name == "merge":
            added.add_argument("who", metavar="A", help=who)
            added.add_argument("other", metavar="B", help=who)
        else:
            added.add_argument("who", metavar="X", help=who)


def _event_verb(verb: _AddVerb) -> None:
    found = verb("event", "tell what another system knows of a customer: triggers can act on it")
    found.add_argument("name", metavar="NAME", help="what happened, such as failed_login")
    found.add_argument(
        "--customer",
        required=True,
        metavar="X",
        help="a number, an address, KIND:ACCOUNT or a name",
    )
    found.add_argument(
        "--data", action="append", default=[], metavar="K=V", help="what else is known; several"
    )


def _macro_verbs(verb: _AddVerb) -> None:
    found = verb("macro", "standard answers with what else they change")
    whats = found.add_subparsers(dest="what", metavar="WHAT", parser_class=_Parser, required=True)
    for name, help_ in (
        ("list", "those there are"),
        ("show", "one of them with all its texts"),
        ("check", "every file: each fault with its place and what fits"),
        ("run", "on tickets: a result for each, one undo for all"),
    ):
        added = whats.add_parser(name, help=help_, description=help_)
        _common(added, top=False)
        if name in ("show", "run"):
            added.add_argument("name", metavar="NAME")
        if name == "run":
            added.add_argument("ids", nargs="+", type=_ticket, metavar="ID")
            added.add_argument(
                "--set", action="append", default=[], metavar="K=V", help="an answer it asks for"
            )
            added.add_argument("--dry-run", action="store_true", help="only say what would be done")


def _calendar_verbs(verb: _AddVerb) -> None:
    found = verb("calendar", "working time as the clocks count it: due times, spans, opening hours")
    whats = found.add_subparsers(dest="what", metavar="WHAT", parser_class=_Parser, required=True)
    for name, help_ in (
        ("due", "when an amount of working time after a moment is used up"),
        ("between", "the working time from one moment to another"),
        ("open", "whether a calendar is open, and when it opens next"),
        ("list", "those there are"),
        ("show", "the opening hours of the next days"),
    ):
        added = whats.add_parser(name, help=help_, description=help_)
        _common(added, top=False)
        if name != "list":
            added.add_argument("name", metavar="NAME", help='as calendars.toml has it; or "always"')
        if name in ("due", "between"):
            added.add_argument("start", metavar="START", help="ISO 8601 with an offset or Z")
        if name == "due":
            added.add_argument(
                "duration", metavar="DURATION", help="such as 4h or 1h30m; a negative one after --"
            )
        elif name == "between":
            added.add_argument("end", metavar="END", help="ISO 8601 with an offset or Z")
        elif name == "open":
            added.add_argument("moment", nargs="?", metavar="TIME", help="now if not given")
        elif name == "show":
            added.add_argument("--days", type=_number, default=14, metavar="N")


def _moving_verbs(verb: _AddVerb) -> None:
    found = verb("intake", "mail and chat messages from files; says what became of each")
    found.add_argument("files", nargs="+", metavar="FILE|-", help=".eml, or JSON of chat messages")
    found.add_argument("--account", metavar="NAME", help="the account that they came over")
    found = verb("import", "old mail from Maildir, mbox or folders of .eml; starts no clocks")
    found.add_argument("paths", nargs="+", metavar="PATH")
    found.add_argument("--since", metavar="DATE")
    found.add_argument("--until", metavar="DATE")
    found = verb("engine", "receive, decide and send, with no screen")
    found.add_argument("--once", action="store_true", help="one whole pass, then leave")
    verb("doctor", "check files, database, accounts and projections; each finding with its remedy")
    found = verb("demo", "a desk that lives: servers and customers of its own, gone when you leave")
    found.add_argument("--seed", type=_number, default=7, help="which day it is for the customers")
    found = verb("batch", "one verb with its arguments a line, all in one process")
    found.add_argument("file", nargs="?", default="-", metavar="FILE|-")


def _setup_verb(verb: _AddVerb) -> None:
    found = verb(
        "setup", "write down who answers and what customers write to; finds and tries the servers"
    )
    who = found.add_argument_group("who answers")
    who.add_argument("--agent-name", metavar="NAME")
    who.add_argument("--agent-email", metavar="ADDRESS")
    who.add_argument("--agent-group", action="append", default=[], metavar="NAME")
    who.add_argument("--agent-role", choices=("agent", "lead"), default="agent")
    account = found.add_argument_group("an account")
    account.add_argument("--kind", choices=("email", "telegram"))
    account.add_argument("--name", metavar="NAME", help="as it stands on the screen")
    account.add_argument("--since", metavar="DATE", help="older messages start no clocks")
    account.add_argument("--replace", action="store_true", help="an account of that name is there")
    mail = found.add_argument_group("a mailbox (servers that are not given are looked for)")
    mail.add_argument("--address", metavar="ADDRESS")
    mail.add_argument("--display-name", metavar="NAME", help="what customers see")
    mail.add_argument("--alias", action="append", default=[], metavar="ADDRESS")
    for kind in ("imap", "smtp"):
        mail.add_argument(f"--{kind}-host", metavar="HOST")
        mail.add_argument(f"--{kind}-port", type=_number, metavar="PORT")
        mail.add_argument(f"--{kind}-security", choices=("tls", "starttls", "none"))
        mail.add_argument(f"--{kind}-user", metavar="USER", help="the address if not given")
        mail.add_argument(f"--no-{kind}", action="store_true")
    mail.add_argument("--test-mail", action="store_true", help="send one to itself")
    for prefix, what in (
        ("password", "the password"),
        ("smtp-password", "the password for sending, if it is another"),
        ("telegram-token", "the token of a bot"),
        ("client-secret", "the secret of your application (OAuth)"),
    ):
        group = found.add_argument_group(what)
        group.add_argument(f"--{prefix}-env", metavar="NAME", help="is in this variable")
        group.add_argument(f"--{prefix}-keyring", metavar="NAME", help="is in the keyring")
        group.add_argument(f"--{prefix}-command", metavar="COMMAND", help="is printed by this")
    oauth = found.add_argument_group("OAuth in place of a password")
    oauth.add_argument("--oauth", choices=("google", "microsoft", "custom"))
    oauth.add_argument("--client-id", metavar="ID")
    for name in ("tenant", "auth-url", "token-url", "device-url", "scope"):
        oauth.add_argument(f"--oauth-{name}", metavar=name.rpartition("-")[2].upper())
    oauth.add_argument(
        "--login", metavar="ACCOUNT", help="log in again for an account that is there"
    )
    oauth.add_argument("--way", choices=("browser", "device"), help="how to log in")
    place = found.add_argument_group("the ready-made workflow (where there is none yet)")
    place.add_argument("--no-workflow", action="store_true", help="leave it out")
    place_words(place)
    found.add_argument("--base-url", metavar="URL", help="another Bot API server")
    found.add_argument(
        "--store-in-keyring",
        action="store_true",
        help="copy the secrets there, and name that place",
    )
    found.add_argument("--no-check", action="store_true", help="write without trying")
    found.add_argument("--yes", action="store_true", help="ask nothing")


def _ticket(word: str) -> int:
    try:
        number = int(word.removeprefix("#"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{word!r} is not a ticket's number: write it like 42"
        ) from None
    if not 0 < number < 2**53:
        raise argparse.ArgumentTypeError(f"{word!r} is not a ticket's number: write it like 42")
    return number


def _number(word: str) -> int:
    try:
        number = int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is not a whole number") from None
    if not 0 <= number < 2**53:
        raise argparse.ArgumentTypeError(f"{word!r} is out of range")
    return number


def read_arguments(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command line. Raises UsageError with the sentence.

    ``--help`` leaves by SystemExit(0).
    """
    marked = _mark_dashes(_spelled_out(list(words)))
    found = build_parser().parse_args(marked)
    for name in ("words", "query"):
        if getattr(found, name, None):
            setattr(found, name, [word.removeprefix(_MARK) for word in getattr(found, name)])
    return found


def _spelled_out(words: list[str]) -> list[str]:
    """``customer X`` is short for ``customer show X``."""
    verb = _verb_at(words)
    if verb is None or words[verb] != "customer" or len(words) == verb + 1:
        return words
    if words[verb + 1] in _PEOPLE_WORDS or words[verb + 1].startswith("-"):
        return words
    return [*words[: verb + 1], "show", *words[verb + 1 :]]


def _mark_dashes(words: list[str]) -> list[str]:
    """Hide the leading hyphens that are part of a query or a tag from the parser of options."""
    verb = _verb_at(words)
    if verb is None or words[verb] not in _DASHED:
        return words
    marked = words[: verb + 1]
    for index, word in enumerate(words[verb + 1 :], verb + 1):
        plain = word.startswith("-") and not word.startswith("--") and word not in ("-", "-h")
        # What follows an option is its value.
        value = words[index - 1] in _VALUED
        marked.append(_MARK + word if plain and not value else word)
    return marked


def _verb_at(words: list[str]) -> int | None:
    """Where the verb stands: the first word that is neither an option nor its value."""
    value = False
    for index, word in enumerate(words):
        if value:
            value = False
        elif word in _VALUED:
            value = True
        elif not word.startswith("-"):
            return index
    return None
