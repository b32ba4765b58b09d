"""The whole way, through the screen: a mail arrives, is answered with keys, and the answer to that comes back."""

from __future__ import annotations

import email
import email.policy

import pytest

from tests.console.terminal import terminal
from tests.live.desks import ADDRESS, CUSTOMER, Opened, letter, wait_until
from tests.servers.dovecot import Dovecot
from tests.servers.relay import Relay


@pytest.mark.slow
def test_a_reply_written_in_the_console_arrives_once_and_threads(
    dovecot: Dovecot, opened: Opened
) -> None:
    question = letter(1, text="Where is my parcel?\n")
    with Relay(dovecot, {ADDRESS: "support", CUSTOMER: "customer"}) as relay:
        live = opened(imap_port=dovecot.port, smtp_port=relay.port)
        command = ["-m", "console", "--home", str(live.home), "--agent", "ana"]
        with terminal(command, size=(120, 36)) as console:
            console.until("ana")
            dovecot.deliver(question)
            console.until("Question 1")
            console.send("\r")
            console.until("Where is my parcel?")
            console.send("r")
            console.until("Reply  To")
            console.send("It left our house on Monday.")
            console.until("on Monday.")
            console.send("\x13")
            console.until("sent")
            (got,) = dovecot.wait_for(1, user="customer")

            mail = email.message_from_bytes(got, policy=email.policy.default)
            dovecot.deliver(letter(2, text="Thank you!\n", In_Reply_To=mail["Message-ID"]))
            console.until("Thank you!")
            console.send("qq")
            assert console.status() == 0

        assert len(relay.messages) == 1
        assert len(dovecot.messages(user="customer")) == 1
        wait_until(lambda: len(dovecot.messages("Sent")) == 1)

    # Another mail program threads it: Dovecot's own THREAD command (RFC 5256) on the customer's two mails.
    dovecot.deliver(question, user="customer")
    with dovecot.session("customer", "INBOX") as session:
        _status, threads = session.thread("REFERENCES", "UTF-8", "ALL")
    assert threads[0] in (b"(1 2)", b"(2 1)")

    detail = live.reads.ticket(1)
    assert detail is not None
    assert [(m.direction, m.matched_by) for m in detail.messages] == [
        ("in", "new"),
        ("out", ""),
        ("in", "reply-token"),
    ]
    assert live.count("ticket") == 1
