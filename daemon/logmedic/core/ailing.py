"""What ails the daemon itself: told once, and its end to whoever was told."""

from __future__ import annotations

from dataclasses import replace

from logmedic.core import ownstories
from logmedic.core.alerting import news
from logmedic.core.draft import Draft
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing
from logmedic.model.notice import Notice

OPENING = "store opening"
"""The part whose news is of a moment, and has no end: what was lost when the store was opened."""


def subject_of(part: str, event: AlertEvent) -> str:
    """A receiver that cannot be used is news of that receiver, whoever noticed it."""
    return f"receiver:{part}" if event is AlertEvent.RECEIVER_DEAD else f"daemon:{part}"


def on_ailing(draft: Draft, given: Ailing) -> None:
    known = draft.notice(subject_of(given.part, given.event))
    if not given.what:
        _end(draft, given, known)
    elif known is None or known.over or known.done or given.part == OPENING:
        _raise(draft, given)


def _raise(draft: Draft, given: Ailing) -> None:
    draft.tally("ailments")
    if given.event is AlertEvent.RECEIVER_DEAD:
        _disable(draft, given)
    story = ownstories.of_ailing(given.part, given.event, given.what, given.to_do, given.command, draft.now)
    story = replace(story, since=given.since or draft.now)
    news.raise_(draft, story, lasting=given.part != OPENING)
    raised = draft.notice(story.subject)
    if raised is not None and given.told:
        draft.put_notice(replace(raised, told=dict.fromkeys(given.told, raised.version)))


def _disable(draft: Draft, given: Ailing) -> None:
    """What is for it goes to the next in line at once, this news of it too."""
    state = draft.receiver_state(given.part)
    draft.put_receiver_state(replace(state, disabled=given.what, last_error=given.what, last_error_at=draft.now))


def _end(draft: Draft, given: Ailing, known: Notice | None) -> None:
    if known is not None:
        story = ownstories.of_well_again(given.part, given.event, draft.now - known.since, draft.now)
        news.end(draft, story.subject, story)
