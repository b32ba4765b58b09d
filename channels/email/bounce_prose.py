"""Reports in words: whether a mail server speaks, whether it says that something was not delivered, and
what it says about whom.

The forms are those of the mail systems in use (Sendmail, Postfix, qmail, Exim, Courier, Exchange, Domino,
GroupWise, the large providers, gateways that scan for viruses) in the languages they speak.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from channels.email.automatic import is_machine
from workflow.inbound import Party

__all__ = [
    "SAYS_DELAYED",
    "SAYS_FAILED",
    "Passage",
    "is_server",
    "passages",
    "prose_of",
    "without_filler",
    "without_quotes",
]

_LONGEST_TEXT = 200_000
_LONGEST_PROSE = 20_000
_LONGEST_PASSAGE = 2_000

_ADDR = r"[^\s<>;:,\"'()\[\]|*]{1,64}@[^\s<>;:,\"'()\[\]|*]{0,250}[^\s<>;:,\"'()\[\]|*.]"

_SERVER_NAMES = re.compile(
    r"mail(?:er)?[ -]?(?:delivery|daemon|administrator)|postmaster|system administrator"
    r"|mail (?:system|server|router)"
    r"|delivery (?:sub)?system|interscan|message (?:router|transfer)|internet mail"
    r"|systemadministrator|e?mail security|lsmtp",
    re.IGNORECASE,
)
_SERVER_ADDRESSES = re.compile(
    r"(?:mailer|mail)[-_.]?d(?:a?e)?mon|.*[-_.]?postmaster|mailadmin|mail-?delivery\S*|mailsystem"
    r"|mdaemon|root|imss|bounces?|non_?delivery"
    r"|interscan|mailscan\w*|virus\S*|smtp\S*|no-?reply-(?:mail)?delivery\S*|mrouter|daemon"
    r"|listserv\S*",
    re.IGNORECASE,
)
# Header fields that only servers set in their reports.
_SERVER_FIELDS = (
    b"x-failed-recipients",
    b"x-mlserver",
    b"x-mx-bounce",
    b"x-mxl-notehash",
    b"x-amazon-mail-relay-type",
    b"x-gm-message-state-bounce",
    b"x-bounce-id",
    b"x-ms-exchange-message-is-ndr",
    b"x-zmail-bounce",
)

SAYS_FAILED = re.compile(
    r"(?:could|can|was|were|has|have|did|is)(?: ?not|n.t)(?: yet)?(?: been"
    r"| be)?(?: able to be)? (?:deliver|sent\b|reach|accept|process|relayed|forwarded)"
    r"|did not (?:reach|receive)|not (?:yet )?been delivered|(?:unable|not able|failed|failing"
    r"|impossible|attempt\w*) to (?:be )?(?:deliver|send|relay)|undeliver"
    r"|non-?deliver|not deliver|(?:delivery|deliveries|mail|message|transmission"
    r"|recipients?)[^.\n]{0,60}(?:failed|failure|errors?\b|aborted|bounced|rejected|refused"
    r"|been delayed)"
    r"|deliver\w* (?:error|problem|failure|to [^\n]{1,120} failed)|(?:fatal|delivery"
    r"|permanent) (?:delivery )?errors?|returned (?:mail|to (?:the )?sender|message|for|because)"
    r"|has been returned|returning (?:message|to)|following address(?:es)?[^\n]{0,40}failed"
    r"|failed (?:address|recipient|mail\b)|error (?:occurred|was detected)"
    r"|(?:delivery|email|mail)[^.]{0,80}postponed|full mailbox|(?:user|recipient|mailbox|address"
    r"|host|domain)[^.\n]{0,40}(?:unknown|not found|does not exist|is full|over quota"
    r"|unavailable)|unknown (?:user|recipient|host)"
    r"|no such (?:user|recipient|domain)|invalid (?:final |recipient|user|address)"
    r"|you are not a member|duplicated message-id in|was (?:automatically )?(?:rejected|blocked"
    r"|bounced)|has been (?:rejected|blocked)"
    r"|(?:may|does) not exist[^.\n]{0,40}(?:permission|group)"
    r"|message (?:you sent )?(?:was )?blocked"
    r"|nicht (?:zugestellt|[uü]bermittelt|zustellen|gesendet|erreicht)|unzustellbar"
    r"|zustellung[^.\n]{0,60}(?:fehlgeschlagen|nicht)"
    r"|n.a(?:i)? pas (?:pu )?(?:[eê]tre )?(?:[eé]t[eé] )?(?:remis|d[eé]livr|distribu|livr|envoy"
    r"|achemin)|non remis|[eé]chec de (?:la )?(?:remise|distribution|livraison)|n.existe pas"
    r"|no (?:se )?(?:pudo|puede|pudieron|ha podido|fue posible)[^.\n]{0,20}entreg|no se ha podido"
    r"|no entregad|non (?:[eè] (?:stato )?)?(?:possibile )?(?:stato )?(?:recapit|consegn)"
    r"|mancato recapito"
    r"|n[aã]o (?:p[oô]de|foi|pode)[^.\n]{0,20}(?:entreg|enviad)|(?:kon"
    r"|kan) niet[^.\n]{0,30}(?:bezorgd|afgeleverd|verzonden)|onbestelbaar"
    r"|niet (?:worden )?(?:bezorgd|afgeleverd)"
    r"|kunde inte[^.\n]{0,20}(?:levereras|skickas)|kunne ikke[^.\n]{0,20}(?:leveres|afleveres"
    r"|sendes)|ei voitu toimittaa|toimitus ep[aä]onnistui"
    r"|nie (?:mog[lł]a|mo[zż]na|zosta[lł])[^.\n]{0,30}dor[eę]cz|nie dostarczon|nelze doru[cč]it"
    r"|nedoru[cč]|не (?:может быть|было|была|удалось|был)[^.\n]{0,30}доставл|не доставлен"
    r"|недоставлен"
    r"|teslim edileme|iletileme|配信(?:不能|でき|に失敗|されませんでした)|送信(?:でき|に失敗|されませんでした)"
    r"|送れません"
    r"|届け(?:られ|ること)"
    r"|配送(?:でき|に失敗)|届きません|お届けでき"
    r"|退信|退件|[无無]法(?:投[递遞]|[发發]送|送[达達]|[传傳]送)|投[递遞]失[败敗]|[发發]送失[败敗]"
    r"|被退回|반송|전송할 수 없|배달되지|전달되지",
    re.IGNORECASE,
)
SAYS_DELAYED = re.compile(
    r"not yet been delivered|has been delayed|delivery (?:to [^\n]{1,200})?(?:has been |was "
    r"|is )?delayed|warning message only"
    r"|will (?:keep|continue) (?:trying|to (?:try|be))|delivery attempts will continue"
    r"|still undelivered|no action is required on your part"
    r"|this is a warning|has been postponed|advisory-only|will be retried for|delivery incomplete"
    r"|temporary problem delivering|delay reason:",
    re.IGNORECASE,
)

# Where prose ends and a copy of the mail, whose headers are full of misleading words, begins.
_COPY = re.compile(
    r"^(?:[- *|=_>]{0,60}-{3,80}.{0,200}(?:copy|original m|original header|header|returned m"
    r"|below|mensaje original|urspr|follows?\.?\s*-*$).*"
    r"|-{2,40} (?:original (?:message|header)|below this line|the header|enclosed|forwarded).*"
    r"|original message(?: headers?)?(?: follows)?[.:]?"
    r"|message text follows:.*|the (?:attached|following) (?:is|file).{0,40}original.*"
    r"|included is a copy.*|message headers follow.*"
    r"|your message reads.*|old message:|(?:here is|below is) (?:your|the) (?:returned"
    r"|original) .*|[- ]{0,40}returned mail(?: follows)?[- ]{0,40}"
    r"|\*{1,60}\s{1,20}end of message.*"
    r"|Return-Path:.*|Received: .*|DKIM-Signature:.*|X-Google-Smtp-Source:.*|Arrival-Date:.*"
    r"|Reporting-MTA:.*|Original-envelope-id:.*)$",
    re.IGNORECASE | re.MULTILINE,
)
# Unless what follows is the reason after all.
_NO_COPY = re.compile(r"transcript|addresses|recipients|error|session", re.IGNORECASE)
# Phrases that say nothing about this mail, and would be taken for a reason.
_FILLER = re.compile(
    r"this is a permanent error|no action is required[^.]*\.|for further assistance[^.]*\."
    r"|i.m sorry to have to inform you"
    r"|this is the mail system at [^\n]*|this is a permanent failure"
    r"|i.ve given up\. sorry it didn.t work out"
    r"|please (?:include|direct|contact|forward|try|do not|send)[^.]*\."
    r"|message will be deleted from queue"
    r"|if (?:you|the|your|this|that)[^.]{0,300}\.|for more (?:information|tips|details)[^.]*\.",
    re.IGNORECASE,
)

# A line that names a recipient and, perhaps, begins what is said of them.
_LINE = re.compile(
    rf"^[ \t>*|-]{{0,12}}(?:(?:recipient(?: address)?|failed recipient|intended recipient"
    rf"|undeliverable address|to|user|address|error-for"
    rf"|invalid final delivery userid|user.s mailbox is full|unknown user|no such user"
    rf"|could not be delivered to|unable to deliver (?:message|mail) to|delivery to|rcpt to"
    rf"|addressed to|宛先|送信先|mailto)"
    rf"(?:[ \t]*[:：][ \t]*|[ \t]+))?(?:smtp:|rfc822;|\d{{1,6}}:"
    rf"|[^\s@]{{1,120}}?smtp=)?[ \t]*[<\"'\[(]?(?:smtp:"
    rf"|mailto:)?({_ADDR})[>\"'\])]?(?:<mailto:[^>\n]*>|<[^>\n]*>)?[ \t]*(?=$|[:;.(\[<,]|\.\.\."
    rf"|[ ]on |[ ]\S)(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_CODE = re.compile(r"\b[45]\d\d\b|\b[45]\.\d\.\d")
_NO_RECIPIENT = re.compile(
    r"^[ \t>*|-]*(?:from|reply-to|sender|mail from|cc|subject|sent|date|message-id|contact"
    r"|e-?mail|http\S*)\b[ \t]*[:：]",
    re.IGNORECASE,
)
# The header of the mail that failed, as some show it first: whom it was to is not who failed.
_SHOWN_HEADER = re.compile(
    r"^[ \t*]*(?:to|cc)[ \t]*:[^\n]*\n(?=(?:[ \t*]*(?:cc|bcc|subject|sent|date"
    r"|from)[ \t]*:[^\n]*\n?|[ \t]+\S[^\n]*\n){1,8})",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(r"^[ \t]*(?:> ?)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Passage:
    """What a report says about one recipient."""

    recipient: str
    said: str


def is_server(headers: Mapping[bytes, bytes], sender: Party) -> bool:
    """Whether a mail server itself wrote, as its name, its address or its own fields say."""
    if any(name in headers for name in _SERVER_FIELDS):
        return True
    local = sender.address.partition("@")[0]
    if is_machine(sender.address or sender.name) or (local and _SERVER_ADDRESSES.fullmatch(local)):
        return True
    return _SERVER_NAMES.search(sender.name) is not None


def prose_of(text: str) -> str:
    """The words of a report before the copy of the mail begins."""
    text = text[:_LONGEST_TEXT]
    for found in _COPY.finditer(text):
        if text[: found.start()].strip() and _NO_COPY.search(found[0]) is None:
            return text[: found.start()][:_LONGEST_PROSE]
    return text[:_LONGEST_PROSE]


def without_quotes(text: str) -> str:
    """The text without marks of quotation, in case a report lies in it."""
    return _QUOTED.sub("", text[:_LONGEST_TEXT])


def without_filler(prose: str) -> str:
    """The prose without the sentences that every report of its kind has."""
    return _FILLER.sub(" ", prose)


def passages(prose: str, named: Sequence[str] = (), own: Collection[str] = ()) -> list[Passage]:
    """The recipients that stand at the beginning of a line, each with what follows up to the next; with
    ``named`` (from X-Failed-Recipients) those, wherever they stand. ``own`` are addresses that cannot be
    meant: the one that the report came to.
    """
    prose = _SHOWN_HEADER.sub(lambda found: "\n" * found[0].count("\n"), prose)
    starts: list[tuple[int, str]] = []
    wanted = {name.lower() for name in named}
    seen: set[str] = set()
    for line in _LINE.finditer(prose):
        if _NO_RECIPIENT.match(line[0]):
            continue
        address = line[1]
        if wanted and address.lower() not in wanted:
            continue
        if address.lower() not in seen and (wanted or address.lower() not in own):
            seen.add(address.lower())
            starts.append((line.start(), address))
    for name in named:
        if name.lower() not in seen:
            at = prose.lower().find(name.lower())
            starts.append((at if at >= 0 else 0, name))
            seen.add(name.lower())
    starts.sort()
    found: list[Passage] = []
    for number, (start, address) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else len(prose)
        said = _FILLER.sub(" ", prose[start:end][:_LONGEST_PASSAGE])
        if "..." not in said[:400]:
            said = said.replace(address, "", 1)
        found.append(Passage(address, said.strip(" \t\r\n*->:<\"'")))
    # Several in a row share the words that follow the last of them.
    for number in range(len(found) - 2, -1, -1):
        said = found[number].said
        if not (said.strip() and (SAYS_FAILED.search(said) or _CODE.search(said))):
            found[number] = Passage(found[number].recipient, found[number + 1].said)
    return found
