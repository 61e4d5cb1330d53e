"""What a selector means: of routes, silences, inhibitions, quiet hours and digests alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from logmedic.core.hours import open_until
from logmedic.model.alert import Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.notice import Notice
from logmedic.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a piece of news."""

    severity: Severity
    event: AlertEvent
    tags: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)


def facts_of(notice: Notice) -> Facts:
    return Facts(notice.severity, notice.event, frozenset(notice.tags), notice.labels)


def means(selector: Selector, facts: Facts, now: datetime) -> bool:
    return not why_not(selector, facts, now)


def why_not(selector: Selector, facts: Facts, now: datetime) -> str:
    """The first part that does not fit, for people; empty when all of them do."""
    if selector.severities and facts.severity not in selector.severities:
        asked = sorted(selector.severities, key=lambda each: each.rank)
        return f"severity is {facts.severity}, not {_or(asked)}"
    if selector.events and facts.event not in selector.events:
        return f"event is {facts.event}, not {_or(sorted(selector.events))}"
    if selector.tags and selector.tags.isdisjoint(facts.tags):
        has = f"tags are {', '.join(sorted(facts.tags))}" if facts.tags else "it has no tag"
        return f"{has}, not {_or(sorted(selector.tags))}"
    for name, patterns in selector.labels.items():
        value = facts.labels.get(name)
        if value is None:
            return f"it has no {name}, and {_or(patterns)} is asked for"
        if not any(fnmatchcase(value, pattern) for pattern in patterns):
            return f"{name} is {value}, not {_or(patterns)}"
    if selector.hours and all(open_until(hours, now) is None for hours in selector.hours):
        return "it is not the time for it"
    return ""


def _or(words: Iterable[str]) -> str:
    return " or ".join(str(word) for word in words)
