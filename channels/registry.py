"""Which channels there are: mail and Telegram, and those that other packages bring.

A package offers a channel as an entry point of the group ``deskhand.channels``, whose name is the
kind and whose object is a :class:`channels.contract.Channel`::

    [project.entry-points."deskhand.channels"]
    matrix = "deskhand_matrix:CHANNEL"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from channels.contract import Channel
from workflow.errors import SettingsError

if TYPE_CHECKING:
    from workflow.files import FileStore
    from workflow.inbound import Reader
    from workflow.outgoing import Composer
    from workflow.settings import Settings

__all__ = ["GROUP", "channel_of", "composers", "known_kinds", "readers"]

GROUP = "deskhand.channels"
"""The group of entry points by which other packages offer channels."""


def _email() -> Channel:
    from channels.email.channel import EMAIL

    return EMAIL


def _telegram() -> Channel:
    from channels.telegram.channel import TELEGRAM

    return TELEGRAM


_BUILT_IN: Mapping[str, Callable[[], Channel]] = {"email": _email, "telegram": _telegram}


def known_kinds() -> tuple[str, ...]:
    """The kinds that an account may have, in the order of the alphabet."""
    return tuple(sorted({*_BUILT_IN, *(found.name for found in entry_points(group=GROUP))}))


def channel_of(kind: str) -> Channel:
    """The channel of a kind.

    Raises SettingsError that says what to do where there is none or it cannot be loaded.
    """
    if kind in _BUILT_IN:
        return _BUILT_IN[kind]()
    for found in entry_points(group=GROUP, name=kind):
        try:
            channel = found.load()
        except Exception as fault:
            raise SettingsError(
                f"the channel {kind} of the package {found.value} cannot be loaded"
                f" ({type(fault).__name__}: {fault}): upgrade that package, or take the channel"
                " out of deskhand.toml"
            ) from fault
        if not isinstance(channel, Channel) or channel.kind != kind:
            raise SettingsError(
                f"{found.value} is no channel of the kind {kind}: upgrade that package, or take"
                " the channel out of deskhand.toml"
            )
        return channel
    raise SettingsError(
        f"there is no channel of the kind {kind}: known are {', '.join(known_kinds())}; install the"
        " package that brings it, or correct kind in deskhand.toml"
    )


def _configured(settings: Settings) -> Iterator[Channel]:
    """The channels that accounts are configured for, and mail, which files can bring in. One that
    cannot be loaded is left out: its account says why.
    """
    for kind in dict.fromkeys(("email", *(channel.kind for channel in settings.channels))):
        try:
            yield channel_of(kind)
        except SettingsError:
            continue


def composers(settings: Settings, files: FileStore) -> dict[str, Composer]:
    """The way to write for each configured kind."""
    return {one.kind: one.composer(settings, files) for one in _configured(settings)}


def readers(settings: Settings, files: FileStore) -> dict[str, Reader]:
    """The way to read again for each configured kind."""
    return {one.kind: one.reader(settings, files) for one in _configured(settings)}
