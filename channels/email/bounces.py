"""What a delivery report says about a mail of ours: for each recipient whether it arrived, and why not.

Reports in the form of RFC 3464 are read field by field (the report part, then the words above it where
the fields say too little); the many that are only prose by their words. A mail counts as one where a
mail server wrote it and it says that something was not delivered; what a person forwards is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.email.bounce_prose import (
    SAYS_DELAYED,
    SAYS_FAILED,
    Passage,
    is_server,
    passages,
    prose_of,
    without_filler,
    without_quotes,
)
from channels.email.bounce_reasons import judge
from channels.email.complaints import read_complaint
from channels.email.mime import Part, split, split_header
from channels.email.returned import RETURNED_TYPES, body_of, returned_copy
from workflow.inbound import Party
from workflow.plaintext import one_line

__all__ = ["MailReport", "read_report"]

_REPORT_TYPES = ("message/delivery-status", "message/global-delivery-status")
_MOST_RECIPIENTS = 50
_LONGEST_DIAGNOSTIC = 600
_ADDRESS = re.compile(
    r"([^\s<>;:,\"'()\[\]|/]{1,64}@[^\s<>;:,\"'()\[\]]{0,250}[^\s<>;:,\"'()\[\].])"
)
_FIELD = re.compile(
    rb"^(?:final-recipient|action|status|diagnostic-code|original-recipient)[ \t]*:", re.I | re.M
)
_PASTED = re.compile(r"^[ \t]*(?:Final-Recipient|Original-Recipient)[ \t]*:", re.I | re.M)
_CODE = re.compile(
    r"(?<![\d.])[45]\.\d\.\d{1,3}(?![\d.])|^[^\n\d]{0,40}\b[45][0-5]\d[ -]", re.MULTILINE
)
_SUBJECTS = re.compile(
    r"\s*(?:undeliver|delivery (?:status|failure|has failed|notification|report|error)"
    r"|mail (?:delivery|system|could not)"
    r"|returned mail|failure notice|failed (?:mail|delivery)|(?:mail|message) (?:undeliver"
    r"|delivery|not delivered|status)"
    r"|warning: (?:message|could not)|nondeliver|non[- ]?(?:remis|recapit)|unzustellbar"
    r"|onbestelbaar|permanent delivery"
    r"|.*\b(?:delivery failed\)|non remis)|message you sent blocked|you \S+ are not member)",
    re.IGNORECASE,
)
# What the fields of a report call the outcome (RFC 3464 section 2.3.3), and what some write instead.
_ACTIONS = {
    "failed": "failed",
    "failure": "failed",
    "expired": "failed",
    "delayed": "delayed",
    "deferred": "delayed",
    "delivered": "delivered",
    "deliverable": "delivered",
    "relayed": "relayed",
    "expanded": "expanded",
}
_GONE_WELL = frozenset(("delivered", "relayed", "expanded"))


@dataclass(frozen=True, slots=True)
class MailReport:
    """A report on other mail. ``bounce`` is a failure or a delay in the form of the contract;
    ``notice`` what is neither: ``{"kind": "delivered", ...}`` or ``{"kind": "complaint", ...}``.
    ``sign`` is what it was known by.
    """

    sign: str
    bounce: dict[str, Any] | None = None
    notice: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One recipient in a report, before judgement."""

    recipient: str
    action: str
    field: str
    diagnostic: str
    mailer: str
    context: str


def read_report(
    root: Part, text: str, *, subject: str, sender: Party, automatic: bool, reported: bool = False
) -> MailReport | None:
    """What a report says, or None for a mail that is none.

    ``text`` is the readable body, ``automatic`` whether a machine wrote it, ``reported`` whether its
    type says that it is a report. Of several recipients the first that failed stands for the mail,
    else the first that is delayed; ``recipients`` has all. Never raises for odd mail.
    """
    complaint = read_complaint(root, subject=subject, sender=sender)
    if complaint is not None:
        return MailReport("abuse report (RFC 5965)", notice=complaint)
    report = next((p for p in root.walk() if p.content_type in _REPORT_TYPES), None)
    server = is_server(root.headers, sender)
    if report is None and server and (inner := _wrapped(root)) is not None:
        root, report, text = inner
    if report is None and not (server or automatic or reported or _SUBJECTS.match(subject)):
        return None
    prose = prose_of(text)
    sign = (
        "delivery report (RFC 3464)"
        if report is not None
        else f"delivery report from {sender.address or sender.name}"
    )
    outcomes = _in_fields(report, prose) if report is not None else []
    if not outcomes and _PASTED.search(text):
        outcomes = _blocks(without_quotes(text).encode("utf-8", "surrogatepass"), prose)
    if not outcomes:
        outcomes = _in_prose(
            root,
            prose,
            text,
            sender,
            server=server or report is not None or reported,
            subject=subject,
        )
    if not outcomes:
        return None
    original, subject_of = returned_copy(root)
    failed = [o for o in outcomes if o.action not in _GONE_WELL]
    if not failed:
        return MailReport(sign, notice=_delivered(outcomes, original))
    judged = [_judged(outcome) for outcome in outcomes[:_MOST_RECIPIENTS]]
    first = next((j for j in judged if j["action"] == "failed"), None) or next(
        j for j in judged if j["action"] == "delayed"
    )
    bounce = {
        "status": first["status"],
        "smtp": first["smtp"],
        "kind": first["kind"],
        "reason": first["reason"],
        "recipient": first["recipient"],
        "original_message_id": original,
        "action": first["action"],
        "diagnostic": first["diagnostic"],
        "derived": first["derived"],
        "original_subject": subject_of,
        "recipients": judged,
    }
    return MailReport(sign, bounce=bounce)


def _wrapped(root: Part) -> tuple[Part, Part, str] | None:
    """A report that a gateway passed on as an attachment: its tree, its fields, its words."""
    for part in root.walk():
        if (
            part is not root
            and part.content_type == "message/rfc822"
            and b"delivery-status" in part.body[:50_000]
        ):
            inner, _ = split(body_of(part))
            report = next((p for p in inner.walk() if p.content_type in _REPORT_TYPES), None)
            if report is not None:
                words = next((p for p in inner.walk() if p.content_type == "text/plain"), None)
                return (
                    inner,
                    report,
                    "" if words is None else body_of(words).decode("utf-8", "replace"),
                )
    return None


# -- the form of RFC 3464 ------------------------------------------------------------------------------


def _in_fields(report: Part, prose: str) -> list[_Outcome]:
    return _blocks(body_of(report), prose)


def _blocks(body: bytes, prose: str) -> list[_Outcome]:
    """The recipients of a report: groups of fields with blank lines between (RFC 3464, section 2.1)."""
    found: list[_Outcome] = []
    for block in re.split(rb"\n[ \t]*\n", body.replace(b"\r\n", b"\n")):
        if _FIELD.search(block) is None:
            continue
        fields = split_header(block)
        recipient = _address_in(fields)
        diagnostic = _text_of(fields, b"diagnostic-code")
        mailer, semicolon, words = diagnostic.partition(";")
        if not semicolon or " " in mailer.strip():
            mailer, words = "", diagnostic
        status = _text_of(fields, b"status")
        action = _ACTIONS.get(_text_of(fields, b"action").partition(" ")[0].lower(), "")
        if not (recipient or action or status):
            continue
        if not action:
            action = "delivered" if status.startswith("2") else "failed"
        if action == "failed" and status.startswith("2."):
            action = "delivered"
        # Comments behind the code are words too: "5.4.4 (Illegal host/domain name found)".
        _, _, comment = status.partition("(")
        said = words.strip()
        if not said and comment:
            said = comment.rstrip(") ")
        found.append(
            _Outcome(
                recipient, action, status, said, mailer.strip().lower(), _about(prose, recipient)
            )
        )
    return found


def _address_in(fields: Mapping[bytes, bytes]) -> str:
    """The address that could not be reached: as it was sent to, else as the last server knew it."""
    for name in (b"original-recipient", b"final-recipient", b"x-actual-recipient"):
        value = _text_of(fields, name)
        found = _ADDRESS.search(value.partition(";")[2] or value)
        if found is not None:
            return found[1]
    value = _text_of(fields, b"final-recipient")
    return one_line(value.partition(";")[2] or value, 200).strip()


def _about(prose: str, recipient: str) -> str:
    """What the words above the report say about one recipient, else all of them."""
    told = passages(prose)
    for passage in told:
        if recipient and passage.recipient.lower() == recipient.lower():
            return passage.said + "\n" + _transcript(prose)
    return "\n".join(p.said for p in told) + "\n" + _transcript(prose) if told else prose


_TRANSCRIPT = re.compile(r"-{3,} ?Transcript of session follows ?-{3,}\n(.*)", re.DOTALL)


def _transcript(prose: str) -> str:
    found = _TRANSCRIPT.search(prose)
    return found[1][:2_000] if found is not None else ""


# -- prose ---------------------------------------------------------------------------------------------


def _in_prose(
    root: Part, prose: str, text: str, sender: Party, *, server: bool, subject: str
) -> list[_Outcome]:
    """The recipients that a report in prose names; none where it is no report."""
    if SAYS_FAILED.search(prose) is None and not (
        server and (SAYS_FAILED.search(f"{subject}\n{text[:3_000]}") or _CODE.search(prose))
    ):
        return []
    own = {a.lower() for a in _ADDRESS.findall(_text_of(root.headers, b"to"))} | {
        sender.address.lower()
    }
    named = _ADDRESS.findall(_text_of(root.headers, b"x-failed-recipients"))
    told = passages(prose, named, own)
    if not told:
        known = _recipient_of_copy(root)
        found = [a for a in _ADDRESS.findall(prose) if a.lower() not in own]
        recipient = known or (found[0] if found else "")
        if not recipient and not server:
            # Nobody is named, and no mail server speaks: words of a person on leave.
            return []
        told = [Passage(recipient, prose)]
    delayed = SAYS_DELAYED.search(prose) is not None
    action = "delayed" if delayed else "failed"
    # The reason may stand above the addresses, for all of them.
    return [
        _Outcome(p.recipient, action, "", p.said.strip(), "", without_filler(prose)) for p in told
    ]


def _recipient_of_copy(root: Part) -> str:
    """Whom the returned copy was to."""
    for part in root.walk():
        if part is not root and part.content_type in RETURNED_TYPES:
            head = body_of(part).replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0]
            found = _ADDRESS.search(_text_of(split_header(head), b"to"))
            if found is not None:
                return found[1]
    return ""


# -- the words of the contract -------------------------------------------------------------------------


def _judged(outcome: _Outcome) -> dict[str, Any]:
    if outcome.action in _GONE_WELL:
        return {
            "recipient": outcome.recipient,
            "action": outcome.action,
            "status": outcome.field.partition(" ")[0],
            "smtp": "",
            "kind": None,
            "reason": "delivered",
            "diagnostic": one_line(outcome.diagnostic, _LONGEST_DIAGNOSTIC),
            "derived": False,
        }
    verdict = judge(
        outcome.diagnostic,
        field=outcome.field,
        context=outcome.context,
        mailer=outcome.mailer,
        delayed=outcome.action == "delayed",
    )
    return {
        "recipient": outcome.recipient,
        "action": outcome.action,
        "status": verdict.status,
        "smtp": verdict.smtp,
        "kind": "hard" if verdict.hard else "soft",
        "reason": verdict.reason,
        "diagnostic": one_line(outcome.diagnostic or outcome.context.strip(), _LONGEST_DIAGNOSTIC),
        "derived": verdict.derived,
    }


def _delivered(outcomes: list[_Outcome], original: str | None) -> dict[str, Any]:
    """A notice that a mail arrived (RFC 3461, NOTIFY=SUCCESS)."""
    return {
        "kind": "delivered",
        "original_message_id": original,
        "recipients": [
            {"recipient": o.recipient, "action": o.action} for o in outcomes[:_MOST_RECIPIENTS]
        ],
    }


def _text_of(fields: Mapping[bytes, bytes], name: bytes) -> str:
    return one_line(fields.get(name, b"").decode("utf-8", "replace"))
