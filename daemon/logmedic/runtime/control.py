"""What operators can ask of the running daemon, answered from the engine, the store and the parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from logmedic import __version__
from logmedic.core.attention import shown
from logmedic.model.alert import Receiver
from logmedic.model.circuit import BreakerStatus
from logmedic.model.frame import Frame
from logmedic.model.metric import Family
from logmedic.model.query import Limits
from logmedic.model.rule import Mode
from logmedic.ports import Clock, FixRunner, Keeper, Sender, Store
from logmedic.runtime.alertdesk import AlertDesk
from logmedic.runtime.clock import boot_time, local_zone
from logmedic.runtime.engine import Engine
from logmedic.runtime.explaining import Explaining
from logmedic.runtime.feed import Feed
from logmedic.runtime.fixdesk import FixDesk
from logmedic.runtime.intake import Intake
from logmedic.runtime.issuedesk import IssueDesk
from logmedic.runtime.live import Live
from logmedic.runtime.needdesk import NeedDesk
from logmedic.runtime.reload import Reloader, problem_line
from logmedic.runtime.ruledesk import RuleDesk
from logmedic.runtime.rulerows import rule_rows, rule_said
from logmedic.runtime.standing import costs, standing
from logmedic.runtime.supervisor import Supervisor

ROWS_AT_ONCE = 200
"""With 10,000 files a question must not keep the lines waiting."""
DAY = timedelta(hours=24)
BREAKERS_SHOWN = 50
"""In a status: there is one a target (I6)."""


class DaemonControl:
    """Implements ports.Control."""

    def __init__(
        self,
        *,
        engine: Engine,
        store: Store,
        keeper: Keeper,
        live: Live,
        reloader: Reloader,
        supervisor: Supervisor,
        runner: FixRunner,
        sender: Sender,
        receivers: Callable[[], Mapping[str, Receiver]],
        unusable: Mapping[str, str],
        intakes: Callable[[], Sequence[Intake]],
        clock: Clock,
        facts: Callable[[], dict[str, Any]],
        figures: Callable[[], Awaitable[Sequence[Family]]],
        feed: Feed,
    ) -> None:
        self._engine = engine
        self._store = store
        self._issues = IssueDesk(engine, store)
        self._rules = RuleDesk(store, lambda: live.current.policy)
        self._explaining = Explaining(
            lambda: live.current, lambda: engine.state, clock=clock, zone=local_zone(), boot_at=boot_time()
        )
        self._fixes = FixDesk(
            engine=engine, store=store, policy=lambda: live.current.policy, runner=runner, clock=clock
        )
        self._alerts = AlertDesk(
            engine=engine,
            store=store,
            policy=lambda: live.current.policy,
            clock=clock,
            sender=sender,
            receivers=receivers,
            unusable=unusable,
        )
        self._needs = NeedDesk(
            engine=engine,
            keeper=keeper,
            live=live,
            supervisor=supervisor,
            receivers=receivers,
            unusable=unusable,
            clock=clock,
        )
        self._keeper = keeper
        self._live = live
        self._reloader = reloader
        self._supervisor = supervisor
        self._intakes = intakes
        self._clock = clock
        self._facts = facts
        self._figures = figures
        self._feed = feed

    async def status(self) -> dict[str, Any]:
        generation = self._live.current
        policy, ruleset = generation.policy, generation.ruleset
        counts, breakers, incidents, stats, alerts = await asyncio.gather(  # of one moment, and one wait
            self._store.ask("counts"),
            self._store.ask("breakers"),
            self._store.ask("incidents"),
            self._store.ask("stats", since=self._clock.now() - DAY),
            self._alerts.row(),
        )
        sources = await self.sources()
        not_closed = [row for row in breakers if row["status"] != BreakerStatus.CLOSED.value]
        return {
            "version": __version__,
            "host": policy.hostname,
            "started_at": _iso(policy.started_at),
            "mode": policy.mode.value,
            "arming": asdict(policy.arming),
            **self._fixes.row(),
            "rules": {
                "loaded": len(policy.rules),
                "problems": [problem_line(problem) for problem in ruleset.problems],
                "stale_files": list(ruleset.stale_files),
                "quarantined": [
                    {"rule": rule_id, "reason": reason}
                    for rule_id, reason in sorted(generation.matcher.quarantined.items())
                ],
                "revision": ruleset.revision,
                "loaded_at": _iso(self._reloader.loaded_at),
            },
            "sources": shown(sources),
            "sources_total": len(sources),
            "parts": [part.row() for part in self._supervisor.parts.values()],
            "open_incidents": incidents,
            "breakers": not_closed[:BREAKERS_SHOWN],
            "breakers_total": len(not_closed),
            "alerts": alerts,
            "counts": counts,
            "stats": stats,
            **self._facts(),
        }

    async def needs(self) -> list[dict[str, Any]]:
        return self._needs.needs()

    async def brief(self) -> dict[str, Any]:
        return self._needs.brief()

    async def metrics(self) -> Sequence[Family]:
        return await self._figures()

    async def sources(self, name: str = "") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for intake in self._intakes():
            quiet_since = _iso(self._engine.state.quiet_sources.get(intake.name))
            for row in intake.rows() if name in ("", intake.name) else ():
                rows.append({**row, "quiet_since": quiet_since})
                if len(rows) % ROWS_AT_ONCE == 0:
                    await asyncio.sleep(0)
        return rows

    async def rule_costs(self) -> list[dict[str, Any]]:
        return costs(self._live.current)

    async def rule(self, rule_id: str, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
        generation = self._live.current
        quarantined = generation.matcher.quarantined
        return standing(self._engine.state, generation.policy, rule_id, quarantined, self._clock.now(), asked)

    def live(self, after: str | None = None) -> AsyncGenerator[Frame, None]:
        return self._feed.listen(after)

    async def test_rule(self, rule_id: str) -> dict[str, Any]:
        return await self._rules.test(rule_id)

    async def rules_in_force(self) -> list[dict[str, Any]]:
        return rule_rows(self._live.current, self._engine.state)

    async def rule_said(self, rule_id: str) -> dict[str, Any]:
        return rule_said(self._live.current, self._engine.state, rule_id)

    async def explain(self, line: str, source: str = "", rule: str = "", report: str = "") -> dict[str, Any]:
        return await self._explaining.explain(line, source, rule, report)

    async def draft_rule(self, issue_id: str) -> dict[str, Any]:
        return await self._rules.draft(issue_id)

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        return await self._store.ask(question, **arguments)

    async def query(self, sql: str, limits: Limits) -> bytes:
        return await self._store.query(sql, limits)

    async def approve(self, incident_id: str, by: str, ask: str = "") -> dict[str, Any]:
        return await self._fixes.approve(incident_id, by, ask)

    async def reject(self, incident_id: str, by: str, ask: str = "") -> dict[str, Any]:
        return await self._fixes.reject(incident_id, by, ask)

    async def why(self, incident_id: str) -> dict[str, Any]:
        return await self._fixes.why(incident_id)

    async def rehearse(self, rule_id: str, captures: Mapping[str, str]) -> dict[str, Any]:
        return await self._fixes.rehearse(rule_id, captures)

    async def reset_breaker(self, rule_id: str, by: str, target: str = "") -> list[dict[str, Any]]:
        return await self._fixes.reset_breaker(rule_id, by, target)

    async def trust(self) -> list[dict[str, Any]]:
        return self._fixes.trust()

    async def trust_of(self, rule_id: str) -> dict[str, Any]:
        return await self._fixes.trust_of(rule_id)

    async def set_trust(self, rule_id: str, level: Mode, by: str, why: str) -> dict[str, Any]:
        return await self._fixes.set_trust(rule_id, level, by, why)

    async def pause(
        self, by: str, *, why: str = "", until: datetime | None = None, stop: bool = False
    ) -> dict[str, Any]:
        return await self._fixes.pause(by, why=why, until=until, stop=stop)

    async def resume(self, by: str) -> dict[str, Any]:
        return await self._fixes.resume(by)

    async def issue(self, issue_id: str) -> dict[str, Any]:
        return await self._issues.issue(issue_id)

    async def precursors(self, issue_id: str = "") -> list[dict[str, Any]]:
        return await self._issues.precursors(issue_id)

    async def mute_issue(
        self, issue_id: str, by: str, *, until: datetime | None = None, count: int = 0, next_version: bool = False
    ) -> dict[str, Any]:
        return await self._issues.mute(issue_id, by, until=until, count=count, next_version=next_version)

    async def unmute_issue(self, issue_id: str, by: str) -> dict[str, Any]:
        return await self._issues.unmute(issue_id, by)

    async def resolve_issue(self, issue_id: str, by: str, *, notes: str = "", version: str = "") -> dict[str, Any]:
        return await self._issues.resolve(issue_id, by, notes=notes, version=version)

    async def merge_issue(self, issue_id: str, into: str, by: str) -> dict[str, Any]:
        return await self._issues.merge(issue_id, into, by)

    async def reload(self) -> dict[str, Any]:
        return await self._reloader.reload()

    async def backup(self) -> dict[str, Any]:
        return await self._keeper.backup(self._clock.now())

    async def storage(self) -> dict[str, Any]:
        return await self._keeper.storage(self._clock.now())

    async def receivers(self) -> list[dict[str, Any]]:
        return await self._alerts.receivers()

    async def acknowledge(self, subject: str, by: str, until: datetime | None = None) -> dict[str, Any]:
        return await self._alerts.acknowledge(subject, by, until)

    async def unacknowledge(self, subject: str, by: str) -> dict[str, Any]:
        return await self._alerts.unacknowledge(subject, by)

    async def silences(self, everything: bool = False) -> list[dict[str, Any]]:
        return await self._alerts.silences(everything)

    async def add_silence(self, by: str, why: str, until: datetime, **meant: Any) -> dict[str, Any]:
        return await self._alerts.add_silence(by, why, until, **meant)

    async def end_silence(self, silence_id: str, by: str) -> dict[str, Any]:
        return await self._alerts.end_silence(silence_id, by)

    async def resend(self, ids: Sequence[str] | None, by: str) -> list[dict[str, Any]]:
        return await self._alerts.resend(ids, by)

    async def preview(self, incident_id: str, event: str = "", receiver: str = "") -> list[dict[str, Any]]:
        return await self._alerts.preview(incident_id, event, receiver)

    async def why_alert(self, asked: str) -> dict[str, Any]:
        return await self._alerts.why_alert(asked)

    async def route_of(self, **meant: Any) -> dict[str, Any]:
        return await self._alerts.route_of(**meant)

    async def test_alert(self, route: str = "", receiver: str = "") -> list[dict[str, Any]]:
        return await self._alerts.test_alert(route, receiver)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
