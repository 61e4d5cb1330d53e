"""Why a message was not sent, or why nobody is told of something: as the daemon itself would decide it now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from logmedic.core.alerting import paging
from logmedic.core.alerting.inhibition import INCIDENT
from logmedic.core.alerting.preview import held_back
from logmedic.core.alerting.untold import Stage, of_alert, of_groups, of_notice
from logmedic.core.draft import Draft
from logmedic.model.alert import Alert, AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.severity import Severity
from logmedic.runtime.alertrows import notice_row
from logmedic.runtime.fixrows import Row, iso
from logmedic.runtime.previews import draft_of

OVER = "it is over"
_FIELDS = fields(Stage)


def why_message(draft: Draft, row: Row) -> Row:
    """`row`: as of Queries.alert. As ports.Control.why_alert."""
    alert = draft.alert(row["id"]) or draft.state.dead.get(row["id"])
    stages = of_alert(draft, alert if alert is not None else _of_row(row))
    return {"subject": f"alert:{row['id']}", "alert": row, "notice": None, "note": "", "stages": _rows(stages)}


def _of_message(draft: Draft, row: Row) -> Stage:
    last = of_alert(draft, draft.alert(row["id"]) or _of_row(row))[-1]
    detail = f"{row['event'].replace('_', ' ')}, {last.name}: {last.detail}"
    return replace(last, name=f"receiver {row['receiver']}", detail=detail)


def _of_row(row: Row) -> Alert:
    """One that is over: what is asked of it is in the row."""
    created = datetime.fromisoformat(row["created_at"])
    made = Alert(
        id=row["id"],
        incident_id=row["incident_id"],
        event=AlertEvent(row["event"]),
        severity=Severity(row["severity"]),
        route=row["route"],
        receiver=row["receiver"],
        title=row["title"],
        body=row["body"],
        created_at=created,
        next_at=created,
        status=AlertStatus(row["status"]),
    )
    return replace(made, tries=row["tries"], last_error=row["last_error"], folded_into=row["folded_into"])


def why_news(draft: Draft, subject: str, sent: Sequence[Row] = ()) -> Row:
    """As ports.Control.why_alert. `sent`: messages about it, as of Queries.alerts: of what is over they are all there
    is."""
    notice = draft.notice(subject)
    told = {"subject": subject, "alert": None, "notice": notice_row(notice) if notice is not None else None}
    if notice is not None and not notice.over:
        return {**told, "note": "", "stages": _rows(of_notice(draft, notice))}
    if notice is not None:
        return {**told, "note": OVER, "stages": _rows(of_groups(draft, notice))}
    known = _no_news(draft, subject)
    return {**told, **known, "stages": known["stages"] or _rows(_of_message(draft, row) for row in reversed(sent))}


def _no_news(draft: Draft, subject: str) -> dict[str, Any]:
    """There was nothing to tell people so far."""
    incident = draft.incident(subject.removeprefix(INCIDENT))
    rule = draft.policy.rules.get(incident.rule_id) if incident is not None else None
    if incident is None or rule is None:
        return {"note": f"{OVER}, or was no news", "stages": []}
    other = draft_of(draft.state, draft.policy, draft.now)
    held = held_back(other, incident, rule, None)
    late = paging.late_at(draft.policy, incident)
    if held:
        stage = Stage("news", False, held, command=f"logmedic rules show {rule.id}")
    elif late is not None:
        stage = Stage("page_after", False, "there was no news; people hear of it when it is still open then", late)
    else:
        stage = Stage("news", False, "there was no news of it so far", command=f"logmedic show {incident.id[-8:]}")
    return {"note": "nobody was to be told of it so far", "stages": _rows((stage,))}


def _rows(stages: Iterable[Stage]) -> list[Row]:
    return [
        {**{each.name: getattr(stage, each.name) for each in _FIELDS}, "until": iso(stage.until)} for stage in stages
    ]
