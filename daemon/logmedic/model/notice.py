"""What people are to be told, before it is a message: news by subject, groups of it, silences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from logmedic.model.alert import Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.severity import Severity

SEPARATOR = "\x1f"
"""Between the route and the values in the key of a group."""


@dataclass(frozen=True, slots=True)
class Notice:
    """The last news of one subject. `subject`: `incident:ID`, `issue:ID`, `source:NAME`, `rule:ID`, `rules`,
    `trust:RULE`, `warning:ISSUE`, `receiver:NAME`, `daemon:PART`. `version` grows with each news; `told` says, by
    receiver, which one it was told last. `lasting`: its end will be told, so that people are reminded until then.
    `over`: it has ended. `story`: a model.message.Story as JSON (core/letters.py). `groups`: keys of the groups that it
    is in. `repeat_s`: seconds, as its rule says, instead of its routes; 0: never again. `suppressed`: why nobody is
    told now, `suppressed_by`: the subject that is told instead. `acked_until` None: until it is over. `done`: nothing
    more comes of it."""

    subject: str
    event: AlertEvent
    severity: Severity
    title: str
    at: datetime
    since: datetime
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    story: str = ""
    version: int = 1
    lasting: bool = True
    over: bool = False
    groups: tuple[str, ...] = ()
    told: Mapping[str, int] = field(default_factory=dict)
    repeat_s: float | None = None
    suppressed: str = ""
    suppressed_by: str = ""
    acked_by: str = ""
    acked_at: datetime | None = None
    acked_until: datetime | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """News that one route tells together. `key`: the route and the values of its labels, between SEPARATORs. `id` and
    `title` make its messages a thread. `due_at`: when it is looked at next. `sent_at`: the last message; `called_at`:
    the first one since people were needed, from which escalation counts. `level`: how much of the route's chain was
    called. `reminders`: since the last news. `done`: it has no subject any more."""

    key: str
    id: str
    route: str
    title: str
    opened_at: datetime
    due_at: datetime | None = None
    sent_at: datetime | None = None
    called_at: datetime | None = None
    level: int = 0
    reminders: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told, from `starts_at` to `until` (exclusive), of what has one of `severities` and one of `tags`, and
    fits the pattern of each label; a part that is empty asks for nothing. `ended_by`: who ended it, at `until`."""

    id: str
    starts_at: datetime
    until: datetime
    by: str
    why: str
    created_at: datetime
    severities: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    ended_by: str = ""

    @property
    def selector(self) -> Selector:
        return Selector(
            severities=frozenset(map(Severity, self.severities)),
            tags=frozenset(self.tags),
            labels={name: (pattern,) for name, pattern in self.labels.items()},
        )
