"""What docs/query-language.md says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workflow.query.fields import FIELDS
from workflow.query.grammar import QuerySyntaxError, parse
from workflow.views import BUILT_IN

PAGE = (Path(__file__).parents[3] / "docs" / "query-language.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("line", [line for block in blocks("query") for line in block.splitlines()])
def test_the_examples_read(line):
    assert not parse(line).empty


def test_the_errors_are_as_shown():
    for block in blocks("error"):
        query, sentence = block.strip().split("\n")
        with pytest.raises(QuerySyntaxError) as caught:
            parse(query)
        assert str(caught.value) == sentence


def test_the_page_has_the_catalogue_and_the_views():
    for field in FIELDS.values():
        row = f"| `{field.name}` | {field.meaning} | {field.takes} | `{field.example}` |"
        assert row in PAGE, row
    for view in BUILT_IN:
        assert f"| {view.name} | `{view.query}` |" in PAGE or not view.query
