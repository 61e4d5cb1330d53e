"""Which news is meant: in the route tree, in quiet hours and digests, in inhibitions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from logmedic.model.alert import Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.severity import Severity
from logmedic.settings.hours import Hourly
from logmedic.settings.parts import Part, Words, listed

OWN_KEYS = ("severity", "event", "rule", "source", "service")
"""Labels that every selector names by keys of their own."""
RESERVED = frozenset({*OWN_KEYS, "host", "incident", "issue"})
"""What news is labelled with by itself; nothing else takes these names."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")

Severities = Annotated[
    tuple[Severity, ...],
    BeforeValidator(listed, json_schema_input_type=Severity | list[Severity]),
    Field(min_length=1),
]
Events = Annotated[
    tuple[AlertEvent, ...],
    BeforeValidator(listed, json_schema_input_type=AlertEvent | list[AlertEvent]),
    Field(min_length=1),
]


def label_text(value: object) -> object:
    """A number that stands where text is wanted is text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _label_texts(value: object) -> object:
    return [label_text(each) for each in value] if isinstance(value, list | tuple) else [label_text(value)]


Patterns = Annotated[
    tuple[str, ...],
    BeforeValidator(_label_texts, json_schema_input_type=str | int | float | list[str | int | float]),
    Field(min_length=1),
]


def check_label(name: str) -> None:
    """Raises ValueError."""
    if not _NAME.match(name):
        raise ValueError(f"`{name[:60]}` is no name of a label; write letters, digits, _, . and -: datacenter")


class SelectorSettings(Part):
    """Whatever is named has to fit; of several values one is enough."""

    severity: Severities = ()
    """high; [high, critical]."""
    event: Events = ()
    """opened; [fix_failed, breaker_open]."""
    tags: Words = ()
    """One of these is among its tags."""
    rule: Words = ()
    """Ids of rules; patterns (pg-*) are allowed."""
    source: Words = ()
    """Names of sources; patterns are allowed."""
    service: Words = ()
    """What its rule file is about; patterns are allowed."""
    labels: dict[str, Patterns] = Field(default_factory=dict)
    """Other labels, with patterns: those of the host (alerts.labels), what a rule captured, host, incident, issue."""
    hours: Hourly = ()
    """It is one of these times now."""

    @model_validator(mode="after")
    def _labels_are_labels(self) -> Self:
        for name in self.labels:
            check_label(name)
            if name in OWN_KEYS:
                raise ValueError(f"`{name}` has a key of its own; write `{name}: ...` beside `labels`")
        return self

    @property
    def is_empty(self) -> bool:
        return not any((self.severity, self.event, self.tags, self.patterns, self.hours))

    @property
    def patterns(self) -> Mapping[str, tuple[str, ...]]:
        """By label."""
        own = {"rule": self.rule, "source": self.source, "service": self.service}
        return {**{name: given for name, given in own.items() if given}, **self.labels}

    def selector(self, zone: tzinfo) -> Selector:
        """`zone`: of its hours, where they name none."""
        return Selector(
            severities=frozenset(self.severity),
            events=frozenset(self.event),
            tags=frozenset(self.tags),
            labels=self.patterns,
            hours=tuple(each.hours(zone) for each in self.hours),
        )

    def covers(self, other: SelectorSettings) -> bool:
        """Whether it surely means all that `other` means; what is not sure does not count."""
        both = (
            (self.severity, other.severity),
            (self.event, other.event),
            (self.tags, other.tags),
            *((patterns, other.patterns.get(name, ())) for name, patterns in self.patterns.items()),
            (self.hours, other.hours),
        )
        return all(not mine or (theirs and all(each in mine for each in theirs)) for mine, theirs in both)

    def excludes(self, other: SelectorSettings) -> str:
        """The key on which nothing can fit both, or empty."""
        both = {"severity": (self.severity, other.severity), "event": (self.event, other.event)}
        return next((key for key, (mine, theirs) in both.items() if mine and theirs and not {*mine} & {*theirs}), "")
