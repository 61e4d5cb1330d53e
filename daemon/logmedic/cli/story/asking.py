"""What the daemon is asked for the story of an incident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from logmedic.cli.context import Context
from logmedic.cli.story.page import Story
from logmedic.model.errors import DaemonUnreachable, NotFound

SIMILAR = 5


def ask(context: Context, incident: str) -> Story:
    """`incident`: the end of an id. Raises NotFound. Without a daemon: what its store knows."""
    row = context.ask("incident", incident_id=incident)
    return complete(context, row)


def complete(context: Context, row: Mapping[str, Any]) -> Story:
    return Story(row, _checks(context, row), _similar(context, row), _precursors(context, row))


def _similar(context: Context, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    try:
        found: list[Mapping[str, Any]] = context.ask("similar", incident_id=row["id"], limit=SIMILAR)
    except NotFound:
        return []
    return found


def _checks(context: Context, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the governor says now; nothing of what is over, and without a daemon."""
    if row["status"] == "resolved":
        return []
    try:
        answer = context.client.get(f"incidents/{quote(row['id'], safe='')}/why")
    except (DaemonUnreachable, NotFound):
        return []
    checks: list[Mapping[str, Any]] = answer["checks"]
    return checks


def _precursors(context: Context, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Only a running daemon knows them, and only of issues that are still there."""
    try:
        found: list[Mapping[str, Any]] = context.client.get("precursors", issue_id=row["issue_id"])
    except (DaemonUnreachable, NotFound):
        return []
    return found
