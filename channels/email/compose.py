"""An answer as a mail: built anew from what the agent wrote, never from bytes of the customer
(RFC 5322).

The header lines are written here, since the standard library encodes long Message-IDs and drops the
quotes of long names; its email package makes the parts below them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from channels.email.letter import html_letter, plain_letter
from workflow.errors import Refusal
from workflow.files import FileStore
from workflow.inbound import Party
from workflow.outgoing import Composed, OutgoingFile, OutgoingMessage
from workflow.plaintext import one_line
from workflow.settings import Settings

__all__ = ["MOST_ATTACHED", "EmailComposer"]

MOST_ATTACHED = 25_000_000
"""Bytes of all files of a mail: what most servers take, before they grow by a third in base64."""

_LONGEST_SUBJECT = 900
_LONGEST_ID = 900
# Never 8bit: it would need a server that offers 8BITMIME.
_POLICY = SMTP.clone(cte_type="7bit")
_ID = re.compile(r"<[!-;=?-~]+>")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,80}")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LITERAL = re.compile(r"\[[0-9A-Za-z.:]+\]")


class EmailComposer:
    """Makes mails of answers (:class:`workflow.outgoing.Composer`)."""

    def __init__(self, settings: Settings, files: FileStore) -> None:
        self._settings = settings
        self._files = files

    def compose(self, message: OutgoingMessage) -> Composed:
        """The finished mail; its bytes are on disk when this returns.

        Raises Refusal when the account has no address, or a recipient's address cannot be written
        in a mail, NotFound when an attachment is missing, StoreError when the bytes cannot be
        stored.
        """
        channel = self._settings.channel(message.account)
        if channel is None or "@" not in channel.address:
            raise Refusal(
                f"the account {message.account} has no address to send from:"
                ' write address = "..." into its [[channel]] of deskhand.toml'
            )
        self._refuse_too_much(message.files)
        address = _wire_address(message.sender or channel.address)
        sender = Party(one_line(channel.display_name, 200), address)
        to, cc, bcc = (_wire(parties) for parties in (message.to, message.cc, message.bcc))
        domain = sender.address.rpartition("@")[2]
        message_id = f"<{message.token}.{secrets.token_hex(8)}@{domain}>"
        head = [
            _address_line("From", [sender]),
            _address_line("To", to),
            _address_line("Cc", cc),
            _text_line("Subject", one_line(message.subject, _LONGEST_SUBJECT)),
            f"Date: {format_datetime(message.at)}\r\n",
            f"Message-ID: {message_id}\r\n",
            # Servers that write a Message-ID of their own leave this: by it a mail that comes back is known.
            f"X-Loop: {message_id}\r\n",
        ]
        if message.automatic:
            # RFC 3834, section 5; the second is what Exchange looks at.
            head.append("Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n")
        if message.answered is not None:
            answered = message.answered
            head.append(_id_line("In-Reply-To", [answered.message_id or ""]))
            head.append(_id_line("References", answered.chain()))
        content = self._content(message, channel.format == "markdown")
        raw = "".join(head).encode("ascii") + content.as_bytes()
        return Composed(
            message_id=message_id,
            raw_sha256=self._files.put(raw),
            raw_size=len(raw),
            from_name=sender.name,
            from_address=sender.address,
            recipients=tuple(dict.fromkeys(party.address for party in (*to, *cc, *bcc))),
        )

    @staticmethod
    def _refuse_too_much(files: Sequence[OutgoingFile]) -> None:
        whole = sum(file.size for file in files)
        if whole > MOST_ATTACHED:
            raise Refusal(
                f"{one_line(max(files, key=lambda file: file.size).name, 80)} makes the files of this"
                f" mail {whole / 1e6:.0f} MB, and most servers take {MOST_ATTACHED / 1e6:.0f} MB: send"
                " a link instead"
            )

    def _content(self, message: OutgoingMessage, marks: bool) -> EmailMessage:
        content = EmailMessage(policy=_POLICY)
        content.set_content(plain_letter(message), charset="utf-8")
        html = html_letter(message) if marks else None
        if html is not None:
            content.add_alternative(html, subtype="html", charset="utf-8")
        for file in message.files:
            self._attach(content, file)
        return content

    def _attach(self, content: EmailMessage, file: OutgoingFile) -> None:
        main, _, sub = file.content_type.lower().partition("/")
        # A message or a multipart may not be in base64 (RFC 2046, section 5.2.1): sent as a file.
        if not (_TOKEN.fullmatch(main) and _TOKEN.fullmatch(sub)) or main in (
            "message",
            "multipart",
        ):
            main, sub = "application", "octet-stream"
        name = one_line(re.split(r"[/\\]", file.name)[-1], 150) or "attachment"
        content.add_attachment(
            self._files.read(file.sha256), maintype=main, subtype=sub, filename=name
        )


def _wire(parties: Iterable[Party]) -> list[Party]:
    return [Party(one_line(party.name, 200), _wire_address(party.address)) for party in parties]


def _wire_address(address: str) -> str:
    """An address as a mail server reads it; raises Refusal where it cannot be written."""
    local, _, domain = address.strip().rpartition("@")
    if not local.isascii():
        raise Refusal(
            f"{one_line(address, 100)} has letters before the @ that mail servers without SMTPUTF8"
            " cannot take: ask the customer for another address and give it with To"
        )
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = ""
    if local and not _ATOM.fullmatch(local):
        inner = local[1:-1] if len(local) > 1 and local[0] == local[-1] == '"' else local
        plain = inner.isprintable() and not re.search(r'["\\]', inner)
        local = f'"{inner}"' if plain else ""
    if not local or not (_ATOM.fullmatch(domain) or _LITERAL.fullmatch(domain)):
        raise Refusal(
            f"{one_line(address, 100) or 'an empty text'} is no address that mail can be sent to:"
            " correct it (To) and send again"
        )
    return f"{local}@{domain}"


def _address_line(name: str, parties: Sequence[Party]) -> str:
    """An address header, one mailbox a line; nothing for nobody."""
    if not parties:
        return ""
    return f"{name}: " + ",\r\n ".join(_mailbox(party) for party in parties) + "\r\n"


def _mailbox(party: Party) -> str:
    if not party.name:
        return party.address
    if party.name.isascii() and "=?" not in party.name:
        return formataddr((party.name, party.address))
    words = Header(party.name, "utf-8", maxlinelen=74).encode(linesep="\r\n")
    return f"{words}\r\n <{party.address}>"


def _text_line(name: str, text: str) -> str:
    """An unstructured header: folded, encoded where it is not plain ASCII (RFC 2047)."""
    plain = text.isascii() and "=?" not in text
    value = Header(text, "us-ascii" if plain else "utf-8", maxlinelen=76, header_name=name)
    return f"{name}: {value.encode(linesep=chr(13) + chr(10))}\r\n"


def _id_line(name: str, ids: Iterable[str]) -> str:
    """A header of Message-IDs, one a line and never encoded; nothing where none can be written."""
    kept = [entry for entry in ids if len(entry) < _LONGEST_ID and _ID.fullmatch(entry)]
    return f"{name}: " + "\r\n ".join(kept) + "\r\n" if kept else ""
