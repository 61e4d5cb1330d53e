"""The end of a run that reads what there is and stops: there is nothing more that news could wait for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from logmedic.core import receivers
from logmedic.core.draft import Draft
from logmedic.core.outbox import FALLBACK_AFTER
from logmedic.model.alert import Alert, AlertStatus, ReceiverState
from logmedic.model.state import EngineState

SOON = timedelta(seconds=10)
"""Longer than the wait for a second try, and than the queue of a few messages to one receiver."""


def tell_now(draft: Draft) -> None:
    """Every group is looked at with the next Tick. What a silence, another incident or a fix holds back stays held."""
    for group in list(draft.groups()):
        if group.due_at is not None and group.due_at > draft.now:
            draft.put_group(replace(group, due_at=draft.now))


def is_telling(state: EngineState, now: datetime) -> bool:
    """Whether messages leave soon, or are on their way: until each arrived, was handed to somebody else, or is known to
    wait for longer. What is left in the outbox then, the next run sends."""
    due = any(each.due_at is not None and each.due_at <= now for each in state.groups.values())
    return due or any(_leaves_soon(each, state.receivers.get(each.receiver), now) for each in state.alerts.values())


def _leaves_soon(alert: Alert, receiver: ReceiverState | None, now: datetime) -> bool:
    if alert.status is AlertStatus.SENDING:
        return True
    waits = alert.status is AlertStatus.PENDING and alert.next_at <= now + SOON
    is_out = receiver is not None and receivers.is_out(receiver, now)
    return waits and not is_out and not alert.passed_on and alert.tries < FALLBACK_AFTER
