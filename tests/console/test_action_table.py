"""One table of actions: everything that is bound can be done, and nothing is bound twice."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.widgets import Input, TextArea

from console import actions
from console.keymap import bindings_for
from console.keystrokes import Keystrokes
from console.macro_keys import EDITING, SWALLOWED
from console.own_keys import own_keys

CONSOLE = Path(actions.__file__).parent


def test_every_action_of_the_desk_can_be_done() -> None:
    for entry in actions.ACTIONS:
        if "composer" not in entry.places:
            assert callable(getattr(Keystrokes, f"do_{entry.id}")), entry.id


@pytest.mark.parametrize("place", ["queue", "ticket", "composer"])
def test_no_key_means_two_things_in_a_place(place: str) -> None:
    keys = Counter(key for entry in actions.entries_for(place) for key in entry.keys)
    # In the ticket / finds in the ticket; the queue has its own.
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_key_depends_on_what_terminals_swallow() -> None:
    assert not SWALLOWED & {key for entry in actions.ACTIONS for key in entry.keys}


def test_the_keys_that_edit_a_text_are_those_of_the_field() -> None:
    bound = {
        key
        for field in (TextArea, Input)
        for binding in field.BINDINGS
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }
    plain = {key for key in bound if re.fullmatch(r"ctrl\+[a-z]|f\d+", key)}
    assert plain <= EDITING | SWALLOWED


def test_every_entry_says_what_it_does_in_a_sentence() -> None:
    for entry in actions.ACTIONS:
        assert entry.title
        assert entry.sentence.endswith((".", "me")), entry.id
    assert len({entry.id for entry in actions.ACTIONS}) == len(actions.ACTIONS)


def test_bindings_come_from_the_table() -> None:
    bound = {binding.id for binding in bindings_for("ticket")}
    assert {"reply", "note", "escalate", "undo", "back", "find"} <= bound
    assert all(binding.action == f"run('{binding.id}')" for binding in bindings_for("queue"))


def test_own_keys_are_read_and_a_fault_is_named(tmp_path: Path) -> None:
    assert own_keys(tmp_path) == ({}, "")
    (tmp_path / "keys.toml").write_text('reply = ["r", "ctrl+r"]\nresolve = "d"\nnonsense = "x"\n')
    keys, wrong = own_keys(tmp_path)
    assert keys == {"reply": "r,ctrl+r", "resolve": "d"}
    assert "nonsense" in wrong
    (tmp_path / "keys.toml").write_text("reply = [")
    assert "keys.toml" in own_keys(tmp_path)[1]


DRAWN_BY_TEXTUAL = {
    "Static",
    "Label",
    "Button",
    "Checkbox",
    "Option",
    "Tab",
    "TabPane",
    "notify",
    "update",
}
ALLOWED_TITLES = {"border_title", "border_subtitle", "tooltip"}


def _is_safe(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Call):
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return name == "content" or name == "Content"
    return isinstance(node, ast.Attribute) and node.attr == "plain"


def test_no_text_reaches_a_textual_widget_past_the_gate() -> None:
    wrong = []
    for path in CONSOLE.rglob("*.py"):
        if path.relative_to(CONSOLE).parts[0] in ("commands", "demo", "safe.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = (
                    node.func.attr
                    if isinstance(node.func, ast.Attribute)
                    else getattr(node.func, "id", "")
                )
                owner = getattr(node.func, "value", None)
                through_gate = isinstance(owner, ast.Name) and owner.id in (
                    "safe",
                    "self",
                    "hashlib",
                )
                drawn = isinstance(owner, ast.Attribute) and owner.attr in ("status", "_rows")
                if name in DRAWN_BY_TEXTUAL and node.args and not through_gate and not drawn:
                    first = node.args[0]
                    if not _is_safe(first) and not isinstance(
                        first, (ast.Dict, ast.DictComp, ast.GeneratorExp)
                    ):
                        wrong.append(f"{path.name}:{node.lineno} {ast.unparse(node)[:80]}")
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if (
                        isinstance(target, ast.Attribute)
                        and target.attr in ALLOWED_TITLES
                        and not _is_safe(node.value)
                    ):
                        wrong.append(f"{path.name}:{node.lineno} {ast.unparse(node)[:80]}")
    assert wrong == []
