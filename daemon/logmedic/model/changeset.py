"""Inputs of the engine, what a decision changes, and the effects to carry out once that is committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum

from logmedic.model.alert import Alert, Delivery, ReceiverState
from logmedic.model.alertevent import AlertEvent
from logmedic.model.diagnosis import Diagnosis, Question
from logmedic.model.fix import Breaker, FixAttempt, FixResult, ProbeResult
from logmedic.model.gap import Gap, SourceEvent
from logmedic.model.issue import Incident, IncidentEvent, KnownIssue, Learning, Tally, Template, Window
from logmedic.model.learned import Onset, OrdinaryLine, Release
from logmedic.model.notice import AlertGroup, Notice, Silence
from logmedic.model.precursor import Precursor
from logmedic.model.probe import Probe
from logmedic.model.record import Checkpoint, Findings
from logmedic.model.report import Placed
from logmedic.model.rule import Mode
from logmedic.model.severity import Severity
from logmedic.model.step import Step
from logmedic.model.trust import Earned, Pause, PauseOrigin, Trust, TrustChange


@dataclass(frozen=True, slots=True)
class Started:
    """The first input after a start: what was left unfinished is looked at."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The findings of one block, with the position behind it."""

    source: str
    origin: str
    findings: Findings
    checkpoint: Checkpoint | None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Advanced:
    """Blocks without any finding were read: only the positions and the number of lines are news."""

    checkpoints: tuple[Checkpoint, ...]
    lines: int = 0


@dataclass(frozen=True, slots=True)
class StepFinished:
    attempt_id: str
    result: FixResult


@dataclass(frozen=True, slots=True)
class StepNotBegun:
    """The step of an attempt was not begun after all: `why`."""

    attempt_id: str
    why: str


@dataclass(frozen=True, slots=True)
class ProbesFinished:
    attempt_id: str
    result: ProbeResult


class CheckPurpose(StrEnum):
    """What a check is for. UPTIME: the unit has run long enough. STILL_THERE: what was approved is still to be fixed
    (that which the fix is verified by). EXPECT: the step's own conditions. GUARD: what it must not break, before it;
    WORSE: the same after it. WARRANTED: whether there is something to fix, of one that is held; RECOVERED: whether it
    is well by itself, after the time that the fix would have had."""

    UPTIME = "uptime"
    STILL_THERE = "still_there"
    EXPECT = "expect"
    GUARD = "guard"
    WORSE = "worse"
    WARRANTED = "warranted"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class ChecksFinished:
    """Of RunChecks: a result a purpose, in the same order."""

    incident_id: str
    results: tuple[tuple[CheckPurpose, ProbeResult], ...]


@dataclass(frozen=True, slots=True)
class Delivered:
    alert_id: str
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Tick:
    """Something is due: a retry, a quiet time, an alert, a cooldown."""


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The wall clock is `by` ahead of what it would say by itself (behind, when that is negative)."""

    by: timedelta


@dataclass(frozen=True, slots=True)
class FoundAhead:
    """At a start: what is stored has happened in the clock's future. It was set back while no daemon ran."""


@dataclass(frozen=True, slots=True)
class TellNow:
    """Nothing more comes: what waits for others of its group is told now."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """`source` has been silent since `since`, for longer than it may."""

    source: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Speaking:
    """A source that was quiet has a new line."""

    source: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A rule costs too much, and is not heard for an hour, or until it changes."""

    rule_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RulesRefused:
    """`problems` of rule files that were loaded; of `stale` ones the last good version stays in force. Without any
    problem: all is well again."""

    problems: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overflowed:
    """Events of files were lost, so many `times`; each time every file was looked at (F12)."""

    times: int


@dataclass(frozen=True, slots=True)
class ReportsCounted:
    """What became of reports of applications since the last one; `refused`: by reason (form, size, rate, busy)."""

    taken: int = 0
    repeated: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approve:
    """With `ask` (see core/links.py): the answer to that request, and to no other."""

    incident_id: str
    by: str
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """As Approve."""

    incident_id: str
    by: str
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Rules were loaded again, and the sandbox tried."""


@dataclass(frozen=True, slots=True)
class ResetBreaker:
    """Somebody has mended what made a fix fail."""

    key: tuple[str, str, str]
    by: str


@dataclass(frozen=True, slots=True)
class SetTrust:
    """Somebody says how far the fix of a rule may go from now on."""

    rule_id: str
    level: Mode
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class PauseFixes:
    """The kill switch is on. `until` None: until ResumeFixes of the same origin. `stop`: what runs is ended too."""

    origin: PauseOrigin
    by: str
    why: str = ""
    until: datetime | None = None
    stop: bool = False


@dataclass(frozen=True, slots=True)
class ResumeFixes:
    origin: PauseOrigin
    by: str


@dataclass(frozen=True, slots=True)
class ResolveIssue:
    """Somebody says that it is over; with `version`: from that one on."""

    issue_id: str
    by: str
    notes: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class MuteIssue:
    """Nobody is called for it, until `until`, for `count` more occurrences, or until a version newer than the present
    one is seen (`next_version`), whichever comes first; with none of them until it is unmuted."""

    issue_id: str
    by: str
    until: datetime | None = None
    count: int = 0
    next_version: bool = False


@dataclass(frozen=True, slots=True)
class UnmuteIssue:
    issue_id: str
    by: str


@dataclass(frozen=True, slots=True)
class MergeIssue:
    """Issue `issue_id` is part of issue `into`; both are learned ones of one component."""

    issue_id: str
    into: str
    by: str


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """The file that names the version of `source` says `version` by now."""

    source: str
    version: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Issues that are silent, and mutes and rates that are over by the clock, are looked at: once a minute. `old_by`:
    the time that silence is counted to, and mutes, where the clock jumped far ahead; None: now."""

    old_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class PrecursorsFound:
    """What the stored history says of which issue comes before which: takes the place of what it said before."""

    precursors: tuple[Precursor, ...]


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """What a language model suggests; `dropped` questions were not asked since the last answer."""

    diagnosis: Diagnosis
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class TestAlert:
    """Send a test message to `receivers`, past everything that holds messages back."""

    __test__ = False
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody takes care of `subject` (see Notice): nobody is reminded of it, and nobody else is called, until it is
    over, or until `until`."""

    subject: str
    by: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AddSilence:
    """See Silence; its id is minted. `starts_at` None: now."""

    by: str
    why: str
    until: datetime
    starts_at: datetime | None = None
    severities: tuple[Severity, ...] = ()
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndSilence:
    silence_id: str
    by: str


@dataclass(frozen=True, slots=True)
class Resend:
    """Send dead letters again: those with these ids."""

    alert_ids: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Ailing:
    """A part of the daemon itself wants people. `part`: its name in the notice's subject (`daemon:PART`). `what` and
    `to_do` are sentences, `command` is one line for a shell; `what` empty: it is well again. `told`: receivers that
    heard of it already, past the store. `since`: when it began; None: now."""

    part: str
    event: AlertEvent
    what: str = ""
    to_do: str = ""
    command: str = ""
    told: tuple[str, ...] = ()
    since: datetime | None = None


Input = (
    Started
    | Observed
    | Advanced
    | StepFinished
    | StepNotBegun
    | ProbesFinished
    | ChecksFinished
    | Delivered
    | Tick
    | ClockSet
    | FoundAhead
    | TellNow
    | Quiet
    | Speaking
    | Overflowed
    | ReportsCounted
    | Quarantined
    | RulesRefused
    | Approve
    | Reject
    | Reloaded
    | ResetBreaker
    | SetTrust
    | PauseFixes
    | ResumeFixes
    | ResolveIssue
    | MuteIssue
    | UnmuteIssue
    | MergeIssue
    | VersionSeen
    | Sweep
    | PrecursorsFound
    | Diagnosed
    | TestAlert
    | Acknowledge
    | AddSilence
    | EndSilence
    | Resend
    | Ailing
)


@dataclass(frozen=True, slots=True)
class RunStep:
    """Run `step` of the fix; its captures are filled in already."""

    attempt: FixAttempt
    step: Step


@dataclass(frozen=True, slots=True)
class RunProbes:
    """Try `probes` (captures filled in) in order; all must pass."""

    attempt_id: str
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class RunChecks:
    """Try probes (captures filled in), those of each purpose in order, `after` a while. One that waits is lost with the
    daemon, and not asked again."""

    incident_id: str
    checks: tuple[tuple[CheckPurpose, tuple[Probe, ...]], ...]
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Send:
    alert: Alert


@dataclass(frozen=True, slots=True)
class Diagnose:
    """Ask a language model about a known issue. One that is lost is not asked again."""

    question: Question


@dataclass(frozen=True, slots=True)
class StopSteps:
    """End every step that runs now; each has a result, as one that was killed."""


@dataclass(frozen=True, slots=True)
class LastResort:
    """No receiver of `alert` can be reached: it is written where somebody may still see it, the journal (F72)."""

    alert: Alert
    why: str


Intent = RunStep | RunProbes | RunChecks | StopSteps | Send | Diagnose | LastResort


@dataclass(frozen=True, slots=True)
class Changeset:
    """Everything one decision changes. Each tuple holds new versions (keyed by the entity's identity), `events`,
    `source_events`, `onsets`, `diagnoses` and `trust_changes` are additions, `tallies` are sums to add,
    `forgotten_windows` are (rule_id, group_key), `forgotten_templates` fingerprints to delete. `intents` are carried
    out after the commit and are not stored themselves: the entities say what is under way. `precursors`, found anew
    from what is stored, are not stored either; None: as before. Nor is `placed`: it is for
    who waits to hear of it."""

    issues: tuple[KnownIssue, ...] = ()
    incidents: tuple[Incident, ...] = ()
    events: tuple[IncidentEvent, ...] = ()
    learnings: tuple[Learning, ...] = ()
    templates: tuple[Template, ...] = ()
    windows: tuple[Window, ...] = ()
    forgotten_windows: tuple[tuple[str, str], ...] = ()
    attempts: tuple[FixAttempt, ...] = ()
    breakers: tuple[Breaker, ...] = ()
    alerts: tuple[Alert, ...] = ()
    tallies: tuple[Tally, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    source_events: tuple[SourceEvent, ...] = ()
    onsets: tuple[Onset, ...] = ()
    releases: tuple[Release, ...] = ()
    ordinary: tuple[OrdinaryLine, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    forgotten_templates: tuple[str, ...] = ()
    trust: tuple[Trust, ...] = ()
    trust_changes: tuple[TrustChange, ...] = ()
    earned: tuple[Earned, ...] = ()
    pauses: tuple[Pause, ...] = ()
    notices: tuple[Notice, ...] = ()
    groups: tuple[AlertGroup, ...] = ()
    silences: tuple[Silence, ...] = ()
    receivers: tuple[ReceiverState, ...] = ()
    precursors: tuple[Precursor, ...] | None = None
    placed: tuple[Placed, ...] = ()
    intents: tuple[Intent, ...] = field(default=(), compare=True)

    @property
    def empty(self) -> bool:
        return self.precursors is None and not any(getattr(self, each.name) for each in fields(self))
