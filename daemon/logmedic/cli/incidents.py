"""incidents, show, approve, reject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import print_json, print_rows, short
from logmedic.cli.status import INCIDENT_COLUMNS
from logmedic.cli.styled import say
from logmedic.core.rowwords import hold_of, state_of
from logmedic.model.issue import IncidentStatus
from logmedic.model.severity import Severity


@click.command("incidents")
@click.option("--all", "everything", is_flag=True, help="The past too.")
@click.option("--status", type=click.Choice([each.value for each in IncidentStatus]), help="Only those that are so.")
@click.option("--severity", type=click.Choice([each.value for each in Severity]), help="Only those so severe.")
@click.option("--rule", metavar="RULE", help="Only those of this rule.")
@click.option("--source", metavar="NAME", help="Only those of this source.")
@click.option("--since", metavar="TIME", help="Opened since then: 1d, 2026-11-24T03:00:00Z.")
@click.option("--until", metavar="TIME", help="Opened before then.")
@click.option("--text", metavar="TEXT", help="Only those with this in their title or evidence.")
@click.option("--request", metavar="ID", help="Only those that this request of an application failed of; over or not.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@shared
@pass_context
def incidents_command(context: Context, /, *, everything: bool, limit: int, **asked: str | None) -> None:
    """Open incidents, newest first."""
    given = {name: value for name, value in asked.items() if value}
    rows = context.ask("incidents", everything=everything, limit=limit, **given)
    print_rows(rows, INCIDENT_COLUMNS, context.output, nothing=_nothing(everything, given))


def _nothing(everything: bool, given: Mapping[str, str]) -> str:
    if given.keys() == {"request"}:
        return "no incident has this request: no rule knows its error (logmedic learned), or it was not reported"
    nothing = "there was no incident yet" if everything or "request" in given else "no open incident"
    return f"{nothing} like that" if given else nothing


@click.command("show")
@click.argument("incident")
@shared
@pass_context
def show_command(context: Context, incident: str) -> None:
    """The whole story of an incident, in the order of time: what was seen, what was decided, tried and found, who was
    told, what happened before, and what to do next. INCIDENT is the end of its id, as lists and alerts show it.
    """
    if context.output != "table":
        print_json(context.ask("incident", incident_id=incident))
        return
    from logmedic.cli.story import asking
    from logmedic.cli.story.page import page
    from logmedic.cli.styled import tell

    tell(page(asking.ask(context, incident)))


@click.command("approve")
@click.argument("incident")
@shared
@pass_context
def approve_command(context: Context, incident: str) -> None:
    """Run the fix that waits for you, if the present still allows it."""
    _answer(context, context.client.post(f"incidents/{incident}/approve"))


@click.command("reject")
@click.argument("incident")
@shared
@pass_context
def reject_command(context: Context, incident: str) -> None:
    """Do not run the fix that waits for you."""
    _answer(context, context.client.post(f"incidents/{incident}/reject"))


def _answer(context: Context, row: Mapping[str, Any]) -> None:
    if context.output != "table":
        print_json(row)
    else:
        say(f"{short(row)}: {state_of(row)}" + (f": {row['hold_detail']}" if hold_of(row) else ""))
