"""Whatever stands in a file or in a value, the only fault is a MacroProblem with its place."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from macros.model import MacroProblem, Place, Text
from macros.placeholders import CATALOGUE
from macros.reading import read_text
from macros.render import problems_of, render
from workflow.plaintext import one_line

_PIECES = st.sampled_from(
    [
        "{{", "}}", "{%", "%}", "{%-", "-}}", " ", "\n", "customer.name", "answers.q", "ticket.tags", "x",
        "if", "endif", "for", "in", "endfor", "case", "when", "endcase", "assign", "capture", "raw", "endraw",
        "liquid", "comment", "endcomment", "#", "|", ":", ",", "'", '"', "[", "]", "(1..9)", "0", "-1", "1e400",
        "99999999999999999999", "default", "date", "%Y", "%n", "%100000d", "replace", "times", "divided_by", "split",
        "join", "truncate", "slice", "round", "first", "forloop.parentloop.index", "==", "contains", "and",
        "\x00", "\ud800", "⟦customer.name⟧", "𝒳", "\u202e",
    ]
)  # fmt: skip
_TEXTS = st.one_of(st.text(max_size=80), st.lists(_PIECES, max_size=25).map(" ".join))
_VALUES = {
    entry.name: (entry.example,) if entry.many else "" if "company" in entry.name else entry.example
    for entry in CATALOGUE
} | {"answers.q": "{{ 7 | times: 7 }}"}


def fault_of(call: Callable[[], object]) -> MacroProblem | None:
    try:
        call()
    except MacroProblem as problem:
        return problem
    return None


@settings(max_examples=400)
@given(_TEXTS)
@example("{{ customer.name | slice: 1e400 }}")
@example("{{ 1 | times: 1e308 | times: 1e308 | round }}")
@example("{% for x in ticket.tags limit: answers.q %}{% endfor %}")
@example(
    "{{ 'aaaaaaaaaaaaaaaaaaaa' " + "| split: '' | join: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa' " * 9 + "}}"
)
@example("{{ 'é' " + "| url_encode | append: 'ééééééééé' " * 900 + "}}")
@example("{{ " + "'" * 3)
@example("{% if " * 60)
@example("{{ (1..999999999) | join: ',' }}")
def test_a_strange_text_is_filled_in_or_has_a_place(source: str) -> None:
    text = Text(source, Place("own.md", 3, 5))
    problems = problems_of(text, frozenset({"q"}))
    assert all(problem.place.line >= 3 and problem.place.column >= 1 for problem in problems)
    if problems:
        return
    problem = fault_of(lambda: render(text, _VALUES))
    assert problem is None or str(problem).startswith("own.md:")


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=200), _TEXTS.map(lambda text: f"+++\n{text}\n+++\n{text}")))
@example("+++\n[actions]\nescalate = 3\n+++\n")
@example("+++\nask = { a.b = 1 }\n+++\n")
@example("+++\nactions.note = 1979-05-27\n+++\n")
@example("+++\nlanguage = ['de']\n+++\n")
def test_a_strange_file_is_a_macro_or_has_a_place(whole: str) -> None:
    problem = fault_of(lambda: read_text("own", whole, "own.md"))
    assert problem is None or str(problem).startswith("own.md:")


@settings(max_examples=200)
@given(st.text(max_size=60).map(one_line))
def test_a_value_comes_out_as_it_stands(value: str) -> None:
    text = Text("<{{ customer.name }}>", Place("own.md"))
    filled = render(text, {"customer.name": value})
    if value:
        assert (filled.text, filled.unfilled) == (f"<{value}>", ())
    else:
        assert (filled.text, filled.unfilled) == ("<⟦customer.name⟧>", ("customer.name",))
