"""The clock was set (F33): whatever lasts lasts as long as it would have. Cooldowns, budgets, retries, breakers and
messages, and the silence that proves something, are counted from times of before: those times move with the clock.

What people were told as a time of day (the end of a pause, of a silence) stays what it says, and so does when issues
were seen, but for what a clock that was ahead said of it. `setback.py`: it was set back while no daemon ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from logmedic.core.draft import Draft
from logmedic.core.eventtime import FUTURE
from logmedic.core.rates import slot_of
from logmedic.model.alert import ReceiverState
from logmedic.model.fix import AttemptStatus, FixAttempt
from logmedic.model.issue import KnownIssue
from logmedic.model.policy import Policy
from logmedic.model.state import ATTEMPT_MEMORY, EngineState

T = TypeVar("T")

OF_INCIDENT = ("opened_at", "last_match_at", "due_at", "approved_until")
OF_ATTEMPT = ("started_at", "finished_at")
OF_BREAKER = ("opened_at", "open_until", "closed_at", "failed_at")
OF_WINDOW = ("due_at",)
OF_ALERT = ("next_at", "give_up_at")
OF_GROUP = ("opened_at", "due_at", "sent_at", "called_at")
OF_RECEIVER = ("open_until", "wait_until", "last_error_at")
SETS_KEPT = 8
"""What was written before that is read by then."""
SET_FROM = timedelta(seconds=2)
"""A step of the clock, and no drift: less changes nothing that anybody waits for."""


def on_clock_set(draft: Draft, by: timedelta) -> None:
    """`by`: how far ahead of what it would say the clock is now; negative: behind."""
    state = draft.state
    for incident in list(draft.open_incidents()):
        draft.put_incident(moved(incident, OF_INCIDENT, by))
    for attempt in list(asked_for(state, draft.now - by)):
        draft.put_attempt(moved(attempt, OF_ATTEMPT, by))
    for breaker in list(state.breakers.values()):
        draft.put_breaker(moved(breaker, OF_BREAKER, by))
    for window in draft.waiting():
        draft.put_window(moved(window, OF_WINDOW, by))
    for alert in draft.alerts():
        draft.put_alert(moved(alert, OF_ALERT, by))
    for group in list(draft.groups()):
        draft.put_group(moved(group, OF_GROUP, by))
    for receiver in list(state.receivers.values()):
        draft.put_receiver_state(moved_receiver(receiver, by))
    for issue in draft.issues():
        if (mended := _issue(issue, draft.now, by)) is not issue:
            draft.put_issue(mended)
    for earned in list(state.earned.values()):
        if _goes_along(earned.at, draft.now, by):
            draft.put_earned(moved(earned, ("at",), by))


def _issue(issue: KnownIssue, now: datetime, by: timedelta) -> KnownIssue:
    """Set back: nothing of it lies ahead any more, or until then it would not be seen to come back. The hour that is
    counted goes along ahead as well: nobody knows that those in between were silent."""
    hours, back = slot_of(now) - slot_of(now - by), by < timedelta()
    if hours and issue.slot_at is not None and _goes_along(issue.slot_at, now, by):
        slot = issue.slot_at + hours
        issue = replace(issue, slot_at=max(slot, slot_of(now - FUTURE)) if back else slot)
    return not_ahead(issue, now, by) if back else issue


def not_ahead(issue: KnownIssue, now: datetime, by: timedelta) -> KnownIssue:
    """What of it lies ahead of `now` moved by `by`, which is negative, and to `now` at the most; in its order. The same
    where nothing does."""
    if max(issue.last_seen, issue.onset_at or now, issue.resolved_at or now) <= now:
        return issue
    first, last = (_not_ahead(at, now, by) for at in (issue.first_seen, issue.last_seen))
    onset, resolved = (at and _not_ahead(at, now, by) for at in (issue.onset_at, issue.resolved_at))
    last = max(first, last)
    return replace(
        issue,
        first_seen=first,
        last_seen=last,
        onset_at=onset,
        resolved_at=resolved and max(last, resolved),
    )


def _not_ahead(at: datetime, now: datetime, by: timedelta) -> datetime:
    """A time of somebody else's clock may lie ahead without any fault of ours: by no more than FUTURE, so nothing goes
    back further."""
    return at if at <= now else min(max(at + by, now - FUTURE), now)


def _goes_along(at: datetime, now: datetime, by: timedelta) -> bool:
    """It is counted from `at`, which was no time to come by the clock of before, or is one by that of now."""
    return at > now if by < timedelta() else at <= now - by


def set_ahead(
    known: tuple[tuple[datetime, timedelta], ...], now: datetime, by: timedelta
) -> tuple[tuple[datetime, timedelta], ...]:
    """`known` (EngineState.set_ahead), and that the clock was set by `by` just now."""
    moved = [(said, behind + by) for said, behind in known]
    return tuple((said, behind) for said, behind in (*moved, (now - by, by)) if behind > timedelta())[-SETS_KEPT:]


def began_at(state: EngineState, policy: Policy) -> datetime | None:
    """The daemon's start, by the clock as it is set now: `policy` has what it said then."""
    return policy.started_at + state.set_since_start if policy.started_at is not None else None


def by_todays_clock(known: tuple[tuple[datetime, timedelta], ...], written: datetime) -> datetime:
    """When a line was written that may be of a clock of before it was set ahead."""
    for said, behind in known:
        if written <= said:
            return written + behind
    return written


def moved_receiver(receiver: ReceiverState, by: timedelta) -> ReceiverState:
    recent = tuple(each + by.total_seconds() for each in receiver.recent)
    return replace(moved(receiver, OF_RECEIVER, by), recent=recent)


def moved(entity: T, names: Iterable[str], by: timedelta) -> T:
    times = {name: getattr(entity, name) for name in names}
    changes: Any = {name: at + by for name, at in times.items() if at is not None}
    return replace(entity, **changes)  # type: ignore[type-var]


def asked_for(state: EngineState, at: datetime) -> Iterator[FixAttempt]:
    """Those that a limit could ask for `at` that time of the clock of before. The others are history, and stay as they
    are: a clock is years off until a host that boots is told the time."""
    for each in state.attempts.values():
        if each.status is not AttemptStatus.FINISHED or abs(at - each.started_at) <= ATTEMPT_MEMORY:
            yield each
