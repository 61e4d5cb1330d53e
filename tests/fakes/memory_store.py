"""A store in memory, with the real one's promises: all or nothing, sums add up, what is over stays askable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from logmedic.adapters.store.rows import jsonable
from logmedic.model.alert import Alert
from logmedic.model.changeset import Changeset
from logmedic.model.errors import LogmedicError, NotFound
from logmedic.model.fix import Breaker, FixAttempt
from logmedic.model.issue import Incident, IncidentEvent, IncidentStatus, KnownIssue, Learning, Resolution
from logmedic.model.state import EngineState


def _row(entity: Any) -> dict[str, Any]:
    return {each.name: jsonable(getattr(entity, each.name)) for each in fields(entity)}


class MemoryStore:
    """Implements ports.Store. `changesets`: what was committed, in order. `fail_next`: the next commit raises."""

    def __init__(self, changesets: Iterable[Changeset] = ()) -> None:
        self.changesets: list[Changeset] = []
        self.notices: Sequence[str] = ()
        self._failures: list[LogmedicError] = []
        self._state = EngineState()
        self._issues: dict[str, KnownIssue] = {}
        self._incidents: dict[str, Incident] = {}
        self._events: dict[str, IncidentEvent] = {}
        self._learnings: dict[str, Learning] = {}
        self._attempts: dict[str, FixAttempt] = {}
        self._breakers: dict[str, Breaker] = {}
        self._alerts: dict[str, Alert] = {}
        self._tallies: Counter[tuple[datetime, str]] = Counter()
        for changeset in changesets:
            self._take(changeset)

    def reopen(self) -> MemoryStore:
        """Another process opens what this one has committed."""
        return MemoryStore(self.changesets)

    def fail_next(self, error: LogmedicError) -> None:
        self._failures.append(error)

    async def open(self) -> EngineState:
        state = EngineState()
        for changeset in self.changesets:
            state.apply(changeset)
        return state

    async def commit(self, changeset: Changeset) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self._take(changeset)

    async def ask(self, question: str, /, **arguments: Any) -> Any:
        return getattr(self, f"_{question}_rows")(**arguments)

    async def close(self) -> None:
        """Nothing is held."""

    def _take(self, changeset: Changeset) -> None:
        self.changesets.append(changeset)
        self._issues.update((each.id, each) for each in changeset.issues)
        self._incidents.update((each.id, each) for each in changeset.incidents)
        self._events.update((each.id, each) for each in changeset.events)
        self._learnings.update((each.id, each) for each in changeset.learnings)
        self._attempts.update((each.id, each) for each in changeset.attempts)
        self._breakers.update((each.rule_id, each) for each in changeset.breakers)
        self._alerts.update((each.id, each) for each in changeset.alerts)
        for tally in changeset.tallies:
            self._tallies[tally.minute, tally.kind] += tally.n

    def _incidents_rows(self, *, everything: bool = False, limit: int = 50) -> list[dict[str, Any]]:
        chosen = [each for each in self._incidents.values() if everything or each.status is not IncidentStatus.RESOLVED]
        return [_row(each) for each in sorted(chosen, key=lambda each: each.id, reverse=True)[:limit]]

    def _incident_rows(self, incident_id: str) -> dict[str, Any]:
        found = self._incidents.get(incident_id)
        ended = [each for each in self._incidents.values() if each.id.endswith(incident_id)]
        if found is None and (len(incident_id) < 4 or len(ended) != 1):
            raise NotFound(f"no incident {incident_id}")
        incident = found or ended[0]

        def of_it(entities: Iterable[Any]) -> list[dict[str, Any]]:
            return [
                _row(each) for each in sorted(entities, key=lambda each: each.id) if each.incident_id == incident.id
            ]

        issue = self._issues.get(incident.issue_id)
        return {
            **_row(incident),
            "events": of_it(self._events.values()),
            "attempts": of_it(self._attempts.values()),
            "alerts": of_it(self._alerts.values()),
            "issue": _row(issue) if issue else None,
        }

    def _issues_rows(self, *, limit: int = 100) -> list[dict[str, Any]]:
        ordered = sorted(self._issues.values(), key=lambda each: (each.last_seen, each.id), reverse=True)
        return [_row(each) for each in ordered[:limit]]

    def _learnings_rows(self, *, limit: int = 100) -> list[dict[str, Any]]:
        return [_row(each) for each in sorted(self._learnings.values(), key=lambda each: each.id, reverse=True)[:limit]]

    def _breakers_rows(self) -> list[dict[str, Any]]:
        return [_row(each) for each in sorted(self._breakers.values(), key=lambda each: each.rule_id)]

    def _alerts_rows(self, *, limit: int = 100) -> list[dict[str, Any]]:
        return [_row(each) for each in sorted(self._alerts.values(), key=lambda each: each.id, reverse=True)[:limit]]

    def _gaps_rows(self, *, source: str = "", limit: int = 100) -> list[dict[str, Any]]:
        events = [each for changeset in self.changesets for each in changeset.source_events]
        mine = [each for each in events if source in ("", each.source)]
        return [_row(each) for each in sorted(mine, key=lambda each: each.id, reverse=True)[:limit]]

    def _counts_rows(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for (_, kind), n in self._tallies.items():
            counts[kind] += n
        return dict(sorted(counts.items()))

    def _stats_rows(self, since: datetime | None = None) -> dict[str, Any]:
        fixed = [
            each
            for each in self._incidents.values()
            if each.resolution is Resolution.FIXED and each.resolved_at and (since is None or each.resolved_at >= since)
        ]
        lessons = Counter(
            each.pattern_type.value for each in self._learnings.values() if since is None or each.created_at >= since
        )
        tried = lessons["auto_fix_success"] + lessons["auto_fix_failure"]
        took = [(each.resolved_at - each.opened_at).total_seconds() for each in fixed if each.resolved_at]
        return {
            "total_errors": sum(
                n
                for (minute, kind), n in self._tallies.items()
                if kind in ("matched", "unknown") and (since is None or (since - minute).total_seconds() < 60)
            ),
            "auto_fixed": len(fixed),
            "auto_fix_success_rate": lessons["auto_fix_success"] / tried if tried else None,
            "circuit_breaker_opens": lessons["circuit_breaker_open"],
            "escalations": lessons["issue_escalation"],
            "avg_recovery_time_s": sum(took) / len(took) if took else None,
        }
