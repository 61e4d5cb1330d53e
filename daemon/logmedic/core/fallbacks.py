"""Who is told instead of a receiver that cannot be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from logmedic.core import compose, letters, plaintext, receivers
from logmedic.core.alerting.present import over_by_now
from logmedic.core.draft import Draft
from logmedic.model.alert import UNDELIVERED, Alert, AlertPlan, AlertStatus
from logmedic.model.issue import IncidentStatus, PatternType
from logmedic.model.message import MessageKind, Story

MOST_LINKS = 100
"""Of a chain of fallbacks: more than a route has receivers."""


def next_in_line(plan: AlertPlan, alert: Alert) -> str | None:
    """The receiver that is used instead of its own; None: nobody is next. Each at most once, since the line is walked
    in one direction. Those that the route tells anyway have it, but when a change of the configuration took away its
    receiver or its route."""
    route = plan.routes.get(alert.route)
    known = route or plan.routes.get(plan.default_route)
    if known is None:
        return None
    everyone = route is None or receivers.is_gone(plan, alert.receiver)
    line = (*known.to, *known.fallback) if everyone else known.fallback
    behind = line[line.index(alert.receiver) + 1 :] if alert.receiver in line else line
    wanted = (name for name in behind if name != alert.receiver and (everyone or name not in known.to))
    return next((name for name in wanted if not receivers.is_gone(plan, name)), None)


def knows(draft: Draft, receiver: str, alert: Alert) -> bool:
    """Whether `receiver` is told of all of it anyway. A reminder is no news, and so nothing that it could know."""
    if _kind(alert) not in (MessageKind.NEWS, MessageKind.DIGEST):
        return False
    notices = [draft.notice(subject) for subject in alert.tells]
    return bool(notices) and all(
        each is not None and each.told.get(receiver, 0) >= each.told.get(alert.receiver, each.version)
        for each in notices
    )


def mark_told(draft: Draft, receiver: str, alert: Alert) -> None:
    """Whoever is told of a problem is told of its end (F75)."""
    for subject in alert.tells:
        notice = draft.notice(subject)
        if notice is not None and not notice.done:
            version = notice.told.get(alert.receiver, notice.version)
            told: Mapping[str, int] = {**notice.told, receiver: max(version, notice.told.get(receiver, 0))}
            draft.put_notice(replace(notice, told=told))


def readdressed(draft: Draft, alert: Alert, receiver: str) -> Alert:
    """The same for `receiver`, in its reader's time, and with an id of its own."""
    copy = replace(
        alert,
        id=draft.mint(),
        receiver=receiver,
        status=AlertStatus.PENDING,
        created_at=draft.now,
        next_at=draft.now,
        tries=0,
        last_error="",
        fallback_of=alert.id,
        passed_on=False,
        give_up_at=None,
    )
    try:
        message = letters.unpack(alert.content)
    except ValueError:  # of an older version
        return replace(copy, body=alert.body.replace(alert.id, copy.id))
    why = f"{alert.receiver} could not be reached"
    stories = tuple(_by_now(draft, each) for each in message.stories)
    plan = draft.policy.alerts
    written = compose.write(
        alert_id=copy.id,
        kind=message.kind,
        host=message.host,
        stories=stories,
        thread=message.thread,
        subject=message.subject,
        receiver=plan.receiver(receiver),
        now=draft.now,
        links=plan.links,
        incident=draft.incident(alert.incident_id),
        note=f"{why}; {message.note}" if message.note else why,
    )
    if stories == message.stories:
        written = replace(written, title=message.title)
    written = replace(written, more=message.more, matches=message.matches)
    copy = replace(copy, event=written.event, title=written.title)
    return replace(copy, body=plaintext.text_of(written), content=letters.pack(written))


def _by_now(draft: Draft, story: Story) -> Story:
    """What is over by now is told as that: others hear of its end, and whoever hears of it here would not."""
    if story.over or not story.incident:
        return story
    notice, incident = draft.notice(story.subject), draft.incident(story.incident)
    if notice is not None and notice.over:
        end = letters.unpack_story(notice.story)
        return end if end.over else over_by_now(story)
    return over_by_now(story) if incident is None or incident.status is IncidentStatus.RESOLVED else story


def learn(draft: Draft, alert: Alert, following: str) -> None:
    """Once an episode: while something else waits that was passed on for the same reason, it is known."""
    if any(
        each.receiver == alert.receiver and each.passed_on and each.id != alert.id and each.status in UNDELIVERED
        for each in draft.alerts()
    ):
        return
    draft.learn(
        PatternType.GRACEFUL_DEGRADATION,
        f"{alert.receiver} could not be reached; {following} was used instead",
        1.0,
        receiver=alert.receiver,
        fallback=following,
        error=alert.last_error,
    )


def nobody_left(draft: Draft, alert: Alert) -> bool:
    """Whether nobody of its route can be reached: the line has ended, and whoever else the route tells is down."""
    plan = draft.policy.alerts
    route = plan.routes.get(alert.route) or plan.routes.get(plan.default_route)
    tried = _tried(draft, alert)
    others = [name for name in (route.to if route is not None else ()) if name not in tried]
    return all(
        receivers.is_gone(plan, name) or receivers.is_down(draft.receiver_state(name), draft.now) for name in others
    )


def _tried(draft: Draft, alert: Alert) -> set[str]:
    """Receivers that it was for, before it came down the line."""
    found: Alert | None = alert
    tried: set[str] = set()
    for _ in range(MOST_LINKS):
        if found is None:
            break
        tried.add(found.receiver)
        found = draft.alert(found.fallback_of) or draft.state.dead.get(found.fallback_of)
    return tried


def _kind(alert: Alert) -> MessageKind:
    try:
        return letters.unpack(alert.content).kind
    except ValueError:
        return MessageKind.NEWS
