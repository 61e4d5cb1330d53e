"""issues, learnings."""

from __future__ import annotations

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import field, print_rows, short, when

_LIMIT = click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))


@click.command("issues")
@_LIMIT
@shared
@pass_context
def issues_command(context: Context, limit: int) -> None:
    """Known issues: from rules, learned, and breakers; last seen first."""
    rows = context.ask("issues", limit=limit)
    columns = {
        "ISSUE": short,
        "FROM": field("source"),
        "TYPE": field("issue_type"),
        "SEVERITY": field("severity"),
        "STATE": field("status"),
        "SEEN": lambda row: f"{row['occurrences']}x",
        "TITLE": field("title"),
        "LAST SEEN": when("last_seen"),
    }
    print_rows(rows, columns, context.output, nothing="no issue is known yet")


@click.command("learnings")
@_LIMIT
@shared
@pass_context
def learnings_command(context: Context, limit: int) -> None:
    """What was learned, newest first."""
    rows = context.ask("learnings", limit=limit)
    columns = {
        "WHEN": when("created_at"),
        "KIND": field("pattern_type"),
        "CONFIDENCE": lambda row: f"{row['confidence']:.1f}",
        "LESSON": field("learnings"),
    }
    print_rows(rows, columns, context.output, nothing="nothing was learned yet")
