"""The ways by which a person can be answered, with what each channel can carry in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from channels.contract import Capabilities
from channels.registry import channel_of
from workflow.errors import SettingsError
from workflow.store.rows import CustomerDetail, IdentityDetail

__all__ = ["Way", "limit_words", "split_words", "ways"]

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Way:
    """An identity of a person, the account through which it is reached, and the channel's limits.

    ``refusal`` is the sentence that says why it cannot be taken, None where it can.
    """

    identity: int
    kind: str
    value: str
    display: str
    account: str | None
    limits: tuple[str, ...]
    refusal: str | None = None


def ways(
    customer: CustomerDetail,
    accounts: Sequence[tuple[str, str]],
    used: Mapping[tuple[str, str], str],
    length: int = 0,
) -> list[Way]:
    """The ways to a person.

    ``accounts`` are the name and kind of each that the desk has, ``used`` the one through which each
    (kind, value) wrote last, ``length`` the characters that have been typed.
    """
    return [_way(identity, accounts, used, length) for identity in customer.identities]


def _way(
    identity: IdentityDetail,
    accounts: Sequence[tuple[str, str]],
    used: Mapping[tuple[str, str], str],
    length: int,
) -> Way:
    kind = identity.kind
    there = [name for name, known in accounts if known == kind]
    last = used.get((kind, identity.value))
    account = last if last in there else next(iter(there), None)
    limits: tuple[str, ...] = ()
    refusal: str | None = None
    try:
        carries = channel_of(kind).capabilities
    except SettingsError:
        # A phone number, or an account whose channel is not installed here.
        refusal = f"nothing can be written to over {kind}"
    else:
        limits = limit_words(carries, length)
        if account is None:
            refusal = f"the desk has no account for {kind}"
        elif carries.starts == "customer" and last is None:
            refusal = "cannot be started by us: the customer must write first"
    return Way(identity.id, kind, identity.value, identity.display, account, limits, refusal)


def limit_words(carries: Capabilities, length: int = 0) -> tuple[str, ...]:
    """What a channel can carry, for a person who is about to write ``length`` characters."""
    words: list[str] = []
    if carries.longest_text is not None:
        split = split_words(carries.longest_text, length)
        words.append(f"{carries.longest_text} characters" + (f", {split}" if split else ""))
    if not carries.attachments:
        words.append("no files")
    elif carries.longest_file is not None:
        words.append(f"files to {carries.longest_file // _MB} MB")
    if not carries.formatting:
        words.append("plain text")
    return tuple(words)


def split_words(longest: int | None, length: int) -> str:
    """That a text is sent in parts, and in about how many; empty where it goes in one.

    The channel cuts at the ends of paragraphs and sentences, so that there may be one more.
    """
    if longest is None or length <= longest:
        return ""
    return f"will be split in {math.ceil(length / longest)}"
