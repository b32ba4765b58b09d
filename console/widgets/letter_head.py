"""The lines above a text that is being written: to whom it goes and what is new about that, what goes along, when it
leaves, what should be looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from textual.strip import Strip

from console import fmt
from console.drawing import LineBuilder
from console.widgets.bars import Bar
from workflow.drafts import NOTHING_CHOSEN, DraftOptions
from workflow.inbound import Party
from workflow.proposal import Proposal

__all__ = ["LetterHead", "SignatureLines"]

_MOST_DOUBTS = 3


class LetterHead(Bar):
    """As many lines as there is something to say, drawn."""

    GROUND = "panel"
    DEFAULT_CSS = "LetterHead { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.kind = "reply"
        self.proposal = Proposal("reply")
        self.options = NOTHING_CHOSEN
        self.limits = ""
        self.remark = ""
        self.doubts: Sequence[str] = ()
        self.news = 0
        self.parts = ""
        """That it goes in several messages."""
        self.answers_words = ""
        self.moment: Callable[[datetime], str] = lambda when: f"{when:%Y-%m-%d %H:%M}"

    def show(
        self, kind: str, proposal: Proposal, options: DraftOptions, limits: str, answers: str
    ) -> None:
        """Show another state; ``answers`` names the message that is answered where it is not the newest."""
        self.kind, self.proposal, self.options = kind, proposal, options
        self.limits, self.answers_words = limits, answers
        self.retell()

    @property
    def lines(self) -> int:
        """How many there are."""
        return len(self._lines())

    def retell(self) -> None:
        """Draw anew, in as many lines as it takes."""
        self.styles.height = len(self._lines())
        self.refresh()

    def draw(self, line: LineBuilder) -> None:
        """Not used: there are several lines."""

    def render_line(self, y: int) -> Strip:
        """One of the lines (Textual's Line API)."""
        line = LineBuilder(self.size.width)
        lines = self._lines()
        ground = "note" if self.kind == "note" else self.GROUND
        if y < len(lines):
            lines[y](line)
        if y == 0:
            tail = f" {self.remark} " if self.remark else ""
            line.pad_to(line.width - len(tail), self.inks("text", ground))
            line.add(tail, self.inks("faint", ground))
        return line.strip(self.inks("text", ground))

    def _lines(self) -> list[Callable[[LineBuilder], None]]:
        if self.kind == "note":
            return [self._note]
        lines: list[Callable[[LineBuilder], None]] = [self._people]
        if self.proposal.by_mail or self.proposal.differences or self.answers_words:
            lines.append(self._origin)
        if self.options.files:
            lines.append(self._files)
        if self.parts:
            lines.append(self._parts)
        if self.options.send_at is not None:
            lines.append(self._when)
        if self.news:
            lines.append(self._news)
        for sentence in self.doubts[:_MOST_DOUBTS]:
            lines.append(self._doubt(sentence))
        return lines

    def _note(self, line: LineBuilder) -> None:
        line.add("┃", self.inks("note", "note"))
        line.add(" NOTE  only the team sees this ", self.inks("note", "note"))

    def _people(self, line: LineBuilder) -> None:
        """Recipients as chips."""
        inks, found = self.inks, self.proposal
        word = "Forward" if self.kind == "forward" else "Reply"
        everybody = self.options.reply_all and self.kind == "reply" and self.options.via is None
        line.add(f" {word} to all" if everybody else f" {word}", inks("strong", self.GROUND))
        room = line.width - len(self.remark) - 3
        for header, people in (("To", found.to), ("Cc", found.cc), ("Bcc", found.bcc)):
            self._chips(line, header, people, room)
        if found.problem is not None:
            line.add(f"  {found.problem}", inks("late", self.GROUND), most=max(0, room - line.used))
        elif self.limits:
            line.add(f"  {self.limits}", inks("dim", self.GROUND), most=max(0, room - line.used))

    def _chips(self, line: LineBuilder, header: str, people: Sequence[Party], room: int) -> None:
        inks = self.inks
        if not people or line.used + len(header) + 6 > room:
            return
        line.add(f"  {header} ", inks("dim", self.GROUND))
        for index, person in enumerate(people):
            chip = f" {person.address if '@' in person.address else person.name or person.address} "
            rest = len(people) - index
            if index and line.used + len(chip) + 5 > room:
                line.add(f" +{rest}", inks("dim", self.GROUND))
                return
            line.add(" " if index else "", inks("text", self.GROUND))
            line.add(chip, inks("text", "tab"), most=max(6, room - line.used))

    def _origin(self, line: LineBuilder) -> None:
        """What differs from the last answer, from which address, to which message."""
        inks, found = self.inks, self.proposal
        for difference in found.differences:
            line.add(" ", inks("text", self.GROUND))
            line.add(f" {difference} ", inks("strong", "match"))
        if found.strangers:
            line.add("  not a participant until now", inks("late", self.GROUND))
        if found.by_mail:
            line.add("  From " if line.used else " From ", inks("dim", self.GROUND))
            line.add(found.sender or "–", inks("text", self.GROUND))
        if self.answers_words:
            line.add(f"  {self.answers_words}", inks("accent", self.GROUND))
        if found.by_mail and (self.kind == "forward" or self.options.subject is not None):
            line.add("  Subject ", inks("dim", self.GROUND))
            line.add(found.subject or "(empty)", inks("text", self.GROUND))

    def _files(self, line: LineBuilder) -> None:
        """What is attached, with sizes."""
        inks, files = self.inks, self.options.files
        whole = f"  {len(files)} files, {fmt.size(sum(file[3] for file in files))}"
        tail = len(whole) if len(files) > 1 else 0
        line.add(" ⊞", inks("accent", self.GROUND))
        for index, (name, _kind, _sha256, size) in enumerate(files):
            words = f" {name} "
            if index and line.used + len(words) + 10 + tail > line.width:
                line.add(f" and {len(files) - index} more", inks("dim", self.GROUND))
                break
            line.add(words, inks("text", self.GROUND), most=max(8, line.room - tail - 9))
            line.add(f"{fmt.size(size)} ", inks("dim", self.GROUND))
        if tail:
            line.add(whole, inks("dim", self.GROUND))

    def _parts(self, line: LineBuilder) -> None:
        inks, shown = self.inks, "  ctrl-p shows them "
        line.add(" ✂ ", inks("accent", self.GROUND))
        line.add(self.parts, inks("risk", self.GROUND), most=max(20, line.room - len(shown)))
        line.pad_to(line.width - len(shown), inks("text", self.GROUND))
        line.add(shown, inks("dim", self.GROUND))

    def _when(self, line: LineBuilder) -> None:
        assert self.options.send_at is not None
        unless = " unless the customer writes first" if self.options.unless_reply else ""
        words = f" ⧗ leaves {self.moment(self.options.send_at)}{unless}"
        line.add(words, self.inks("risk", self.GROUND))

    def _news(self, line: LineBuilder) -> None:
        words = "somebody else wrote" if self.news == 1 else f"{self.news} new messages"
        line.add(f" ↑ {words} since you began: ctrl-s shows it", self.inks("risk", self.GROUND))

    def _doubt(self, sentence: str) -> Callable[[LineBuilder], None]:
        def draw(line: LineBuilder) -> None:
            line.add(f" ! {sentence[:1].upper()}{sentence[1:]}.", self.inks("late", "alert"))
            again = " ctrl-s sends it anyway "
            if line.room >= len(again):
                line.pad_to(line.width - len(again), self.inks("text", "alert"))
                line.add(again, self.inks("text", "alert"))
            line.pad_to(line.width, self.inks("text", "alert"))

        return draw


class SignatureLines(Bar):
    """The signature that will stand below the text: shown, not edited, for it is no part of the draft."""

    DEFAULT_CSS = "SignatureLines { height: 0; width: 1fr; }"
    GROUND = "base"

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def show(self, signature: str, most: int) -> None:
        """Show at most so many lines; none where there is no signature."""
        lines = signature.split("\n") if signature else []
        if len(lines) > most:
            lines = [*lines[: max(0, most - 1)], f"{lines[most - 1]} …" if most else ""]
        self._lines = [f"-- {lines[0]}", *lines[1:]] if lines else []
        self.styles.height = len(self._lines)
        self.refresh()

    def draw(self, line: LineBuilder) -> None:
        """Not used: there are several lines."""

    def render_line(self, y: int) -> Strip:
        """One line of the signature."""
        line = LineBuilder(self.size.width)
        if y < len(self._lines):
            line.add(f" {self._lines[y]}", self.inks("faint", self.GROUND))
        return line.strip(self.inks("text", self.GROUND))
