"""The clock was set (F33): whatever lasts lasts as long as it would have. Cooldowns, budgets, retries, breakers and
messages, and the silence that proves something, are counted from times of before: those times move with the clock.

What people were told as a time of day (the end of a pause, of a silence) stays what it says. That the clock was set
back while no daemon ran is seen by what has happened in its future; that it was set ahead then, by nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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


HAPPENED_TO_ATTEMPT = ("started_at", "finished_at")
HAPPENED_TO_BREAKER = ("opened_at", "closed_at", "failed_at")
SET_FROM = timedelta(seconds=2)
"""A step of the clock, and no drift: less changes nothing that anybody waits for."""


def on_start(draft: Draft) -> None:
    """Before anything that was left unfinished is looked at. What happened last counts as having happened just now."""
    ahead = max(_happened(draft), default=draft.now) - draft.now
    if ahead >= SET_FROM:
        draft.tally("clock_set")
        on_clock_set(draft, -ahead)


def _happened(draft: Draft) -> Iterator[datetime]:
    """By the clock of before, and moved with it. No time of a line: that is another program's."""
    state = draft.state
    for attempt in state.attempts.values():
        yield from _known(attempt, HAPPENED_TO_ATTEMPT)
    for breaker in state.breakers.values():
        yield from _known(breaker, HAPPENED_TO_BREAKER)
    for receiver in state.receivers.values():
        yield from _known(receiver, ("last_error_at",))
        yield from (datetime.fromtimestamp(each, UTC) for each in receiver.recent[-1:])


def _known(entity: object, names: Iterable[str]) -> Iterator[datetime]:
    return (at for name in names if (at := getattr(entity, name)) is not None)


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
