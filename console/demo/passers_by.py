"""Who walks in while one watches: new people, with stories that anybody may have."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace

from console.demo.script import Person, Script, Story

__all__ = ["Deck", "tell"]


class Deck:
    """The stories to come: the cast's and the walk-ins' mixed, then walk-ins over and over."""

    def __init__(self, script: Script, choice: random.Random) -> None:
        self._script = script
        self._choice = choice
        self._stories: list[Story] = []
        self._rounds = 0

    def draw(self) -> tuple[Person, Story]:
        """The next story and who tells it."""
        if not self._stories:
            self._stories = list(self._script.walk_ins)
            if self._rounds == 0:
                self._stories += self._script.live
            self._choice.shuffle(self._stories)
            self._rounds += 1
        story = self._stories.pop()
        if story.by:
            return self._script.people[story.by], story
        return self._stranger(), tell(story, self._facts())

    def _stranger(self) -> Person:
        choice = self._choice
        name = choice.choice(self._script.names)
        number = choice.randrange(100, 1000)
        first = re.sub(r"[^a-z]", "", name.split()[0].casefold()) or "mail"
        client = choice.choice(("gmail", "gmail", "outlook", "apple", "iphone", "thunderbird"))
        return Person(
            key=f"walk-in-{number}",
            name=name,
            address=f"{first}{number}@{choice.choice(self._script.houses)}.example",
            client=client,
            sign="" if client == "iphone" else name.split()[0],
        )

    def _facts(self) -> dict[str, str]:
        choice = self._choice
        return {
            "order": f"MM-{choice.randrange(48300, 49900)}",
            "amount": f"{choice.randrange(19, 180)}.{choice.choice(('00', '50', '90'))}",
            "plant": choice.choice(self._script.plants),
            "serial": f"SP-{choice.randrange(16**4):04X}-{choice.randrange(16**4):04X}",
            "city": choice.choice(self._script.cities),
        }


def tell(story: Story, facts: Mapping[str, str]) -> Story:
    """The story with the facts of this one telling in place of its braces."""

    def filled(text: str) -> str:
        for name, value in facts.items():
            text = text.replace("{" + name + "}", value)
        return text

    return replace(
        story,
        subject=filled(story.subject),
        text=filled(story.text),
        glad=filled(story.glad),
        sour=tuple(filled(text) for text in story.sour),
    )
