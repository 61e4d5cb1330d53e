"""How alerts stand, as rows: receivers, silences and what they cover, who takes care of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from logmedic.core.alerting.chain import is_acked
from logmedic.core.alerting.selecting import facts_of, means
from logmedic.model.alert import UNDELIVERED, AlertPlan, AlertStatus, ReceiverState, Selector
from logmedic.model.notice import Notice
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState
from logmedic.runtime.fixrows import Row, iso

OK, BREAKER_OPEN, DISABLED, UNUSABLE = "ok", "breaker open", "disabled", "unusable"
"""How a receiver does. UNUSABLE: Apprise cannot use its URL."""
DEAD_SHOWN = timedelta(days=7)
"""Dead letters that are older are the past: `alerts list --dead` has them."""
COVERED_SHOWN = 50
"""Of one silence (I6)."""


def receiver_rows(
    state: EngineState,
    plan: AlertPlan,
    names: Iterable[str],
    *,
    unusable: Mapping[str, str],
    deliveries: Iterable[Mapping[str, Any]],
) -> list[Row]:
    """As ports.Control.receivers. `deliveries`: rows of Queries.deliveries."""
    dead = {row["receiver"]: row["n"] for row in deliveries if row["status"] == AlertStatus.DEAD.value}
    waiting = Counter((each.receiver, each.status) for each in state.alerts.values())
    return [
        {
            **health_of(state.receivers.get(name) or ReceiverState(name), unusable.get(name, "")),
            "scheme": plan.receiver(name).scheme,
            "routes": routes_of(plan, name),
            "pending": sum(waiting[name, status] for status in UNDELIVERED - {AlertStatus.DEFERRED}),
            "deferred": waiting[name, AlertStatus.DEFERRED],
            "dead": dead.get(name, 0),
        }
        for name in names
    ]


def health_of(state: ReceiverState, problem: str) -> Row:
    """`problem`: why Apprise cannot use its URL, or empty."""
    found = UNUSABLE if problem else DISABLED if state.disabled else BREAKER_OPEN if state.open_until else OK
    return {
        "name": state.name,
        "state": found,
        "failures": state.failures,
        "open_until": iso(state.open_until),
        "trial": state.trial,
        "last_error": problem or state.disabled or state.last_error,
        "last_error_at": iso(state.last_error_at),
        "sent_at": iso(state.sent_at),
    }


def routes_of(plan: AlertPlan, receiver: str) -> list[str]:
    """Those that may reach it: at once, when another one is down, or when nobody acknowledges."""
    return [
        name
        for name, route in plan.routes.items()
        if receiver in (*route.to, *route.fallback, *(to for each in route.escalate for to in each.to))
    ]


def silence_row(row: Mapping[str, Any], notices: Iterable[Notice], now: datetime) -> Row:
    """`row`: of Queries. With `state` (in force, to come, over) and `covers`: what is open of what it means, at most
    COVERED_SHOWN rows {subject, title, severity}; whether or not it is in force now."""
    starts, until = datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["until"])
    state = "over" if now >= until else "to come" if now < starts else "in force"
    selector = Selector(
        severities=frozenset(map(Severity, row["severities"])),
        tags=frozenset(row["tags"]),
        labels={name: (pattern,) for name, pattern in row["labels"].items()},
    )
    covered = [] if state == "over" else covers(selector, notices, now)
    return {**row, "state": state, "covers": covered[:COVERED_SHOWN], "covers_total": len(covered)}


def covers(selector: Selector, notices: Iterable[Notice], now: datetime) -> list[Row]:
    """What is open of what `selector` means, the most severe first."""
    found = [each for each in notices if not each.over and not each.done and means(selector, facts_of(each), now)]
    found.sort(key=lambda each: (-each.severity.rank, each.since, each.subject))
    return [{"subject": each.subject, "title": each.title, "severity": each.severity.value} for each in found]


def means_everything(selector: Selector, plan: AlertPlan, hostname: str) -> bool:
    """Whatever people could ever be told of this host."""
    own = {**plan.labels, "host": hostname}
    asks_for_labels = any(
        not (set(pattern) <= {"*"} or (name in own and pattern == own[name]))
        for name, patterns in selector.labels.items()
        for pattern in patterns
    )
    asks_for_severity = bool(selector.severities) and selector.severities < frozenset(Severity)
    return not (selector.tags or asks_for_labels or asks_for_severity)


def acked(state: EngineState, now: datetime) -> Iterator[Notice]:
    return (each for each in state.notices.values() if not each.over and is_acked(each, now))


def notice_row(notice: Notice) -> Row:
    """Every field but its story."""
    return {
        "subject": notice.subject,
        "event": notice.event.value,
        "severity": notice.severity.value,
        "title": notice.title,
        "at": iso(notice.at),
        "since": iso(notice.since),
        "tags": list(notice.tags),
        "labels": dict(notice.labels),
        "told": dict(notice.told),
        "over": notice.over,
        "suppressed": notice.suppressed,
        "suppressed_by": notice.suppressed_by,
        "acked_by": notice.acked_by,
        "acked_at": iso(notice.acked_at),
        "acked_until": iso(notice.acked_until),
    }
