"""learned list."""

from __future__ import annotations

from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.learned.group import learned_command
from logmedic.cli.learned.tables import LIMIT, STATUS
from logmedic.cli.learned.words import ago, state_of
from logmedic.cli.output import Columns, Row, field, print_rows, short
from logmedic.core.issuewords import rate_of
from logmedic.model.issue import IssueSource, IssueStatus

OF_THE_PAST = frozenset({IssueStatus.RESOLVED.value, IssueStatus.MERGED.value})
ALL_ROWS = 10_000
_COLUMNS: Columns = {
    "ISSUE": lambda row: short(row) if row["kind"] == "issue" else "-",
    "STATE": lambda row: state_of(row) if row["kind"] == "issue" else "template",
    "SEEN": lambda row: f"{row['occurrences']}x",
    "RATE": rate_of,
    "CONFIDENCE": lambda row: f"{row['confidence']:.2f}" if row["kind"] == "issue" else "-",
    "FIRST SEEN": lambda row: ago(row["first_seen"]),
    "LAST SEEN": lambda row: ago(row["last_seen"]),
    "TITLE": field("title"),
}


@learned_command.command("list", short_help="Issues and templates that no rule knows.")
@STATUS
@click.option("--component", default="", metavar="NAME", help="Only what this program logs.")
@click.option("--all", "everything", is_flag=True, help="Those that are resolved or merged too.")
@click.option("--templates", "young", is_flag=True, help="Only templates: errors that did not come often enough yet.")
@LIMIT
@shared
@pass_context
def list_command(
    context: Context, status: str | None, component: str, everything: bool, young: bool, limit: int
) -> None:
    """Errors that no rule knows: known issues, then templates, which become one when they come again. Last seen
    first."""
    rows: list[Row] = []
    if not young:
        source = IssueSource.LEARNED.value
        known = context.ask("issues", source=source, status=status or "", component=component, limit=ALL_ROWS)
        shown = everything or bool(status)
        rows += [{"kind": "issue", **row} for row in known if shown or row["status"] not in OF_THE_PAST]
    if not status:
        rows += map(_of_template, context.ask("templates", component=component, limit=limit))
    chosen = bool(status or component or young)
    nothing = "nothing learned is like that; logmedic learned list --all lists all" if chosen else _NOTHING
    print_rows(rows[:limit], _COLUMNS, context.output, nothing=nothing)


def _of_template(row: Row) -> dict[str, Any]:
    title = f"{row['component']}: {row['template']}"
    return {"kind": "template", "id": row["fingerprint"], "title": title, "status": "template", **row}


_NOTHING = "nothing was learned yet: no error came that no rule knows"
