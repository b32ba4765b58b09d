"""How setup gets its answers: from a person at a terminal, or from the flags of a script."""

from __future__ import annotations

import getpass
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Protocol

from workflow.errors import UsageError
from workflow.plaintext import printable

__all__ = ["Asker", "Check", "Scripted", "Terminal"]

Check = Callable[[str], str]
"""Gives an answer in its right form; raises ValueError with a sentence."""


def _as_it_is(answer: str) -> str:
    return answer


class Asker(Protocol):
    """Whoever answers. ``flag`` names the flag by which a script gives the same answer."""

    interactive: bool

    def say(self, text: str = "") -> None:
        """Tell something."""
        ...

    def urgent(self, text: str) -> None:
        """Tell what has to be done now, whoever reads it. Lines are not broken."""
        ...

    def ask(
        self,
        question: str,
        flag: str,
        *,
        given: str | None = None,
        default: str | None = None,
        check: Check = _as_it_is,
    ) -> str:
        """An answer that fits. ``given`` is that of the flag, ``default`` that of just enter."""
        ...

    def choose(
        self, question: str, flag: str, options: Sequence[tuple[str, str]], default: str
    ) -> str:
        """One of the options, each with a word for it and what it means."""
        ...

    def agrees(self, question: str, *, default: bool) -> bool:
        """Yes or no."""
        ...

    def secret(self, question: str, flag: str) -> str:
        """Something that is not shown while it is typed."""
        ...


class Terminal:
    """A person. Ctrl+D is taken like ctrl+C: they do not want to go on."""

    interactive = True

    def say(self, text: str = "") -> None:
        """A line, or several; long ones are broken between words."""
        width = max(shutil.get_terminal_size().columns - 1, 40)
        for line in text.split("\n"):
            indent = " " * (len(line) - len(line.lstrip()))
            parts = textwrap.wrap(
                printable(line), width, subsequent_indent=indent + "  ", break_on_hyphens=False
            )
            sys.stdout.write("\n".join(parts) + "\n")
        sys.stdout.flush()

    def urgent(self, text: str) -> None:
        """As it is: a long address must stay one word for whoever copies it."""
        sys.stdout.write("\n".join(map(printable, text.split("\n"))) + "\n")
        sys.stdout.flush()

    def ask(
        self,
        question: str,
        flag: str,  # noqa: ARG002  a person needs none
        *,
        given: str | None = None,
        default: str | None = None,
        check: Check = _as_it_is,
    ) -> str:
        """Ask until the answer fits."""
        answer = given
        while True:
            if answer is None:
                shown = f" [{printable(default)}]" if default else ""
                answer = self._line(f"{printable(question)}{shown}: ").strip() or default
            if answer is None:
                self.say("  something has to stand here; ctrl+c leaves everything as it was")
                continue
            try:
                return check(answer)
            except ValueError as fault:
                self.say(f"  {fault}")
                answer = None

    def choose(
        self, question: str, flag: str, options: Sequence[tuple[str, str]], default: str
    ) -> str:
        """A number, or the word."""
        self.say(question)
        for number, (_, words) in enumerate(options, 1):
            self.say(f"  {number}  {words}")
        names = [name for name, _ in options]

        def check(answer: str) -> str:
            if answer.isdecimal() and 0 < int(answer) <= len(names):
                return names[int(answer) - 1]
            if answer in names:
                return answer
            raise ValueError(f"write a number from 1 to {len(names)}")

        return self.ask("  which", flag, default=str(names.index(default) + 1), check=check)

    def agrees(self, question: str, *, default: bool) -> bool:
        """Yes or no, in one letter or as a word."""

        def check(answer: str) -> str:
            if answer.lower() in ("y", "yes", "n", "no"):
                return answer.lower()[0]
            raise ValueError("write yes or no")

        return self.ask(question, "--yes", default="yes" if default else "no", check=check) == "y"

    def secret(self, question: str, flag: str) -> str:  # noqa: ARG002  as above
        """Ask without an echo until something was typed."""
        while True:
            try:
                answer = getpass.getpass(f"{printable(question)} (is not shown): ")
            except EOFError:
                raise KeyboardInterrupt from None
            if answer:
                return answer
            self.say("  nothing was typed; ctrl+c leaves everything as it was")

    def _line(self, prompt: str) -> str:
        try:
            return input(prompt)
        except EOFError:
            self.say()
            raise KeyboardInterrupt from None


class Scripted:
    """Flags only: what is neither given nor has a default is missing."""

    interactive = False

    def __init__(self, say: Callable[[str], None], urgent: Callable[[str], None]) -> None:
        self._say = say
        self._urgent = urgent

    def say(self, text: str = "") -> None:
        """On standard error, where it disturbs no document."""
        if text:
            self._say(text)

    def urgent(self, text: str) -> None:
        """On standard error, also where nothing else is told."""
        self._urgent(text)

    def ask(
        self,
        question: str,
        flag: str,
        *,
        given: str | None = None,
        default: str | None = None,
        check: Check = _as_it_is,
    ) -> str:
        """The flag's answer, else the default. Raises UsageError that names the flag."""
        answer = given if given is not None else default
        if answer is None:
            raise UsageError(f"{flag} is missing: {question[:1].lower()}{question[1:]}")
        try:
            return check(answer)
        except ValueError as fault:
            raise UsageError(f"{flag}: {fault}") from None

    def choose(
        self,
        question: str,  # noqa: ARG002  nobody reads it
        flag: str,  # noqa: ARG002
        options: Sequence[tuple[str, str]],  # noqa: ARG002
        default: str,
    ) -> str:
        """The default."""
        return default

    def agrees(self, question: str, *, default: bool) -> bool:  # noqa: ARG002  as above
        """The default."""
        return default

    def secret(self, question: str, flag: str) -> str:
        """Nobody types: raises UsageError."""
        raise UsageError(f"{flag} is missing: {question[:1].lower()}{question[1:]}")
