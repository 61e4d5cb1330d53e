"""How a receiver does: its breaker, what it asked for, and how much it may be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logmedic.core.backoff import exponential, jittered
from logmedic.model.alert import AlertPlan, Delivery, ReceiverState

BREAK_AFTER = 5
"""Failures in a row."""
OPEN_FOR = timedelta(seconds=30)
OPEN_MAX = timedelta(minutes=15)
SPACING = timedelta(seconds=1)
"""Between two messages: Slack takes one a second of a web hook, and nobody reads faster."""
WAIT_MAX = timedelta(hours=6)
"""Of what a server asks for (Retry-After): a header that is nonsense must not silence a receiver for a day."""
LONG_WAIT = timedelta(minutes=1)
"""People are told through somebody else rather than that much later."""
DOWN_AFTER = 2
"""Failures in a row: one more than a hiccup."""
HOUR = timedelta(hours=1)


def is_gone(plan: AlertPlan, name: str) -> bool:
    """The configuration has it no more. A plan that names no receiver at all takes every name."""
    return bool(plan.receivers) and name not in plan.receivers


def is_out(state: ReceiverState, now: datetime) -> bool:
    """What is for it would wait for long, or for ever: people are told through somebody else."""
    asked = state.wait_until is not None and state.wait_until > now + LONG_WAIT
    return bool(state.disabled) or state.open_until is not None or asked


def is_down(state: ReceiverState, now: datetime) -> bool:
    return is_out(state, now) or state.failures >= DOWN_AFTER


def shut_until(state: ReceiverState) -> datetime | None:
    """By its breaker, or because it asked for that; the time may be over. None: it is not."""
    return max((at for at in (state.open_until, state.wait_until) if at is not None), default=None)


def free_at(state: ReceiverState) -> datetime | None:
    """When the next message may be handed to the sender: also the space between two counts. None: at any time."""
    times = [at for at in (shut_until(state),) if at is not None]
    if state.recent:
        times.append(_moment(state.recent[-1]) + SPACING)
    if state.failures and state.last_error_at is not None:
        times.append(state.last_error_at + SPACING)
    return max(times, default=None)


def room_at(state: ReceiverState, max_per_hour: int) -> datetime | None:
    """When there was, is or will be room for one more message in its hour; None: there always was."""
    if len(state.recent) < max_per_hour:
        return None
    return _moment(state.recent[-max_per_hour]) + HOUR if max_per_hour > 0 else None


def handed_at(state: ReceiverState) -> datetime | None:
    return _moment(state.recent[-1]) if state.recent else None


def handed(state: ReceiverState, now: datetime) -> ReceiverState:
    """One more message is on its way. Times that are ahead are of a clock that was wrong (F33)."""
    recent = [each for each in state.recent if now - HOUR < _moment(each) <= now]
    return replace(state, recent=(*recent, now.timestamp()), trial=state.open_until is not None or bool(state.disabled))


def set_right(state: ReceiverState, now: datetime) -> ReceiverState:
    """Without what a clock that was ahead, and is not any more, would hold back (F33)."""
    return replace(
        state,
        recent=tuple(each for each in state.recent if _moment(each) <= now),
        last_error_at=_at_most(state.last_error_at, now),
        open_until=_at_most(state.open_until, now + OPEN_MAX * 1.25),
        wait_until=_at_most(state.wait_until, now + WAIT_MAX),
    )


def _at_most(known: datetime | None, latest: datetime) -> datetime | None:
    return None if known is None else min(known, latest)


def handed_again(state: ReceiverState, now: datetime) -> ReceiverState:
    """The message that was on its way is so again."""
    return handed(replace(state, recent=state.recent[:-1]), now)


def worked(state: ReceiverState, now: datetime) -> ReceiverState:
    """A message arrived: whatever was wrong is over."""
    well = replace(state, failures=0, opens=0, open_until=None, wait_until=None, trial=False, disabled="")
    return replace(well, sent_at=now)


def failed(state: ReceiverState, delivery: Delivery, now: datetime, *, was_handed: bool = True) -> ReceiverState:
    """A message did not arrive, so that it leaves room for another one. `was_handed`: as `handed` says; a test was not,
    and is no trial."""
    counted = replace(state, failures=state.failures + 1, last_error=delivery.detail, last_error_at=now)
    if delivery.retry_after_s is not None:
        wait = min(timedelta(seconds=delivery.retry_after_s), WAIT_MAX)
        counted = replace(counted, wait_until=now + wait)
    if delivery.permanent:
        counted = replace(counted, disabled=delivery.detail or "refused")
    opens = (state.trial and was_handed) or (state.open_until is None and counted.failures >= BREAK_AFTER)
    if was_handed:
        counted = replace(counted, recent=state.recent[:-1], trial=False)
    return _opened(counted, now) if opens and not counted.disabled else counted


def _opened(state: ReceiverState, now: datetime) -> ReceiverState:
    opens = state.opens + 1
    wait = jittered(exponential(opens, OPEN_FOR, OPEN_MAX), f"{state.name}:{opens}:{now.timestamp()}")
    return replace(state, opens=opens, open_until=now + wait)


def enabled(state: ReceiverState) -> ReceiverState:
    """Whether it still refuses is asked anew."""
    return replace(state, disabled="")


def _moment(posix_s: float) -> datetime:
    return datetime.fromtimestamp(posix_s, UTC)
