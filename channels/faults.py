"""What can go wrong between us and a channel's server, whatever the channel."""

from __future__ import annotations

from workflow.errors import DeskError

__all__ = ["AccountRefused", "Busy", "ChannelFault", "Unreachable"]


class ChannelFault(DeskError):
    """A channel's server could not be used; the text is the sentence for a person."""


class Unreachable(ChannelFault):
    """No connection, or it broke, or the server is busy: time may mend it.

    ``wait_s`` is how long the server asked to be left alone, 0 if it did not.
    """

    def __init__(self, sentence: str, wait_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.wait_s = wait_s


class Busy(Unreachable):
    """The server answers and says that it does not serve us now: too many connections, too much
    asked for, a store that is not there for the moment. It says nothing about any message.
    """


class AccountRefused(ChannelFault):
    """The server does not take the account (a password, a token): somebody has to mend it."""
