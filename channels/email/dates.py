"""Dates of mail (RFC 5322, sections 3.3 and 4.3) as aware UTC moments."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

__all__ = ["parse_date", "received_date"]

_EARLIEST_YEAR = 1982
_LATEST_YEAR = 2100
_WIDEST_OFFSET_S = 16 * 3600
_LONGEST_DATE = 200

_MONTHS = {
    name: number
    for number, name in enumerate(
        (
            b"jan",
            b"feb",
            b"mar",
            b"apr",
            b"may",
            b"jun",
            b"jul",
            b"aug",
            b"sep",
            b"oct",
            b"nov",
            b"dec",
        ),
        1,
    )
}
_USUAL = re.compile(
    rb"\s*(?:[A-Za-z]{3},\s*)?(\d{1,2})\s([A-Za-z]{3})\s(\d{4})\s(\d\d):(\d\d):(\d\d)\s([+-])(\d\d)(\d\d)\b"
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_SOMEWHERE = re.compile(rb"\d{1,2}\s[A-Za-z]{3}\s\d{4}\s\d\d:\d\d:\d\d\s[+-]\d{4}")


def parse_date(value: bytes) -> datetime | None:
    """The moment of a Date value, or None where it cannot be read or cannot be true (before 1982,
    after 2100).

    A date without a zone counts as UTC, and so does one with an offset that no place on earth has.
    """
    usual = _USUAL.match(value)
    if usual is not None:
        day, month, year, hour, minute, second, sign, zone_h, zone_m = usual.groups()
        number = _MONTHS.get(month.lower())
        if number is not None:
            offset = (int(zone_h) * 60 + int(zone_m)) * 60
            return _moment(
                int(year),
                number,
                int(day),
                int(hour),
                int(minute),
                int(second),
                offset if sign == b"+" else -offset,
            )
    text = value[:_LONGEST_DATE].decode("ascii", "replace").strip()
    try:
        if _ISO.match(text):
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            moment = moment.astimezone(UTC).replace(microsecond=0)
            return moment if _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR else None
        parts = parsedate_tz(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if parts is None:
        return None
    return _moment(*parts[:6], parts[9] or 0)


def received_date(value: bytes) -> datetime | None:
    """The moment after the last ``;`` of a Received value (RFC 5321, section 4.4), or None."""
    found = parse_date(value[value.rfind(b";") + 1 :])
    if found is None:
        somewhere = _SOMEWHERE.search(value[:4096])
        if somewhere is not None:
            return parse_date(somewhere[0])
    return found


def _moment(
    year: int, month: int, day: int, hour: int, minute: int, second: int, offset: int
) -> datetime | None:
    """The moment in UTC, or None for fields out of range; a leap second is the second before it."""
    if not _EARLIEST_YEAR <= year <= _LATEST_YEAR:
        return None
    if abs(offset) > _WIDEST_OFFSET_S:
        offset = 0
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return moment - timedelta(seconds=offset) if offset else moment
