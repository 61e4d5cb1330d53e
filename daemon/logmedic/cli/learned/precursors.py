"""learned precursors."""

from __future__ import annotations

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.learned.group import learned_command
from logmedic.cli.output import Columns, field, print_rows, span, visible, when

_COLUMNS: Columns = {
    "BEFORE": lambda row: row["before"][-8:],
    "AFTER": lambda row: row["after"][-8:],
    "FOLLOWED": lambda row: f"{row['support']} of {row['before_count']}",
    "CONFIDENCE": lambda row: f"{row['confidence']:.0%}",
    "LIFT": lambda row: f"{row['lift']:.1f}x",
    "LAG": lambda row: span(row["lag_median"]),
    "9 IN 10": lambda row: span(row["lag_p90"]),
    "LAST": when("last_at"),
    "WHAT": field("sentence"),
}


@learned_command.command("precursors", short_help="Which issue tends to begin before which.")
@click.option("--of", "issue", default="", metavar="ISSUE", help="Only what comes before this one, or follows it.")
@shared
@pass_context
def precursors_command(context: Context, issue: str) -> None:
    """Which known issue tends to begin before which, as the last 90 days tell, surest first. Chance, timetables and
    common bad days are taken out. Looked at hourly, from a minute behind the daemon's start.

    FOLLOWED: of how many beginnings of BEFORE one of AFTER came behind. LIFT: how many times as often as by chance.
    LAG: from the one to the other, half of the times; 9 IN 10: and nine times in ten. The route in learning.warn_route
    hears of it when BEFORE begins."""
    rows = context.client.get("precursors", issue_id=issue)
    nothing = f"nothing tends to come before {visible(issue)}, nor to follow it" if issue else _NOTHING
    print_rows(rows, _COLUMNS, context.output, nothing=nothing)


_NOTHING = "no issue tends to come before another one, as far as the last 90 days tell"
