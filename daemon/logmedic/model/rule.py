"""A rule: the description of a known issue. Built by the rule file loader, read by everything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from logmedic.model.alertevent import AlertEvent
from logmedic.model.circuit import BreakerSpec
from logmedic.model.match import MatchSpec
from logmedic.model.probe import Probe
from logmedic.model.problem import RuleProblem
from logmedic.model.sample import RuleTest
from logmedic.model.severity import Severity
from logmedic.model.step import Step
from logmedic.model.when import CLEAR, MATCH, When


class Mode(StrEnum):
    """How far a fix may go by itself. The lower of the rule's and the daemon's counts."""

    OBSERVE = "observe"
    APPROVE = "approve"
    AUTO = "auto"

    @property
    def rank(self) -> int:
        return list(Mode).index(self)

    def under(self, ceiling: Mode) -> Mode:
        return self if self.rank <= ceiling.rank else ceiling


@dataclass(frozen=True, slots=True)
class Verify:
    """All `probes` must pass; then, when `quiet` is set, the rule must stay silent for that group for `quiet` after the
    last probe passed (without probes: after the end of the step)."""

    probes: tuple[Probe, ...] = ()
    quiet: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """`cooldown`: from the end of one execution of the fix to the start of the next, per group. `max_per_hour`: over
    all groups of the rule. `one_at_a_time`: the target; fixes that share it never run together, and it has a breaker of
    its own; captures are filled in (default: what the fix acts on, see core/targets.py). `min_uptime`: no fix so soon
    after the start of the unit that it acts on; without such a unit, of the daemon."""

    cooldown: timedelta = timedelta(minutes=5)
    max_per_hour: int = 12
    one_at_a_time: str = ""
    min_uptime: timedelta = timedelta(0)


class OnFailure(StrEnum):
    """When no rung held. ESCALATE: people are called, the issue becomes at least high. RECORD: it is only recorded."""

    ESCALATE = "escalate"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Fix:
    """`guard`: probes of what a step must not break: passing before it and failing after it, it made things worse.
    `after`: ids of rules whose open incidents are the cause, and are fixed first. `graduate_after`: so many verified
    successes propose the next level of trust; 0: never."""

    mode: Mode
    steps: tuple[Step, ...]
    verify: Verify = Verify()
    limits: Limits = Limits()
    breaker: BreakerSpec = BreakerSpec()
    guard: tuple[Probe, ...] = ()
    after: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.ESCALATE
    graduate_after: int = 0


DEFAULT_ALERT_EVENTS = frozenset(
    {
        AlertEvent.OPENED,
        AlertEvent.HELD,
        AlertEvent.APPROVAL_NEEDED,
        AlertEvent.FIX_FAILED,
        AlertEvent.BREAKER_OPEN,
        AlertEvent.STILL_OPEN,
        AlertEvent.RECOVERED,
    }
)


@dataclass(frozen=True, slots=True)
class AlertSpec:
    """`routes` empty: where the config's route tree sends it. `group_by`, `repeat_every`, `page_after`: instead of what
    the config says. `not_while`: ids of rules; while one of them has an open incident, nobody is told of this one."""

    routes: tuple[str, ...] = ()
    on: frozenset[AlertEvent] = DEFAULT_ALERT_EVENTS
    group_by: tuple[str, ...] = ()
    repeat_every: timedelta | None = None
    page_after: timedelta | None = None
    not_while: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`sources`: names of sources that the rule listens to; empty means all. `title` may hold `{capture}`.
    `description`: what is wrong; `resolution`: what people do about it.
    `service`: what the file is about. `file` and `line` say where it is written (1-based)."""

    id: str
    title: str
    match: MatchSpec
    severity: Severity = Severity.MEDIUM
    description: str = ""
    resolution: str = ""
    tags: tuple[str, ...] = ()
    runbook: str = ""
    sources: tuple[str, ...] = ()
    enabled: bool = True
    when: When = When()
    fix: Fix | None = None
    alert: AlertSpec = AlertSpec()
    tests: tuple[RuleTest, ...] = ()
    service: str = ""
    file: str = ""
    line: int = 0

    @property
    def parts(self) -> tuple[tuple[str, MatchSpec], ...]:
        """Everything that its lines can be, by name, in the order in which they are asked: what completes a sequence
        or answers a wait, the match itself, what ends the incident."""
        ends = ((CLEAR, self.when.clear.match),) if self.when.clear.match is not None else ()
        return (*self.when.parts, (MATCH, self.match), *ends)


@dataclass(frozen=True, slots=True)
class LogFiles:
    """A source that a rule file brings along: `globs` of absolute paths. `file` says where it is written."""

    name: str
    globs: tuple[str, ...]
    file: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a load of all rule files gave. `rules` in file order; `problems` of the files or rules that were left out;
    `stale_files`: files whose last good version is still in use. `sources`: of the files that rules were taken from.
    `warnings`: what deserves a look; only a review finds most of them. `revision` changes with what is in force."""

    rules: tuple[Rule, ...] = ()
    sources: tuple[LogFiles, ...] = ()
    problems: tuple[RuleProblem, ...] = ()
    files: tuple[str, ...] = ()
    stale_files: tuple[str, ...] = ()
    warnings: tuple[RuleProblem, ...] = ()
    revision: str = ""
