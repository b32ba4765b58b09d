"""What is chosen for a letter beside its words: recipients, files, the time it leaves; and how it will look."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from console import fmt
from console.paths import path_choices
from console.when_words import parse_when
from console.widgets.picker import Choice
from workflow.drafts import DraftOptions, File
from workflow.errors import Refusal, StoreError, UsageError
from workflow.inbound import Party
from workflow.plaintext import one_line

if TYPE_CHECKING:
    from console.writing import Writing
    from workflow.store.reads import Reads

__all__ = ["Choosing"]

_SUGGESTED = 4
_PRESETS = ("1h", "4h", "tomorrow", "mon")


class Choosing:
    """The keys of the composer that ask something."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._desk = writing.desk
        self._folder = ""
        """Where the last file was."""

    # -- recipients

    def edit_envelope(self) -> None:
        """Open the lines with To, Cc, Bcc, subject and sender; the same key closes them."""
        composer = self._writing.composer
        if composer is None:
            return
        found, options = self._writing.proposal(), composer.letter.options
        if found.account is not None and not found.by_mail:
            self._desk.say(
                f"{found.account.kind} goes to one place: there is nothing to edit.", "dim"
            )
            return
        if options.via is not None:
            self._desk.say("By another way it goes to that one address alone.", "dim")
            return
        composer.add_class("-editing")
        composer.envelope.ask(found, options, self._senders())

    def _senders(self) -> list[str]:
        return [
            address
            for channel in self._writing.settings.channels
            if channel.kind == "email"
            for address in (channel.address, *channel.aliases)
        ]

    def people(self, typed: str, then: Callable[[Sequence[Party]], None]) -> None:
        """Whose name or address fits: those of this ticket, the team, then customers."""
        ticket, wanted = self._desk.ticket, typed.casefold()
        near: dict[str, Party] = {}
        for message in reversed(ticket.messages if ticket is not None else ()):
            pairs = ((message.from_name, message.from_address), *message.to, *message.cc)
            for name, address in pairs:
                if "@" in address:
                    near.setdefault(address.lower(), Party(name, address))
        for agent in self._writing.settings.agents:
            if agent.email:
                near.setdefault(agent.email.lower(), Party(agent.display_name, agent.email))
        fits = [
            party
            for party in near.values()
            if wanted in party.name.casefold() or wanted in party.address.casefold()
        ]

        def found(rows: Sequence[Party]) -> None:
            more = [party for party in rows if party.address.lower() not in near]
            then([*fits, *more][:_SUGGESTED])

        from workflow.store.people import known_addresses

        then(fits[:_SUGGESTED])
        self._writing.bridge.look_up(
            lambda reads: known_addresses(cast("Reads", reads).fetch, typed, _SUGGESTED),
            found,
            self._desk.complain,
        )

    # -- files

    def attach(self) -> None:
        """Choose files; where there are some, one can be taken off."""
        composer = self._writing.composer
        if composer is None:
            return
        refusal = self._no_files()
        if refusal:
            self._desk.complain(refusal)
            return
        files = composer.letter.options.files
        if not files:
            self._ask_path(self._folder)
            return
        choices = [Choice("", "attach another file …")]
        choices += [
            Choice(str(index), f"take off {name}", fmt.size(size))
            for index, (name, _kind, _sha256, size) in enumerate(files)
        ]

        def chosen(value: str) -> None:
            if not value:
                self._ask_path(self._folder)
                return
            left = tuple(file for index, file in enumerate(files) if index != int(value))
            self._writing.choose(replace(composer.letter.options, files=left))

        self._desk.picker.ask("Files of this message", lambda _typed: choices, chosen, wide=True)

    def _no_files(self) -> str:
        account = self._writing.proposal().account
        if account is None:
            return ""
        from channels.registry import channel_of

        carries = channel_of(account.kind).capabilities
        return "" if carries.attachments else f"{account.kind} carries no files: send a link."

    def _longest(self) -> tuple[str, int | None]:
        account = self._writing.proposal().account
        if account is None:
            return "", None
        from channels.registry import channel_of

        return account.kind, channel_of(account.kind).capabilities.longest_file

    def _ask_path(self, typed: str) -> None:
        """A folder is opened, a file is attached; then the next one can be chosen, until escape."""
        composer = self._writing.composer
        if composer is None:
            return
        count = len(composer.letter.options.files)
        so_far = f" ({count} so far, escape when done)" if count else ""

        def chosen(value: str) -> None:
            if value.endswith("/"):
                self._ask_path(value)
            else:
                self._read(value)

        self._desk.picker.ask(
            f"Attach which file?{so_far}",
            path_choices,
            chosen,
            hint="a path; ~ is your home",
            typed=typed,
            wide=True,
            nothing="There is no such file or folder: correct the path.",
        )

    def _read(self, value: str) -> None:
        kind, longest = self._longest()
        root = self._writing.bridge.files

        def job() -> File:
            path = Path(value).expanduser()
            try:
                size = path.stat().st_size
                if longest is not None and size > longest:
                    raise Refusal(
                        f"{one_line(path.name, 80)} has {fmt.size(size)}, and {kind} carries files up to"
                        f" {fmt.size(longest)}: send a link instead"
                    )
                data = path.read_bytes()
            except OSError as fault:
                raise UsageError(
                    f"{one_line(value, 120)} cannot be attached ({fault.strerror}): choose another file"
                ) from None
            if root is None:
                raise StoreError("this desk has no file store: nothing can be attached")
            from workflow.files import FileStore

            guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            return one_line(path.name, 200), guessed, FileStore(root).put(data), len(data)

        def attached(file: File) -> None:
            composer = self._writing.composer
            if composer is None:
                return
            options = composer.letter.options
            self._writing.choose(replace(options, files=(*options.files, file)))
            self._folder = f"{value.rpartition('/')[0]}/" if "/" in value else ""
            self._desk.say(f"{file[0]} is attached ({fmt.size(file[3])}).", "good")
            self._ask_path(self._folder)

        self._writing.bridge.in_background(job, attached, self._desk.complain)

    # -- when, and signed or not

    def choose_time(self) -> None:
        """Ask when it is to leave; and what else is to be as for this one letter."""
        composer, desk = self._writing.composer, self._desk
        if composer is None:
            return
        options = composer.letter.options
        now, zone = self._writing.bridge.now(), desk.zone

        def choose(typed: str) -> Sequence[Choice]:
            words = typed.strip()
            found: list[Choice] = []
            for text in (words,) if words else _PRESETS:
                try:
                    when = parse_when(text, now, zone)
                except UsageError as fault:
                    return [Choice(None, str(fault))]
                left = fmt.span_words((when - now).total_seconds())
                title = f"leaves {fmt.moment(when, now, zone)}"
                found.append(Choice(text, title, f"in {left}", "" if words else text))
            if words:
                return found
            if options.send_at is not None:
                found.insert(0, Choice("=now", "at once", "no longer at a set time"))
            signed = "leave the signature away" if options.signature else "sign it after all"
            return [*found, Choice("=sign", signed, "for this letter")]

        def chosen(value: str) -> None:
            if value == "=now":
                self._writing.choose(replace(options, send_at=None, unless_reply=False))
            elif value == "=sign":
                self._writing.choose(replace(options, signature=not options.signature))
            else:
                when = parse_when(value, self._writing.bridge.now(), zone)
                chosen_time = replace(options, send_at=when.replace(microsecond=0))
                if composer.letter.kind == "forward":
                    self._writing.choose(chosen_time)
                else:
                    ask_unless(chosen_time)

        def ask_unless(chosen_time: DraftOptions) -> None:
            choices = [
                Choice("", "send it all the same"),
                Choice("unless", "take it back", "the text is my draft again, a note says so"),
            ]
            desk.picker.ask(
                "And if the customer writes before?",
                lambda _typed: choices,
                lambda value: self._writing.choose(replace(chosen_time, unless_reply=bool(value))),
            )

        desk.picker.ask(
            "When does it leave?", choose, chosen, hint="2h, tomorrow 9:00, mon, fri 14:30"
        )

    # -- how it will look

    def preview(self) -> None:
        """Show the whole letter as it will be read."""
        composer, ticket = self._writing.composer, self._desk.ticket
        if composer is None or ticket is None:
            return
        from console.screens.preview import PreviewScreen, preview_lines

        letter, found = composer.letter, self._writing.proposal()
        lines = preview_lines(found, letter.options, letter.answers, composer.text, ticket)
        self._desk.app.push_screen(PreviewScreen(lines))
