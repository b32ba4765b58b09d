"""notmuch inside one long-lived process, run by the system's Python, which has its bindings.

    /usr/bin/python3 notmuch_search.py MAIL CONFIG

Each line of standard input is a query as JSON text; the answer is one line of JSON: the milliseconds
for the newest 50 with date, sender and subject, the milliseconds to count, and how many there are.
"""

from __future__ import annotations

import itertools
import json
import sys
import time

import notmuch2  # type: ignore[import-not-found]

_PAGE = 50


def main() -> None:
    """Answer until the input ends."""
    mail, config = sys.argv[1:3]
    database = notmuch2.Database(mail, mode=notmuch2.Database.MODE.READ_ONLY, config=config)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        query = json.loads(line)
        started = time.perf_counter()
        rows = [
            (found.messageid, found.date, found.header("From"), found.header("Subject"))
            for found in itertools.islice(
                database.messages(query, sort=database.SORT.NEWEST_FIRST), _PAGE
            )
        ]
        listed = time.perf_counter()
        count = database.count_messages(query)
        counted = time.perf_counter()
        answer = {
            "page_ms": (listed - started) * 1e3,
            "count_ms": (counted - listed) * 1e3,
            "rows": len(rows),
            "hits": count,
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
