"""Which news is told together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from logmedic.core.draft import Draft
from logmedic.model.alert import Route
from logmedic.model.notice import SEPARATOR, AlertGroup, Notice


def key_of(route: Route, notice: Notice, group_by: Sequence[str]) -> str:
    """`group_by`: the labels that its rule names, beside the rule itself; else those of the route count. What has none
    of these labels is told alone."""
    names = ("rule", *group_by) if group_by else route.group_by
    values = [notice.labels.get(name, "") for name in names]
    if names and not any(values):
        values = [notice.subject]
    return SEPARATOR.join((route.name, *values))


def join(draft: Draft, route: Route, key: str, title: str) -> AlertGroup:
    """The group, which has news now: it is told once its time has come. Not sooner after its last message than the
    route's interval, so that what comes and goes all the time cannot fill a chat."""
    known = draft.group(key)
    group = known or AlertGroup(key, draft.mint(), route.name, title, draft.now)
    at = draft.now + route.group_wait
    if group.sent_at is not None:
        at = max(at, group.sent_at + route.group_interval)
    joined = replace(group, due_at=_sooner(group.due_at, at))
    draft.put_group(joined)
    return joined


def _sooner(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)
