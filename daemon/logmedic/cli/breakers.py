"""breakers, breakers reset."""

from __future__ import annotations

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Row, at, field, print_rows, several, when
from logmedic.cli.styled import say

BREAKER_COLUMNS = {
    "RULE": field("rule_id"),
    "TARGET": field("target"),
    "STATE": lambda row: row["status"].replace("_", " "),
    "FAILURES": field("failures"),
    "OPENED": when("opened_at"),
    "TRIAL AT": lambda row: _trial(row),
    "OPENINGS": field("opens"),
}


def _trial(row: Row) -> str:
    return "under way" if row.get("trial") else at(row["open_until"]).partition(" (")[0]


@click.group("breakers", invoke_without_command=True)
@shared
@click.pass_context
def breakers_command(given: click.Context) -> None:
    """Breakers of fixes, one a target: open after failures in a row, half open for one trial at a time."""
    if given.invoked_subcommand is None:
        context = given.ensure_object(Context)
        nothing = "no breaker: no fix failed yet"
        print_rows(context.ask("breakers"), BREAKER_COLUMNS, context.output, nothing=nothing)


@breakers_command.command("reset")
@click.argument("rule")
@click.argument("target", default="")
@shared
@pass_context
def reset_command(context: Context, rule: str, target: str) -> None:
    """Close the breakers of RULE, of one TARGET or of all, once what made its fix fail is mended. What they held is
    looked at again at once."""
    rows = context.client.post("breakers/reset", rule=rule, target=target)
    if context.output != "table":
        print_rows(rows, BREAKER_COLUMNS, context.output, nothing="")
    else:
        say(f"{several(len(rows), 'breaker')} of {rule} closed")
