"""Gathers what figures are made of, from what the daemon's parts know already: the store is asked nothing then."""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from logmedic import __version__
from logmedic.core.attempts import HOUR
from logmedic.core.figures import families
from logmedic.core.figures.snapshot import (
    DaemonFacts,
    EngineFacts,
    OpenFacts,
    PartFacts,
    Places,
    RuleFacts,
    Snapshot,
    SourceFacts,
)
from logmedic.core.holds import TEN_MINUTES
from logmedic.core.sums import Sums
from logmedic.model.issue import IssueSource
from logmedic.model.metric import Family
from logmedic.model.policy import Policy
from logmedic.model.report import ReportCounts
from logmedic.model.state import EngineState
from logmedic.ports import Clock, Store
from logmedic.runtime import alertrows
from logmedic.runtime.engine import Engine
from logmedic.runtime.enginemeter import LoopMeter
from logmedic.runtime.fixrows import open_windows, pauses_on
from logmedic.runtime.heartbeat import Heartbeat, Pulse
from logmedic.runtime.intake import Intake
from logmedic.runtime.live import Live
from logmedic.runtime.meter import Behind, Meter
from logmedic.runtime.ownprocess import figures
from logmedic.runtime.reading import part_of
from logmedic.runtime.reload import FAILED, GOOD, PARTLY, Reloader
from logmedic.runtime.supervisor import Part, Supervisor

SLOWLY_S = 60.0
"""How often it is asked what takes a question or a look at the disk."""
DAY = timedelta(hours=24)
_IDLE = Part("", state="ended")
_WELL = frozenset({"running", "ended"})
_RULE = f"{IssueSource.RULE.value}:"


class SlowFacts:
    """The six metrics of a day, and the room on the disk, as of a minute ago at most. `room`: bytes by what they are
    for, asked in a thread."""

    def __init__(self, *, store: Store, room: Callable[[], Mapping[str, int]], clock: Clock) -> None:
        self._store = store
        self._room = room
        self._clock = clock
        self.day: Mapping[str, float | None] = {}
        self.bytes: Mapping[str, int] = {}

    async def run(self) -> None:
        """Until cancelled. Raises what the store raises: it is asked again then, later."""
        while True:
            await self.look()
            await self._clock.sleep(SLOWLY_S)

    async def look(self) -> None:
        self.bytes = await asyncio.to_thread(self._room)
        self.day = await self._store.ask("stats", since=self._clock.now() - DAY)


class Gauges:
    """`receivers`: names of those in the config; `unusable`: why, by name. `totals`: what was read, by source.
    `exports`: of metrics.otlp, by result; None without it. `reports`: of the report socket, None without one.
    `store_limit`: bytes."""

    def __init__(
        self,
        *,
        engine: Engine,
        sums: Sums,
        live: Live,
        supervisor: Supervisor,
        reloader: Reloader,
        intakes: Callable[[], Sequence[Intake]],
        totals: Mapping[str, Meter],
        pulse: Pulse,
        heartbeat: Heartbeat | None,
        loop: LoopMeter,
        slow: SlowFacts,
        receivers: Callable[[], Mapping[str, Any]],
        unusable: Mapping[str, str],
        exports: Callable[[], Mapping[str, int] | None],
        store_limit: int,
        clock: Clock,
        reports: Callable[[], ReportCounts | None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._sums = sums
        self._live = live
        self._supervisor = supervisor
        self._reloader = reloader
        self._intakes = intakes
        self._totals = totals
        self._pulse = pulse
        self._heartbeat = heartbeat
        self._loop = loop
        self._slow = slow
        self._receivers = receivers
        self._unusable = unusable
        self._exports = exports
        self._store_limit = store_limit
        self._clock = clock
        self._reports = reports
        self._places = Places()

    async def families(self) -> tuple[Family, ...]:
        """One of each metric there is."""
        return families(await self.snapshot())

    async def snapshot(self) -> Snapshot:
        process, sources = await asyncio.gather(asyncio.to_thread(figures), self._sources())
        return Snapshot(
            daemon=self._daemon(),
            sources=sources,
            rules=self._rules(),
            open=self._open(),
            engine=self._engine_facts(),
            sums=self._sums,
            day=self._slow.day,
            process=process,
            places=self._places,
            reports=self._reports(),
        )

    def _daemon(self) -> DaemonFacts:
        policy, now, heartbeat = self._live.current.policy, self._clock.now(), self._heartbeat
        read = {part_of(intake.name) for intake in self._intakes()}
        return DaemonFacts(
            version=__version__,
            python=platform.python_version(),
            host=policy.hostname,
            started_at=policy.started_at,
            mode=policy.mode,
            armed=policy.arming.armed,
            paused=bool(pauses_on(self._engine.state, now)),
            maintenance=len(open_windows(policy, now)),
            parts={name: self._part(name) for name in self._supervisor.parts if name not in read},
            heartbeat_up=heartbeat.is_well if heartbeat is not None else None,
            heartbeat_at=heartbeat.last_ok if heartbeat is not None else None,
            exports=self._exports(),
            loop_s=self._loop.late_s,
        )

    def _part(self, name: str) -> PartFacts:
        part = self._supervisor.parts.get(name, _IDLE)
        return PartFacts(part.state in _WELL, self._supervisor.restarts[name])

    async def _sources(self) -> dict[str, SourceFacts]:
        found = {name: self._counted(name, total, Behind()) for name, total in self._totals.items()}
        for intake in self._intakes():
            found[intake.name] = self._counted(intake.name, intake.total, await intake.behind(), followed=True)
        return found

    def _counted(self, name: str, total: Meter, behind: Behind, *, followed: bool = False) -> SourceFacts:
        return SourceFacts(
            lines=total.lines,
            bytes_read=total.bytes_read,
            gaps=total.gaps,
            truncations=total.truncations,
            skipped_bytes=total.skipped_bytes,
            lag_bytes=behind.lag_bytes,
            lag_s=behind.lag_s,
            origins=behind.origins,
            problems=behind.problems,
            quiet=name in self._engine.state.quiet_sources,
            last_line_at=total.last_line_at,
            part=self._part(part_of(name)),
            followed=followed,
        )

    def _rules(self) -> RuleFacts:
        generation, results = self._live.current, self._reloader.results
        problems, stale = len(generation.ruleset.problems), len(generation.ruleset.stale_files)
        matched = {
            fingerprint.removeprefix(_RULE): issue.occurrences
            for fingerprint, issue in self._engine.state.issues.items()
            if issue.source is IssueSource.RULE
        }
        return RuleFacts(
            matches=dict.fromkeys(generation.policy.rules, 0) | matched,
            loaded=len(generation.policy.rules),
            problems=problems,
            stale_files=stale,
            quarantined=len(generation.matcher.quarantined),
            loaded_at=self._reloader.loaded_at,
            reload_ok=not (problems or stale or self._reloader.last_failed),
            reloads={name: results[name] for name in (GOOD, PARTLY, FAILED)},
        )

    def _open(self) -> OpenFacts:
        names = self._receivers()
        rows = alertrows.receiver_rows(
            self._engine.state, self._live.current.policy.alerts, names, unusable=self._unusable, deliveries=()
        )
        works = {row["name"]: row["state"] == alertrows.OK for row in rows}
        return open_facts(self._engine.state, self._live.current.policy, works, self._clock.now())

    def _engine_facts(self) -> EngineFacts:
        engine = self._engine
        return EngineFacts(
            waiting=engine.waiting,
            waiting_s=engine.waiting_s,
            progress_s=self._pulse.age_s,
            commit_s=engine.meter.commit_s,
            commit_failures=engine.meter.failures,
            problem=bool(engine.commit_problem),
            store_bytes=self._slow.bytes,
            store_limit=self._store_limit,
        )


def open_facts(state: EngineState, policy: Policy, receivers: Mapping[str, bool], now: datetime) -> OpenFacts:
    """`receivers`: whether each works. `state` is only read."""
    incidents = state.incidents.values()
    return OpenFacts(
        incidents=Counter((each.severity.value, each.status.value) for each in incidents),
        oldest_at=min((each.opened_at for each in incidents), default=None),
        held=Counter(each.hold.value for each in incidents if each.hold is not None),
        under_way=len(state.under_way),
        breakers=Counter(each.status.value for each in state.breakers.values()),
        issues=Counter(each.status.value for each in state.issues.values()),
        templates=len(state.templates),
        outbox=Counter((each.receiver, each.status) for each in state.alerts.values()),
        receivers=receivers,
        silences=sum(1 for each in state.silences.values() if each.starts_at <= now < each.until),
        budget_left=_budget_left(state, policy, now),
    )


def _budget_left(state: EngineState, policy: Policy, now: datetime) -> dict[str, int]:
    """As core.holds counts them."""
    begun = [each.started_at for each in state.attempts.values() if each.first]
    limits = {"hour": (HOUR, policy.host_max_per_hour), "ten_minutes": (TEN_MINUTES, policy.host_max_per_ten_minutes)}
    return {name: max(0, most - sum(now - at < span for at in begun)) for name, (span, most) in limits.items()}
