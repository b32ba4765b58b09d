"""What a team's rules say, in words: as ``workflow show`` and ``workflow diagram`` tell them."""

from __future__ import annotations

from collections.abc import Iterator

from console.fmt import METRIC_WORDS, span_words
from workflow.escalation_rules import Level
from workflow.model import Metric, Priority
from workflow.policy import Policy
from workflow.rulebook import Rules
from workflow.settings import GroupSettings
from workflow.triggers.rule import AROUND_THE_CLOCK, OF_POLICY, Answer, Do, Rule

__all__ = [
    "doing_words",
    "group_words",
    "level_words",
    "match_words",
    "policies_of",
    "target_words",
    "when_words",
]


def group_words(group: GroupSettings) -> str:
    """How a group hands out its tickets: ``least-loaded, at most 8, the last agent first``."""
    parts = [group.assign]
    if group.cap is not None:
        parts.append(f"at most {group.cap}")
    if group.prefer_previous:
        parts.append("the customer's last agent first")
    return ", ".join(parts)


def policies_of(rules: Rules) -> tuple[Policy, ...]:
    """The policies in the order in which they are tried."""
    return tuple(rules.policies.in_order)


def match_words(policy: Policy) -> str:
    """For which tickets a policy is."""
    return str(getattr(policy, "match", "")) or "everything"


def target_words(policy: Policy, metric: Metric) -> str:
    """What a policy promises for a metric: ``1 h``, or ``urgent 2 h, high 4 h``; - for nothing."""
    found = policy.targets.get(metric, {})
    same = set(found.values())
    everyone = [priority for priority in Priority if priority is not Priority.UNSET]
    if len(same) == 1 and all(priority in found for priority in everyone):
        return span_words(same.pop())
    ordered = sorted(found.items(), key=lambda item: -item[0])
    return ", ".join(f"{priority.word} {span_words(s)}" for priority, s in ordered) or "-"


def level_words(level: Level) -> str:
    """How long a level has, and who is next."""
    within = span_words(level.accept_within_s) if level.accept_within_s is not None else "no limit"
    return f"{within}, then {level.then}" if level.then else within


def when_words(rule: Rule) -> str:
    """When a rule fires: ``created``, ``3 h after message in (office)``, ``monday 09:00``."""
    calendar = "" if rule.calendar == AROUND_THE_CLOCK else f" ({rule.calendar})"
    if rule.calendar == OF_POLICY:
        calendar = " (the policy's calendar)"
    if rule.every is not None:
        return f"every {rule.every.text}{calendar}"
    if rule.unanswered_s is not None:
        return f"unanswered for {span_words(rule.unanswered_s)}"
    if rule.unresolved_s is not None:
        return f"unresolved for {span_words(rule.unresolved_s)}"
    what = ", ".join((*rule.on, *(f"event {name}" for name in rule.signals)))
    if rule.before or rule.after:
        what += f" from {', '.join(rule.before) or 'any'} to {', '.join(rule.after) or 'any'}"
    if rule.metrics:
        what += f" ({', '.join(METRIC_WORDS.get(name, name) for name in rule.metrics)})"
    if rule.delay_s is not None:
        what = f"{span_words(rule.delay_s)} after {what}{calendar}"
    if rule.unless:
        what += f" unless {', '.join(rule.unless)}"
    return what


def doing_words(do: Do) -> str:
    """What a rule does, in its order."""
    return "; ".join(_doing(do)) or "nothing"


def _doing(do: Do) -> Iterator[str]:
    if do.macro:
        yield f"macro {do.macro}"
    if do.status is not None:
        yield f"status {do.status}"
    if do.priority is not None:
        yield f"priority {Priority(do.priority).word}"
    for name in ("topic", "policy", "group"):
        if (value := getattr(do, name)) is not None:
            yield f"{name} {value or 'none'}"
    if do.assign is not None:
        yield f"assign {do.assign or 'nobody'}"
    yield from (f"+{tag}" for tag in do.add_tags)
    yield from (f"-{tag}" for tag in do.remove_tags)
    if do.snooze_s is not None:
        yield f"snooze {span_words(do.snooze_s)}" if do.snooze_s else "snooze until they write"
    if do.note:
        yield "note"
    if do.suggest:
        yield f"suggest {do.suggest}"
    if do.draft is not None:
        yield f"draft {_answer(do.draft)}"
    if do.send is not None:
        yield f"send {_answer(do.send)} by itself"
    if do.escalate is not None:
        yield f"escalate to {do.escalate.to or 'the next level'}"
    if do.notify is not None:
        yield f"tell {', '.join(do.notify.to)}"
    if do.webhooks:
        yield "webhook" if len(do.webhooks) == 1 else f"{len(do.webhooks)} webhooks"
    if do.run is not None:
        yield f"run {do.run.argv[0]}"


def _answer(answer: Answer) -> str:
    return f"the macro {answer.macro}" if answer.macro else "a text"
