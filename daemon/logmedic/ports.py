"""The edges, as the engine sees them. Each contract is run against the fake and the real thing by tests/contracts/."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from logmedic.core.links import Claims, Purpose
from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.model.changeset import Changeset
from logmedic.model.diagnosis import Diagnosis, Question
from logmedic.model.fix import Arming, FixAttempt, FixResult, ProbeResult
from logmedic.model.frame import Frame
from logmedic.model.metric import Family
from logmedic.model.probe import Probe
from logmedic.model.query import Limits
from logmedic.model.record import Block, Checkpoint
from logmedic.model.report import Answer, Report
from logmedic.model.rule import Mode, Rule, RuleSet
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState
from logmedic.model.step import Step


class Clock(Protocol):
    """Wall-clock time, UTC, and waiting."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class Queries(Protocol):
    """Read-only questions. Rows are JSON-ready dicts (times are ISO 8601 strings with a `Z`). An empty argument leaves
    nothing out: every source, every status. `since` is the first moment of a time, `until` the first one behind it.
    `cursor` is of the last row of the page before (core/paging.py), empty for the first page; raises BadCursor."""

    def incidents(
        self,
        *,
        everything: bool = False,
        status: str = "",
        severity: str = "",
        rule: str = "",
        source: str = "",
        issue: str = "",
        group: str = "",
        hold: str = "",
        text: str = "",
        request: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str = "",
    ) -> list[dict[str, Any]]:
        """Newest first. Without `everything`, and without a `status` (of IncidentStatus) or a `request`: those that are
        not resolved. `text`: a part of title or evidence, in whatever case; `request`: the whole id of one that failed
        of it, among the first and the last 20; `since`, `until`: when it was opened. Keys: every field of Incident."""

    def incident(self, incident_id: str) -> dict[str, Any]:
        """One, by id or by a unique end of it of at least 4 characters, with `events`, `attempts`, `alerts` (lists,
        oldest first), `issue` and `notice` (every field of Notice, or None: there was nothing to tell). Raises
        NotFound."""

    def issues(
        self,
        *,
        source: str = "",
        status: str = "",
        component: str = "",
        severity: str = "",
        text: str = "",
        limit: int = 100,
        cursor: str = "",
    ) -> list[dict[str, Any]]:
        """Known issues, last seen first; `component`: those that have it as a tag; `text`: a part of title or
        description, in whatever case. Keys: every field of KnownIssue."""

    def issue(self, issue_id: str) -> dict[str, Any]:
        """One, by id or by a unique end of it of at least 4 characters, with `templates` (what it was learned from),
        `merged` (issues that are part of it), `onsets` (the last 20, oldest first), `incidents` and `learnings` (the
        newest first). Raises NotFound."""

    def learned(self, issue_id: str) -> dict[str, Any]:
        """What a rule can be drafted from; `issue_id` as for `issue`. Keys: issue (a row), template (a row, or None),
        samples (raw records), ordinary (raw lines of its source), onsets (as of `issue`), fixed_before (every field of
        FixedBefore, what worked last first, at most 100), similar (those of them that are about something alike).
        Raises NotFound, also for what was not learned."""

    def templates(self, *, component: str = "", limit: int = 100, cursor: str = "") -> list[dict[str, Any]]:
        """Of unknown errors that are no known issue yet, last seen first. Keys: every field of Template."""

    def learnings(
        self, *, kind: str = "", min_confidence: float = 0.0, limit: int = 100, cursor: str = ""
    ) -> list[dict[str, Any]]:
        """Last written first; `kind`: of PatternType. Keys: every field of Learning."""

    def onsets(self, since: datetime, limit: int = 50_000) -> str:
        """The newest since then, oldest first, for another process: a line each, of the issue's id, a space, and
        microseconds since the epoch."""

    def fixes(
        self,
        since: datetime | None = None,
        *,
        rule: str = "",
        verdict: str = "",
        target: str = "",
        incident: str = "",
        limit: int = 100,
        cursor: str = "",
    ) -> list[dict[str, Any]]:
        """Attempts that began since then, newest first; `verdict`: of Verdict; `incident`: its whole id. Keys: every
        field of FixAttempt but `output`, and `title`, that of its incident."""

    def breakers(self) -> list[dict[str, Any]]:
        """By their keys. Keys: every field of Breaker."""

    def trust(self) -> list[dict[str, Any]]:
        """Of rules that anything was counted or decided of, by id. Keys: every field of Trust."""

    def trust_changes(self, *, rule: str = "", limit: int = 100, cursor: str = "") -> list[dict[str, Any]]:
        """Newest first; of one rule, or of all. Keys: every field of TrustChange."""

    def earned(self) -> list[dict[str, Any]]:
        """By rule and step, the baseline (an empty step) first. Keys: every field of Earned."""

    def pauses(self) -> list[dict[str, Any]]:
        """The last of each origin, on or off. Keys: every field of Pause."""

    def alerts(
        self,
        *,
        status: str = "",
        receiver: str = "",
        since: datetime | None = None,
        event: str = "",
        incident: str = "",
        limit: int = 100,
        cursor: str = "",
    ) -> list[dict[str, Any]]:
        """Newest first, made since then; `status`: of AlertStatus, or `waiting` (whatever is still to be told);
        `incident`: its whole id, of what tells of it, also beside others. Keys: every field of Alert but `content`;
        without a receiver's URL, and links without what they are signed with."""

    def alert(self, alert_id: str) -> dict[str, Any]:
        """That row of one, by id or by a unique end of it of at least 4 characters. Raises NotFound."""

    def deliveries(self, since: datetime | None = None) -> list[dict[str, Any]]:
        """How many messages there are by receiver and status, made since then. Keys: receiver, status, n."""

    def silences(self, *, since: datetime | None = None, limit: int = 100, cursor: str = "") -> list[dict[str, Any]]:
        """Newest first: those that end after then, or all. Keys: every field of Silence."""

    def silence(self, silence_id: str) -> dict[str, Any]:
        """That row of one; as for `alert`."""

    def stats(self, since: datetime | None = None) -> dict[str, Any]:
        """The six metrics over [since, now]: total_errors (int), auto_fixed (int), auto_fix_success_rate (0..1 or None
        when nothing was tried), circuit_breaker_opens (int), escalations (int), avg_recovery_time_s (float or None)."""

    def trends(self, *, since: datetime, until: datetime) -> dict[str, Any]:
        """How the metrics went. Keys: since, until, `known_since` (of when the first thing is that is stored, or None),
        `metrics` (as of `stats`, over that time), `before` (over as long a time before it), `days` (a row a UTC day,
        oldest first, days without anything too: those of v_metrics_daily in docs/questions.md)."""

    def gaps(self, *, source: str = "", limit: int = 100, cursor: str = "") -> list[dict[str, Any]]:
        """What was not read and when sources were quiet, newest first; of one source, or of all. Keys: every field of
        SourceEvent."""

    def counts(self) -> dict[str, int]:
        """The sum of every kind of tally."""

    def events(
        self,
        *,
        after: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Sequence[str] = (),
        incident: str = "",
        limit: int = 100,
        newest: bool = False,
    ) -> list[dict[str, Any]]:
        """What happened, in the order of its ids, which are minted in order: entries of timelines, gaps, changes of
        trust, messages (when each was made), lessons (when each was first recorded). `after`: those behind the one with
        that id; `kinds`: any of them; `incident`: its whole id; `newest`: the last `limit` of them, else the first.
        Keys: every field of LiveEvent."""

    def activity(self, *, since: datetime, until: datetime, slots: int = 60) -> dict[str, Any]:
        """How much happened when, in at most `slots` equal parts of that time, of whole minutes. Keys: since, until
        (those of the parts), step_s, `series`: a number a part, oldest first, by name: lines, matched, unknown,
        suppressed, incidents_opened, resolved, held, fixes_worked, fixes_failed, recovered (resolved by a fix),
        recovery_ms (the sum of what that took), alerts_sent, alerts_dead, gaps, bytes_lost."""

    def sparks(
        self, *, rules: Sequence[str], since: datetime, until: datetime, slots: int = 24
    ) -> dict[str, list[int]]:
        """How many incidents each of the `rules` opened, by its id: a number for each of `slots` equal parts of that
        time, oldest first."""

    def similar(self, incident_id: str, limit: int = 5) -> list[dict[str, Any]]:
        """Earlier incidents of its issue or its rule, those of the same group first, newest first; `incident_id` as for
        `incident`. Keys: every field of Incident, took_s (None: not over), fixed_by ({rule_id, step_name, argv,
        duration_s} of the attempt that did, or None). Raises NotFound."""

    def rule_stats(self, *, since: datetime | None = None) -> list[dict[str, Any]]:
        """A row a rule, of its incidents that were opened since then; what fired most first. Keys: rule_id, incidents,
        occurrences, fixed and not_fixed (executions of its fix, by their outcome), verified (the share of the first of
        both, or None), by_itself (incidents that were over without its fix), noise (their share of all that are over,
        or None), needed_people (incidents that people were called for), last_opened_at, mean_recovery_s (of those that
        were fixed, or None)."""

    def lanes(self, *, since: datetime, until: datetime, limit: int = 500) -> list[dict[str, Any]]:
        """Fixes of that time, by when they began, newest first. Keys: kind (`ran`: an attempt; `would`: of an incident
        on which no step was run, what would have been), target (the rule, where there is none), rule_id, incident_id,
        title, step_name (of `would`: in words), started_at, finished_at, verdict (both None of `would`), hold (of the
        incident, or None)."""


class Store(Protocol):
    """Everything that is remembered. Opened by `open`, closed by `close`; used from the engine's loop only."""

    async def open(self) -> EngineState:
        """Open, migrate, and load what is unfinished. Raises StoreLocked, StoreTooNew. A damaged file never raises:
        it is salvaged or set aside, and `notices` says so (I4)."""

    @property
    def notices(self) -> Sequence[str]:
        """What people have to be told about the opening: salvage, quarantine, lost bytes."""

    async def commit(self, changeset: Changeset) -> None:
        """All of `changeset`, checkpoints included, in one transaction, or nothing. Durable on return. Safe to repeat
        after an error. Raises StoreBusy, StoreFull."""

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        """Call that method of Queries beside the writer. Raises NotFound."""

    async def query(self, sql: str, limits: Limits) -> bytes:
        """One SELECT over the views of docs/questions.md. Answers JSON: `columns`, `types` (DuckDB's), `rows` (lists),
        `cut` ("rows" or "bytes" when there are more, else empty). Commits go on meanwhile. Raises
        QueryRefused; StoreBusy when too many run already. A cancel ends it."""

    def hurry(self) -> None:
        """It is to stop: whoever only looks the file through is ended, now and from now on, and who asked for it raises
        StoreBusy. What is being mended is mended to its end."""

    async def close(self) -> None: ...


class Keeper(Protocol):
    """Keeps the store small, and copies of it. Its calls run one after the other; commits go on meanwhile."""

    @property
    def notices(self) -> Sequence[str]:
        """What people have to be told: what had to go so that the store stays below its limit."""

    async def tidy(self, now: datetime) -> None:
        """What is over and old leaves, by a clock that is far from what it should say only when it has said so for a
        day; a snapshot, a compaction when it is worth it; the limit. Raises StoreBusy, StoreFull; what was done until
        then is done."""

    async def looked(self, now: datetime) -> None:
        """What time it is as the daemon stops is what the next one begins with."""

    def old_by(self, now: datetime) -> datetime:
        """What things are old by, while the clock says `now`: no later, and earlier where it jumped far ahead."""

    async def backup(self, now: datetime) -> dict[str, Any]:
        """A copy of what is committed now, verified, below the state directory. Keys: path, bytes, rows (by table),
        contents (by table: rows and their digest), took_s, held_s (how long commits waited). Raises StoreBusy,
        StoreFull."""

    async def storage(self, now: datetime) -> dict[str, Any]:
        """Keys: path, room (bytes: file, unused, log, archive, snapshots, backups, total, max), rows (by table),
        archive {on, keep (s), days, oldest, newest}, keep (s, by kind), next (list of {table, kind, days}: what leaves
        next), clock ({says, expected, believed_in_s} of one that things do not leave by yet, else None), backups (list
        of {path, kind, made_at, bytes}, newest first), last_compaction ({at, before_bytes, after_bytes, took_s,
        held_s}, or None), work ({what, done_bytes, of_bytes} under way, or None), notices."""


class Source(Protocol):
    """Where lines come from."""

    @property
    def name(self) -> str: ...

    def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        """Blocks, each origin in order, from `checkpoints` (its own, by origin) on. Ends only when the source is
        exhausted (stdin, `once`). Cancel it or close it (aclose) to stop; descriptors and children are closed by then.
        What is wrong with one file never ends it."""

    def health(self) -> list[dict[str, Any]]:
        """One row an origin: origin, offset, size, lag_bytes, last_read_at (ISO or None), problem ("" when well)."""


@runtime_checkable
class ManyOrigins(Protocol):
    """A source that may read thousands of files: the whole `health` takes long then."""

    def lags(self) -> Iterator[tuple[str, int, str]]:
        """Of each origin: itself, lag_bytes and problem, as in `health`. May be taken in parts, while it is read."""


class Answers(Protocol):
    """Who follows what becomes of a report."""

    def ask(self, report: Report, tell: Callable[[Answer], None]) -> Callable[[], None]:
        """Before the block with the report is handed on. `tell` hears of it, in the loop's thread, until an answer is
        final. The result takes the question back; after a final answer it does nothing."""

    def settled(self, reports: Iterable[Report]) -> None:
        """These are stored: whoever asked about one that nobody placed is told so."""


class RuleFiles(Protocol):
    def load(self, previous: RuleSet | None = None) -> RuleSet:
        """Read, validate and test every rule file. Never raises for a bad file: its problems are in the result, and
        the rules that `previous` had from it stay, listed in `stale_files`."""

    def save(self) -> None:
        """Keep what the last load found out, for the next start. Takes its time; never raises."""


class FixRunner(Protocol):
    """Runs steps, each in the tier that it belongs to. Cancelling a run kills everything it started."""

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        """Try the tiers, the sandbox with the canary, and whether the fixes of `rules` can run here. Never raises: what
        went wrong is the reason in the result."""

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        """Captures are filled in. Never raises for what the step does."""

    async def rehearse(self, step: Step) -> FixResult:
        """The dry run: as `run`, and nothing is changed; the output says what would be."""


class Prober(Protocol):
    async def probe(self, probes: Sequence[Probe]) -> ProbeResult:
        """All must pass, in order, each inside its `within`. Never raises for what a probe meets."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one service would show. `format`: its name, empty: it could not be made, and `body` says why. `body`: in the
    service's own syntax. `files`: names of what is attached."""

    format: str
    title: str
    body: str
    files: tuple[str, ...] = ()


class Sender(Protocol):
    async def send(self, alert: Alert, receiver: Receiver) -> Delivery:
        """Inside a total deadline. Never raises for what the receiver does; never shows the URL. A delivery's detail
        says what of the user's templates could not be used."""

    async def render(self, alert: Alert, receiver: Receiver) -> Rendered:
        """What `send` would send. Nothing is sent; never raises for what is wrong with either, never shows the URL."""


class Diagnoser(Protocol):
    async def diagnose(self, question: Question) -> Diagnosis:
        """Inside a total deadline. Never raises for what the endpoint does: a failure is a value. Secrets of the
        question are masked before anything leaves. Nothing of the answer is checked as a rule, and nothing is run."""


class Control(Protocol):
    """What operators can ask of the running daemon. Answers are JSON-ready. Raises NotFound."""

    async def status(self) -> dict[str, Any]:
        """Keys: version, pid, host, started_at, mode (the ceiling), arming (every field of Arming), pauses (rows of
        those that are on), maintenance (windows that are open: {name, until, rules, tags}), proposals (rows of `trust`
        with a proposal), rules {loaded, problems (list of str), stale_files, quarantined (rows of rule and reason),
        revision (changes with what the files say), loaded_at}, sources (rows of `sources`: all when they are few, else
        those that want attention), sources_total, parts (list of {name, state: running|restarting|failed, restarts,
        last_error}), store {path, notices, problem}, receivers (what is wrong with those that Apprise cannot use, by
        name), open_incidents (list of rows), breakers (at most 50 rows that are not closed), breakers_total (how many
        there are), alerts {pending, deferred, dead (of the last 7 days), receivers (rows of `receivers` that do not
        work), receivers_total, silences (how many are in force), acked (how much of what is open somebody takes care
        of)}, reports (of the report socket, None where there is none: {socket (its path), taken, repeated, refused (by
        reason), waiting, connections, turned_away, cut_off, asking (who waits for an answer), breakers (shared, and
        open), problem}), counts (dict of tallies), stats (the six metrics of the last 24 h)."""

    async def needs(self) -> list[dict[str, Any]]:
        """What waits for a person, at most 200 rows: what nobody takes care of first, then what has a deadline, then by
        severity and age. Keys: every field of Need."""

    async def brief(self) -> dict[str, Any]:
        """What every page shows. Keys: host, needs_you (how many rows `needs` has at all), open_incidents,
        alerts_waiting. Asks no store."""

    async def metrics(self) -> Sequence[Family]:
        """Each metric of core.figures.METRICS, in that order; the store is asked nothing for it."""

    async def sources(self, name: str = "") -> list[dict[str, Any]]:
        """A row an origin, of all sources or of the one called `name`: that of Source.health, `source`, `quiet_since`,
        and the counters of runtime.meter."""

    async def rule_costs(self) -> list[dict[str, Any]]:
        """A row a rule that is in force and was asked of any record since it was loaded or changed; what took longest
        first. Keys: rule, service, asked (records), matched, spent_s (seconds), overruns (records given up on),
        quarantined (why, or "")."""

    async def rule(self, rule_id: str, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What is remembered of one rule. Keys: id, file, line, mode (of its fix, under the ceiling; or None),
        quarantined (why, else empty), matched (times), last_match_at, windows (at most 50 groups, newest first),
        windows_total, open_incidents (at most 50), breaker (the worst of its breakers), whose (what keeps its fix from
        more), steps (as of `trust_of`). `asked`: a match of it (captures, part, source, at): `would` says what would
        come of it now; else None. Raises NotFound."""

    async def rules_in_force(self) -> list[dict[str, Any]]:
        """A row a rule that is in force, by service and id. Keys: id, title, service, severity, enabled, sources (none:
        it hears all), tags, fix (the mode in its file, or None), mode (of its fix, under the ceiling; or None), whose
        (what keeps its fix from more), matched (times), last_match_at, tests (how many), file, line, quarantined (why,
        or "")."""

    async def rule_said(self, rule_id: str) -> dict[str, Any]:
        """That row of one, and what it says in words: description, resolution, runbook, in_short (when it speaks, one
        line), speaks and fix_steps (rows of name and text; an empty name goes on with the one before), fix_in_short,
        tested (rows of test, line, expects). Raises NotFound."""

    async def explain(self, line: str, source: str = "", rule: str = "", report: str = "") -> dict[str, Any]:
        """Why a record (4000 characters at most, its lines belong together) is known or not, as core/explainrows.py
        tells it; `source`: a name, or name:unit; empty: every rule hears it; `rule`: tell of that one, and of what
        matches; `report`: instead of the line, what an application would report, an object of JSON as it sends it,
        with its `user`. `now` of a match is as `rule` answers it.
        One at a time, beside the engine; nothing is counted. Raises OrderRefused; TransientError when others wait."""

    async def test_rule(self, rule_id: str) -> dict[str, Any]:
        """Run the tests inside a rule that is in force, beside the engine. Keys: rule, file, cases (in order, each
        {test, line, failure (what was wanted and seen; empty: it passed), seconds}). Raises NotFound."""

    async def draft_rule(self, issue_id: str) -> dict[str, Any]:
        """A rule, with tests, for a learned issue; nothing is written. Keys: issue (its row), rule (a free id), file
        (its text). Raises NotFound, also for what was not learned; OrderRefused when none can be made."""

    def live(self, after: str | None = None) -> AsyncGenerator[Frame, None]:
        """What happens, as it is committed: the event with the id `after` is the last that was told, None: from now on.
        First Began; then every event behind it once, in order, from the store and live; Changed at most four times a
        second; Alive every 5 s. Who does not read for long gets Lagged, which is the last; without it the daemon stops.
        Close it (aclose) when nobody listens any more. The first step raises TransientError (64 listen already)."""

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        """A method of Queries."""

    async def query(self, sql: str, limits: Limits) -> bytes:
        """As of Store."""

    async def approve(self, incident_id: str, by: str) -> dict[str, Any]:
        """Run the held fix now, if the present still allows it. Answers the incident's row."""

    async def reject(self, incident_id: str, by: str) -> dict[str, Any]: ...

    async def why(self, incident_id: str) -> dict[str, Any]:
        """What holds the fix of an incident, and what does not. Keys: incident (its row, as Queries.incident), note
        (what is to be said first, or ""), checks (in the governor's order, each {name, ok, reason (of HoldReason, or
        None), detail, until}; none for what is over)."""

    async def rehearse(self, rule_id: str, captures: Mapping[str, str]) -> dict[str, Any]:
        """The dry run of every step of a rule's fix, one after the other. Keys: rule, captures, steps (each {step,
        rung, argv, ok, started, exit_code, duration_s, sandbox, output, detail}). Raises NotFound, also for a capture
        that the rule would refuse; OrderRefused."""

    async def reset_breaker(self, rule_id: str, by: str, target: str = "") -> list[dict[str, Any]]:
        """Of one target, or of all. Answers their rows. Raises NotFound, OrderRefused."""

    async def trust(self) -> list[dict[str, Any]]:
        """A row a rule that has a fix, or that something is remembered of, by id. Keys: every field of Trust (`level`
        and `given` as they are in force, `since` None where nothing was counted yet), mode (how far it may go now,
        under the daemon's mode; None for a rule that is not in force), whose (what keeps it from more),
        graduate_after, in_force."""

    async def trust_of(self, rule_id: str) -> dict[str, Any]:
        """That row of one rule, with `steps` (what each earned, in the order in which they are tried: every field of
        core.earned.Rank, rung, choice) and `changes` (as Queries.trust_changes, the last 20). Raises NotFound,
        OrderRefused."""

    async def set_trust(self, rule_id: str, level: Mode, by: str, why: str) -> dict[str, Any]:
        """The present level turns a proposal down. Answers as `trust_of`. Raises NotFound, OrderRefused."""

    async def pause(
        self, by: str, *, why: str = "", until: datetime | None = None, stop: bool = False
    ) -> dict[str, Any]:
        """As PauseFixes. Answers {paused, pauses (rows of those that are on: every field of Pause)}."""

    async def resume(self, by: str) -> dict[str, Any]:
        """Takes back what `pause` did; the answer is as that one's, and may say that the file still pauses. Raises
        OrderRefused."""

    async def issue(self, issue_id: str) -> dict[str, Any]:
        """As Queries.issue, and `precursors`: as `precursors` says, of this one."""

    async def precursors(self, issue_id: str = "") -> list[dict[str, Any]]:
        """Which issue tends to begin before which, surest first; of one issue, or of all. Keys: every field of
        Precursor (times in seconds), `before_title`, `after_title`, `sentence`. Raises NotFound."""

    async def mute_issue(
        self, issue_id: str, by: str, *, until: datetime | None = None, count: int = 0, next_version: bool = False
    ) -> dict[str, Any]:
        """As MuteIssue. This and what follows answers the issue's row. Raises NotFound, OrderRefused."""

    async def unmute_issue(self, issue_id: str, by: str) -> dict[str, Any]: ...

    async def resolve_issue(self, issue_id: str, by: str, *, notes: str = "", version: str = "") -> dict[str, Any]: ...

    async def merge_issue(self, issue_id: str, into: str, by: str) -> dict[str, Any]:
        """Both as Queries.issue takes them. Answers the row of `into`."""

    async def reload(self) -> dict[str, Any]:
        """Load the rules again. Answers {loaded: int, revision: str, problems: [str], stale_files: [str]}."""

    async def backup(self) -> dict[str, Any]:
        """As Keeper.backup."""

    async def storage(self) -> dict[str, Any]:
        """As Keeper.storage."""

    async def receivers(self) -> list[dict[str, Any]]:
        """Keys: name, scheme (of its URL, which is a secret), routes (those that may reach it), state (ok, breaker
        open, disabled, unusable), failures (in a row), open_until, trial, last_error, last_error_at, sent_at, and how
        many of its messages are pending, deferred, and dead (of the last 7 days)."""

    async def acknowledge(self, subject: str, by: str, until: datetime | None = None) -> dict[str, Any]:
        """`subject`: an incident or a learned issue, by a unique end of its id of at least 4 characters, or as Notice
        has it. Answers every field of Notice but `story`. Raises NotFound; OrderRefused for what is over, or nobody is
        told of."""

    async def unacknowledge(self, subject: str, by: str) -> dict[str, Any]:
        """People are reminded of it again. As `acknowledge`; OrderRefused also when nobody acknowledged it."""

    async def silences(self, everything: bool = False) -> list[dict[str, Any]]:
        """Those that are not over, or all, newest first. Keys: every field of Silence, state (in force, to come, over),
        covers (at most 50 rows {subject, title, severity} of what is open, and that it means), covers_total."""

    async def add_silence(
        self,
        by: str,
        why: str,
        until: datetime,
        *,
        starts_at: datetime | None = None,
        severities: Sequence[Severity] = (),
        tags: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        incident: str = "",
        everything: bool = False,
        rehearse: bool = False,
    ) -> dict[str, Any]:
        """`labels`: a pattern (fnmatch) each. `incident`: the end of an id: that incident, and those of the same rule
        and group that follow it. `everything`: it may mean all that people could be told. `rehearse`: it is not added,
        and the answer has no id. Answers its row, as of `silences`. Raises NotFound, OrderRefused."""

    async def end_silence(self, silence_id: str, by: str) -> dict[str, Any]:
        """By a unique end of its id. Answers its row. Raises NotFound, OrderRefused."""

    async def resend(self, ids: Sequence[str] | None, by: str) -> list[dict[str, Any]]:
        """Dead letters, by unique ends of their ids, or all of them. Answers their rows, as of Queries.alerts. Raises
        NotFound, OrderRefused."""

    async def preview(self, incident_id: str, event: str = "", receiver: str = "") -> list[dict[str, Any]]:
        """What each receiver of an incident would get, or the one that is named: of `event`, or of its last news.
        Nothing is sent, and its links open nothing. Keys: receiver, scheme, route, event, every field of Rendered, held
        (why nobody would be told of it now, or empty). Raises NotFound, OrderRefused."""

    async def why_alert(self, asked: str) -> dict[str, Any]:
        """Why a message was not sent, or why nobody is told of something. `asked`: a message, by a unique end of its
        id, or what `acknowledge` takes. Keys: subject (`alert:ID`, or as Notice has it), alert (its row, or None),
        notice (as of `acknowledge`, or None: there was no news), note (what is to be said first, or ""), stages (in the
        order of the pipeline: every field of core.alerting.untold.Stage). Raises NotFound."""

    async def route_of(
        self,
        *,
        severity: str = "",
        event: str = "",
        rule: str = "",
        source: str = "",
        service: str = "",
        tags: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        incident: str = "",
        at: datetime | None = None,
    ) -> dict[str, Any]:
        """Where such news would go, and why; what is not said is as the rule or the incident has it. Keys: as of
        core/alerting/forecastrows.py. Raises NotFound."""

    async def test_alert(self, route: str = "", receiver: str = "") -> list[dict[str, Any]]:
        """Send a test message to a receiver, to all that a route may reach, or to everybody; wait for the deliveries
        (at most 40 s). One row a receiver: receiver, scheme, route, status, last_error, took_s (None until it is sent).
        Raises NotFound."""


class LinkDesk(Protocol):
    """What the links of messages show and do, for the pages behind them."""

    async def view(self, claims: Claims) -> dict[str, Any]:
        """Changes nothing. Keys: purpose, host, id (the short one), title, severity, state (a sentence), tone (good,
        bad, wait or work), moving (its fix is under way), facts (list of {name, text}), would (what the fix does, step
        by step), evidence, timeline (list of {at, text}, oldest first), earlier (how many are left out), runbook (a
        URL, or empty), command (that does the same in a shell), expires, allowed (what can be done now, Purposes),
        refused ({text, hint}: why something cannot, or None), outcome (None). Texts are cleaned, and not escaped.
        Raises NotFound."""

    async def act(
        self, claims: Claims, asked: Purpose, by: str, *, lasts: timedelta | None = None, why: str = ""
    ) -> dict[str, Any]:
        """Do what is asked, once; `lasts` of an acknowledgement (None: until it is over) or a silence. Answers as
        `view`, with `outcome` {done, text, hint}. Raises NotFound, and OrderRefused for what the link is not for."""


class Notifier(Protocol):
    """The service manager. Does nothing where there is none."""

    def ready(self) -> None: ...

    def reloading(self) -> None: ...

    def stopping(self) -> None: ...

    def alive(self) -> None:
        """Real progress was made (watchdog)."""

    def status(self, text: str) -> None: ...
