"""Windows in which people work on the host themselves, and no fix starts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase

from logmedic.core.hours import open_until
from logmedic.model.policy import MaintenanceWindow
from logmedic.model.rule import Rule


def open_window(
    windows: Iterable[MaintenanceWindow], rule: Rule, now: datetime
) -> tuple[MaintenanceWindow, datetime] | None:
    """The window of `rule` that `now` (UTC) is in, and when it ends (UTC, exclusive); the one that ends last; None: in
    none."""
    found = [
        (ends, window)
        for window in windows
        if _is_about(window, rule) and (ends := open_until(window, now)) is not None
    ]
    if not found:
        return None
    ends, window = max(found, key=lambda each: each[0])
    return window, ends


def _is_about(window: MaintenanceWindow, rule: Rule) -> bool:
    if not window.rules and not window.tags:
        return True
    return any(fnmatchcase(rule.id, pattern) for pattern in window.rules) or not set(window.tags).isdisjoint(rule.tags)
