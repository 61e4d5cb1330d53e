"""Executions of fixes, their outcome, and the breaker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    UNKNOWN = "unknown"


class AttemptStatus(StrEnum):
    """RUNNING is committed before the step starts; found so at start-up, its outcome is unknown and is probed."""

    RUNNING = "running"
    VERIFYING = "verifying"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class FixAttempt:
    """One execution of one step. `argv` as it was run; `sandbox` the tier; `output` first and last of its output, at
    most 64 KiB each; `exit_code` is None when it did not exit by itself (see `detail`)."""

    id: str
    incident_id: str
    rule_id: str
    group_key: str
    target: str
    step: int
    step_name: str
    try_no: int
    argv: tuple[str, ...]
    started_at: datetime
    sandbox: str = ""
    status: AttemptStatus = AttemptStatus.RUNNING
    finished_at: datetime | None = None
    exit_code: int | None = None
    duration_s: float | None = None
    output: str = ""
    detail: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class FixResult:
    """What running one step gave. `exit_code` None: it never ran, was killed or timed out; `detail` says which.
    `started` False: nothing of it ran (binary missing, no sandbox)."""

    exit_code: int | None
    duration_s: float
    output: str = ""
    detail: str = ""
    sandbox: str = ""
    started: bool = True

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether all probes passed, and the words for the timeline."""

    passed: bool
    detail: str


class BreakerStatus(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Of one rule's fix. `failures`: executions in a row that did not fix. `opens`: how often it opened, ever."""

    rule_id: str
    status: BreakerStatus = BreakerStatus.CLOSED
    failures: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None
    opens: int = 0


@dataclass(frozen=True, slots=True)
class Arming:
    """Whether fixes may run at all, and why not (I8). `units`: units may be restarted."""

    armed: bool
    sandbox: str
    reason: str = ""
    units: bool = False
