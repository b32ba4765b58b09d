"""Subjects as people mean them: without what mail programs and lists put in front."""

from __future__ import annotations

import re

from workflow.tokens import REFERENCE

__all__ = ["bare_subject", "same_matter"]

# Answers and forwards in the languages of mail programs; most write a colon, some a full-width one.
_PREFIX = re.compile(
    r"(?:re|r|ref|aw|antw|sv|vs|vá|odp|rif|ris|res|resp|ynt|ilt|atb|bls|blz|vb|αντ|απ|σχετ|отв|ответ|на|הש|رد|"
    r"fwd?|fw|wg|tr|rv|enc|pd|doorst|vl|továbbítás|i|πρθ|пересл|fs|videresendt|vidarebefordrat|"
    r"回复|答复|回覆|答覆|转发|轉寄|转寄|返信|転送|답장|회신|전달)"
    r"(?:\s?(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3}|\*\d{1,3}))?\s?[:：]\s*",
    re.IGNORECASE,
)
# The tag of a list, [name]: one with a digit in it may be what tells two matters apart ([order 17]).
_TAG = re.compile(r"\[[^\]\d]{1,40}\]\s*")
_LONGEST = 500


def bare_subject(subject: str) -> str:
    """A subject without ``Re:`` and its kin in front, without the tag of a list and without our
    reference, with single blanks.
    """
    text = " ".join(REFERENCE.sub(" ", subject[:_LONGEST]).split())
    while text:
        found = _PREFIX.match(text) or _TAG.match(text)
        if found is None:
            break
        text = text[found.end() :]
    return text.strip()


def same_matter(subject: str) -> str:
    """What two subjects of one matter have in common; empty where a subject says nothing."""
    return bare_subject(subject).casefold().rstrip(" .!?")
