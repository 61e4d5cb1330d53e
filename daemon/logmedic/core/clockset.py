"""The clock was set (F33): whatever lasts lasts as long as it would have. Cooldowns, budgets, retries, breakers and
messages, and the silence that proves something, are counted from times of before: those times move with the clock.

What people were told as a time of day (the end of a pause, of a silence) stays what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from logmedic.core.draft import Draft

T = TypeVar("T")

OF_INCIDENT = ("opened_at", "last_match_at", "due_at", "approved_until")
OF_ATTEMPT = ("started_at", "finished_at")
OF_BREAKER = ("opened_at", "open_until", "closed_at", "failed_at")
OF_WINDOW = ("due_at",)
OF_ALERT = ("next_at", "give_up_at")
OF_GROUP = ("opened_at", "due_at", "sent_at", "called_at")
OF_RECEIVER = ("open_until", "wait_until", "last_error_at")


def on_clock_set(draft: Draft, by: timedelta) -> None:
    """`by`: how far ahead of what it would say the clock is now; negative: behind."""
    state = draft.state
    for incident in list(draft.open_incidents()):
        draft.put_incident(_moved(incident, OF_INCIDENT, by))
    for attempt in list(state.attempts.values()):
        draft.put_attempt(_moved(attempt, OF_ATTEMPT, by))
    for breaker in list(state.breakers.values()):
        draft.put_breaker(_moved(breaker, OF_BREAKER, by))
    for window in draft.waiting():
        draft.put_window(_moved(window, OF_WINDOW, by))
    for alert in draft.alerts():
        draft.put_alert(_moved(alert, OF_ALERT, by))
    for group in list(draft.groups()):
        draft.put_group(_moved(group, OF_GROUP, by))
    for receiver in list(state.receivers.values()):
        recent = tuple(each + by.total_seconds() for each in receiver.recent)
        draft.put_receiver_state(replace(_moved(receiver, OF_RECEIVER, by), recent=recent))


def _moved(entity: T, names: Iterable[str], by: timedelta) -> T:
    times = {name: getattr(entity, name) for name in names}
    moved: Any = {name: at + by for name, at in times.items() if at is not None}
    return replace(entity, **moved)  # type: ignore[type-var]
