"""Reports that no application sent: of the tests in rules, and of those who ask what would come of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from logmedic.core.reportmatch import SOURCE
from logmedic.core.reports import BadReport, entry_of, parsed, report_of
from logmedic.model.record import Block, Checkpoint
from logmedic.model.report import Report, Sender

HOST = "host"
USER = "nobody"
"""Whose process sends one that names no user."""
PID = 4711
_ID = "sample"


def told_by(told: Mapping[str, Any], user: str = USER) -> Report:
    """As a process of `user` would send it. Raises BadReport."""
    return report_of({"id": _ID, **told}, Sender(0 if user == "root" else 1000, 1000, PID, user))


def written(text: str, user: str = USER) -> Report:
    """An object of JSON: what is sent, and `user`, who sends it. Raises BadReport."""
    told = parsed(text.encode("utf-8", "replace"))
    sender = told.pop("user", user)
    if not isinstance(sender, str) or not sender:
        raise BadReport("form", "`user`: this is no text", 'write "user": "shop"')
    return told_by(told, sender)


def block_of(report: Report, at: datetime, start: int = 0) -> Block:
    """As the report socket gives it at `at`, alone."""
    content, entry = entry_of(report, 0, HOST, at)
    reached = Checkpoint(SOURCE, SOURCE, start + len(content), at)
    return Block(SOURCE, SOURCE, content, start, reached, at, complete=True, entries=(entry,))
