"""Cells with their places: the same cells as the standard library's reader, and where they stand."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.sheet import SheetError, read_sheet

TEXTS = st.text(st.sampled_from('ab ,"\n#;é'), max_size=6)


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=4), min_size=1, max_size=5))
def test_reads_what_the_standard_library_writes(rows: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    expected = [row for row in rows if any(cell.strip() for cell in row)]
    found = [[cell.text for cell in row] for row in read_sheet("x.csv", written.getvalue())]
    assert found[1:] == expected


@given(st.lists(TEXTS, min_size=2, max_size=4))
def test_each_character_is_where_it_says(cells: list[str]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(cells)
    text = written.getvalue()
    lines = text.split("\n")
    for row in read_sheet("x.csv", "a,b\n" + text):
        for cell in row[1:] if row[0].line > 1 else []:
            for index, character in enumerate(cell.text):
                line, column = cell.place(index)
                assert ([*lines, ""][line - 2] + "\n")[column - 1] == character


def test_comments_empty_lines_and_other_line_ends() -> None:
    text = '# "vip, people\r\na,b\r\n\r\n , \r\n  # more\rc,"d\r\ne"\r\n'
    found = [[(c.text, c.line, c.column) for c in row] for row in read_sheet("x.csv", text)]
    assert found == [[("a", 2, 1), ("b", 2, 3)], [("c", 6, 1), ("d\ne", 6, 3)]]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_of_spreadsheets(separator: str) -> None:
    text = f"a{separator}b\n1{separator}x,y\n"
    assert [[c.text for c in row] for row in read_sheet("x.csv", text)] == [
        ["a", "b"],
        ["1", "x,y"],
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('a,b\nc,"d\ne,f\n', 'x.csv:2:3: the cell begins with a " that has no end'),
        ('a,b\nc,"d"e\n', "x.csv:2:6: 'e' stands behind the cell's closing quote"),
    ],
)
def test_faults_say_where(text: str, says: str) -> None:
    with pytest.raises(SheetError, match=says.replace("(", "\\(")):
        list(read_sheet("x.csv", text))
