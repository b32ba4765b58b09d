"""The desks that are measured, and the databases of the peers beside them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import Corpus

__all__ = ["AGENT", "NotmuchMail", "copy_home", "new_home", "notmuch_mail"]

AGENT = "ana"

_SETTINGS = """\
[[agent]]
name = "ana"
email = "ana@desk.example"
groups = ["support"]

[[agent]]
name = "ben"
email = "ben@desk.example"
groups = ["support", "finance"]

[[group]]
name = "support"
level = "L1"

[[group]]
name = "finance"
level = "L2"
"""


@dataclass(frozen=True, slots=True)
class NotmuchMail:
    """Where notmuch keeps what it has indexed."""

    mail: Path
    config: Path

    @property
    def env(self) -> dict[str, str]:
        """What its commands are run with."""
        return {"NOTMUCH_CONFIG": str(self.config), "HOME": str(self.config.parent)}


def new_home(folder: Path) -> Path:
    """An empty home with two agents and no channel account."""
    folder.mkdir(parents=True)
    (folder / "deskhand.toml").write_text(_SETTINGS, encoding="utf-8")
    return folder


def notmuch_mail(folder: Path, corpus: Corpus) -> NotmuchMail:
    """A mail folder for notmuch that shows the corpus and has no index yet."""
    mail = folder / "mail"
    mail.mkdir(parents=True)
    (mail / "box").symlink_to(corpus.maildir)
    config = folder / "notmuch-config"
    config.write_text(
        f"[database]\npath={mail}\n[user]\nname=Desk\nprimary_email=support@desk.example\n"
        "[new]\ntags=inbox\n[search]\nexclude_tags=deleted\n",
        encoding="utf-8",
    )
    return NotmuchMail(mail, config)


def copy_home(home: Path, target: Path) -> Path:
    """A home with a copy of the database, and without its files: lists and searches need none."""
    target.mkdir(parents=True)
    for name in ("deskhand.toml", "deskhand.db"):
        shutil.copyfile(home / name, target / name)
    return target
