"""The composer as an agent uses it: to whom, with what, when; and what stops it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.app import ConsoleApp
from console.bootstrap import Desktop
from console.sample import SampleDesk
from console.writing import Writing
from tests.console.conftest import Opened, console_of
from tests.console.waiting import screen_text, until
from workflow.actions import Action, Note, Reply
from workflow.model import Actor
from workflow.store.rows import DraftDetail, MessageDetail


@pytest.fixture
def sample(sample: SampleDesk) -> SampleDesk:
    """With aliases and signatures."""
    path = sample.home / "deskhand.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace(
        'address = "support@northwind.example"\n',
        'address = "support@northwind.example"\naliases = ["help@northwind.example"]\n'
        'signature = """\nNorthwind Support\nhttps://northwind.example/help\n"""\n',
    )
    text = text.replace('name = "ana"\n', 'name = "ana"\nsignature = "Ana S."\n', 1)
    path.write_text(text, encoding="utf-8")
    return sample


@contextmanager
def other_desk(sample: SampleDesk) -> Iterator[Desktop]:
    """What another process does on the same desk."""
    desktop = Desktop(sample.home, sample.clock, "ben")
    yield desktop
    desktop.close()


def do(sample: SampleDesk, *actions: Action, actor: str = "ben") -> None:
    with other_desk(sample) as desktop:
        desktop.desk.perform_all(actions, Actor.agent(actor), "command")


def messages(sample: SampleDesk, key: str) -> tuple[MessageDetail, ...]:
    with other_desk(sample) as desktop:
        ticket = desktop.reads.ticket(sample.tickets[key])
        assert ticket is not None
        return ticket.messages


def draft(sample: SampleDesk, key: str, kind: str = "reply") -> DraftDetail | None:
    with other_desk(sample) as desktop:
        return desktop.reads.draft("ana", sample.tickets[key], kind)


def outbox(sample: SampleDesk) -> list[tuple[str, str]]:
    with sqlite3.connect(sample.home / "deskhand.db") as connection:
        return connection.execute("SELECT state, recipients FROM outbox ORDER BY id").fetchall()


async def writing(pilot: Pilot[int], sample: SampleDesk, key: str, *keys: str) -> Writing:
    """The composer on a ticket."""
    app: ConsoleApp = console_of(pilot)
    app.desk.open_ticket(sample.tickets[key])
    await until(
        pilot, lambda: app.desk.ticket is not None and app.desk.ticket.id == sample.tickets[key]
    )
    await pilot.pause()
    await pilot.press(*(keys or ("r",)))
    await until(pilot, lambda: app.desk.writing.active)
    await pilot.pause()
    return app.desk.writing


def of(writing: Writing) -> object:
    composer = writing.composer
    assert composer is not None
    return composer.letter.options


async def type_text(pilot: Pilot[int], text: str) -> None:
    composer = console_of(pilot).desk.writing.composer
    assert composer is not None
    composer.insert(text)
    await pilot.pause()


async def test_sender_and_signature_stand_around_the_text(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened(size=(80, 24)) as pilot:
        await writing(pilot, sample, "reset")
        shown = screen_text(pilot)
        assert "From support@northwind.example" in shown
        assert "-- Ana S." in shown
        assert "Northwind Support …" in shown
        await type_text(pilot, "Hello Anna,")
        await pilot.press("escape", "n")
        await until(pilot, lambda: "only the team sees this" in screen_text(pilot))
        assert "-- Ana S." not in screen_text(pilot)
        assert "From support" not in screen_text(pilot)


async def test_recipients_are_edited_completed_and_checked(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened(size=(120, 36)) as pilot:
        here = await writing(pilot, sample, "reset")
        await pilot.press("ctrl+t", *"bo", "b", "comma")
        await until(pilot, lambda: "'bob' is not an address" in screen_text(pilot))
        await pilot.press("ctrl+t")
        assert here.composer is not None
        assert here.composer.envelope.open
        await pilot.press("backspace", *"@agency.example,", "space", *"mari")
        await until(
            pilot, lambda: "tab" in screen_text(pilot) and "Maria Gonzalez <" in screen_text(pilot)
        )
        await pilot.press(
            "tab", "down", *"chief@northwind.example", "down", "end", *"!", "down", "end"
        )
        for _ in range(30):
            await pilot.press("backspace")
        await pilot.press(*"help@n", "tab", "enter")
        await until(pilot, lambda: not here.composer.envelope.open)
        await type_text(pilot, "Hello Anna,")
        assert "From help@northwind.example" in screen_text(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not here.active)
    sent = messages(sample, "reset")[-1]
    assert [a for _n, a in sent.to] == ["anna.k@mail.example"]
    assert [a for _n, a in sent.cc] == ["bob@agency.example", "maria.gonzalez@mail.example"]
    assert [a for _n, a in sent.bcc] == ["chief@northwind.example"]
    assert (sent.from_address, sent.subject) == (
        "help@northwind.example",
        "Re: Password reset mail does not arrive!",
    )


async def test_escape_leaves_the_recipients_as_they_were(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened() as pilot:
        here = await writing(pilot, sample, "reset")
        before = of(here)
        await pilot.press("ctrl+t", *"x@x.example", "escape")
        await until(pilot, lambda: here.composer is not None and not here.composer.envelope.open)
        assert of(here) == before
        await pilot.press("escape")
        assert not here.active


async def test_the_difference_to_the_last_answer_is_shown(
    opened: Opened, sample: SampleDesk
) -> None:
    number = sample.tickets["refund"]
    do(sample, Reply(number, "Wait", to=("maria.gonzalez@mail.example",), cc=("boss@x.example",)))
    async with opened(size=(80, 24)) as pilot:
        await writing(pilot, sample, "refund", "R")
        shown = screen_text(pilot)
        assert "Cc +1 new: accounts@gonzalez.example -1: boss@x.example" in shown


async def test_the_message_that_was_moved_to_is_answered(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened() as pilot:
        here = await writing(pilot, sample, "refund", "k", "k", "r")
        newest = messages(sample, "refund")[-1].id
        assert here.composer is not None
        assert here.composer.letter.answers == newest, "scrolling chooses nothing"
        assert "answers Maria" not in screen_text(pilot)
        await pilot.press("escape", "ctrl+p", "ctrl+p", "R")
        await until(
            pilot, lambda: here.active and "answers Maria Gonzalez, Mon 10:50" in screen_text(pilot)
        )
        first = messages(sample, "refund")[0].id
        assert here.composer.letter.answers == first
        # What was chosen is kept with the draft, and a note is not answered.
        await type_text(pilot, "about the first")
        await pilot.press("escape", "G", "r")
        await until(pilot, lambda: here.active)
        assert here.composer.letter.answers == first
        await pilot.press("escape", "ctrl+p", "r")
        await until(pilot, lambda: here.active)
        assert here.composer.letter.answers == first


async def test_files_are_attached_kept_and_taken_off(
    opened: Opened, sample: SampleDesk, tmp_path: Path
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "Rechnung März.pdf").write_bytes(b"%PDF")
    (folder / "e\x1b[31mvil[bold].txt").write_text("x")
    with (folder / "huge.bin").open("wb") as huge:
        huge.truncate(26_000_000)
    async with opened(size=(80, 24)) as pilot:
        here = await writing(pilot, sample, "reset")
        picker = console_of(pilot).desk.picker
        await pilot.press("ctrl+f")
        assert picker.open
        field = picker.query_one("Field")
        field.value = f"{folder}/"  # type: ignore[attr-defined]
        await until(pilot, lambda: "e␛[31mvil[bold].txt" in screen_text(pilot))
        field.value = f"{folder}/rech"  # type: ignore[attr-defined]
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: "⊞ Rechnung März.pdf 4 B" in screen_text(pilot))
        assert "1 so far, escape when done" in screen_text(pilot)
        field.value = f"{folder}/huge"  # type: ignore[attr-defined]
        await pilot.pause()
        await pilot.press("enter")
        await until(
            pilot,
            lambda: (
                "huge.bin has 26.0 MB, and email carries files up to 25.0" in screen_text(pilot)
            ),
        )
        await pilot.press("escape")
        await until(pilot, lambda: draft(sample, "reset") is not None)
        here_draft = draft(sample, "reset")
        assert here_draft is not None
        ((name, kind, _sha256, size),) = here_draft.options.files
        assert (name, kind, size) == ("Rechnung März.pdf", "application/pdf", 4)
        (folder / "Rechnung März.pdf").unlink()
        await pilot.press("r")
        await until(pilot, lambda: here.active and "⊞ Rechnung März.pdf 4 B" in screen_text(pilot))
        await pilot.press("ctrl+f", "down", "enter")
        await until(pilot, lambda: "⊞" not in screen_text(pilot))
        await pilot.press("ctrl+f")
        field.value = f"{folder}/missing.pdf"  # type: ignore[attr-defined]
        await until(pilot, lambda: "There is no such file or folder" in screen_text(pilot))


async def test_what_looks_wrong_is_said_once(opened: Opened, sample: SampleDesk) -> None:
    async with opened(size=(80, 24)) as pilot:
        here = await writing(pilot, sample, "reset")
        await type_text(pilot, "Hello Bob,\nplease see the attachment.")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "The greeting says 'Bob'" in screen_text(pilot))
        assert "speaks of an attachment" in screen_text(pilot)
        assert outbox(sample) == []
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not here.active)
    assert len(outbox(sample)) == 1


@pytest.mark.parametrize("answer", ["read", "send", "keep"])
async def test_sending_stops_at_what_is_new(
    opened: Opened, sample: SampleDesk, answer: str
) -> None:
    number = sample.tickets["reset"]
    async with opened(size=(80, 24)) as pilot:
        here = await writing(pilot, sample, "reset")
        await type_text(pilot, "Hello Anna,")
        do(sample, Note(number, "Do not answer: [red]the lab[/red] is at it"))
        await until(pilot, lambda: "somebody else wrote since you began" in screen_text(pilot))
        await pilot.press("ctrl+s")
        await until(
            pilot, lambda: "ben wrote a note: Do not answer: [red]the lab" in screen_text(pilot)
        )
        assert outbox(sample) == []
        await pilot.press(
            *{"read": (), "send": ("down",), "keep": ("down", "down")}[answer], "enter"
        )
        if answer == "keep":
            await until(pilot, lambda: not here.active)
            kept = draft(sample, "reset")
            assert kept is not None
            assert kept.text == "Hello Anna,"
            assert outbox(sample) == []
            return
        if answer == "read":
            await until(pilot, lambda: "since you began" not in screen_text(pilot))
            assert here.active
            assert outbox(sample) == []
            await pilot.press("ctrl+s")
        await until(pilot, lambda: not here.active)
    assert len(outbox(sample)) == 1


async def test_send_later_and_take_it_back(opened: Opened, sample: SampleDesk) -> None:
    async with opened(size=(80, 24)) as pilot:
        here = await writing(pilot, sample, "reset")
        await type_text(pilot, "Still broken?")
        await pilot.press("ctrl+l", *"tomorrow 9:00", "enter", "down", "enter")
        await until(
            pilot, lambda: "leaves Wed 09:00 unless the customer writes first" in screen_text(pilot)
        )
        await pilot.press("ctrl+s")
        await until(
            pilot,
            lambda: not here.active and "⧗ Wed 09:00, unless they write" in screen_text(pilot),
        )
        await pilot.press("T")
        await until(pilot, lambda: "Took back the reply" in screen_text(pilot))
        assert [state for state, _to in outbox(sample)] == ["cancelled"]
        await pilot.press("r")
        await until(pilot, lambda: here.active and "Still broken?" in screen_text(pilot))
        assert "leaves Wed 09:00 unless the customer writes first" in screen_text(pilot)
        sample.clock.advance(86_400)
        await pilot.press("escape", "r")
        await until(pilot, lambda: here.active and "leaves" not in screen_text(pilot))
        await pilot.press("escape", "T")
        await until(pilot, lambda: "Nothing of this ticket waits" in screen_text(pilot))


async def test_without_a_signature_once(opened: Opened, sample: SampleDesk) -> None:
    async with opened(size=(80, 24)) as pilot:
        here = await writing(pilot, sample, "reset")
        await type_text(pilot, "Hello Anna,")
        await pilot.press("ctrl+l", *["down"] * 4, "enter")
        await until(pilot, lambda: "-- Ana S." not in screen_text(pilot))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not here.active)
    raw = (messages(sample, "reset")[-1].raw_sha256) or ""
    with other_desk(sample) as desktop:
        assert b"Ana S." not in desktop.files.read(raw)


async def test_the_preview_shows_marks_signature_and_history(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened(size=(80, 40)) as pilot:
        await writing(pilot, sample, "hostile")
        text = "Some **bold** [words](https://x.example)\n\n1. one\n   - nested\n\n> said\n\n```\ncode [x]\n```"
        await type_text(pilot, text)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "How it will be read" in screen_text(pilot))
        shown = screen_text(pilot)
        for words in ("HTML, and plain text", "Some bold words (https://x.example)", "1. one", "• nested",
                      "▏ said", "│ code [x]", "Northwind Support", "[bold]markup[/bold]"):  # fmt: skip
            assert words in shown, words
        assert not any((ord(c) < 32 and c != "\n") or c in "\x9b\u202e" for c in shown)
        await pilot.press("j", "G", "escape")
        await until(pilot, lambda: "How it will be read" not in screen_text(pilot))


async def test_a_forward_goes_to_nobody_but_those_typed(opened: Opened, sample: SampleDesk) -> None:
    async with opened(size=(80, 24)) as pilot:
        here = await writing(pilot, sample, "refund", "W", "enter")
        await until(pilot, lambda: here.composer is not None and here.composer.envelope.open)
        assert "⊞ statement-march.pdf" in screen_text(pilot)
        assert "nobody to write to yet" in screen_text(pilot)
        await pilot.press("ctrl+t", "ctrl+s")
        await until(
            pilot, lambda: "It cannot be sent: nobody to write to yet" in screen_text(pilot)
        )
        await pilot.press("ctrl+t", *"parts@supplier.example", "ctrl+s")
        await until(pilot, lambda: not here.active and "forwarded to parts@" in screen_text(pilot))
        assert outbox(sample) == [("held", '["parts@supplier.example"]')]
        # The customer's reply draft is where it was.
        await pilot.press("z")
        await until(pilot, lambda: [state for state, _to in outbox(sample)] == ["cancelled"])
        kept = draft(sample, "refund")
        assert kept is not None
        assert kept.text == "Hello Maria,\n\n"
        await pilot.press("W")
        await until(pilot, lambda: "go on with the forward" in screen_text(pilot))


async def test_a_draft_outlives_a_change_of_owner_and_a_crash(
    opened: Opened, sample: SampleDesk
) -> None:
    from workflow.actions import Assign, SetStatus

    number = sample.tickets["reset"]
    async with opened() as pilot:
        await writing(pilot, sample, "reset")
        await type_text(pilot, "half a sen")
        await until(pilot, lambda: draft(sample, "reset") is not None)
        do(
            sample,
            Assign(number, assignee="ben"),
            SetStatus(number, "pending"),
            Reply(number, "mine"),
        )
        await until(pilot, lambda: "mine" in screen_text(pilot))
        assert "half a sen" in screen_text(pilot)
    async with opened() as pilot:
        await writing(pilot, sample, "reset")
        assert "half a sen" in screen_text(pilot)
