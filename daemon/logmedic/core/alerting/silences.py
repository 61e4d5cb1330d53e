"""Silences: what people asked not to be told, and maintenance windows that ask for it."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase

from logmedic.core.alerting.selecting import facts_of, means
from logmedic.core.draft import Draft
from logmedic.core.hours import open_until
from logmedic.model.changeset import AddSilence
from logmedic.model.notice import Notice, Silence
from logmedic.model.policy import MaintenanceWindow


def silenced(draft: Draft, silences: list[Silence], notice: Notice) -> tuple[str, datetime] | None:
    """Why nobody is told of it, for people, and until when; of several silences the one that lasts longest. None: no
    silence means it now. `silences`: those of the draft."""
    facts = facts_of(notice)
    found = [
        (each.until, f"silenced by {each.by} until {each.until:%Y-%m-%d %H:%M} UTC: {each.why}")
        for each in silences
        if each.starts_at <= draft.now < each.until and means(each.selector, facts, draft.now)
    ]
    found += [
        (ends, f"silenced in the maintenance window {window.name} until {ends:%Y-%m-%d %H:%M} UTC")
        for window in draft.policy.maintenance
        if window.silence and _is_about(window, notice) and (ends := open_until(window, draft.now)) is not None
    ]
    if not found:
        return None
    until, why = max(found)
    return why, until


def _is_about(window: MaintenanceWindow, notice: Notice) -> bool:
    """A window of no rule is of all of them, and of nothing that is about the daemon itself."""
    rule = notice.labels.get("rule", "")
    if not rule:
        return False
    if not window.rules and not window.tags:
        return True
    return any(fnmatchcase(rule, pattern) for pattern in window.rules) or not set(window.tags).isdisjoint(notice.tags)


def add(draft: Draft, given: AddSilence) -> Silence:
    silence = Silence(
        id=draft.mint(),
        starts_at=given.starts_at or draft.now,
        until=given.until,
        by=given.by,
        why=given.why,
        created_at=draft.now,
        severities=given.severities,
        tags=given.tags,
        labels=given.labels,
    )
    draft.put_silence(silence)
    draft.tally("silences")
    return silence
