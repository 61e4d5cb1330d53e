"""What applications tell the daemon of their errors, and what they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from logmedic.model.severity import Severity

REQUESTS_KEPT = 20
"""Of an incident: ids of the requests that failed of it, the last."""


class ReportKind(StrEnum):
    """ERROR: a call failed. BREAKER_OPEN, BREAKER_CLOSED: a circuit breaker of the application did so. DEGRADED: a
    feature was served by its fallback."""

    ERROR = "error"
    BREAKER_OPEN = "circuit_breaker_open"
    BREAKER_CLOSED = "circuit_breaker_closed"
    DEGRADED = "graceful_degradation"


@dataclass(frozen=True, slots=True)
class Sender:
    """The process at the other end, as the kernel says it was when it connected. `user`: its name, or `uid 1234`."""

    uid: int
    gid: int
    pid: int
    user: str


@dataclass(frozen=True, slots=True)
class Report:
    """`error`: the type of what was raised; `error` or `message` may be empty, not both. `impact`: as its sender says.
    `name`: of the breaker, or of the feature. `attempts`, `strategy`: of a retry that gave up. `at`: by the sender's
    clock. `wait`: so long its sender waits to hear what becomes of it; 0: it does not. All but `sender` is what the
    application says: anybody who may report can say it."""

    id: str
    component: str
    error: str
    message: str
    sender: Sender
    kind: ReportKind = ReportKind.ERROR
    action: str = ""
    traceback: str = ""
    impact: Severity = Severity.MEDIUM
    environment: str = ""
    request_id: str = ""
    name: str = ""
    attempts: int = 0
    strategy: str = ""
    tags: tuple[str, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None
    wait: timedelta = timedelta(0)

    @property
    def asks(self) -> bool:
        return self.wait > timedelta(0)

    @property
    def key(self) -> str:
        """Of this report and no other: ids are chosen by those who send them."""
        return f"{self.sender.uid}:{self.id}"

    @property
    def what(self) -> str:
        """TimeoutError: the gateway did not answer"""
        return ": ".join(filter(None, (self.error, self.message)))


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a report (its `key`) whose sender asks belongs: to what rule and incident, or to what learned issue. Empty
    where there is none (yet). `mended`: the incident is over, for the rule's fix worked while the report was made."""

    report: str
    rule_id: str = ""
    incident_id: str = ""
    issue_id: str = ""
    mended: bool = False


class AnswerState(StrEnum):
    """UNKNOWN: no rule knows it; it is learned. KNOWN: a rule does, and has no fix, or is not triggered yet. HELD: its
    fix does not run now. FIXING: it is under way. FIXED: its checks passed. NOT_FIXED: it did not work. UNPROVEN:
    nobody can say what came of it. LATE: the wait is over."""

    UNKNOWN = "unknown"
    KNOWN = "known"
    HELD = "held"
    FIXING = "fixing"
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    UNPROVEN = "unproven"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a report. `final`: nothing more is told. `hold`: of HoldReason; `detail`: words for people."""

    report_id: str
    state: AnswerState
    final: bool
    issue: str = ""
    incident: str = ""
    rule: str = ""
    hold: str = ""
    detail: str = ""


REFUSALS = ("form", "size", "rate", "busy")
"""Why a report is not taken. FORM: it is not what it should be; SIZE: it is too long; RATE: its user sends too many a
second; BUSY: too much waits, or too many do."""


@dataclass(frozen=True, slots=True)
class ReportCounts:
    """Of the report socket. Since the daemon's start: `taken` (stored), `refused` (by reason: form, size, rate, busy),
    `repeated` (the same report once more), `turned_away` (connections that were too many), `cut_off` (connections whose
    other end did not read). Now: `waiting` (reports), `connections`, `questions`, `breakers` (shared, and open)."""

    taken: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    turned_away: int = 0
    cut_off: int = 0
    waiting: int = 0
    connections: int = 0
    questions: int = 0
    breakers: int = 0
