"""Reading people: lists of customers, one of them whole, and who is meant by an address or a name."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

from workflow.errors import NotFound, UsageError
from workflow.inbound import Party
from workflow.store.details import Fetch
from workflow.store.rows import CustomerDetail, CustomerRow, IdentityDetail

__all__ = [
    "accounts_used",
    "customer",
    "customers",
    "find_customer",
    "find_joined",
    "known_addresses",
    "nearest",
    "root_number",
]

_NEAR = 5
_LOOKED_AT = 5_000
"""So many of the newest customers are looked at for names that are nearly the one that was typed."""


def customer(fetch: Fetch, number: int) -> CustomerDetail | None:
    """A customer with their identities, also one who was joined with another; None if there is none."""
    rows = fetch(
        "SELECT id, name, company, tier, merged_into FROM customer WHERE id = ?", (number,)
    )
    if not rows:
        return None
    found = rows[0]
    return CustomerDetail(
        id=found[0],
        name=found[1],
        company=found[2],
        tier=found[3],
        identities=_identities(fetch, [number]).get(number, ()),
        merged_into=found[4],
    )


def _identities(fetch: Fetch, numbers: Sequence[int]) -> dict[int, tuple[IdentityDetail, ...]]:
    marks = ",".join("?" * len(numbers))
    rows = fetch(
        f"""SELECT customer_id, kind, value, display, evidence, id, undeliverable_at, undeliverable_code,
        undeliverable_reason, complained_at FROM identity
        WHERE customer_id IN ({marks}) ORDER BY id""",
        numbers,
    )
    found: dict[int, tuple[IdentityDetail, ...]] = {}
    for row in rows:
        found[row[0]] = (*found.get(row[0], ()), IdentityDetail(*row[1:]))
    return found


def root_number(fetch: Fetch, number: int) -> int:
    """The person whom a customer is part of, at the end of the chain of those it was joined with."""
    seen: set[int] = set()
    while number not in seen:
        seen.add(number)
        rows = fetch("SELECT merged_into FROM customer WHERE id = ?", (number,))
        if not rows or rows[0][0] is None:
            break
        number = int(rows[0][0])
    return number


def customers(fetch: Fetch, text: str = "", limit: int = 100) -> tuple[list[CustomerRow], int]:
    """The people whose name, company or an identity of whom holds each of the words, who came last
    first; and how many there are. Those who were joined with another are shown as that one.
    """
    fits, parameters = _fitting(text)
    total = int(fetch(f"SELECT count(*) FROM customer WHERE {fits}", parameters)[0][0])
    rows = _rows(
        fetch,
        f"""{fits} ORDER BY (SELECT max(id) FROM ticket WHERE ticket.customer_id = customer.id) DESC,
        id DESC LIMIT ?""",
        (*parameters, limit),
    )
    return rows, total


def _fitting(text: str) -> tuple[str, list[object]]:
    where: list[str] = ["merged_into IS NULL"]
    parameters: list[object] = []
    for word in text.split():
        like = f"%{word.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        where.append(
            """(name LIKE ? ESCAPE '!' OR company LIKE ? ESCAPE '!' OR id IN (
            SELECT customer_id FROM identity WHERE value LIKE ? ESCAPE '!'
            OR display LIKE ? ESCAPE '!'))"""
        )
        parameters += [like] * 4
    return " AND ".join(where), parameters


def _rows(fetch: Fetch, which: str, parameters: Sequence[object]) -> list[CustomerRow]:
    rows = fetch(
        f"""SELECT id, name, company, tier,
        (SELECT count(*) FROM ticket WHERE ticket.customer_id = customer.id),
        (SELECT count(*) FROM ticket WHERE ticket.customer_id = customer.id
         AND status NOT IN ('resolved', 'closed') AND spam_at IS NULL AND ticket.merged_into IS NULL)
        FROM customer WHERE {which}""",
        parameters,
    )
    identities = _identities(fetch, [row[0] for row in rows]) if rows else {}
    return [CustomerRow._make((*row, identities.get(row[0], ()))) for row in rows]


def nearest(fetch: Fetch, text: str, besides: int, limit: int = 30) -> list[CustomerRow]:
    """Some people whose name, company or identities hold each of the words, the newest first, but the
    one ``besides``: quick enough to be asked for at each key.
    """
    fits, parameters = _fitting(text)
    return _rows(
        fetch, f"{fits} AND id <> ? ORDER BY id DESC LIMIT ?", (*parameters, besides, limit)
    )


def find_customer(fetch: Fetch, words: str) -> int:
    """Who is meant: a number (``7``, ``#7``), an address or account (``maria@x.example``,
    ``telegram:4711``), a name or an unmistakable part of one.

    Raises NotFound with those that are nearly it, and UsageError where it fits several.
    """
    said = " ".join(words.split())
    if not said:
        raise NotFound("nobody is named: deskhand customer list shows who is there")
    bare = said.removeprefix("#")
    if bare.isascii() and bare.isdigit() and len(bare) < 16:
        rows = fetch("SELECT id FROM customer WHERE id = ?", (int(bare),))
        if rows:
            return int(rows[0][0])
    kind, colon, value = said.partition(":")
    for known in (
        "SELECT customer_id FROM identity WHERE value = ? OR display = ? COLLATE NOCASE",
        "SELECT id FROM customer WHERE name = ? COLLATE NOCASE AND merged_into IS NULL AND ? <> ''",
    ):
        found = fetch(known, (said.lower(), said) if "identity" in known else (said, said))
        if found:
            return _only(fetch, said, found)
    if colon:
        found = fetch(
            "SELECT customer_id FROM identity WHERE kind = ? AND value = ?",
            (kind.lower(), value.lower()),
        )
        if found:
            return _only(fetch, said, found)
    rows, total = customers(fetch, said, _NEAR)
    if total:
        return _only(fetch, said, [(row.id,) for row in rows], total)
    raise NotFound(f"there is no customer {said!r}{_near(fetch, said)}")


def find_joined(fetch: Fetch, words: str) -> int:
    """Who is meant to be taken apart: as :func:`find_customer`, but an address or a name that somebody
    brought along who was joined means that one.

    Raises NotFound and UsageError.
    """
    said = " ".join(words.split())
    rows = fetch(
        "SELECT id FROM customer WHERE name = ? COLLATE NOCASE AND merged_into IS NOT NULL",
        (said,),
    )
    if said and len(rows) == 1:
        return int(rows[0][0])
    number = find_customer(fetch, said)
    if said.removeprefix("#") == str(number):
        return number
    return _brought_by(fetch, number, said.lower())


def _brought_by(fetch: Fetch, number: int, said: str) -> int:
    """Whose identity it was before anybody joined anything; ``number`` if nobody brought it."""
    for identity in _identities(fetch, [number]).get(number, ()):
        if said not in (
            identity.value,
            f"{identity.kind}:{identity.value}",
            identity.display.lower(),
        ):
            continue
        joined = fetch(
            "SELECT data FROM event WHERE ticket_id IS NULL AND name = 'customer.joined' ORDER BY id",
            (),
        )
        for (text,) in joined:
            data = json.loads(text)
            if identity.id in data["identities"]:
                return int(data["other"])
    return number


def _only(fetch: Fetch, said: str, found: Sequence[Any], total: int = 0) -> int:
    numbers = list(dict.fromkeys(int(row[0]) for row in found))
    if max(total, len(numbers)) == 1:
        return numbers[0]
    named = []
    for number in numbers[:_NEAR]:
        who = customer(fetch, number)
        assert who is not None
        values = ", ".join(identity.value for identity in who.identities[:2])
        named.append(f"{number} {who.name or '(no name)'} <{values}>")
    more = f" and {total - len(named)} more" if total > len(named) else ""
    raise UsageError(
        f"{said!r} fits several customers: give the number of one: {'; '.join(named)}{more}"
    )


def _near(fetch: Fetch, said: str) -> str:
    """Names and addresses that are nearly it."""
    rows = fetch(
        """SELECT customer.id, name, value FROM customer LEFT JOIN identity
        ON identity.customer_id = customer.id WHERE merged_into IS NULL
        ORDER BY customer.id DESC LIMIT ?""",
        (_LOOKED_AT,),
    )
    words: dict[str, str] = {}
    for number, name, value in rows:
        for word in (name, value):
            if word:
                words.setdefault(word.lower(), f"{number} {word}")
    close = difflib.get_close_matches(said.lower(), words, 3, 0.6)
    if not close:
        return ": deskhand customer list shows who is there"
    return f": did you mean {' or '.join(words[word] for word in close)}?"


def accounts_used(fetch: Fetch, number: int) -> dict[tuple[str, str], str]:
    """Through which account each address of a customer wrote to us last, by channel and address."""
    rows = fetch(
        """SELECT message.channel, lower(message.from_address), message.account
        FROM ticket JOIN message ON message.ticket_id = ticket.id
        WHERE ticket.customer_id = ? AND direction = 'in' AND message.account IS NOT NULL
        ORDER BY message.id""",
        (number,),
    )
    return {(channel, address): account for channel, address, account in rows}


def known_addresses(fetch: Fetch, typed: str, limit: int) -> list[Party]:
    """Mail addresses of customers that begin with what was typed, or whose names have it; those who
    came last first.
    """
    words = typed.strip().lower()
    for sign in "!%_":
        words = words.replace(sign, f"!{sign}")
    rows = fetch(
        """SELECT coalesce(nullif(identity.display, ''), customer.name), identity.value
        FROM identity JOIN customer ON customer.id = identity.customer_id
        WHERE identity.kind = 'email' AND (identity.value LIKE ? ESCAPE '!'
          OR identity.display LIKE ? ESCAPE '!' OR customer.name LIKE ? ESCAPE '!')
        ORDER BY identity.id DESC LIMIT ?""",
        (f"{words}%", f"%{words}%", f"%{words}%", limit),
    )
    return [Party(name or "", address) for name, address in rows]
