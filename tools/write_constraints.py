"""Write constraints.txt: the exact version of every distribution that deskhand, its extras and its
build reach.

Run by `make constraints` in the project's environment, on the oldest Python that is supported,
since a newer one needs fewer back-ports and would leave them without a version. What else lies in
the environment is not written.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parents[1]


def reached(name: str, extras: frozenset[str], seen: dict[tuple[str, frozenset[str]], str]) -> None:
    """Add NAME and all it requires, under any marker that an installed distribution can have, to
    ``seen``.
    """
    key = (canonicalize_name(name), extras)
    if key in seen:
        return
    try:
        found = distribution(name)
    except PackageNotFoundError:
        # Only for another system or another Python.
        return
    seen[key] = found.version
    for line in found.requires or ():
        wanted = Requirement(line)
        marker = wanted.marker
        if (
            marker is None
            or "extra" not in str(marker)
            or any(marker.evaluate({"extra": extra}) for extra in extras)
        ):
            reached(wanted.name, frozenset(wanted.extras), seen)


def main() -> int:
    """Write the file and say how many lines it has; 1 if this Python is not the oldest."""
    if sys.version_info[:2] != OLDEST:
        wanted = ".".join(map(str, OLDEST))
        print(
            f"constraints.txt is written with Python {wanted}: run make clean, "
            f"then make PYTHON=python{wanted} constraints",
            file=sys.stderr,
        )
        return 1
    seen: dict[tuple[str, frozenset[str]], str] = {}
    extras = frozenset(distribution("deskhand").metadata.get_all("Provides-Extra") or ())
    reached("deskhand", extras, seen)
    reached("hatchling", frozenset(), seen)
    versions = {name: version for (name, _), version in seen.items() if name != "deskhand"}
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    file = ROOT / "constraints.txt"
    # An equal file keeps its date, so that make installs nothing again.
    if not file.exists() or file.read_text() != "".join(lines):
        file.write_text("".join(lines))
    print(f"constraints.txt: {len(lines)} versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
