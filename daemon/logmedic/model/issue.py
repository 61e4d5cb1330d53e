"""Known issues, incidents, learnings and templates: what is remembered about errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from logmedic.model.severity import Severity


class IssueSource(StrEnum):
    RULE = "rule"
    LEARNED = "learned"
    BREAKER = "breaker"


REPORTED = "reported:"
"""What the fingerprints of issues begin with that applications reported: no rule and no line of a log is behind them.
The kind comes next, and then the user who said so (no name of an account has a colon)."""


def reporter_of(fingerprint: str) -> str:
    """The user whose processes reported the issue; empty of what nobody reported."""
    return fingerprint.split(":", 3)[2] if fingerprint.startswith(REPORTED) else ""


class IssueStatus(StrEnum):
    """NEW: first seen less than a day ago. ONGOING: it goes on as usual. ESCALATING: it comes far more often than its
    usual. RESOLVED: by a fix, by silence, by hand. REGRESSED: it came back after that. MUTED: nobody is called. MERGED:
    it is part of another one by now, and counts there."""

    NEW = "new"
    ONGOING = "ongoing"
    ESCALATING = "escalating"
    RESOLVED = "resolved"
    REGRESSED = "regressed"
    MUTED = "muted"
    MERGED = "merged"

    @classmethod
    def _missing_(cls, value: object) -> IssueStatus | None:
        return cls.ONGOING if value == "open" else None  # what stores before form 6 say


ALIVE = frozenset({IssueStatus.NEW, IssueStatus.ONGOING, IssueStatus.ESCALATING, IssueStatus.REGRESSED})
"""It may come again at any time, and people are called for it."""
MUTE_ENDED = "; its mute ended with that"
"""Ends the notes of what became part of an issue that nobody muted: nobody decided to be quiet about all of it."""


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """What keeps coming back. One a rule, one a promoted template, one a breaker. `escalation_level` is the number of
    levels (10, 100, 1000, ... occurrences) that people were called for, `rate_level` the same of doublings of its rate
    while it is escalating. All times are event times, but for `muted_until`.

    `error_pattern`: for `regex`. `onset_at`: when its present episode began. `slot_at`, `slot_count`: the hour that is
    counted, and its occurrences; `usual`: occurrences an hour, learned from `usual_hours` hours. A mute ends at
    `muted_until`, at `muted_count` occurrences, or with a version newer than `muted_version`, whichever comes first;
    with none of them it lasts. `version`: the newest that it was seen in, `first_version` the first, `resolved_version`
    that in which it was resolved; empty where nobody tells. `decided_by`: who resolved, muted or merged it by hand.
    `merged_into`: the id of the issue that it is part of. `evidence_for`, `evidence_against`: what moved `confidence`,
    see core/confidence.py."""

    id: str
    source: IssueSource
    fingerprint: str
    issue_type: str
    title: str
    severity: Severity
    first_seen: datetime
    last_seen: datetime
    description: str = ""
    error_pattern: str = ""
    resolution_strategy: str = ""
    tags: tuple[str, ...] = ()
    status: IssueStatus = IssueStatus.NEW
    occurrences: int = 0
    resolved_at: datetime | None = None
    resolution_notes: str = ""
    escalation_reason: str = ""
    escalation_level: int = 0
    rate_level: int = 0
    episodes: int = 0
    onset_at: datetime | None = None
    slot_at: datetime | None = None
    slot_count: int = 0
    usual: float = 0.0
    usual_hours: int = 0
    confidence: float = 0.0
    evidence_for: float = 0.0
    evidence_against: float = 0.0
    version: str = ""
    first_version: str = ""
    resolved_version: str = ""
    muted_until: datetime | None = None
    muted_count: int = 0
    muted_version: str = ""
    decided_by: str = ""
    merged_into: str = ""


class HoldReason(StrEnum):
    """Why a fix is not run. CAUSE: what it depends on is fixed first. OWN_CAUSE: fixes seem to set each other off."""

    OBSERVE = "observe"
    AWAITING_APPROVAL = "awaiting_approval"
    REJECTED = "rejected"
    COOLDOWN = "cooldown"
    BREAKER_OPEN = "breaker_open"
    BUDGET = "budget"
    BUSY = "busy"
    DISARMED = "disarmed"
    STALE = "stale"
    WARMING_UP = "warming_up"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    CAUSE = "cause"
    OWN_CAUSE = "own_cause"
    NO_FIX = "no_fix"

    @property
    def words(self) -> str:
        """For people."""
        return self.value.replace("_", " ")


class IncidentStatus(StrEnum):
    """OPEN: no fix is under way (see `hold`). CHECKING: probes run before a step, or after one that did not fix.
    FIXING: a step runs. RETRYING: waiting for the next try of a step, or for its turn.
    VERIFYING: probes run. SETTLING: the probes passed, the quiet time runs. FAILED: the fix did not hold, people are
    needed. RESOLVED: over."""

    OPEN = "open"
    CHECKING = "checking"
    FIXING = "fixing"
    RETRYING = "retrying"
    VERIFYING = "verifying"
    SETTLING = "settling"
    FAILED = "failed"
    RESOLVED = "resolved"


UNDER_WAY = frozenset(
    {
        IncidentStatus.CHECKING,
        IncidentStatus.FIXING,
        IncidentStatus.RETRYING,
        IncidentStatus.VERIFYING,
        IncidentStatus.SETTLING,
    }
)
"""An execution of the fix is not over."""


IDLE = frozenset({IncidentStatus.OPEN, IncidentStatus.FAILED})
"""It is open, and no execution of its fix is under way."""


class Resolution(StrEnum):
    """How an incident ended. CLEARED: a line said so. EXPIRED: its rule gives it only so long."""

    NONE = ""
    FIXED = "fixed"
    QUIET = "quiet"
    CLEARED = "cleared"
    EXPIRED = "expired"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Incident:
    """One episode of a known issue for one group. `plan`: the indices of the fix's steps in the order of this
    execution; `step` (an index of Fix.steps) and `try_no` (1-based; 0: it waits until fewer other steps run) say
    where it stands; `fix`, `target`: what it is an execution of, as of its attempts (waiting for an approval: `fix`
    is the one that is asked for). `due_at` is when the engine looks at it again. `told`: what people were to be
    told of it (AlertEvents), once each; `escalated`: people were called to act on it. `chain`: ids of the rules
    whose fixes seem to have brought it about, the first first. `acted`: a step of a fix was run on it.
    `approved_by`: who let its fix run, begun within `approved_until`. `requests`: ids of the requests that it was
    reported with, the oldest first; the last REQUESTS_KEPT. `guarded`: what the fix must not break was well before
    the step under way. `warranted`: of one that is held, whether its checks failed then, so that there was
    something to fix; None: not known. `weighed`: it was counted for what happens when nothing is done, or is not to
    be."""

    id: str
    issue_id: str
    rule_id: str
    group_key: str
    title: str
    severity: Severity
    opened_at: datetime
    last_match_at: datetime
    captures: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    evidence: str = ""
    status: IncidentStatus = IncidentStatus.OPEN
    hold: HoldReason | None = None
    hold_detail: str = ""
    occurrences: int = 0
    step: int = 0
    try_no: int = 1
    attempt_id: str = ""
    due_at: datetime | None = None
    told: tuple[str, ...] = ()
    resolved_at: datetime | None = None
    resolution: Resolution = Resolution.NONE
    resolution_notes: str = ""
    plan: tuple[int, ...] = ()
    chain: tuple[str, ...] = ()
    acted: bool = False
    approved_by: str = ""
    approved_until: datetime | None = None
    guarded: bool = False
    warranted: bool | None = None
    escalated: bool = False
    weighed: bool = False
    fix: str = ""
    target: str = ""
    requests: tuple[str, ...] = ()

    @property
    def waits_for_turn(self) -> bool:
        """Its next step (or what undoes the last one) could run, and as many others run as may."""
        return self.status is IncidentStatus.RETRYING and self.try_no == 0


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One entry of an incident's timeline. `kind` is a constant, `text` is for people."""

    id: str
    incident_id: str
    at: datetime
    kind: str
    text: str


class PatternType(StrEnum):
    ERROR_PATTERN = "error_pattern"
    AUTO_FIX_SUCCESS = "auto_fix_success"
    AUTO_FIX_FAILURE = "auto_fix_failure"
    GRACEFUL_DEGRADATION = "graceful_degradation"
    CIRCUIT_BREAKER_OPEN = "circuit_breaker_open"
    ISSUE_ESCALATION = "issue_escalation"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True)
class Learning:
    """A recorded lesson. `confidence` is in [0, 1]. One of an error pattern is the pattern's only one: it is written
    again when evidence moves its confidence, last at `updated_at`."""

    id: str
    pattern_type: PatternType
    learnings: str
    confidence: float
    created_at: datetime
    context: Mapping[str, str] = field(default_factory=dict)
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """What is left of an unknown error when its variable parts are masked. `issue_id` is empty until promoted, and the
    same for several that people made one. `version`: of the algorithm that made the fingerprint, which stays whatever
    the template becomes. `samples`: raw records, the first among them, `sample`. `source`: of the first. `merged_into`:
    the fingerprint of the one that it is part of. `learning_id`: of its lesson, written at `learned_at`. `shape`: its
    tokens, see model/shape.py."""

    fingerprint: str
    template: str
    component: str
    sample: str
    occurrences: int
    first_seen: datetime
    last_seen: datetime
    trace: bool = False
    critical: bool = False
    issue_id: str = ""
    version: int = 1
    samples: tuple[str, ...] = ()
    source: str = ""
    merged_into: str = ""
    learning_id: str = ""
    learned_at: datetime | None = None
    shape: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """What a rule remembers of one group; times are event times in POSIX seconds. `kind`: the trigger that wrote it; to
    any other it is empty. `times`, ascending, are of what counts; `marks` say beside each which value or stage it was.
    `due_at`: when a wait is over; `captures`, `source` and `evidence` are of the match that waits. `answered`: the
    newest time of what answers a wait or tells that it is over, 0 for none. A rate has `counts` of the slots since
    `since`, and the `usual` number for a whole span, learned from `learned` spans. `touched`: when it was last
    written."""

    rule_id: str
    group_key: str
    times: tuple[float, ...] = ()
    kind: str = ""
    marks: tuple[str, ...] = ()
    due_at: datetime | None = None
    captures: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    evidence: str = ""
    answered: float = 0.0
    counts: tuple[int, ...] = ()
    since: float = 0.0
    usual: float = 0.0
    learned: int = 0
    touched: float = 0.0

    @property
    def newest(self) -> float:
        """The latest event time that it knows of."""
        return max(self.times[-1] if self.times else 0.0, self.answered, self.since)


@dataclass(frozen=True, slots=True)
class Tally:
    """An addition to a count of one minute: what was seen, dropped, held or lost (I5). `minute` is a UTC time with
    zero seconds."""

    minute: datetime
    kind: str
    n: int
