"""A rule: the description of a known issue. Built by the rule file loader, read by everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return list(Severity).index(self)

    def at_least(self, other: Severity) -> Severity:
        return self if self.rank >= other.rank else other


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


class CaptureType(StrEnum):
    IP = "ip"
    HOSTPORT = "hostport"
    HOSTNAME = "hostname"
    INT = "int"
    PATH = "path"
    UNIT = "unit"
    WORD = "word"
    ENUM = "enum"


@dataclass(frozen=True, slots=True)
class Capture:
    """What a named group must be. `allow`: networks (ip, hostport), names (hostname; a leading dot allows the
    subdomains), directories (path), units (unit); empty allows all. `values`: for enum. Bounds: for int, inclusive."""

    type: CaptureType
    allow: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


class Level(StrEnum):
    """How bad a line says that it is, in one set of words; from the least to the worst."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """Any of `patterns` matches and none of `unless` does. Groups that `captures` does not name stay evidence only.
    `field`: they are about the value of that field, and not about the text; a record without it does not match.
    `level`: the record says that it is so bad or worse."""

    patterns: tuple[str, ...]
    unless: tuple[str, ...] = ()
    captures: Mapping[str, Capture] = field(default_factory=dict)
    field: str = ""
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """Triggers at `count` matches inside `within`, counted apart for each value of the captures in `by`."""

    count: int = 1
    within: timedelta = timedelta(seconds=60)
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts` includes the first. Wait before try n+1: min(max, base * factor ** (n - 1))."""

    attempts: int = 3
    base: timedelta = timedelta(seconds=1)
    max: timedelta = timedelta(seconds=10)
    factor: float = 2.0


class SandboxKind(StrEnum):
    """`sandbox` is the strongest tier that this host has; `none` needs actions.allow_unsandboxed as well."""

    SANDBOX = "sandbox"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """Limits of one step. `write` and `read`: absolute paths bound into the sandbox; nothing else of the host but
    /usr is there. No network."""

    kind: SandboxKind = SandboxKind.SANDBOX
    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    memory_bytes: int = 256 * 1024 * 1024
    tasks: int = 64
    file_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a fix. Exactly one of `run` (argv; `{capture}` placeholders are filled per argument) and
    `restart_unit` is set."""

    name: str
    run: tuple[str, ...] = ()
    restart_unit: str | None = None
    timeout: timedelta = timedelta(seconds=30)
    retry: Retry = Retry()
    sandbox: SandboxSpec = SandboxSpec()


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Passes once GET `url` answers `status` (and holds `contains`) inside `within`, tried `every`. No redirects."""

    url: str
    status: int = 200
    contains: str = ""
    within: timedelta = timedelta(seconds=30)
    every: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Passes once `address` (host:port) accepts a connection inside `within`."""

    address: str
    within: timedelta = timedelta(seconds=30)
    every: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class CommandProbe:
    """Passes once `run` (argv, in the same sandbox as a step) exits 0 inside `within`."""

    run: tuple[str, ...]
    sandbox: SandboxSpec = SandboxSpec()
    within: timedelta = timedelta(seconds=30)
    every: timedelta = timedelta(seconds=2)


Probe = HttpProbe | TcpProbe | CommandProbe


@dataclass(frozen=True, slots=True)
class Verify:
    """All `probes` must pass; then, when `quiet` is set, the rule must stay silent for that group for `quiet` after the
    last probe passed (without probes: after the end of the step)."""

    probes: tuple[Probe, ...] = ()
    quiet: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """`cooldown`: from the end of one execution of the fix to the start of the next, per group. `max_per_hour`: over
    all groups of the rule. `one_at_a_time`: fixes that share this name never run together (default: the rule id).
    `min_uptime`: no fix so soon after the daemon's start."""

    cooldown: timedelta = timedelta(minutes=5)
    max_per_hour: int = 12
    one_at_a_time: str = ""
    min_uptime: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class BreakerSpec:
    """Opens after `failures` executions in a row that did not fix; one trial is allowed after `open_for`."""

    failures: int = 3
    open_for: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Fix:
    mode: Mode
    steps: tuple[Step, ...]
    verify: Verify = Verify()
    limits: Limits = Limits()
    breaker: BreakerSpec = BreakerSpec()


class AlertEvent(StrEnum):
    """What people can be told of. OPENED: an incident without a fix. HELD: a fix is not run and people are needed
    (observe, disarmed, budget). FIX_FAILED, BREAKER_OPEN and ESCALATED (a learned error that keeps coming) are
    escalations: they are recorded and raise the issue to at least high. QUIET: a source stopped speaking."""

    OPENED = "opened"
    HELD = "held"
    APPROVAL_NEEDED = "approval_needed"
    FIX_FAILED = "fix_failed"
    BREAKER_OPEN = "breaker_open"
    RECOVERED = "recovered"
    ESCALATED = "escalated"
    QUIET = "quiet"
    TEST = "test"


DEFAULT_ALERT_EVENTS = frozenset(
    {
        AlertEvent.OPENED,
        AlertEvent.HELD,
        AlertEvent.APPROVAL_NEEDED,
        AlertEvent.FIX_FAILED,
        AlertEvent.BREAKER_OPEN,
        AlertEvent.RECOVERED,
    }
)


@dataclass(frozen=True, slots=True)
class AlertSpec:
    """`routes` empty: the config's default route. `repeat_every`: an open incident that people must act on is told
    again this often."""

    routes: tuple[str, ...] = ()
    on: frozenset[AlertEvent] = DEFAULT_ALERT_EVENTS
    group_by: tuple[str, ...] = ()
    repeat_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SampleLine:
    """`repeat` times, `every` apart on the virtual clock."""

    text: str
    repeat: int = 1
    every: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class RuleTest:
    """`fires`: how often the trigger is reached (incidents opened plus re-triggers of an open one are not counted
    twice: one incident a group). `captures`: of the last match; None means not checked. `matches`: lines that match."""

    name: str
    lines: tuple[SampleLine, ...]
    fires: int | None = None
    matches: int | None = None
    captures: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """`sources`: names of sources that the rule listens to; empty means all. `title` may hold `{capture}`.
    `file` and `line` say where it is written (1-based)."""

    id: str
    title: str
    match: MatchSpec
    severity: Severity = Severity.MEDIUM
    description: str = ""
    tags: tuple[str, ...] = ()
    runbook: str = ""
    sources: tuple[str, ...] = ()
    enabled: bool = True
    when: Threshold = Threshold()
    fix: Fix | None = None
    alert: AlertSpec = AlertSpec()
    tests: tuple[RuleTest, ...] = ()
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """One mistake in a rule or config file. `line` and `column` are 1-based, 0 when unknown. `excerpt` is that line of
    the file; `hint` what to write instead."""

    file: str
    line: int
    column: int
    text: str
    hint: str = ""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a load of all rule files gave. `rules` in file order; `problems` of the files or rules that were left out;
    `stale_files`: files whose last good version is still in use."""

    rules: tuple[Rule, ...] = ()
    problems: tuple[RuleProblem, ...] = ()
    files: tuple[str, ...] = ()
    stale_files: tuple[str, ...] = ()
