"""The chat messages of the documentation are taken in, and a second time change nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from console.__main__ import main

DOCS = Path(__file__).resolve().parents[2] / "docs"
SETTINGS = '[[channel]]\nname = "bot"\nkind = "telegram"\ntoken = { env = "NONE" }\n'
OUTCOMES = {
    "json.md": ["created", "appended", "appended"],
    "telegram.md": ["created", "appended"],
}


@pytest.mark.parametrize("page", OUTCOMES)
def test_a_sample_of_chat_messages_is_taken_in(
    page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = re.search(r"```json (\w+\.jsonl)\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert found is not None
    path = tmp_path / found[1]
    path.write_text(found[2], encoding="utf-8")
    (tmp_path / "deskhand.toml").write_text(SETTINGS, encoding="utf-8")
    for outcomes in (OUTCOMES[page], ["duplicate"] * len(OUTCOMES[page])):
        assert main(["--home", str(tmp_path), "--json", "intake", str(path)]) == 0
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [answer["outcome"] for answer in answers] == outcomes
        assert {answer["ticket"] for answer in answers} == {1}
