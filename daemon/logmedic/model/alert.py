"""Messages to people: receivers, routes, and the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from logmedic.model.rule import AlertEvent
from logmedic.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Receiver:
    """`url` is an Apprise URL and a secret: never shown, logged or stored. `endpoint` replaces the web hook's address
    of a slack:// URL, for servers that speak the same protocol."""

    name: str
    url: str = field(repr=False)
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Every receiver in `to` gets the alert; when one of them is down, the first in `fallback` that was not used for
    this alert yet gets it as well."""

    name: str
    to: tuple[str, ...]
    fallback: tuple[str, ...] = ()


class AlertStatus(StrEnum):
    """PENDING: to be sent at `next_at`. SENDING: handed to the sender; found so at start-up, it is sent again.
    DEAD: given up (`last_error`)."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to one receiver. `id` stands in the message, so that a second delivery is recognised."""

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


@dataclass(frozen=True, slots=True)
class Delivery:
    """What sending one alert gave. `permanent`: the receiver refuses for good (bad URL, revoked hook)."""

    delivered: bool
    detail: str = ""
    permanent: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """Who is told. `default_route` is used for rules that name none."""

    routes: Mapping[str, Route] = field(default_factory=dict)
    default_route: str = ""
