"""The whole way of mail on one machine.

What is sent by SMTP arrives in Dovecot mailboxes, so that an answer comes back.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Received, SmtpSink
from workflow.clock import Clock

__all__ = ["Relay"]


class Relay(SmtpSink):
    """An :class:`SmtpSink` that delivers each mail into the mailbox of each recipient before it
    answers.

    ``mailboxes`` names the Dovecot user of each address (compared without case); any other
    recipient is refused with 550 5.1.1. It writes Return-Path and Received as a real server does
    (RFC 5321, 4.4); with a clock these and INTERNALDATE show the clock's time, else the present.
    Everything of SmtpSink works: acts, ``messages``, ``wait_for``.
    """

    def __init__(
        self,
        dovecot: Dovecot,
        mailboxes: dict[str, str],
        *,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._dovecot = dovecot
        self._mailboxes = {address.lower(): user for address, user in mailboxes.items()}
        self._clock = clock

    def verdict(self, recipient: str) -> str | None:
        """Refuse whom nobody has a mailbox for."""
        if recipient.lower() not in self._mailboxes:
            return f"550 5.1.1 <{recipient}>: there is no such mailbox"
        return None

    def keep(self, received: Received) -> None:
        """Deliver to each recipient, then note it as taken."""
        moment = (
            self._clock.now() if self._clock else datetime.fromtimestamp(time.time_ns() / 1e9, UTC)
        )
        for recipient in received.rcpt_tos:
            head = (
                f"Return-Path: <{received.mail_from}>\r\n"
                "Received: from client by sink.test with ESMTP\r\n"
                f"\tfor <{recipient}>; {format_datetime(moment)}\r\n"
            )
            self._dovecot.deliver(
                head.encode() + received.content,
                user=self._mailboxes[recipient.lower()],
                received=moment,
            )
        super().keep(received)
