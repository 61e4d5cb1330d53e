"""Waits that are over, and nothing came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logmedic.core import windows
from logmedic.core.clockset import began_at
from logmedic.core.draft import Draft
from logmedic.core.incidents import has_cause, open_for
from logmedic.core.kept import keep, of_window
from logmedic.model.issue import Window
from logmedic.model.policy import Policy
from logmedic.model.when import Absence

LOOK_AGAIN = timedelta(minutes=1)
"""How soon a wait that is over, but has a cause, is looked at again."""
SETTLED_AFTER = timedelta(seconds=60)
"""After a start or a standstill what was written meanwhile is read first: a wait that is over has so much longer."""
LONGEST_STANDSTILL = timedelta(minutes=5)
"""For so long a wait is put off at most, where the daemon stands still again and again."""


def open_overdue(draft: Draft, limit: int) -> int:
    """Waits that are over, and nothing came: the oldest `limit` of them. Answers what is left of that."""
    began = began_at(draft.state, draft.policy)
    for window in draft.waiting(draft.now):
        rule = draft.policy.rules.get(window.rule_id)
        if rule is None or not isinstance(rule.when.trigger, Absence) or not windows.is_of(window, rule.when.trigger):
            draft.forget_window(window.rule_id, window.group_key)
        elif window.due_at is not None and _wait_ends(window.due_at, rule.when.trigger, began) <= draft.now:
            if limit == 0:
                break
            limit -= 1
            if (later := _heard_at(draft, window, rule.when.trigger)) > draft.now:
                draft.put_window(replace(window, due_at=later))
                continue
            if has_cause(draft, rule):
                draft.tally("suppressed")
                draft.put_window(replace(window, due_at=draft.now + LOOK_AGAIN))
                continue
            keep(draft, windows.overdue(window, rule.when.trigger))
            if draft.open_incident(rule.id, window.group_key) is None:
                open_for(draft, rule, of_window(rule, window))
    return limit


def _heard_at(draft: Draft, window: Window, trigger: Absence) -> datetime:
    """While the daemon stood still (a disk that hung, a host that slept) what answers may have been written, and not be
    read yet."""
    since = draft.state.heard_since
    if since is None or not window.times:
        return draft.now
    latest = datetime.fromtimestamp(window.times[-1], UTC) + trigger.within + LONGEST_STANDSTILL
    return min(since + min(trigger.within, SETTLED_AFTER), latest)


def next_wait(window: Window, policy: Policy, began: datetime | None) -> datetime | None:
    """When the wait of `window` is over; None: it has none. `began`: when the daemon did."""
    rule = policy.rules.get(window.rule_id)
    if window.due_at is None or rule is None or not isinstance(rule.when.trigger, Absence):
        return window.due_at
    return _wait_ends(window.due_at, rule.when.trigger, began)


def _wait_ends(due: datetime, trigger: Absence, began: datetime | None) -> datetime:
    if began is None:
        return due
    return max(due, began + min(trigger.within, SETTLED_AFTER))
