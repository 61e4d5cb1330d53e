"""What waited for one receiver, told in one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from logmedic.core import compose, letters, plaintext
from logmedic.core.draft import Draft
from logmedic.core.moments import moment_text
from logmedic.core.phrases import said, several
from logmedic.model.alert import Alert, AlertStatus
from logmedic.model.message import Message, MessageKind, Story

NAMED = 3
"""Of what is over again: in the one line that tells of it."""
_SYMPTOM_LIMIT = 60


def fold(draft: Draft, alerts: Sequence[Alert]) -> Alert:
    """One message of all of `alerts` (at least one, of one receiver), which point at it from then on (already put). It
    is not in the outbox yet. A single one is itself."""
    if len(alerts) == 1:
        return alerts[0]
    ordered = sorted(alerts, key=lambda each: (each.created_at, each.id))
    told = _Told(ordered)
    shown = told.worth_a_story()
    first = next(each for each in ordered if shown[0].subject in each.tells or each is ordered[-1])
    digest = _written(draft, ordered, told, shown)
    digest = replace(digest, route=first.route, incident_id=first.incident_id)
    for each in ordered:
        draft.put_alert(replace(each, status=AlertStatus.FOLDED, folded_into=digest.id))
    draft.tally("alerts_folded", len(ordered))
    return digest


class _Told:
    """The last story of each subject; `spared`: of those that are over, and whose news waits as well."""

    def __init__(self, alerts: Sequence[Alert]) -> None:
        """`alerts`: oldest first."""
        messages = [_message_of(each) for each in alerts]
        self.more = sum(each.more for each in messages)
        self.last: dict[str, Story] = {}
        opened: set[str] = set()
        for message in messages:
            is_news = message.kind is not MessageKind.REMINDER
            opened.update(each.subject for each in message.stories if is_news and not each.over)
            self.last.update((each.subject, each) for each in message.stories)
        self.spared = [each for each in self.last.values() if each.over and each.subject in opened]

    def worth_a_story(self) -> list[Story]:
        """The most urgent first. When all of it is over, the worst of that stands for the others."""
        spared = {each.subject for each in self.spared}
        left = sorted((each for each in self.last.values() if each.subject not in spared), key=compose.urgency)
        return left or sorted(self.spared, key=compose.urgency)[:1]

    def line(self, shown: Sequence[Story]) -> str:
        """What needs no word any more, in few."""
        subjects = {each.subject for each in shown}
        over = sorted((each for each in self.spared if each.subject not in subjects), key=compose.urgency)
        if not over:
            return ""
        names = [said(each.symptom, _SYMPTOM_LIMIT) for each in over[:NAMED]]
        rest = f" and {several(len(over) - NAMED, 'other')}" if len(over) > NAMED else ""
        return f"over again meanwhile: {', '.join(names)}{rest}"


def _written(draft: Draft, alerts: Sequence[Alert], told: _Told, shown: Sequence[Story]) -> Alert:
    plan = draft.policy.alerts
    receiver, alert_id = plan.receiver(alerts[0].receiver), draft.mint()
    since = moment_text(alerts[0].created_at, receiver.zone)
    note = "; ".join(filter(None, (f"{len(alerts)} messages that waited since {since}", told.line(shown))))
    message = compose.write(
        alert_id=alert_id,
        kind=MessageKind.DIGEST,
        host=draft.policy.hostname,
        stories=shown,
        thread=alert_id,
        subject=f"[logmedic] {draft.policy.hostname}: digest of {draft.now:%Y-%m-%d %H:%M} UTC",
        receiver=receiver,
        now=draft.now,
        note=note,
    )
    message = replace(message, more=message.more + told.more)
    return Alert(
        id=alert_id,
        incident_id="",
        event=message.event,
        severity=message.severity,
        route="",
        receiver=receiver.name,
        title=message.title,
        body=plaintext.text_of(message),
        created_at=draft.now,
        next_at=draft.now,
        group_id=alert_id,
        content=letters.pack(message),
        tells=tuple(dict.fromkeys(subject for each in alerts for subject in each.tells)),
    )


def _message_of(alert: Alert) -> Message:
    """Of one that was written otherwise, what its text says."""
    try:
        return letters.unpack(alert.content)
    except ValueError:
        story = Story(
            subject=f"alert:{alert.id}",
            event=alert.event,
            severity=alert.severity,
            symptom=alert.title,
            outcome="",
            need="",
            broke=said(alert.body, 400),
            tried="",
            following="",
            to_do="",
            since=alert.created_at,
        )
        return Message(
            alert.id, MessageKind.NEWS, alert.event, alert.severity, "", alert.title, alert.title, "", (story,)
        )
