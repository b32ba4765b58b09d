"""The words of refusals, and the reason that each stands for.

They are the sentences of the mail systems in use, in the languages they speak; the words of reason are
those of the library Sisimai.
"""

from __future__ import annotations

import re

__all__ = ["reason_in"]

_UNKNOWN_USER = re.compile(
    r"(?:user|recipients?|mailbox|account|person|addressee|destinat\w+|rcpt\b|alias|nickname)"
    r"(?: ?(?:name|address|id|s))?[^.\n]{0,60}?(?:\bunknown|\bunrecogni[sz]ed|\bnot? (?:valid"
    r"|exist|exists|found|known|here"
    r"|listed|recogni[sz]ed|be found|a (?:valid|known|registered)|local|present|available in)"
    r"|\bun(?:avail|avia)able\b|\binvalid\b|\bdoes ?n[o']t exist|\bdoes not exist|n[o']t exist\b"
    r"|\bnon-?existent"
    r"|wasn.t found|was not found|could not be found|is not in my|not in (?:my|our)"
    r"|\bmissing home|is no longer valid)"
    r"|\b(?:unknown|no such|invalid|bad|non-?existent|illegal"
    r"|unrecogni[sz]ed)[ -](?:local[ -]?part|address|e-?mail address"
    r"|(?:\S{1,60} ){0,2}(?:user|recipient|mailbox|account|person|addressee|alias)s?\b)"
    r"|(?:e-?mail )?address[^.\n]{0,50}(?:couldn.t be found|wasn.t found|not found|does(?:n.t"
    r"| not) exist|is unknown"
    r"|no longer valid|is wrong|unknown|is not active|not present in directory|is not valid"
    r"|doesn.t have a)"
    r"|no (?:mail ?box|account|user|one)(?: by that name| available"
    r"| at this address)?[^.\n]{0,20}(?: here| found| currently"
    r"| at this| for this| by that)|no mailbox here by that name|not? (?:a )?(?:valid|known"
    r"|local) (?:user|recipient|mailbox|address)"
    r"|doesn.t have an? \S{1,80} account|not our customer|badrcptto|validrcptto"
    r"|is not a known user|unrouteable address"
    r"|delivery[^.\n]{0,40}address (?:is )?unknown|\bin the name directory"
    r"|not listed in (?:public|the|domino)|not exist at this"
    r"|adresse[^.\n]{0,30}(?:invalide|inconnue|n'existe pas)|utilisateur inconnu|nessun utente"
    r"|no existe"
    r"|destinatario[^.\n]{0,20}(?:sconosciuto|desconocido|inexistente)"
    r"|empf[aä]nger[^.\n]{0,30}(?:unbekannt|nicht gefunden)"
    r"|adresse nicht (?:gefunden|bekannt)|пользовател\w+ не (?:найден|существует)|不存在|存在しません"
    r"|見つかりません(?:で|。)",
    re.IGNORECASE,
)

# Of systems whose report never varies, whatever its language.
_SYSTEMS = (
    (
        "rejected",
        re.compile(
            r"^Google Groups\s*$|groups\.google\.com/support|not a member of this mailing list",
            re.MULTILINE,
        ),
    ),
    (
        "policyviolation",
        re.compile(r"content presents a potential|for policy reasons", re.IGNORECASE),
    ),
)

# The words of a refusal. The first that fits is the reason: what the recipient's own mailbox says
# stands before what is said of the sender, and general words stand last.
_BY_WORDS = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        (
            "mailboxfull",
            r"(?:mailbox|mail box|quota|inbox|storage|mail ?dir(?:ectory)?|account|user"
            r"|recipient)[^.\n]{0,50}"
            r"(?:\bfull\b|exceed|over|reached|limit on|out of space)(?! the maximum message)"
            r"|over ?quota|quota (?:exceeded|violation)"
            r"|exceeded (?:the |its |his |their )?(?:\w+ )?(?:quota|storage|disk)"
            r"|insufficient (?:disk |mailbox )?(?:storage|space)"
            r"|boite du destinataire pleine|buz[oó]n (?:lleno|est[aá] lleno)"
            r"|casella[^.\n]{0,20}piena|disk quota|mail ?folder is full"
            r"|postfach[^.\n]{0,30}voll|ящик переполнен|容量が|一杯です",
        ),
        (
            "mesgtoobig",
            r"(?:message|mail|header)[^.\n]{0,40}(?:too (?:big|large)"
            r"|exceed\w*[^.\n]{0,30}(?:size|limit|maximum))"
            r"|size[^.\n]{0,40}exceed|exceeds? (?:the )?(?:maximum|size|fixed)[^.\n]{0,20}(?:size"
            r"|limit|message)|size limit|too large",
        ),
        (
            "exceedlimit",
            r"message length|line length|too many (?:recipients in|hops? recipients)"
            r"|larger than the (?:current )?(?:system|limit)",
        ),
        (
            "suspend",
            r"(?:mailbox|account|user|recipient|address|domain)[^.\n]{0,60}(?:disabled|suspend"
            r"|inactive|locked|frozen|blocked by the user"
            r"|deactivated|discontinued|not active|temporarily unavailable|expired|is closed"
            r"|cancel)"
            r"|inactive (?:user|account|recipient|mailbox)|disabled (?:user|account|recipient"
            r"|mailbox)|account deactivated",
        ),
        (
            "hasmoved",
            r"\bhas (?:been )?(?:moved|replaced)\b|new e?-?mail address|no longer (?:with|at"
            r"|works|employed)|user has moved"
            r"|address (?:has )?changed",
        ),
        (
            "norelaying",
            r"relay(?:ing)?[^.\n]{0,40}(?:den|not (?:allowed|permitted|authori)|prohibit|refus"
            r"|reject)|relay access|unable to relay"
            r"|not? (?:allowed|permitted|authori[sz]ed) to relay|do(?:es)? not relay"
            r"|isn.t in my list of allowed rcpthosts|not (?:a|an open) relay"
            r"|rcpthosts|not a gateway|insecure mail relay",
        ),
        (
            "authfailure",
            r"\b(?:DMARC|DKIM|SPF)\b|sender policy framework|unauthenticated (?:e?mail|message)"
            r"|fails? to pass authentication|sender id",
        ),
        ("userunknown", _UNKNOWN_USER.pattern),
        (
            "filtered",
            r"message filtered|refused by (?:the )?(?:user|recipient)|user (?:reject|refuse)"
            r"|due to (?:user|recipient) (?:rule|preference)"
            r"|blocked by the recipient|only accept(?:s|ing) mail from|not accepting any mail"
            r"|restricted sms|拒否",
        ),
        (
            "requireptr",
            r"\bPTR\b|reverse[- ](?:dns|lookup|hostname|mapping|address)|no rdns|rdns"
            r"|cannot (?:find|resolve) your (?:host|reverse)"
            r"|cannot resolve your address|unverifyable sending|no matching reverse",
        ),
        (
            "notcompliantrfc",
            r"RFC ?\d{3,4}|not (?:rfc|rfc-)?compliant|multiple (?:addresses|from"
            r"|.{1,20} headers?)[^.\n]{0,20}(?:in|header)|bare LF|duplicate header",
        ),
        ("badreputation", r"reputation|poor (?:ip|sender) score"),
        (
            "contenterror",
            r"\bcontent (?:reject|blocked|type|is not)|8-?bit (?:data )?in (?:message )?header"
            r"|improper use of 8|malformed|\bMIME\b"
            r"|missing (?:required )?header|hop ?count|too many (?:\"?received|hops)|charset"
            r"|syntactically",
        ),
        (
            "rejected",
            r"sender[^.\n]{0,60}(?:reject|denied|not (?:allowed|exist|found|verified|permitted"
            r"|authori)|invalid|unknown|verify failed|blacklist"
            r"|empty|spammer|not accepted|no mx)|invalid sender|you are not (?:a member"
            r"|allowed to post|permitted)|(?:null|empty) (?:envelope )?sender"
            r"|does not exist E2110|not a registered gateway user"
            r"|address(?:es)? rejected ?: access denied|bogus mail from"
            r"|mail from[^.\n]{0,40}(?:reject|denied|not owned)|bouncedeny|purported responsible"
            r"|batv|not (?:allowed|permitted) to (?:post|send) to"
            r"|are not member|group (?:you tried|.{0,40}may not exist)|access (?:to"
            r"|rights)[^.\n]{0,30}list|delivery not authori[sz]ed",
        ),
        (
            "hostunknown",
            r"host(?:name)?s?(?: or domain)?(?: name)?[^.\n]{0,30}(?:not found|unknown|lookup"
            r"|does not exist|nonexistent)"
            r"|\bdomain[^.\n]{0,40}(?:unknown|not (?:exist|found)|does(?:n.t| not) exist"
            r"|couldn.t be found|is not valid|illegal|invalid|has no)"
            r"|unrouteable (?:mail )?(?:domain|address)|NXDOMAIN|(?:no such|invalid|unknown|bad"
            r"|illegal|non-?existent) (?:mail )?(?:host|domain|destination)"
            r"|illegal host|name or service not known|host address lookups? failed|no (?:mx"
            r"|valid) (?:host|domain|record)"
            r"|couldn.t find any host|all relevant MX records"
            r"|(?<![@.\w-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.[a-z]{2,24} does not exist"
            r"|unresolvable",
        ),
        ("virusdetected", r"\bvirus|malware|infected|trojan|worm\b"),
        (
            "spamdetected",
            r"\bspam\b|unsolicited|junk ?mail|bulk (?:mail|message)|spamassassin"
            r"|rejected by (?:the )?(?:anti-?)?spam|\bUCE\b",
        ),
        (
            "toomanyconn",
            r"too many (?:concurrent |simultaneous |smtp )?(?:connections|sessions|recipients)"
            r"|connection rate|all available ips|max\w* connections",
        ),
        (
            "speeding",
            r"(?:rate|sending|too)[^.\n]{0,20}(?:limit|too (?:fast|many|quickly|much))|throttl"
            r"|too many (?:messages|errors|mails)",
        ),
        (
            "blocked",
            r"black ?list|block ?list|\bblocked\b|\bRBL\b|spamhaus|spamcop|\bbanned\b|\bDNSBL\b"
            r"|access denied|connection (?:refused by|not allowed"
            r"|dropped|rejected)|client host[^.\n]{0,60}(?:reject|block|denied)|(?:ip|ips|address"
            r"|host|server)[^.\n]{0,40}(?:refused|not allowed"
            r"|is denied|blocked|weren.t sent)|refused to talk|not accept(?:ing)? (?:mail"
            r"|connections?) from|part of their network",
        ),
        (
            "policyviolation",
            r"\bpolic(?:y|ies)\b|potential security|prohibited (?:attachment|content|file)"
            r"|attachment (?:type|name)[^.\n]{0,20}(?:not|prohib)"
            r"|administratively prohibited|security (?:issue|policies)|denied by policy",
        ),
        (
            "notaccept",
            r"does(?:n.t| not) accept (?:any )?(?:e?-?mails?|messages)|null ?MX"
            r"|no mails? accepted|not accept(?:ing)? (?:any )?(?:network )?messages"
            r"|indicated no smtp service|does not handle mail|smtp protocol[^.\n]{0,20}not",
        ),
        (
            "systemerror",
            r"duplicated message-id in|(?:system|server|configuration|internal"
            r"|local)[^.\n]{0,20}(?:config(?:uration)? )?error|loops? back to|mail (?:loop"
            r"|forwarding loop)"
            r"|loop detected|too many hops|service (?:currently )?unavailable|aliasing"
            r"|can.t (?:create|open|write|lock)|insufficient permission"
            r"|maximum (?:forwarding )?loop|program failure|out of memory|unable to (?:create"
            r"|open|write)|resources temporarily",
        ),
        (
            "systemfull",
            r"(?:disk|file ?system|device)[^.\n]{0,20}full|no space left|system (?:storage"
            r"|resources)|mail system full",
        ),
        (
            "networkerror",
            r"no route to host|network (?:is )?(?:unreachable|error|problem)|could not connect"
            r"|connection (?:reset|lost|refused|closed)"
            r"|cannot (?:connect|establish)|unable to connect|(?:dns"
            r"|name ?server)[^.\n]{0,30}(?:fail|error|problem|quer)|server failure"
            r"|lost connection"
            r"|host (?:is )?unreachable|couldn.t connect|no answer from host|routing",
        ),
        (
            "expired",
            r"retry time|too long|\bexpired\b|time-?out|timed out|delivery (?:time|temporar)"
            r"|gave up|giving up|multiple retries|not yet been"
            r"|undelivered after|could not be delivered (?:for|within)|has been delayed|delayed"
            r"|unable to deliver in|retries",
        ),
        (
            "failedstarttls",
            r"starttls|tls (?:is )?(?:required|handshake|negotiation)|certificate"
            r"|encryption (?:needed|required)",
        ),
        (
            "securityerror",
            r"authenticat|not authori[sz]ed|permission denied|authentification|credentials"
            r"|security",
        ),
        ("suppressed", r"suppress"),
        (
            "mailererror",
            r"(?:x-unix|command failed|returned? (?:a )?non-?zero|exit (?:status|code)"
            r"|mailer error|pipe to \||local delivery failed|procmail)",
        ),
    )
)


def reason_in(text: str) -> str:
    """The reason that some words give, or an empty text."""
    return next((reason for reason, pattern in (*_SYSTEMS, *_BY_WORDS) if pattern.search(text)), "")
