"""``workflow/sla.toml``: what a team may write, and the sentence where it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.calendar_file import load_calendars
from workflow.errors import SettingsError
from workflow.model import Metric, Priority, Status
from workflow.policy import BUILT_IN, Policies
from workflow.policy_file import FILE, load_policies
from workflow.query.predicate import TicketFacts


def load(home: Path, text: str) -> Policies:
    (home / "workflow").mkdir(exist_ok=True)
    (home / FILE).write_text(text, encoding="utf-8")
    (home / "workflow" / "calendars.toml").write_text(
        '[[calendar]]\nname = "office"\ntimezone = "Europe/Berlin"\nmonday = ["09:00-17:00"]\n'
        'tuesday = ["09:00-17:00"]\n',
        encoding="utf-8",
    )
    return load_policies(home, load_calendars(home))


WHOLE = """
[[policy]]
name = "Billing error"
match = "topic:billing priority>=high"
calendar = "office"
first_response = "1h"
next_response = "2h"
update = "1d"
resolution = { urgent = "2h", high = "4h" }
escalate_unresolved = { high = "3h" }
warn = "25%"
pause_on = ["pending", "on hold"]

[[policy]]
name = "Rest"
first_response = "8h"
warn = "30m"
"""


def test_a_policy_is_read_with_everything_that_it_may_say(tmp_path: Path) -> None:
    policies = load(tmp_path, WHOLE)
    billing, rest = policies.in_order
    assert billing.calendar.name == "office"
    assert billing.target(Metric.FIRST_RESPONSE, Priority.LOW) == 3600
    assert billing.target(Metric.RESOLUTION, Priority.HIGH) == 4 * 3600
    assert billing.target(Metric.RESOLUTION, Priority.LOW) is None
    assert billing.target(Metric.UPDATE, Priority.HIGH) == 86_400
    assert billing.escalate == {Priority.HIGH: 3 * 3600}
    assert billing.pause_on == {Status.PENDING, Status.ON_HOLD}
    assert billing.warn_left(4 * 3600) == 3600
    assert (billing.cause, rest.cause) == ("sla.toml:2", "sla.toml:14")
    assert rest.warn_left(8 * 3600) == 1800
    assert rest.warn_left(600) == 600, "a warning never comes before the promise"
    assert rest.calendar.name == "always"


def test_the_first_that_matches_is_chosen(tmp_path: Path) -> None:
    policies = load(tmp_path, WHOLE)

    def chosen(**facts: object) -> str | None:
        found = policies.choose(TicketFacts(**facts))  # type: ignore[arg-type]
        return found.name if found else None

    assert chosen(topic="billing", priority=3) == "Billing error"
    assert chosen(topic="billing", priority=2) == "Rest"
    assert policies.fields == {"topic", "priority"}


def test_a_home_without_a_file_has_the_built_in_one(tmp_path: Path) -> None:
    assert load_policies(tmp_path, {}).in_order == (BUILT_IN,)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[policy]]\nname = ""\nfirst_response = "1h"', "2:1: '' cannot name the policy"),
        ('[[policy]]\nname = "a"', "2:1: the policy 'a' promises nothing"),
        (
            '[[policy]]\nname = "a"\nfirst_response = "1h"\n[[policy]]\nname = "A"\nupdate = "1h"',
            "5:1: 'A' stands there twice",
        ),
        (
            '[[policy]]\nname = "a"\nfirst_response = "soon"',
            "3:1: 'soon' is not a duration",
        ),
        (
            '[[policy]]\nname = "a"\nfirst_response = 3600',
            "3:1: first_response is a length of time",
        ),
        (
            '[[policy]]\nname = "a"\nresolution = { hihg = "4h" }',
            "3:16: there is no setting 'hihg' here: did you mean high?",
        ),
        (
            '[[policy]]\nname = "a"\ncalendar = "ofice"\nupdate = "1h"',
            "3:1: there is no calendar 'ofice' in calendars.toml: did you mean office?",
        ),
        (
            '[[policy]]\nname = "a"\nmatch = "topc:billing"\nupdate = "1h"',
            "3:1: there is no field 'topc'",
        ),
        (
            '[[policy]]\nname = "a"\nmatch = "due<2h"\nupdate = "1h"',
            "3:1: a promise cannot be chosen by due",
        ),
        (
            '[[policy]]\nname = "a"\nmatch = "is:at-risk"\nupdate = "1h"',
            "3:1: a promise cannot be chosen by is:at-risk",
        ),
        (
            '[[policy]]\nname = "a"\nmatch = "policy:b"\nupdate = "1h"',
            "3:1: a promise cannot be chosen by policy",
        ),
        ('[[policy]]\nname = "a"\nupdate = "1h"\nwarn = "120%"', "4:1: '120%' is not between"),
        (
            '[[policy]]\nname = "a"\nupdate = "1h"\npause_on = ["open"]',
            "4:1: open does not wait for anybody",
        ),
        (
            '[[policy]]\nname = "a"\nresolution = "4h"\nescalate_unresolved = "5h"',
            "4:1: a ticket of priority unset would be escalated after",
        ),
        (
            '[[policy]]\nname = "a"\nfirst_respons = "1h"',
            "3:1: there is no setting 'first_respons' here: did you mean first_response?",
        ),
        ('[[polcy]]\nname = "a"', "1:1: there is no setting 'polcy' here: did you mean policy?"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_fits(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert f"sla.toml:{sentence}" in str(caught.value)


def test_a_promise_that_would_be_due_in_no_lifetime_is_refused(tmp_path: Path) -> None:
    rare = '[[calendar]]\nname = "rare"\ntimezone = "UTC"\nmonday = ["09:00-09:30"]\n'
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "calendars.toml").write_text(rare, encoding="utf-8")
    calendars = load_calendars(tmp_path)
    text = '[[policy]]\nname = "a"\ncalendar = "rare"\nfirst_response = "{}"\n'
    (tmp_path / FILE).write_text(text.format("300d"), encoding="utf-8")
    assert load_policies(tmp_path, calendars).named("a")
    (tmp_path / FILE).write_text(text.format("1000d"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"sla\.toml:4:1: .* out of the years that are counted"):
        load_policies(tmp_path, calendars)
