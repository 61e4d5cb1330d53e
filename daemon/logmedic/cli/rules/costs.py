"""rules costs."""

from __future__ import annotations

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Columns, field, print_rows
from logmedic.cli.rules.group import rules_command

_COLUMNS: Columns = {
    "RULE": field("rule"),
    "ASKED": lambda row: f"{row['asked']:,}",
    "MATCHED": lambda row: f"{row['matched']:,}",
    "TIME": lambda row: f"{row['spent_s']:.3f} s",
    "A RECORD": lambda row: f"{row['spent_s'] / row['asked'] * 1e6:.1f} µs",
    "GIVEN UP": lambda row: f"{row['overruns']:,}" if row["overruns"] else "-",
    "QUARANTINED": lambda row: row["quarantined"] or "-",
}


@rules_command.command("costs")
@click.option("--limit", metavar="N", type=click.IntRange(1), default=20, show_default=True, help="So many rules.")
@shared
@pass_context
def costs_command(context: Context, limit: int) -> None:
    """What each rule cost the running daemon: records that it was asked of, the time that took. The dearest first."""
    rows = context.client.get("rules")[:limit]
    print_rows(rows, _COLUMNS, context.output, nothing="no rule was asked of any record yet")
