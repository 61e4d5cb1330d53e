"""Messages to people: receivers, routes, and the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from logmedic.model.alertevent import AlertEvent
from logmedic.model.hours import Hours
from logmedic.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Receiver:
    """`url` is an Apprise URL and a secret: never shown, logged or stored. `endpoint` takes the place of the service's
    own address, for servers that speak the same protocol."""

    name: str
    url: str = field(repr=False)
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Selector:
    """Which news is meant; a part that is empty asks for nothing. `severities`, `events`: one of them. `tags`: one of
    them is among its tags. `labels`: by label, patterns (fnmatch) of which one fits its value; news without that label
    is not meant. `hours`: it is one of these now."""

    severities: frozenset[Severity] = frozenset()
    events: frozenset[AlertEvent] = frozenset()
    tags: frozenset[str] = frozenset()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hours: tuple[Hours, ...] = ()


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is called as well when nobody acknowledged within `after` of the first message."""

    after: timedelta
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Every receiver in `to` gets the message; when one of them is down, the first in `fallback` that was not used for
    it yet gets it as well. News with the same values of the labels `group_by` is told together: `group_wait` after the
    first of it, then at most every `group_interval`. What is still open, and nobody acknowledged, is told again after
    `repeat_every` (None: never), then after twice that, and so on, at most after `repeat_max`. `escalate`: in order,
    each counted from the first message."""

    name: str
    to: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ("rule",)
    group_wait: timedelta = timedelta(seconds=5)
    group_interval: timedelta = timedelta(minutes=1)
    repeat_every: timedelta | None = timedelta(hours=4)
    repeat_max: timedelta = timedelta(hours=24)
    escalate: tuple[Escalation, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of the route tree: what `when` means goes to what its branches `then` say, and, when none of those takes
    it, to `routes`. The first branch that takes it is the last one that is asked, unless `go_on`. `place`: where it is
    written, for people."""

    when: Selector
    routes: tuple[str, ...] = ()
    then: tuple[Branch, ...] = ()
    go_on: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While something that `by` means is open, nobody is told of what `of` means, when both have the same values of the
    labels `equal`."""

    by: Selector
    of: Selector
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DigestPlan:
    """What `of` means waits for one message at `at` o'clock in `zone`, on `days` (0 is Monday)."""

    of: Selector
    at: time
    zone: tzinfo
    days: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class ReceiverPlan:
    """How one receiver wants to be told. `zone`: its reader's, None: UTC alone is written. In `quiet_hours` what
    `quiet_except` does not mean waits for their end. `max_per_hour`: messages; what is more is told together, once
    there is room. `scheme`: of its URL."""

    name: str
    scheme: str = ""
    zone: tzinfo | None = None
    quiet_hours: tuple[Hours, ...] = ()
    quiet_except: Selector = Selector(severities=frozenset({Severity.CRITICAL}))
    digest: DigestPlan | None = None
    max_per_hour: int = 60


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """`url`: the beginning of every link, without a slash at its end. `key` signs them, and is a secret."""

    url: str
    key: bytes = field(repr=False)
    lasts: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """Who is told. The rules' own routes come first, then the `tree`; `default_route` is for what neither names a route
    for, and for routes that do not exist. `page_after`: so long a fix may work, or wait for its turn, before people
    hear of an incident that it has not ended. `labels`: of this host. `by_precursor`: what tends to follow an open
    issue is not told apart from it. `links` None: messages have no links to this daemon."""

    routes: Mapping[str, Route] = field(default_factory=dict)
    default_route: str = ""
    tree: tuple[Branch, ...] = ()
    receivers: Mapping[str, ReceiverPlan] = field(default_factory=dict)
    inhibit: tuple[Inhibition, ...] = ()
    by_precursor: bool = False
    page_after: timedelta = timedelta(minutes=5)
    labels: Mapping[str, str] = field(default_factory=dict)
    links: LinkPlan | None = None

    def receiver(self, name: str) -> ReceiverPlan:
        return self.receivers.get(name) or ReceiverPlan(name)


class AlertStatus(StrEnum):
    """PENDING: to be sent at `next_at`. SENDING: handed to the sender; found so at start-up, it is sent again.
    DEFERRED: it waits for its receiver's digest, or for room, at `next_at`; then it is FOLDED: told in another one
    (`folded_into`). DEAD: given up (`last_error`)."""

    PENDING = "pending"
    SENDING = "sending"
    DEFERRED = "deferred"
    FOLDED = "folded"
    SENT = "sent"
    DEAD = "dead"


UNDELIVERED = frozenset({AlertStatus.PENDING, AlertStatus.SENDING, AlertStatus.DEFERRED})
"""It is still to be told."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to one receiver. `id` stands in the message, so that a second delivery is recognised. `incident_id`:
    of the first incident that it tells of, if any. `content`: a model.message.Message as JSON (core/letters.py), of
    which `title` and `body` are what a plain reader sees. `group_id`: what makes messages one thread. `tells`: the
    subjects that it tells of. `passed_on`: the next in line has it as well, or nobody is next. `give_up_at`: a try
    that fails after that time is the last one."""

    id: str
    incident_id: str
    event: AlertEvent
    severity: Severity
    route: str
    receiver: str
    title: str
    body: str
    created_at: datetime
    next_at: datetime
    status: AlertStatus = AlertStatus.PENDING
    tries: int = 0
    sent_at: datetime | None = None
    last_error: str = ""
    fallback_of: str = ""
    group_id: str = ""
    content: str = ""
    tells: tuple[str, ...] = ()
    folded_into: str = ""
    passed_on: bool = False
    give_up_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What sending one alert gave. `permanent`: the receiver refuses for good (bad URL, revoked hook)."""

    delivered: bool
    detail: str = ""
    permanent: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """How a receiver does. `failures`: in a row. While its breaker is open, until `open_until`, nothing is sent to it
    but one trial after that time (`trial`). `wait_until`: it asked to be left alone (Retry-After). `disabled`: why it
    refuses for good, empty: it does not; that lasts until the daemon starts again, its URL changes, or a message
    arrives. `recent`: POSIX seconds of what was handed to the sender in the last hour and did not fail, oldest first.
    """

    name: str
    failures: int = 0
    opens: int = 0
    open_until: datetime | None = None
    trial: bool = False
    disabled: str = ""
    last_error: str = ""
    last_error_at: datetime | None = None
    sent_at: datetime | None = None
    recent: tuple[float, ...] = ()
    wait_until: datetime | None = None
