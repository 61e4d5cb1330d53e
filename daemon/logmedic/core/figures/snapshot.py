"""What is known of the daemon at one moment: plain values, of which figures are made. Times are UTC, spans seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from logmedic.core.sums import Sums
from logmedic.model.alert import AlertStatus
from logmedic.model.metric import Buckets, Names
from logmedic.model.report import ReportCounts
from logmedic.model.rule import Mode

SOURCES = 50
"""By name at most, then `other` (I6)."""
COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LOOP_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of histograms, in seconds."""


@dataclass(frozen=True, slots=True)
class PartFacts:
    """`restarts`: since the start of the daemon."""

    up: bool
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class DaemonFacts:
    """`started_at`: of the daemon. `parts`: by name, but for those that read a source. `heartbeat_at`: of the last that
    went well; `heartbeat_up`: the last one did, None: there is none. `exports`: by result, None: nothing is pushed."""

    version: str = ""
    python: str = ""
    host: str = ""
    started_at: datetime | None = None
    mode: Mode = Mode.OBSERVE
    armed: bool = False
    paused: bool = False
    maintenance: int = 0
    parts: Mapping[str, PartFacts] = field(default_factory=dict)
    heartbeat_up: bool | None = None
    heartbeat_at: datetime | None = None
    exports: Mapping[str, int] | None = None
    loop_s: Buckets = field(default_factory=lambda: Buckets(LOOP_S))


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """Of all that one source reads. Counts are since the start of the daemon. `lag_s`: of the file that is furthest
    behind. `problems`: files with one. `last_line_at`: when the last line was read. `followed`: a reload has not taken
    it away."""

    lines: int = 0
    bytes_read: int = 0
    gaps: int = 0
    truncations: int = 0
    skipped_bytes: int = 0
    lag_bytes: int = 0
    lag_s: float = 0.0
    origins: int = 0
    problems: int = 0
    quiet: bool = False
    last_line_at: datetime | None = None
    part: PartFacts = PartFacts(up=True)
    followed: bool = True


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """`matches`: by rule id, ever, also of rules that are not in force any more. `reloads`: by result, since
    the start."""

    matches: Mapping[str, int] = field(default_factory=dict)
    loaded: int = 0
    problems: int = 0
    stale_files: int = 0
    quarantined: int = 0
    loaded_at: datetime | None = None
    reload_ok: bool = True
    reloads: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """What the engine knows of what is not over. `incidents`: by severity and status. `held`: by reason. `breakers` and
    `issues`: by status. `outbox`: by receiver and status. `receivers`: whether each works."""

    incidents: Mapping[tuple[str, str], int] = field(default_factory=dict)
    oldest_at: datetime | None = None
    held: Mapping[str, int] = field(default_factory=dict)
    under_way: int = 0
    breakers: Mapping[str, int] = field(default_factory=dict)
    issues: Mapping[str, int] = field(default_factory=dict)
    templates: int = 0
    outbox: Mapping[tuple[str, AlertStatus], int] = field(default_factory=dict)
    receivers: Mapping[str, bool] = field(default_factory=dict)
    silences: int = 0
    budget_left: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """`waiting`: inputs; `waiting_s`: how old the oldest is. `progress_s`: since the engine's last sign of life.
    `store_bytes`: by what they are for. `problem`: nothing can be stored."""

    waiting: int = 0
    waiting_s: float = 0.0
    progress_s: float = 0.0
    commit_s: Buckets = field(default_factory=lambda: Buckets(COMMIT_S))
    commit_failures: int = 0
    problem: bool = False
    store_bytes: Mapping[str, int] = field(default_factory=dict)
    store_limit: int = 0


@dataclass(frozen=True, slots=True)
class Places:
    """Which names of sources, rules and parts have a label of their own."""

    sources: Names = field(default_factory=lambda: Names(SOURCES))
    parts: Names = field(default_factory=lambda: Names(SOURCES))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`day`: the six metrics of the last 24 hours, empty while nobody knows them. `process`: figures of the operating
    system, by name. `reports` None: it takes none."""

    daemon: DaemonFacts = DaemonFacts()
    sources: Mapping[str, SourceFacts] = field(default_factory=dict)
    rules: RuleFacts = RuleFacts()
    open: OpenFacts = OpenFacts()
    engine: EngineFacts = EngineFacts()
    sums: Sums = field(default_factory=Sums)
    day: Mapping[str, float | None] = field(default_factory=dict)
    process: Mapping[str, float] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    reports: ReportCounts | None = None
