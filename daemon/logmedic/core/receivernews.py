"""What people hear of a receiver itself: that it cannot be reached, once, and that it can again."""

from __future__ import annotations

from logmedic.core import ailing, ownstories
from logmedic.core.alerting import news
from logmedic.core.draft import Draft
from logmedic.model.alert import Alert
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing

TOLD_AFTER = 5
"""Openings of its breaker in a row: a quarter of an hour."""
_EVENT = AlertEvent.RECEIVER_DEAD


def is_about(alert: Alert, receiver: str) -> bool:
    """Of nothing but `receiver`: that would not reach it."""
    return set(alert.tells) == {ailing.subject_of(receiver, _EVENT)}


def refused(draft: Draft, receiver: str, why: str) -> None:
    to_do = (
        f"Look at the URL of {receiver} in the configuration and at the service behind it. Nothing is sent to it until "
        "a test arrives, or the daemon starts again"
    )
    _raise(draft, receiver, f"{receiver} refuses what is sent to it: {why}", to_do)


def unreachable(draft: Draft, receiver: str, why: str) -> None:
    to_do = "Look at the service and at the way there. What waits is sent in order once it answers"
    _raise(draft, receiver, f"{receiver} cannot be reached: {why}", to_do)


def well(draft: Draft, receiver: str) -> None:
    ailing.on_ailing(draft, Ailing(receiver, _EVENT))


def _raise(draft: Draft, receiver: str, what: str, to_do: str) -> None:
    known = draft.notice(ailing.subject_of(receiver, _EVENT))
    if known is not None and not known.over and not known.done:
        return
    command = f"logmedic alerts test {receiver}"
    news.raise_(draft, ownstories.of_ailing(receiver, _EVENT, what, to_do, command, draft.now))
