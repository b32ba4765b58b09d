"""The words of IMAP servers."""

from __future__ import annotations

import pytest

from channels.email.answers import asked_to_wait, choose_sent, is_passing


@pytest.mark.parametrize(
    "answer",
    [
        "[UNAVAILABLE] User lookup failed. Please try again later",
        "[INUSE] Mailbox in use",
        "[LIMIT] UID FETCH Rate limit hit",
        "[THROTTLED]",
        "[ALERT] Too many simultaneous connections. (Failure)",
        "[ALERT] Account exceeded command or bandwidth limits. (Failure)",
        "User is authenticated but not connected.",
        "Session invalidated - AccessTokenExpired",
        "Request is throttled. Suggested Backoff Time: 47305 milliseconds",
        "Server Unavailable. 15",
        "Maximum number of connections from user+IP exceeded; try again",
    ],
)
def test_refusals_that_pass(answer: str) -> None:
    assert is_passing(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        "[AUTHENTICATIONFAILED] Wrong password, please try again",
        "LOGIN failed.",
        "[NONEXISTENT] Unknown Mailbox: Backoffice",
        "[ALERT] Application-specific password required",
        "Mailbox doesn't exist: Temp",
    ],
)
def test_refusals_that_do_not(answer: str) -> None:
    assert not is_passing(answer)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ("Request is throttled. Suggested Backoff Time: 47305 milliseconds", 47.305),
        ("[LIMIT] try again in 5 minutes", 300),
        ("[THROTTLED] retry after 30", 30),
        ("too many connections", 0),
        ("Suggested Backoff Time: 99999999999999 seconds", 3600),
    ],
)
def test_how_long_a_server_wants_to_be_left_alone(answer: str, seconds: float) -> None:
    assert asked_to_wait(answer) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("folders", "sent"),
    [
        ([("INBOX", []), ("Sent", []), ("Post/Ausgang", ["\\HasNoChildren", "\\Sent"])], "Post/Ausgang"),
        ([("INBOX", []), ("[Gmail]", ["\\Noselect"]), ("[Gmail]/Sent Mail", [])], "[Gmail]/Sent Mail"),
        ([("INBOX", []), ("INBOX.Sent", [])], "INBOX.Sent"),
        ([("INBOX", []), ("Gesendete Elemente", [])], "Gesendete Elemente"),
        ([("INBOX", []), ("Sent", ["\\Noselect"]), ("Absent", [])], None),
    ],
)  # fmt: skip
def test_the_folder_of_sent_mail(folders: list[tuple[str, list[str]]], sent: str | None) -> None:
    assert choose_sent(folders) == sent
