"""alerts list, alerts receivers."""

from __future__ import annotations

import click

from logmedic.cli.alerts.group import alerts_command
from logmedic.cli.alertwords import message_state, receiver_state
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import field, print_rows, short, visible, when

_ALERTS = {
    "ID": short,
    "WHEN": when("created_at"),
    "RECEIVER": lambda row: f"{row['receiver']}{' (fallback)' if row.get('fallback_of') else ''}",
    "STATE": message_state,
    "TITLE": field("title"),
    "LAST ERROR": field("last_error"),
}
_RECEIVERS = {
    "RECEIVER": field("name"),
    "SERVICE": field("scheme"),
    "STATE": receiver_state,
    "ROUTES": lambda row: ", ".join(row["routes"]) or "none: nothing is sent to it",
    "LAST SENT": when("sent_at"),
    "WAITING": lambda row: str(row["pending"] + row["deferred"]),
    "GIVEN UP": field("dead"),
    "LAST ERROR": field("last_error"),
}


@alerts_command.command("list")
@click.option("--dead", is_flag=True, help="Only those that were given up.")
@click.option("--waiting", is_flag=True, help="Only those that are still to be told.")
@click.option("--receiver", default="", metavar="NAME", help="Only those to this receiver.")
@click.option("--since", default=None, metavar="TIME", help="Only those since then: 1d, 2026-11-24T03:00:00Z.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@shared
@pass_context
def list_command(context: Context, dead: bool, waiting: bool, receiver: str, since: str | None, limit: int) -> None:
    """What was sent, what waits, and what could not be delivered; newest first."""
    if dead and waiting:
        raise click.UsageError("--dead or --waiting, not both: what was given up does not wait")
    status = "dead" if dead else "waiting" if waiting else ""
    rows = context.ask("alerts", status=status, receiver=receiver, since=since, limit=limit)
    kind = "no message was given up" if dead else "no message waits" if waiting else "nobody was told of anything"
    about = (f" to {receiver}" if receiver else "") + (f" since {since}" if since else "")
    print_rows(rows, _ALERTS, context.output, nothing=visible(kind + about + ("" if about or status else " yet")))


@alerts_command.command("receivers")
@shared
@pass_context
def receivers_command(context: Context) -> None:
    """Whether each receiver works, and what waits for it. A breaker opens after failures in a row, and lets one message
    through for a trial; a receiver that refuses for good is left alone until its URL changes or a test arrives."""
    nothing = "there is nobody to tell: add alerts.receivers to the config"
    print_rows(context.client.get("receivers"), _RECEIVERS, context.output, nothing=nothing)
