"""Executions of fixes, their outcome, and the breaker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from logmedic.model.circuit import BreakerStatus, Circuit


class Verdict(StrEnum):
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    UNKNOWN = "unknown"


class AttemptStatus(StrEnum):
    """RUNNING is committed before the step starts; found so at start-up, its outcome is unknown and is probed."""

    RUNNING = "running"
    VERIFYING = "verifying"
    FINISHED = "finished"


class AttemptKind(StrEnum):
    STEP = "step"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class FixAttempt:
    """One execution of one step, of `step` (its index in Fix.steps). `argv` as it was run, or words for what was done;
    `sandbox` the tier; `output` first and last of its output, at most 64 KiB each, secrets masked; `exit_code` is None
    when it did not exit by itself (see `detail`). `fix`: the fingerprint of the fix (core/targets.py). `first`: it
    began an execution. `chain`: as of its incident."""

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
    kind: AttemptKind = AttemptKind.STEP
    fix: str = ""
    first: bool = False
    chain: tuple[str, ...] = ()


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
    """Whether all probes passed, and the words for the timeline. None: nobody can say (what would have to answer is
    not there)."""

    passed: bool | None
    detail: str


BREAKER_MEMORY = timedelta(days=7)
"""So long at most a closed breaker remembers how often it opened in a row."""


@dataclass(frozen=True, slots=True)
class Breaker(Circuit):
    """Of one fix of one rule on one target. `fix`: its fingerprint (core/targets.py): a changed fix begins anew. What
    fails and succeeds are executions of it."""

    rule_id: str
    fix: str = ""
    target: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.rule_id, self.fix, self.target

    def is_forgotten(self, now: datetime) -> bool:
        """Closed, and without a failure for BREAKER_MEMORY."""
        last = max(filter(None, (self.closed_at, self.failed_at)), default=None)
        return self.status is BreakerStatus.CLOSED and last is not None and now - last > BREAKER_MEMORY


@dataclass(frozen=True, slots=True)
class Arming:
    """Whether fixes may run at all, and why not (I8). `units`: the service manager takes jobs, else `units_reason`.
    `refused`: by rule id, why its fix cannot run on this host although the sandbox holds."""

    armed: bool
    sandbox: str
    reason: str = ""
    units: bool = False
    units_reason: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
