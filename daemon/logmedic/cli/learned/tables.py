"""issues, learnings: the tables of what is remembered."""

from __future__ import annotations

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.learned.words import state_of
from logmedic.cli.output import Columns, at, field, print_rows, short, when
from logmedic.model.issue import IssueStatus, PatternType

ISSUE_COLUMNS: Columns = {
    "ISSUE": short,
    "FROM": field("source"),
    "TYPE": field("issue_type"),
    "SEVERITY": field("severity"),
    "STATE": state_of,
    "SEEN": lambda row: f"{row['occurrences']}x",
    "TITLE": field("title"),
    "LAST SEEN": when("last_seen"),
}
_LESSON_COLUMNS: Columns = {
    "WHEN": lambda row: at(row.get("updated_at") or row["created_at"]),
    "TYPE": field("pattern_type"),
    "CONFIDENCE": lambda row: f"{row['confidence']:.2f}",
    "LESSON": field("learnings"),
}
LIMIT = click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="Rows at most.")
STATUS = click.option("--status", type=click.Choice([each.value for each in IssueStatus]), help="Only these.")


@click.command("issues")
@STATUS
@LIMIT
@shared
@pass_context
def issues_command(context: Context, status: str | None, limit: int) -> None:
    """Known issues: from rules, learned, and breakers; last seen first. `logmedic learned show ISSUE` tells all of
    one."""
    rows = context.ask("issues", status=status or "", limit=limit)
    print_rows(
        rows, ISSUE_COLUMNS, context.output, nothing=f"no issue is {status}" if status else "no issue is known yet"
    )


@click.command("learnings")
@click.option("--type", "kind", type=click.Choice([each.value for each in PatternType]), help="Only these.")
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, metavar="SHARE", help="From 0 to 1.")
@LIMIT
@shared
@pass_context
def learnings_command(context: Context, kind: str | None, min_confidence: float, limit: int) -> None:
    """What was learned, newest first: one lesson of each pattern, which is written again as evidence moves it, and one
    of each fix, escalation and return."""
    rows = context.ask("learnings", kind=kind or "", min_confidence=min_confidence, limit=limit)
    chosen = kind or min_confidence
    print_rows(rows, _LESSON_COLUMNS, context.output, nothing=_NO_LESSON if chosen else "nothing was learned yet")


_NO_LESSON = "no lesson is like that; logmedic learnings lists all"
