"""A store in memory, with the real one's promises: all or nothing, sums add up, what is over stays askable."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fakes import memory_past as past
from logmedic.adapters.store import learned
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.lists import WAITING, alert_row
from logmedic.adapters.store.rows import jsonable
from logmedic.core.happenings import Happened
from logmedic.model.alert import UNDELIVERED, Alert
from logmedic.model.changeset import Changeset
from logmedic.model.diagnosis import Diagnosis
from logmedic.model.errors import LogmedicError, NotFound
from logmedic.model.fix import Breaker, FixAttempt, Verdict
from logmedic.model.gap import SourceEvent
from logmedic.model.issue import Incident, IncidentEvent, IncidentStatus, KnownIssue, Learning, Resolution, Template
from logmedic.model.learned import FixedBefore, Onset
from logmedic.model.notice import Notice, Silence
from logmedic.model.query import Limits
from logmedic.model.state import EngineState
from logmedic.model.trust import Earned, Pause, PauseOrigin, Trust, TrustChange

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _row(entity: Any) -> dict[str, Any]:
    return {each.name: jsonable(getattr(entity, each.name)) for each in fields(entity)}


def _by_end(entities: Mapping[str, Any], noun: str, entity_id: str) -> Any:
    ended = [each for key, each in entities.items() if key.endswith(entity_id)]
    if entity_id in entities:
        return entities[entity_id]
    if len(entity_id) < 4 or len(ended) != 1:
        raise NotFound(f"no {noun} {entity_id}", "look at the list")
    return ended[0]


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
        self._templates: dict[str, Template] = {}
        self._onsets: set[Onset] = set()
        self._diagnoses: list[Diagnosis] = []
        self._ordinary: dict[tuple[str, int], str] = {}
        self._attempts: dict[str, FixAttempt] = {}
        self._breakers: dict[tuple[str, str, str], Breaker] = {}
        self._trust: dict[str, Trust] = {}
        self._trust_changes: dict[str, TrustChange] = {}
        self._earned: dict[tuple[str, str], Earned] = {}
        self._pauses: dict[PauseOrigin, Pause] = {}
        self._alerts: dict[str, Alert] = {}
        self._notices: dict[str, Notice] = {}
        self._silences: dict[str, Silence] = {}
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
        if question == "trends":
            return await self._on_disk(lambda store: store.ask(question, **arguments))
        return getattr(self, f"_{question}_rows")(**arguments)

    async def query(self, sql: str, limits: Limits) -> bytes:
        answer: bytes = await self._on_disk(lambda store: store.query(sql, limits))
        return answer

    async def _on_disk(self, ask: Callable[[DuckStore], Awaitable[Any]]) -> Any:
        """Only DuckDB answers SQL as DuckDB does: a store with the same changesets is asked."""
        with tempfile.TemporaryDirectory(prefix="logmedic-memory-") as directory:
            store = DuckStore(Path(directory) / "store.duckdb")
            await store.open()
            try:
                for changeset in self.changesets:
                    await store.commit(changeset)
                return await ask(store)
            finally:
                await store.close()

    def hurry(self) -> None:
        """Nothing is looked through."""

    async def close(self) -> None:
        """Nothing is held."""

    def _take(self, changeset: Changeset) -> None:
        self.changesets.append(changeset)
        self._issues.update((each.id, each) for each in changeset.issues)
        self._incidents.update((each.id, each) for each in changeset.incidents)
        self._events.update((each.id, each) for each in changeset.events)
        self._learnings.update((each.id, each) for each in changeset.learnings)
        for fingerprint in changeset.forgotten_templates:
            self._templates.pop(fingerprint, None)
        self._templates.update((each.fingerprint, each) for each in changeset.templates)
        self._onsets.update(changeset.onsets)
        self._diagnoses.extend(changeset.diagnoses)
        self._ordinary.update(((each.source, each.slot), each.text) for each in changeset.ordinary)
        self._attempts.update((each.id, each) for each in changeset.attempts)
        self._breakers.update((each.key, each) for each in changeset.breakers)
        self._trust.update((each.rule_id, each) for each in changeset.trust)
        self._trust_changes.update((each.id, each) for each in changeset.trust_changes)
        self._earned.update(((each.rule_id, each.step), each) for each in changeset.earned)
        self._pauses.update((each.origin, each) for each in changeset.pauses)
        self._alerts.update((each.id, each) for each in changeset.alerts)
        self._notices.update((each.subject, each) for each in changeset.notices)
        self._silences.update((each.id, each) for each in changeset.silences)
        for tally in changeset.tallies:
            self._tallies[tally.minute, tally.kind] += tally.n

    def _incidents_rows(
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
        named = {
            each.incident_id
            for each in self._events.values()
            if each.kind == "request" and each.text.startswith(f"request {request} of ")
        }
        chosen = [
            each
            for each in self._incidents.values()
            if (everything or status or request or each.status is not IncidentStatus.RESOLVED)
            and status in ("", each.status.value)
            and severity in ("", each.severity.value)
            and rule in ("", each.rule_id)
            and source in ("", each.source)
            and issue in ("", each.issue_id)
            and group in ("", each.group_key)
            and hold in ("", each.hold)
            and past.holds(text, each.title, each.evidence)
            and (not request or request in each.requests or each.id in named)
            and past.between(each.opened_at, since, until)
        ]
        return past.page("incidents", map(_row, chosen), limit, cursor)

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

        def tells(alert: Alert) -> bool:
            return alert.incident_id == incident.id or f"incident:{incident.id}" in alert.tells

        issue, notice = self._issues.get(incident.issue_id), self._notices.get(f"incident:{incident.id}")
        return {
            **_row(incident),
            "events": of_it(self._events.values()),
            "attempts": of_it(self._attempts.values()),
            "alerts": [alert_row(_row(each)) for _, each in sorted(self._alerts.items()) if tells(each)],
            "issue": _row(issue) if issue else None,
            "notice": _row(notice) if notice else None,
        }

    def _issues_rows(
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
        chosen = [
            each
            for each in self._issues.values()
            if source in ("", each.source.value)
            and status in ("", each.status.value)
            and (not component or component in each.tags)
            and severity in ("", each.severity.value)
            and past.holds(text, each.title, each.description)
        ]
        return past.page("issues", map(_row, chosen), limit, cursor)

    def _issue_rows(self, issue_id: str) -> dict[str, Any]:
        found = self._issues.get(issue_id)
        ended = [each for each in self._issues.values() if each.id.endswith(issue_id)]
        if found is None and (len(issue_id) < 4 or len(ended) != 1):
            raise NotFound(f"no issue {issue_id}", "logmedic issues lists them")
        issue = found or ended[0]
        templates = [each for each in self._templates.values() if each.issue_id == issue.id]
        onsets = sorted((each for each in self._onsets if each.issue_id == issue.id), key=lambda each: each.at)
        learnings = [row for row in self._learnings_rows() if row["context"].get("issue") == issue.id]
        incidents = [row for row in self._incidents_rows(everything=True) if row["issue_id"] == issue.id]
        diagnoses = sorted((each for each in self._diagnoses if each.issue_id == issue.id), key=lambda each: each.at)
        return {
            **_row(issue),
            "templates": [
                _row(each) for each in sorted(templates, key=lambda each: (-each.occurrences, each.fingerprint))
            ],
            "merged": [_row(each) for each in self._issues.values() if each.merged_into == issue.id],
            "onsets": [_row(each) for each in onsets[-20:]],
            "incidents": incidents[:10],
            "diagnoses": [_row(each) for each in diagnoses[-1:]],
            "learnings": learnings[:20],
        }

    def _learned_rows(self, issue_id: str) -> dict[str, Any]:
        return learned.story(self._issue_rows(issue_id), self._ordinary_of, self._fixed_before())

    def _ordinary_of(self, source: str) -> list[str]:
        return [text for (of, _), text in sorted(self._ordinary.items()) if of == source]

    def _fixed_before(self) -> list[dict[str, Any]]:
        worked: dict[tuple[str, str], list[FixAttempt]] = {}
        for each in sorted(self._attempts.values(), key=lambda each: each.finished_at or EPOCH):
            if each.verdict is Verdict.FIXED and each.finished_at is not None:
                worked.setdefault((each.rule_id, each.step_name), []).append(each)
        found = [self._fixed_by(attempts) for _, attempts in sorted(worked.items())]
        found.sort(key=lambda each: each.last_at, reverse=True)
        return [_row(each) for each in found[: learned.FIXES_SHOWN]]

    def _fixed_by(self, attempts: Sequence[FixAttempt]) -> FixedBefore:
        last = attempts[-1]
        incident = self._incidents.get(last.incident_id)
        about = (incident.title, incident.source, incident.evidence) if incident else ("", "", "")
        return FixedBefore(last.rule_id, *about, last.step_name, last.argv, len(attempts), last.finished_at or EPOCH)

    def _templates_rows(self, *, component: str = "", limit: int = 100, cursor: str = "") -> list[dict[str, Any]]:
        chosen = [
            each
            for each in self._templates.values()
            if component in ("", each.component) and not each.issue_id and not each.merged_into
        ]
        return past.page("templates", map(_row, chosen), limit, cursor)

    def _learnings_rows(
        self, *, kind: str = "", min_confidence: float = 0.0, limit: int = 100, cursor: str = ""
    ) -> list[dict[str, Any]]:
        chosen = [
            each
            for each in self._learnings.values()
            if kind in ("", each.pattern_type.value) and each.confidence >= min_confidence
        ]
        return past.page("learnings", map(_row, chosen), limit, cursor)

    def _onsets_rows(self, since: datetime, limit: int = 50_000) -> str:
        newest = sorted((each for each in self._onsets if each.at >= since), key=lambda each: each.at)[-limit:]
        ordered = sorted(newest, key=lambda each: (each.at, each.issue_id))
        return "".join(f"{each.issue_id} {(each.at - EPOCH) // timedelta(microseconds=1)}\n" for each in ordered)

    def _breakers_rows(self) -> list[dict[str, Any]]:
        return [_row(each) for _, each in sorted(self._breakers.items())]

    def _fixes_rows(
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
        chosen = [
            each
            for each in self._attempts.values()
            if rule in ("", each.rule_id)
            and verdict in ("", each.verdict)
            and target in ("", each.target)
            and incident in ("", each.incident_id)
            and past.between(each.started_at, since, None)
        ]
        found = [(row, self._incidents.get(row["incident_id"])) for row in map(_row, chosen)]
        rows = [
            {**{name: value for name, value in row.items() if name != "output"}, "title": of.title if of else ""}
            for row, of in found
        ]
        return past.page("fixes", rows, limit, cursor)

    def _trust_rows(self) -> list[dict[str, Any]]:
        return [_row(each) for _, each in sorted(self._trust.items())]

    def _trust_changes_rows(self, *, rule: str = "", limit: int = 100, cursor: str = "") -> list[dict[str, Any]]:
        mine = [_row(each) for each in self._trust_changes.values() if rule in ("", each.rule_id)]
        return past.page("trust_changes", mine, limit, cursor)

    def _earned_rows(self) -> list[dict[str, Any]]:
        return [_row(each) for _, each in sorted(self._earned.items())]

    def _pauses_rows(self) -> list[dict[str, Any]]:
        return [_row(each) for _, each in sorted(self._pauses.items())]

    def _alerts_rows(
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
        chosen = [
            alert_row(_row(each))
            for each in self._alerts.values()
            if (status in ("", each.status.value) or (status == WAITING and each.status in UNDELIVERED))
            and receiver in ("", each.receiver)
            and event in ("", each.event.value)
            and (not incident or past.tells(each, incident))
            and past.between(each.created_at, since, None)
        ]
        return past.page("alerts", chosen, limit, cursor)

    def _alert_rows(self, alert_id: str) -> dict[str, Any]:
        return alert_row(_row(_by_end(self._alerts, "message", alert_id)))

    def _deliveries_rows(self, since: datetime | None = None) -> list[dict[str, Any]]:
        chosen = [each for each in self._alerts.values() if since is None or each.created_at >= since]
        counted = Counter((each.receiver, each.status.value) for each in chosen)
        return [{"receiver": of, "status": status, "n": n} for (of, status), n in sorted(counted.items())]

    def _silences_rows(
        self, *, since: datetime | None = None, limit: int = 100, cursor: str = ""
    ) -> list[dict[str, Any]]:
        chosen = [each for each in self._silences.values() if since is None or each.until > since]
        return past.page("silences", map(_row, chosen), limit, cursor)

    def _silence_rows(self, silence_id: str) -> dict[str, Any]:
        return _row(_by_end(self._silences, "silence", silence_id))

    def _gaps_rows(self, *, source: str = "", limit: int = 100, cursor: str = "") -> list[dict[str, Any]]:
        mine = [each for each in self._source_events if source in ("", each.source)]
        return past.page("gaps", map(_row, mine), limit, cursor)

    @property
    def _source_events(self) -> list[SourceEvent]:
        return [each for changeset in self.changesets for each in changeset.source_events]

    def _events_rows(self, **asked: Any) -> list[dict[str, Any]]:
        happened: list[Happened] = [*self._events.values(), *self._source_events, *self._trust_changes.values()]
        happened += [*self._alerts.values(), *self._learnings.values()]
        return past.events(happened, self._incidents, **asked)

    def _activity_rows(self, **asked: Any) -> dict[str, Any]:
        return past.activity(self._tallies, self._learnings.values(), self._incidents.values(), **asked)

    def _sparks_rows(self, **asked: Any) -> dict[str, list[int]]:
        return past.sparks(self._incidents.values(), **asked)

    def _similar_rows(self, incident_id: str, limit: int = 5) -> list[dict[str, Any]]:
        incident = _by_end(self._incidents, "incident", incident_id)
        return past.similar(incident, self._incidents.values(), self._attempts.values(), _row, limit)

    def _rule_stats_rows(self, *, since: datetime | None = None) -> list[dict[str, Any]]:
        return past.rule_stats(self._incidents.values(), list(self._attempts.values()), since)

    def _lanes_rows(self, **asked: Any) -> list[dict[str, Any]]:
        return past.lanes(self._incidents, self._attempts.values(), self._events.values(), **asked)

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
