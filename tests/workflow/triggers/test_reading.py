"""triggers.toml and the rules of escalation.toml: what they may say, and how a fault is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.calendars import ALWAYS
from workflow.errors import SettingsError
from workflow.escalation_rules import load_escalation
from workflow.settings import AgentSettings, GroupSettings, Secret, Settings
from workflow.triggers.reading import FILE, load_triggers
from workflow.triggers.rule import Answer, Cap, Once, Rule, Tell, Up, Webhook

SETTINGS = Settings(
    agents=(AgentSettings("ana", "ana@desk.example", ("support",)),),
    groups=(GroupSettings("support", "L1"), GroupSettings("senior", "L2")),
)


def read(home: Path, text: str) -> tuple[Rule, ...]:
    path = home / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_triggers(home, SETTINGS, {"always": ALWAYS})


def test_a_home_without_the_file_has_no_triggers(tmp_path: Path) -> None:
    assert load_triggers(tmp_path, SETTINGS) == ()


def test_a_trigger_says_when_for_which_how_often_and_what(tmp_path: Path) -> None:
    (rule,) = read(
        tmp_path,
        """
[[trigger]]
name = "remind"
on = ["message sent", "snooze_ended"]
after = "3d"
unless = "message in"
when = "status:pending -tag:legal"
once = "customer per 1d"
cap = "20 per 1h"
mode = "shadow"
urgent = true

[trigger.do]
status = "open"
priority = "high"
add_tags = "Reminded"
snooze = "reply"
draft = { macro = "ask-for-details" }
notify = { to = ["assignee", "leads", "x@partner.example"], text = "look" }
webhook = [{ url = { env = "HOOK" }, secret = { keyring = "hook" } }, "https://a.example/h"]
run = ["/usr/bin/page", "--now"]
""",
    )
    assert (rule.name, rule.cause, rule.mode) == ("remind", "triggers.toml:2", "shadow")
    assert rule.actor.wire == "rule:remind"
    assert rule.on == ("message sent", "snooze ended")
    assert (rule.delay_s, rule.unless) == (3 * 86_400, ("message in",))
    assert rule.when.text == "status:pending -tag:legal"
    assert (rule.once, rule.cap) == (Once("customer", 86_400), Cap(20, 3_600))
    assert (rule.do.status, rule.do.priority, rule.do.add_tags) == ("open", 3, ("reminded",))
    assert rule.do.snooze_s == 0
    assert rule.do.draft == Answer(macro="ask-for-details")
    assert rule.do.notify == Tell(("assignee", "leads", "x@partner.example"), "look")
    assert rule.do.webhooks == (
        Webhook(Secret("env", "HOOK"), Secret("keyring", "hook")),
        Webhook(Secret("bare", "https://a.example/h")),
    )
    assert rule.do.run is not None
    assert rule.do.run.argv == ("/usr/bin/page", "--now")


HEAD = '[[trigger]]\nname = "x"\non = "created"\n'


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (
            '[[trigger]]\nname = "x"\non = "creatd"\ndo = { note = "a" }\n',
            "3:1",
            "did you mean created?",
        ),
        ('[[trigger]]\nname = "x"\n\ndo = { status = "open" }\n', "1:1", "when does it happen?"),
        (HEAD, "1:1", "the trigger does nothing"),
        (HEAD + 'match = "tag:a"\ndo = { note = "a" }\n', "4:1", "is called when"),
        (HEAD + 'do = { status = "opn" }\n', "4:8", "there is no status 'opn': there are new"),
        (HEAD + '[trigger.do]\nnote = "n"\nprority = "low"\n', "6:1", "did you mean priority?"),
        (HEAD + 'do = { assign = "zoe" }\n', "4:8", "there is no agent 'zoe'"),
        (HEAD + 'do = { reply = "Hello" }\n', "4:8", 'send = "auto"'),
        (HEAD + 'do = { draft = { send = "auto" } }\n', "4:8", "needs a text or a macro"),
        (HEAD + 'do = { notify = "zoe" }\n', "4:8", "'zoe' is nobody to tell"),
        (HEAD + 'do = { webhook = "ftp://a.example" }\n', "4:8", "no http or https address"),
        (HEAD + 'do = { run = "rm -rf /" }\n', "4:8", "run is a list"),
        (HEAD + 'do = { escalate = { reason = "a" }, assign = "ana" }\n', "4:37", "drop assign"),
        (HEAD + 'when = "assignee:me"\ndo = { note = "a" }\n', "4:1", "when is no query"),
        (HEAD + 'when = "stats:open"\ndo = { note = "a" }\n', "4:1", "when is no query"),
        (HEAD + 'once = "day"\ndo = { note = "a" }\n', "4:1", "'day' is no guard"),
        (HEAD + 'cap = "lots"\ndo = { note = "a" }\n', "4:1", "'lots' is no cap"),
        (HEAD + 'after = "soon"\ndo = { note = "a" }\n', "4:1", "not a duration"),
        (HEAD + 'unless = "message in"\ndo = { note = "a" }\n', "4:1", "needs a time to wait in"),
        (HEAD + 'to = "open"\ndo = { note = "a" }\n', "4:1", "something changes"),
        (
            HEAD + 'after = "1h"\ncalendar = "moon"\ndo = { note = "a" }\n',
            "5:1",
            "no calendar 'moon'",
        ),
        (HEAD + 'every = "day 09:00"\ndo = { note = "a" }\n', "4:1", "every stands alone: drop on"),
        (HEAD + 'mode = "test"\ndo = { note = "a" }\n', "4:1", "not one of live, shadow"),
        (
            '[[trigger]]\nname = "x"\nevery = "someday 09:00"\ndo = { note = "a" }\n',
            "3:1",
            "'someday' is no day",
        ),
        (
            HEAD + 'do = { note = "a" }\n' + HEAD + 'do = { note = "a" }\n',
            "6:1",
            "stands there twice",
        ),
        ('[[rule]]\nname = "x"\n', "1:1", "each is called [[trigger]] here"),
    ],
)
def test_a_fault_names_its_place_and_what_fits(
    tmp_path: Path, text: str, place: str, says: str
) -> None:
    with pytest.raises(SettingsError) as fault:
        read(tmp_path, text)
    assert str(fault.value).startswith(f"{tmp_path / FILE}:{place}: ")
    assert says in str(fault.value)


LEVELS = """\
reasons = ["too late", "angry"]

[[level]]
name = "L2"
group = "senior"
calendar = "office"

"""


def escalations(home: Path, text: str) -> tuple[Rule, ...]:
    path = home / "workflow" / "escalation.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(LEVELS + text, encoding="utf-8")
    return load_escalation(home, SETTINGS).rules


def test_a_rule_moves_up_once_a_ticket_unless_it_says_otherwise(tmp_path: Path) -> None:
    late, angry = escalations(
        tmp_path,
        """\
[[rule]]
name = "two hours"
unanswered = "2h"
to = "L2"
reason = "too late"
tried = "nothing yet"
notify = "leads"
urgent = true

[[rule]]
name = "angry"
match = "tier:enterprise sentiment<-0.5"
once = "ticket per 7d"
mode = "shadow"
""",
    )
    assert (late.cause, late.unanswered_s, late.on) == ("escalation.toml:8", 7_200, ())
    assert late.do.escalate == Up("L2", "too late", "nothing yet")
    assert late.do.notify == Tell(("leads",))
    assert (late.urgent, late.once) == (True, Once("ticket"))
    assert (angry.on, angry.when.text) == (("message in",), "tier:enterprise sentiment<-0.5")
    assert (angry.once, angry.shadow) == (Once("ticket", 7 * 86_400), True)
    (level,) = load_escalation(tmp_path, SETTINGS).levels
    assert level.calendar == "office"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('[[rule]]\nname = "x"\n', "8:1", "when is it moved up?"),
        ('[[rule]]\nname = "x"\non = "breached"\nto = "L9"\n', "11:1", "there is no level 'L9'"),
        ('[[rule]]\nname = "x"\non = "breached"\nreason = "no"\n', "11:1", "there are too late"),
        ('[[rule]]\nname = "x"\nwhen = "tag:a"\n', "10:1", "stands in match"),
        ('[[rule]]\nname = "x"\nmatch = "tag:a"\ntext = "b"\n', "11:1", "give notify"),
    ],
)
def test_a_fault_of_a_rule_is_told_as_well(
    tmp_path: Path, text: str, place: str, says: str
) -> None:
    with pytest.raises(SettingsError) as fault:
        escalations(tmp_path, text)
    assert f"escalation.toml:{place}: " in str(fault.value)
    assert says in str(fault.value)
