"""Signatures: whose, where from, and that nobody sends another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow.bench import ANA, BEN, Bench
from workflow.actions import Note, Reply
from workflow.errors import SettingsError
from workflow.settings import Settings, load_settings
from workflow.signatures import signature_of

FILE = '''
[[agent]]
name = "ana"
email = "ana@desk.example"
display_name = "Ana Silva"
signature = """
{{ agent }}
Second level
"""

[[agent]]
name = "ben"

[[channel]]
name = "support"
kind = "email"
address = "support@desk.example"
aliases = ["help@desk.example"]
signature = "signatures/support.md"
undo_send = "0s"

[[channel]]
name = "sales"
kind = "email"
address = "sales@desk.example"
format = "plain"
'''


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "signatures").mkdir()
    (tmp_path / "signatures" / "support.md").write_text("**ACME** {{account}}\n{{ address }}\n")
    (tmp_path / "deskhand.toml").write_text(FILE)
    return load_settings(tmp_path)


def test_the_agents_above_the_accounts(settings: Settings) -> None:
    support, sales = settings.channels
    assert signature_of(settings, support, "ana") == (
        "Ana Silva\nSecond level\n**ACME** support\nsupport@desk.example"
    )
    assert signature_of(settings, support, "ben", "help@desk.example") == (
        "**ACME** support\nhelp@desk.example"
    )
    assert signature_of(settings, sales, "ana") == "Ana Silva\nSecond level"
    assert signature_of(settings, sales, None) == ""
    assert (support.format, sales.format) == ("markdown", "plain")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('signature = "{{ customer.name }}"', "there is no placeholder 'customer.name' in a signature"),
        ('signature = "signatures/none.md"', "cannot be read"),
        ('signature = 5', "must be a text"),
        ('format = "html"', "'html' is not one of markdown, plain"),
    ],
)  # fmt: skip
def test_a_wrong_one_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    text = f'[[channel]]\nname = "support"\nkind = "email"\naddress = "s@desk.example"\n{line}\n'
    (tmp_path / "deskhand.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"deskhand\.toml:5: ") as caught:
        load_settings(tmp_path)
    assert said in str(caught.value)


def test_whoever_sends_signs(bench_of: Bench) -> None:
    bench = bench_of
    ticket = bench.opened()

    def raw(**changes: object) -> str:
        actor = changes.pop("actor", ANA)
        outcome = bench.do(Reply(ticket, "Hello", **changes), actor=actor)[0]  # type: ignore[arg-type]
        message = bench.reads.message(outcome.message_id or 0)
        assert message is not None
        assert message.text == "Hello"
        return bench.files.read(message.raw_sha256 or "").decode()

    assert "\r\n-- \r\nAna Silva\r\n" in raw()
    bens = raw(actor=BEN)
    assert "Ana Silva" not in bens
    assert "\r\n-- \r\n**ACME**" in bens
    assert "-- " not in raw(signature=False)


def test_what_a_colleague_takes_over_is_signed_by_them(bench_of: Bench) -> None:
    """A text that was begun by one and sent by another bears the name of the other."""
    bench = bench_of
    ticket = bench.opened()
    bench.desk.save_draft("ana", ticket, "reply", "Half a sentence", None)
    draft = bench.reads.draft("ana", ticket, "reply")
    assert draft is not None
    outcome = bench.do(Reply(ticket, draft.text), actor=BEN)[0]
    message = bench.reads.message(outcome.message_id or 0)
    assert message is not None
    assert "Ana Silva" not in bench.files.read(message.raw_sha256 or "").decode()
    # Ana's draft is hers, whatever a colleague sends.
    assert bench.reads.draft("ana", ticket, "reply") is not None


def test_a_note_bears_none(bench_of: Bench) -> None:
    ticket = bench_of.opened()
    note = bench_of.do(Note(ticket, "For us"))[0].message_id
    assert bench_of.rows("SELECT text, raw_sha256 FROM message WHERE id = ?", note) == [
        ("For us", None)
    ]


@pytest.fixture
def bench_of(tmp_path_factory: pytest.TempPathFactory, clock: object, settings: Settings) -> Bench:
    return Bench(tmp_path_factory.mktemp("signed"), clock, settings)  # type: ignore[arg-type]
