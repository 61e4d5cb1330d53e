"""What a store in memory answers about the past as a whole: plain loops over all that there is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from logmedic.adapters.store.rows import jsonable
from logmedic.core.feed import row_of
from logmedic.core.happenings import Happened, happening, incident_of
from logmedic.core.paging import place_of, place_of_row
from logmedic.model.alert import Alert
from logmedic.model.fix import AttemptKind, FixAttempt, Verdict
from logmedic.model.issue import Incident, IncidentEvent, IncidentStatus, Learning, PatternType, Resolution

Row = dict[str, Any]
Tallies = Mapping[tuple[datetime, str], int]
MINUTE, MS = timedelta(minutes=1), timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def page(question: str, rows: Iterable[Row], limit: int, cursor: str) -> list[Row]:
    """In the order of the question, from behind the cursor."""
    place = place_of(question, cursor)
    behind = [each for each in rows if not place or place_of_row(question, each) < place]
    return sorted(behind, key=lambda each: place_of_row(question, each), reverse=True)[:limit]


def between(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at < until)


def holds(text: str, *parts: str) -> bool:
    return any(text.lower() in each.lower() for each in parts)


def tells(alert: Alert, incident_id: str) -> bool:
    return alert.incident_id == incident_id or f"incident:{incident_id}" in alert.tells


def events(
    happened: Iterable[Happened],
    incidents: Mapping[str, Incident],
    *,
    after: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    kinds: Collection[str] = (),
    incident: str = "",
    limit: int = 100,
    newest: bool = False,
) -> list[Row]:
    told = [(each, happening(each, incidents.get(incident_of(each)))) for each in happened]
    chosen = [
        event
        for each, event in told
        if event.id > after
        and between(event.at, since, until)
        and (not kinds or event.kind in kinds)
        and (not incident or _is_about(each, incident))
    ]
    chosen.sort(key=lambda each: each.id)
    return [row_of(each) for each in (chosen[max(len(chosen) - limit, 0) :] if newest else chosen[:limit])]


def _is_about(happened: Happened, incident: str) -> bool:
    match happened:
        case IncidentEvent():
            return happened.incident_id == incident
        case Alert():
            return tells(happened, incident)
        case Learning():
            return happened.context.get("incident") == incident
    return False


def activity(
    tallies: Tallies,
    learnings: Iterable[Learning],
    incidents: Iterable[Incident],
    *,
    since: datetime,
    until: datetime,
    slots: int = 60,
) -> Row:
    since = since.replace(second=0, microsecond=0)
    minutes = max(-((since - until) // MINUTE), 1)
    step = -(-minutes // slots) * MINUTE
    count = -(-minutes * MINUTE // step)
    series: dict[str, list[int]] = {name: [0] * count for name in _NAMES}
    counted = [*_of_tallies(tallies), *_of_lessons(learnings), *_of_recovered(incidents)]
    for at, name, n in counted:
        if name in series and between(at, since, since + count * step):
            series[name][(at - since) // step] += n
    return {
        "since": jsonable(since),
        "until": jsonable(since + count * step),
        "step_s": step.total_seconds(),
        "series": series,
    }


_NAMES = (
    *("lines", "matched", "unknown", "suppressed", "incidents_opened", "resolved", "held", "fixes_worked"),
    *("fixes_failed", "recovered", "recovery_ms", "alerts_sent", "alerts_dead", "gaps", "bytes_lost"),
)


def _of_tallies(tallies: Tallies) -> Iterable[tuple[datetime, str, int]]:
    for (minute, kind), n in tallies.items():
        first = kind.split("_")[0]
        yield minute, first if first in ("resolved", "held") else kind, n


def _of_lessons(learnings: Iterable[Learning]) -> Iterable[tuple[datetime, str, int]]:
    names = {PatternType.AUTO_FIX_SUCCESS: "fixes_worked", PatternType.AUTO_FIX_FAILURE: "fixes_failed"}
    return [(each.created_at, names[each.pattern_type], 1) for each in learnings if each.pattern_type in names]


def _of_recovered(incidents: Iterable[Incident]) -> Iterable[tuple[datetime, str, int]]:
    for each in incidents:
        if each.resolution is Resolution.FIXED and each.resolved_at is not None:
            yield each.resolved_at, "recovered", 1
            yield each.resolved_at, "recovery_ms", _ms(each)


def _ms(incident: Incident) -> int:
    assert incident.resolved_at is not None
    return (incident.resolved_at - EPOCH) // MS - (incident.opened_at - EPOCH) // MS


def sparks(
    incidents: Iterable[Incident], *, rules: Sequence[str], since: datetime, until: datetime, slots: int = 24
) -> dict[str, list[int]]:
    counted = {rule: [0] * slots for rule in rules}
    for each in incidents:
        if each.rule_id in counted and between(each.opened_at, since, until):
            counted[each.rule_id][(each.opened_at - since) * slots // (until - since)] += 1
    return counted


def similar(
    incident: Incident,
    incidents: Iterable[Incident],
    attempts: Iterable[FixAttempt],
    row: Callable[[Any], Row],
    limit: int,
) -> list[Row]:
    alike = [
        each
        for each in incidents
        if each.id < incident.id and (each.issue_id == incident.issue_id or each.rule_id == incident.rule_id)
    ]
    alike.sort(key=lambda each: (each.group_key == incident.group_key, each.id), reverse=True)
    fixed = {each.incident_id: each for each in attempts if each.verdict is Verdict.FIXED}
    return [{**row(each), "took_s": took_s(each), "fixed_by": _fixed_by(fixed.get(each.id))} for each in alike[:limit]]


def took_s(incident: Incident) -> float | None:
    return _ms(incident) / 1000 if incident.resolved_at is not None else None


def _fixed_by(attempt: FixAttempt | None) -> Row | None:
    if attempt is None:
        return None
    told = {name: getattr(attempt, name) for name in ("rule_id", "step_name", "duration_s")}
    return {**told, "argv": list(attempt.argv)}


def rule_stats(incidents: Iterable[Incident], attempts: Sequence[FixAttempt], since: datetime | None) -> list[Row]:
    by_rule: dict[str, list[Incident]] = {}
    for each in incidents:
        if between(each.opened_at, since, None):
            by_rule.setdefault(each.rule_id, []).append(each)
    rows = [_rule_row(rule, mine, attempts) for rule, mine in by_rule.items()]
    return sorted(rows, key=lambda each: (-each["incidents"], each["rule_id"]))


def _rule_row(rule: str, incidents: Sequence[Incident], attempts: Sequence[FixAttempt]) -> Row:
    mine = {each.id for each in incidents}
    outcomes = _outcomes([each for each in attempts if each.incident_id in mine])
    fixed, not_fixed = outcomes.count(Verdict.FIXED), outcomes.count(Verdict.NOT_FIXED)
    over = [each for each in incidents if each.status is IncidentStatus.RESOLVED]
    by_itself = [each for each in over if each.resolution is not Resolution.FIXED]
    took = [took for each in incidents if each.resolution is Resolution.FIXED and (took := took_s(each)) is not None]
    return {
        "rule_id": rule,
        "incidents": len(incidents),
        "occurrences": sum(each.occurrences for each in incidents),
        "fixed": fixed,
        "not_fixed": not_fixed,
        "verified": fixed / (fixed + not_fixed) if fixed + not_fixed else None,
        "by_itself": len(by_itself),
        "noise": len(by_itself) / len(over) if over else None,
        "needed_people": sum(each.escalated for each in incidents),
        "last_opened_at": jsonable(max(each.opened_at for each in incidents)),
        "mean_recovery_s": sum(took) / len(took) if took else None,
    }


def _outcomes(attempts: Iterable[FixAttempt]) -> list[Verdict | None]:
    """Of each execution: it worked if any of its steps did, else what its last one gave."""
    executions: dict[str, list[list[FixAttempt]]] = {}
    for each in sorted(attempts, key=lambda each: each.id):
        if each.kind is AttemptKind.STEP:
            mine = executions.setdefault(each.incident_id, [[]])
            if each.first:
                mine.append([])
            mine[-1].append(each)
    whole = [each for mine in executions.values() for each in mine if each]
    return [
        Verdict.FIXED if any(step.verdict is Verdict.FIXED for step in each) else each[-1].verdict for each in whole
    ]


def lanes(
    incidents: Mapping[str, Incident],
    attempts: Iterable[FixAttempt],
    timeline: Iterable[IncidentEvent],
    *,
    since: datetime,
    until: datetime,
    limit: int = 500,
) -> list[Row]:
    found = [
        (each.started_at, each.id, _ran(each, incidents.get(each.incident_id)))
        for each in attempts
        if each.started_at < until and (each.finished_at is None or each.finished_at >= since)
    ]
    would: dict[str, IncidentEvent] = {}
    for event in sorted(timeline, key=lambda each: each.id):
        if event.kind == "would_run" and between(event.at, since, until):
            would.setdefault(event.incident_id, event)
    found += [
        (event.at, event.id, _would(event, incidents[of]))
        for of, event in would.items()
        if of in incidents and not incidents[of].acted
    ]
    return [row for _, _, row in sorted(found, key=lambda each: each[:2], reverse=True)[:limit]]


def _ran(attempt: FixAttempt, incident: Incident | None) -> Row:
    return {
        "kind": "ran",
        "target": attempt.target or attempt.rule_id,
        "rule_id": attempt.rule_id,
        "incident_id": attempt.incident_id,
        "title": incident.title if incident else "",
        "step_name": attempt.step_name,
        "started_at": jsonable(attempt.started_at),
        "finished_at": jsonable(attempt.finished_at),
        "verdict": jsonable(attempt.verdict),
        "hold": jsonable(incident.hold) if incident else None,
    }


def _would(event: IncidentEvent, incident: Incident) -> Row:
    return {
        "kind": "would",
        "target": incident.target or incident.rule_id,
        "rule_id": incident.rule_id,
        "incident_id": incident.id,
        "title": incident.title,
        "step_name": event.text,
        "started_at": jsonable(event.at),
        "finished_at": None,
        "verdict": None,
        "hold": jsonable(incident.hold),
    }
