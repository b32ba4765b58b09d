"""Writes the table of keys into docs/console.md: ``python -m console.keys_page docs/console.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from console.actions import ACTIONS, key_words

__all__ = ["keys_table", "page_with_table"]

_BEGIN = "<!-- keys: made by python -m console.keys_page docs/console.md -->"
_END = "<!-- end of keys -->"


def keys_table() -> str:
    """Every action as a row: its keys, where they work, and what it does."""
    lines = ["| keys | where | what |", "|---|---|---|"]
    for entry in ACTIONS:
        keys = (
            " ".join(f"`{word}`" for word in dict.fromkeys(map(key_words, entry.keys))) or "palette"
        )
        what = f"**{entry.title}**: {entry.sentence}".replace("|", "\\|")
        lines.append(f"| {keys} | {', '.join(entry.places)} | {what} |")
    return "\n".join(lines)


def page_with_table(page: str) -> str:
    """The page with the table between its marks made anew; raises ValueError where a mark is missing."""
    head, begin, rest = page.partition(_BEGIN)
    _old, end, tail = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page has no {_BEGIN} ... {_END}")
    return f"{head}{_BEGIN}\n\n{keys_table()}\n\n{_END}{tail}"


def main() -> None:
    """Rewrite the page that is named."""
    page = Path(sys.argv[1])
    page.write_text(page_with_table(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
