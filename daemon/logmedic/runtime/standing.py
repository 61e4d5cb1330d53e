"""How one rule stands in the running daemon: what it has counted, what is open, what holds its fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from logmedic.core.captures import accept
from logmedic.core.foretell import Forecast, foretell, progress, sentences
from logmedic.core.matcher import GROUP_SEPARATOR, group_of
from logmedic.core.trust import level_of
from logmedic.model.circuit import BreakerStatus
from logmedic.model.errors import NotFound
from logmedic.model.fix import Breaker
from logmedic.model.issue import Incident, Window
from logmedic.model.policy import Policy
from logmedic.model.record import EVERY_GROUP, Match, Record
from logmedic.model.rule import Rule
from logmedic.model.state import EngineState
from logmedic.runtime.fixrows import rank_rows
from logmedic.runtime.live import Generation

AT_MOST = 50
"""Windows and incidents in one answer (I6)."""


def standing(
    state: EngineState,
    policy: Policy,
    rule_id: str,
    quarantined: Mapping[str, str],
    now: datetime,
    asked: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """As ports.Control.rule. `state` is only read."""
    rule = policy.rules.get(rule_id)
    if rule is None:
        raise NotFound(f"no rule that is in force is called {rule_id[:80]}", "logmedic rules list; logmedic reload")
    windows = sorted((w for key, w in state.windows.items() if key[0] == rule.id), key=_newest, reverse=True)
    incidents = [each for each in state.incidents.values() if each.rule_id == rule.id]
    issue = state.issues.get(f"rule:{rule.id}")
    level = level_of(rule, state.trust.get(rule.id), policy) if rule.fix is not None else None
    return {
        "id": rule.id,
        "file": rule.file,
        "line": rule.line,
        "mode": level.mode.value if level is not None else None,
        "whose": level.whose if level is not None else "",
        "quarantined": quarantined.get(rule.id, ""),
        "matched": issue.occurrences if issue is not None else 0,
        "last_match_at": _iso(issue.last_seen) if issue is not None else None,
        "windows": [_window_row(rule, each) for each in windows[:AT_MOST]],
        "windows_total": len(windows),
        "open_incidents": [_incident_row(rule, each) for each in incidents[-AT_MOST:]],
        "breaker": _breaker_row(_worst(state, rule.id)),
        "steps": rank_rows(state, policy, rule, now),
        "would": forecast_row(foretell(state, policy, _match(rule, asked, now), now), rule)
        if asked is not None
        else None,
    }


def costs(generation: Generation) -> list[dict[str, Any]]:
    """As ports.Control.rule_costs."""
    rules, quarantined = generation.policy.rules, generation.matcher.quarantined
    rows = [
        {
            "rule": rule_id,
            "service": rules[rule_id].service if rule_id in rules else "",
            "asked": use.asked,
            "matched": use.matched,
            "spent_s": round(use.spent_s, 6),
            "overruns": use.overruns,
            "quarantined": quarantined.get(rule_id, ""),
        }
        for rule_id, use in generation.matcher.uses.items()
        if use.asked
    ]
    return sorted(rows, key=lambda row: (-row["spent_s"], row["rule"]))


def forecast_row(forecast: Forecast, rule: Rule) -> dict[str, Any]:
    """`words`: for people."""
    row = asdict(forecast)
    row["hold"] = forecast.hold.value if forecast.hold is not None else None
    row["runs"] = [{"step": name, "argv": list(argv)} for name, argv in forecast.runs]
    return {**row, "outcome": forecast.outcome.value, "words": sentences(forecast, rule)}


def _match(rule: Rule, asked: Mapping[str, Any], now: datetime) -> Match:
    """Of what somebody asks about. What the rule would not accept in a line, it does not accept here (I7)."""
    part = str(asked.get("part", ""))
    spec = dict(rule.parts).get(part)
    if spec is None:
        raise NotFound(f"rule {rule.id} has no part `{part[:40]}`")
    given = asked.get("captures") or {}
    captures = {name: given[name] for name in spec.captures if name in given}
    for name, value in captures.items():
        if accept(value, spec.captures[name]) is None:
            raise NotFound(f"rule {rule.id} matches no line with such a `{name}`", "see: logmedic rules explain LINE")
    source = str(asked.get("source", ""))
    record = Record(source, source, "", 0, 0, asked.get("at") or now)
    return Match(rule.id, record, captures, group_of(rule, captures), part)


def _newest(window: Window) -> float:
    return window.newest


def _group(rule: Rule, key: str) -> dict[str, str]:
    return {} if key == EVERY_GROUP else dict(zip(rule.when.by, key.split(GROUP_SEPARATOR), strict=False))


def _window_row(rule: Rule, window: Window) -> dict[str, Any]:
    newest = _iso(datetime.fromtimestamp(window.newest, UTC)) if window.newest else None
    return {"group": _group(rule, window.group_key), "progress": progress(rule, window), "newest": newest}


def _incident_row(rule: Rule, incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "group": _group(rule, incident.group_key),
        "title": incident.title,
        "status": incident.status.value,
        "hold": incident.hold.value if incident.hold is not None else None,
        "hold_detail": incident.hold_detail,
        "opened_at": _iso(incident.opened_at),
        "occurrences": incident.occurrences,
    }


def _worst(state: EngineState, rule_id: str) -> Breaker:
    """Of its breakers, one a target, that which is open for longest."""
    mine = [each for each in state.breakers.values() if each.rule_id == rule_id]
    far = datetime.min.replace(tzinfo=UTC)
    return max(
        mine,
        key=lambda each: (each.status is not BreakerStatus.CLOSED, each.open_until or far, each.failures),
        default=Breaker(rule_id),
    )


def _breaker_row(breaker: Breaker) -> dict[str, Any]:
    until = _iso(breaker.open_until) if breaker.open_until is not None else None
    return {"status": breaker.status.value, "failures": breaker.failures, "open_until": until}


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
