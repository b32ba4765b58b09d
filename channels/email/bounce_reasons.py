"""Why a mail came back: from what a server said to a status code, a reply code, one word of reason, and
whether the address is of no use any more.

Codes are those of RFC 3463 (``5.1.1``, registry of RFC 5248) and RFC 5321 section 4.2 (``550``). The
words of reason, and the codes ``5.0.9nn`` that stand for one where the report has none, are those
that the library Sisimai made customary. A real code always wins over one of these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from channels.email.bounce_words import reason_in

__all__ = ["Verdict", "judge", "stage_of"]

_LONGEST = 6_000

_STATUS = re.compile(r"(?<![\d.])([245]\.\d\.\d{1,3})(?![\d.]\d)(?!\d)")
_REPLY = re.compile(r"(?<![\w.\-/=+@])([45]\d\d)(?=[-\s#:;,<(]|\Z)(?![-/]\d\d)")
# Reply codes that servers really give; other numbers of three digits are sizes, ports and years.
_GIVEN = (
    "421 422 430 432 441 442 446 447 450 451 452 453 454 455 456 458 459"
    " 500 501 502 503 504 510 511 512 513 516 517 518 521 522 523 524 525 530 531 533 534 535 538 539"
    " 541 542 543 546 547 550 551 552 553 554 555 556 557"
)
_REPLIES = frozenset(_GIVEN.split())
_TEMPORARY = re.compile(
    r"temporar|persistent transient|retry time|not yet been delivered|deferred|delay reason"
    r"|still (?:being )?(?:undelivered|retried)|will (?:keep|continue) (?:trying|to try)",
    re.IGNORECASE,
)

# Where in the conversation between two servers the refusal came (RFC 5321, section 4.1.1): each
# pattern has the command in its first group.
_STAGES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"in reply to (?:the )?(?:end of )?([A-Z]{4})",
        r"(?:error|failure|rejected|response)[^\n]{0,60}? after (?:end of |sending )?(initial|[A-Z]{4})",
        r"remote (?:mail )?(?:server|mailer)[^\n]{0,40} after (?:end of )?([A-Z]{4})",
        r"while sending (?:the )?([A-Z]{4})\b",
        r"\bsent (?:<<<|>>>)?\s*(RCPT|MAIL|DATA|EHLO|HELO)\b",
        r"does not like (recipient|sender)",
        r"\(state (\d\d?)\)",
        r"SMTP command\s+(RCPT|MAIL|DATA|EHLO|HELO)\b",
    )
)
_COMMAND = re.compile(r"^[ \t]*>>> (RCPT|MAIL|DATA|EHLO|HELO|QUIT|RSET|STARTTLS)\b", re.MULTILINE)
# The form in which Sendmail and its kin answer RCPT: the address, three dots, the reason.
_NAMED = re.compile(r"<[^<>\s]{0,250}@[^<>\s]{0,250}>\s?\.\.\. ?\w")
_STATES = {"12": "HELO", "13": "MAIL", "14": "RCPT", "15": "DATA", "17": "DATA", "18": "DATA"}

# What a code says where the words say nothing (RFC 3463 and its registry).
_BY_STATUS = {
    "1.0": "userunknown",
    "1.1": "userunknown",
    "1.2": "hostunknown",
    "1.3": "userunknown",
    "1.4": "filtered",
    "1.6": "hasmoved",
    "1.7": "rejected",
    "1.8": "rejected",
    "1.9": "systemerror",
    "1.10": "notaccept",
    "2.0": "filtered",
    "2.1": "filtered",
    "2.2": "mailboxfull",
    "2.3": "exceedlimit",
    "2.4": "filtered",
    "3.0": "systemerror",
    "3.1": "systemfull",
    "3.2": "notaccept",
    "3.3": "systemerror",
    "3.4": "mesgtoobig",
    "3.5": "systemerror",
    "4.0": "networkerror",
    "4.1": "expired",
    "4.2": "networkerror",
    "4.3": "systemerror",
    "4.4": "hostunknown",
    "4.5": "systemfull",
    "4.6": "networkerror",
    "4.7": "expired",
    "5.2": "syntaxerror",
    "5.3": "toomanyconn",
    "5.4": "systemerror",
    "5.5": "systemerror",
    "7.13": "suspend",
    "7.16": "mesgtoobig",
    "7.17": "hasmoved",
    "7.18": "hasmoved",
    "7.20": "authfailure",
    "7.21": "authfailure",
    "7.22": "authfailure",
    "7.23": "authfailure",
    "7.24": "authfailure",
    "7.25": "requireptr",
    "7.26": "authfailure",
    "7.27": "notaccept",
    "7.29": "authfailure",
}
_BY_SUBJECT = {"6": "contenterror", "7": "securityerror"}

# The codes that stand for a reason where a report has none: Sisimai's.
_DERIVED = {
    "suppressed": 903,
    "syntaxerror": 902,
    "norelaying": 909,
    "filtered": 910,
    "userunknown": 911,
    "hostunknown": 912,
    "hasmoved": 916,
    "rejected": 918,
    "suspend": 921,
    "mailboxfull": 922,
    "exceedlimit": 923,
    "authfailure": 926,
    "systemerror": 930,
    "systemfull": 931,
    "notaccept": 932,
    "mesgtoobig": 934,
    "mailererror": 939,
    "networkerror": 944,
    "toomanyconn": 945,
    "speeding": 946,
    "expired": 947,
    "contenterror": 960,
    "securityerror": 970,
    "blocked": 971,
    "policyviolation": 972,
    "requireptr": 973,
    "notcompliantrfc": 974,
    "badreputation": 975,
    "failedstarttls": 976,
    "spamdetected": 980,
    "virusdetected": 981,
    "onhold": 901,
    "undefined": 900,
}
_GONE = frozenset(("userunknown", "hostunknown", "hasmoved"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal comes to. ``derived`` marks a status that no server gave."""

    status: str
    smtp: str
    reason: str
    hard: bool
    derived: bool


def judge(
    said: str, *, field: str = "", context: str = "", mailer: str = "", delayed: bool = False
) -> Verdict:
    """The verdict on one recipient.

    ``said`` is the server's answer (Diagnostic-Code, or the lines below the address), ``field`` the
    Status field, ``context`` what else the report tells about this recipient, asked where the answer
    says too little; ``mailer`` is the type of the Diagnostic-Code (``smtp``, ``x-unix``).

    *Hard* is what will not change by itself: the mailbox, the host or the person is not there. That
    needs a code that says so or an answer given when the recipient was named; "user unknown" that a
    third party quotes with neither is often a filter's excuse, and is soft.
    """
    said, context = said[:_LONGEST], context[:_LONGEST]
    status = _prefer(_first_status(field), _first_status(said), _replies(said))
    if not status or status.endswith(".0.0"):
        told = _first_status(context)
        if told and (not status or (told[0] == status[0] and not told.endswith(".0"))):
            status = told
    smtp = _reply(said, status) or _reply(context, status)
    stage = stage_of(said) or stage_of(context)
    reason = _reason(said, context, status, smtp, stage, mailer, delayed)
    derived = not status
    if derived:
        four = smtp.startswith("4") or (
            not smtp
            and reason != "undefined"
            and _TEMPORARY.search(f"{said}\n{context}") is not None
        )
        four = four and reason not in _GONE
        number = 924 if four and reason == "filtered" else _DERIVED[reason]
        status = f"{4 if four else 5}.0.{number}"
    hard = reason in _GONE or reason == "notaccept"
    return Verdict(status, smtp, reason, hard and status[0] == "5" and not delayed, derived)


def stage_of(text: str) -> str:
    """The SMTP command that was refused (RCPT, MAIL, DATA ...), or an empty text."""
    commands = _COMMAND.findall(text)
    if commands:
        return next((c for c in commands if c not in ("QUIT", "RSET")), "").upper()
    for pattern in _STAGES:
        found = pattern.search(text)
        if found is not None:
            word = found[1].upper()
            word = _STATES.get(word, word)
            word = {"RECIPIENT": "RCPT", "SENDER": "MAIL", "INITIAL": "CONN"}.get(word, word)
            if word in ("RCPT", "MAIL", "DATA", "HELO", "EHLO", "CONN", "BDAT"):
                return "DATA" if word == "BDAT" else word
    return "RCPT" if _NAMED.search(text) is not None else ""


def _reason(
    said: str, context: str, status: str, smtp: str, stage: str, mailer: str, delayed: bool
) -> str:
    """One word for why: from the words of the refusal, else from the code."""
    code = status.partition(".")[2]
    by_code = _BY_STATUS.get(code) or _BY_SUBJECT.get(code.partition(".")[0], "")
    if code.startswith("1.35"):
        by_code = "userunknown"
    words = reason_in(said) or (reason_in(context) if context else "")
    if stage == "MAIL" and words in ("", "userunknown", "hostunknown", "filtered"):
        # What is said after MAIL FROM speaks of the sender (RFC 5321, section 3.3).
        return "rejected"
    if stage in ("HELO", "EHLO", "CONN") and words in (
        "",
        "userunknown",
        "hostunknown",
        "rejected",
        "filtered",
    ):
        return "blocked"
    if words in ("userunknown", "filtered"):
        if by_code in ("userunknown", "hostunknown", "hasmoved"):
            return by_code if by_code != "hostunknown" or words == "filtered" else words
        if words == "filtered":
            return words
        # Subject 1 of RFC 3463 is the address; and a sender that gave up on it says so itself.
        if stage == "RCPT" or code.startswith("1.") or "5.1.1" in _STATUS.findall(context):
            return "userunknown"
        spoken = said if reason_in(said) else context
        return "userunknown" if _own_words(spoken, smtp) else "filtered"
    if by_code in ("userunknown", "notaccept") and words in (
        "",
        "expired",
        "networkerror",
        "systemerror",
        "hostunknown",
        "blocked",
        "policyviolation",
        "spamdetected",
        "suspend",
        "mailererror",
        "securityerror",
    ):
        return (
            by_code
            if words not in ("blocked", "spamdetected", "suspend", "policyviolation")
            else words
        )
    if words:
        return words
    if by_code and code not in ("0.0",):
        return by_code
    if delayed:
        return "expired"
    if mailer.startswith("x-unix"):
        return "mailererror"
    return "onhold" if said.strip() else "undefined"


def _own_words(said: str, smtp: str) -> bool:
    """Whether a server speaks of its own mailboxes in a sentence, and quotes nobody."""
    return not smtp and not re.match(r"\s*[\[(<]", said) and len(said.split()) > 2


def _prefer(field: str, said: str, replies: list[str]) -> str:
    """Of the Status field and the code in the server's answer, the one that says more."""
    if not field or not said or field == said:
        return field or said
    if replies and field[0] != said[0]:
        # The reply code tells which class is meant.
        return field if field[0] == replies[0][0] else said
    general = field.endswith(".0") or ".0." in field
    if field.endswith(".0.0"):
        return field if said.endswith(".0.0") else said
    if general and not (said.endswith(".0") or ".0." in said):
        return said
    if said.endswith(".0.0"):
        return field
    # RFC 3463 section 3.5: rather than 4.7 the code of the problem that was found; and what a server
    # says of the protocol or of itself is less than what it says of the mail.
    if field[1:] in (".4.7", ".5.1", ".5.2", ".5.4", ".5.5") or field == "4.7.0":
        return said
    if field.startswith("5.3."):
        return said
    if field == "5.1.1" and not said.endswith(".0") and not said.startswith("5.5."):
        return said
    if field == "5.1.3" and said.startswith("5.7."):
        return said
    return field


def _first_status(text: str) -> str:
    """The code that says most: the first that is neither general nor only "expired"."""
    found: list[str] = [code for code in _STATUS.findall(text) if not code.startswith("2")]
    if not found:
        return ""
    telling = [c for c in found if not c.endswith(".0.0") and c[1:] not in (".4.7", ".5.1")]
    return (telling or [c for c in found if not c.endswith(".0.0")] or found)[0]


def _replies(text: str) -> list[str]:
    return [code for code in _REPLY.findall(text) if code in _REPLIES]


def _reply(text: str, status: str) -> str:
    """The reply code that goes with a status: of the same class, beside it if there is one."""
    found = _replies(text)
    if not found:
        return ""
    if not status:
        return found[0]
    beside = re.search(rf"\b([45]\d\d)[ -]+#?{re.escape(status)}\b", text)
    if beside is not None and beside[1] in found and beside[1][0] == status[0]:
        return beside[1]
    return next((code for code in found if code.startswith(status[0])), "")
