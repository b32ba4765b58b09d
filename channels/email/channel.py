"""Mail as a channel: what it can carry, and how its parts are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from channels.contract import Capabilities, Channel, Check, Post, Receiver, Session

if TYPE_CHECKING:
    from workflow.files import FileStore
    from workflow.inbound import Reader
    from workflow.outgoing import Composer
    from workflow.settings import ChannelSettings, Settings

__all__ = ["EMAIL"]


def _composer(settings: Settings, files: FileStore) -> Composer:
    from channels.email.compose import EmailComposer

    return EmailComposer(settings, files)


def _reader(settings: Settings, files: FileStore) -> Reader:
    from channels.email.inbound import EmailReader

    return EmailReader(settings, files)


def _receiver(account: ChannelSettings, post: Post) -> Receiver:
    from channels.email.account import EmailAccount

    return EmailAccount(post.desk, account, post.settings, post.files, post.health, post.may_work)


async def _session(account: ChannelSettings, files: FileStore) -> Session:
    from channels.email.sender import MailSession

    return await MailSession.open(account, files)


def _check(account: ChannelSettings) -> Iterator[Check]:
    from channels.email.checks import check_account

    for found in check_account(account):
        yield Check(found.about, found.ok, found.says, found.remedy)


EMAIL = Channel(
    kind="email",
    capabilities=Capabilities(
        longest_text=None,
        longest_file=25_000_000,
        receipts=("sent", "failed"),
        starts="anyone",
    ),
    composer=_composer,
    reader=_reader,
    receiver=_receiver,
    session=_session,
    receives=lambda account: account.imap is not None,
    sends=lambda account: account.smtp is not None,
    check=_check,
)
"""Mail over IMAP and SMTP."""
