"""News that nobody has made yet: to ask where it would go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from logmedic.model.alertevent import AlertEvent
from logmedic.model.notice import Notice
from logmedic.model.policy import Policy
from logmedic.model.rule import Rule
from logmedic.model.severity import Severity


def supposed(
    policy: Policy,
    rule: Rule | None,
    at: datetime,
    *,
    incident: Mapping[str, Any],
    severity: str = "",
    event: str = "",
    rule_id: str = "",
    source: str = "",
    service: str = "",
    tags: Sequence[str] = (),
    labels: Mapping[str, str],
) -> Notice:
    """What is said here counts, then what `incident` (a row, or nothing) says, then what `rule` does; else it is of
    medium severity, and opened."""
    told: Mapping[str, Any] = incident.get("notice") or {}
    severity = severity or incident.get("severity") or (rule.severity.value if rule is not None else Severity.MEDIUM)
    named = {
        "rule": rule_id,
        "service": service or (rule.service if rule is not None else ""),
        "source": source or incident.get("source", ""),
        "severity": severity,
        "host": policy.hostname,
    }
    every = {
        **policy.alerts.labels,
        **incident.get("captures", {}),
        **(told.get("labels") or {}),
        **labels,
        **{name: value for name, value in named.items() if value},
    }
    notice = Notice(
        f"incident:{incident.get('id', 'new')}",
        AlertEvent(event or told.get("event") or AlertEvent.OPENED),
        Severity(severity),
        incident.get("title", ""),
        at,
        at,
        tuple(dict.fromkeys((*tags, *(rule.tags if rule is not None else ())))),
        every,
    )
    own = rule.alert.repeat_every if rule is not None else None
    return replace(notice, repeat_s=own.total_seconds() if own is not None else None)
