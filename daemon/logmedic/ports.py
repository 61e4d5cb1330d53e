"""The edges, as the engine sees them. Each contract is run against the fake and the real thing by tests/contracts/."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.model.changeset import Changeset
from logmedic.model.fix import Arming, FixAttempt, FixResult, ProbeResult
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Probe, RuleSet, Step
from logmedic.model.state import EngineState


class Clock(Protocol):
    """Wall-clock time, UTC, and waiting."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class Queries(Protocol):
    """Read-only questions. Rows are JSON-ready dicts (times are ISO 8601 strings with a `Z`)."""

    def incidents(self, *, everything: bool = False, limit: int = 50) -> list[dict[str, Any]]:
        """Newest first. Without `everything`: those that are not resolved. Keys: every field of Incident."""

    def incident(self, incident_id: str) -> dict[str, Any]:
        """One, by id or by a unique end of it of at least 4 characters, with `events`, `attempts`, `alerts` (lists,
        oldest first) and `issue`. Raises NotFound."""

    def issues(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """Known issues, last seen first. Keys: every field of KnownIssue."""

    def learnings(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """Newest first."""

    def breakers(self) -> list[dict[str, Any]]: ...

    def alerts(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """Newest first, without any URL."""

    def stats(self, since: datetime | None = None) -> dict[str, Any]:
        """The six metrics over [since, now]: total_errors (int), auto_fixed (int), auto_fix_success_rate (0..1 or None
        when nothing was tried), circuit_breaker_opens (int), escalations (int), avg_recovery_time_s (float or None)."""

    def gaps(self, *, source: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """What was not read and when sources were quiet, newest first; of one source, or of all. Keys: every field of
        SourceEvent."""

    def counts(self) -> dict[str, int]:
        """The sum of every kind of tally."""


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

    async def close(self) -> None: ...


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


class RuleFiles(Protocol):
    def load(self, previous: RuleSet | None = None) -> RuleSet:
        """Read, validate and test every rule file. Never raises for a bad file: its problems are in the result, and
        the rules that `previous` had from it stay, listed in `stale_files`."""

    def save(self) -> None:
        """Keep what the last load found out, for the next start. Takes its time; never raises."""


class FixRunner(Protocol):
    """Runs steps in a sandbox. Cancelling a run kills everything it started."""

    async def arm(self) -> Arming:
        """Try the sandbox with the canary. Never raises: what went wrong is the reason in the result."""

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        """Never raises for what the step does."""


class Prober(Protocol):
    async def probe(self, probes: Sequence[Probe]) -> ProbeResult:
        """All must pass, in order, each inside its `within`. Never raises for what a probe meets."""


class Sender(Protocol):
    async def send(self, alert: Alert, receiver: Receiver) -> Delivery:
        """Inside a total deadline. Never raises for what the receiver does; never shows the URL."""


class Control(Protocol):
    """What operators can ask of the running daemon. Answers are JSON-ready. Raises NotFound."""

    async def status(self) -> dict[str, Any]:
        """Keys: version, pid, host, started_at, mode (the ceiling), arming {armed, sandbox, reason}, rules {loaded,
        problems (list of str), stale_files, quarantined (rows of rule and reason), revision
        (changes with what the files say), loaded_at}, sources (rows of `sources`: all when they are few, else those
        that want attention), sources_total, parts (list of {name, state: running|restarting|failed, restarts,
        last_error}), store {path, notices, problem}, receivers (what is wrong with those that Apprise cannot use, by
        name), open_incidents (list of rows), breakers (rows that are not closed), alerts {pending, dead}, counts (dict
        of tallies), stats (the six metrics of the last 24 h)."""

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
        windows_total, open_incidents (at most 50), breaker. `asked`: a match of it (captures, part, source, at):
        `would` says what would come of it now; else None. Raises NotFound."""

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        """A method of Queries."""

    async def approve(self, incident_id: str, by: str) -> dict[str, Any]:
        """Run the held fix now, if the present still allows it. Answers the incident's row."""

    async def reject(self, incident_id: str, by: str) -> dict[str, Any]: ...

    async def reload(self) -> dict[str, Any]:
        """Load the rules again. Answers {loaded: int, revision: str, problems: [str], stale_files: [str]}."""

    async def test_alert(self, route: str = "") -> list[dict[str, Any]]:
        """Send a test message, wait for its deliveries (at most 40 s). One row a receiver: receiver, status,
        last_error."""


class Notifier(Protocol):
    """The service manager. Does nothing where there is none."""

    def ready(self) -> None: ...

    def reloading(self) -> None: ...

    def stopping(self) -> None: ...

    def alive(self) -> None:
        """Real progress was made (watchdog)."""

    def status(self, text: str) -> None: ...
