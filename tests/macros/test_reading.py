"""What a file of a macro may say, and what is said of one that is wrong."""

from __future__ import annotations

import pytest

from macros.library import Library, variant_for
from macros.model import MacroProblem
from workflow.errors import NotFound


def test_the_file_of_the_home_replaces_the_one_that_ships(team, library: Library) -> None:
    assert library.get("acknowledge").ships
    own = team.writes("Got it.", 'title = "Ours"', "acknowledge")
    assert (own.title, own.ships) == ("Ours", False)
    macros, problems = library.read()
    assert (len(macros), problems) == (10, [])


def test_a_broken_file_of_the_home_is_not_replaced_by_the_one_that_ships(team, library) -> None:
    team.saves("no front matter", "acknowledge")
    macros, problems = library.read()
    assert "acknowledge" not in [macro.name for macro in macros]
    assert "begins with a line +++" in str(problems[0])


def test_a_name_that_is_not_there_has_a_nearest(library: Library) -> None:
    with pytest.raises(NotFound, match="did you mean acknowledge"):
        library.get("acknowlege")


def test_language_comes_before_channel(team) -> None:
    macro = team.writes(
        "base\n## channel=telegram\nshort\n## language=de\ndeutsch\n## A heading of the text\n"
        "## language=fr channel=telegram\ncourt\n"
    )

    def text(language: str | None, channel: str) -> str:
        variant = variant_for(macro, language, channel)
        assert variant is not None
        return variant.text.source.strip()

    assert text(None, "email") == text("pt", "email") == text("fr", "email") == "base"
    assert text("en-GB", "telegram") == "short"
    assert text("de-AT", "telegram") == "deutsch\n## A heading of the text"
    assert text("fr", "telegram") == "court"
    assert macro.languages == ("en", "de", "fr")


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        ("hello", ":1:1: a macro begins"),
        ("+++\ntitle = 'x'\n", "have no end"),
        ("+++\ntitle = \n+++\n", ":2:9: this is no TOML"),
        ("+++\n\ntitel = 'x'\n+++\n", ":3:1: there is no setting 'titel' here: did you mean title"),
        ("+++\nstatus = 'open'\n+++\n", ":2:1: there is no setting 'status' here: it belongs under [a"),
        ("+++\n[actions]\n  status = 'done'\n+++\n", ":3:3: there is no status 'done'"),
        ("+++\n[actions]\npriority = 'top'\n+++\n", ":3:1: priority 'top' is not one of"),
        ("+++\n[actions]\nsnooze = 'later'\n+++\n", ":3:1: 'later' is not a duration"),
        ("+++\n[actions]\nadd_tags = ['a b']\n+++\n", ":3:1: add_tags must be a list of single"),
        ("+++\n[actions]\nreply = 'no'\n+++\n", ":3:1: reply must be true or false"),
        ("+++\n[actions]\nescalate = 'L2'\n+++\n", ":3:1: escalate is a table: write escalate ="),
        ("+++\n[actions]\nescalate = {to = 'L2'}\n+++\n", ":3:1: an escalation needs a reason"),
        ("+++\n[actions.escalate]\nreson = 'x'\n+++\n", ":2:1: there is no setting 'reson' in escalate: did"),
        (
            "+++\n[actions]\nescalate = {reason = 'x'}\nassign = 'me'\n+++\n",
            ":4:1: escalate decides who has the ticket: drop assign",
        ),
        ("+++\nonly = 'status:'\n+++\n", ":2:1: only is no query"),
        ("+++\nkey = 'hyper+x'\n+++\n", ":2:1: 'hyper+x' is no key"),
        ("+++\n+++\na\n## channel=telegrm\nb", ":4:4: there is no channel 'telegrm': did you mean tel"),
        ("+++\n+++\na\n## language=german\nb", ":4:4: language=german does not fit"),
        ("+++\n+++\na\n## language=en\nb", ":4:1: there is a text for this already"),
        ("+++\n+++\na\n## language=de\n", ":4:1: this section has no text"),
    ],
)  # fmt: skip
def test_a_fault_names_its_place_and_what_fits(
    team, library: Library, whole: str, said: str
) -> None:
    team.saves(whole)
    with pytest.raises(MacroProblem) as found:
        library.get("own")
    assert said in str(found.value)
    assert str(found.value).startswith(str(team.folder / "own.md") + ":")


def test_check_finds_what_reading_cannot(team, library: Library) -> None:
    team.writes(
        "Hello\n  {{ customer.frist_name }} {{ x }}\n## language=de\n{{ answers.sum }}{{ today | dat }}",
        "[ask]\namount = 'How much?'\n[actions]\nassign = 'zoe'\ngroup = 'support'\n"
        "note = 'for {{ custmer.name }}'",
    )
    count, problems = library.check()
    assert count == 11
    said = [str(problem).removeprefix(str(team.folder / "own.md")) for problem in problems]
    assert len(said) == 6
    assert said[0].startswith(":5:1: there is no agent 'zoe'")
    assert said[1] == ":7:16: there is no placeholder custmer.name: did you mean customer.name?"
    assert said[2] == (
        ":10:6: there is no placeholder customer.frist_name: did you mean customer.first_name?"
    )
    assert said[3].startswith(":10:32: there is no placeholder x")
    assert said[4].startswith(":12:4: ")
    assert "answers.sum" in said[4]
    assert "there is no filter 'dat' (did you mean date?)" in said[5]


def test_two_macros_cannot_have_one_key(team, library: Library) -> None:
    team.writes("a", "key = 'f5'", "one")
    team.writes("b", "key = 'f5'", "two")
    _count, problems = library.check()
    assert ["one has the key f5 already" in str(problem) for problem in problems] == [True]


def test_what_ships_is_right(library: Library) -> None:
    assert library.check() == (10, [])
    macros, _problems = library.read()
    assert sum({"de", "fr", "es"} <= set(macro.languages) for macro in macros) >= 5


def test_check_knows_the_levels_and_reasons_of_the_team(team, library: Library, bench) -> None:
    team.writes("", "[actions]\nescalate = { to = 'L7', reason = 'mood' }", "one")
    team.writes("", "[actions]\nescalate = { to = 'experts', reason = 'Technical' }", "two")
    _count, problems = library.check()
    (problem,) = problems
    assert str(problem).endswith("one.md:3:1: no group has the level 'L7': there are L1, L2")
    rules = bench.home / "workflow"
    rules.mkdir()
    (rules / "escalation.toml").write_text('reasons = ["technical"]\n[[level]]\nname = "L7"\n')
    _count, problems = library.check()
    assert ["'mood' is no reason of the team: there are technical" in str(p) for p in problems] == [
        True
    ]
