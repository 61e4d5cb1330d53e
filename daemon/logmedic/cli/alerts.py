"""alerts list, alerts test."""

from __future__ import annotations

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import field, print_rows, when


@click.group("alerts")
@shared
def alerts_command() -> None:
    """Messages to people."""


@alerts_command.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@shared
@pass_context
def list_command(context: Context, limit: int) -> None:
    """What was sent, and what could not be; newest first."""
    rows = context.ask("alerts", limit=limit)
    columns = {
        "WHEN": when("created_at"),
        "RECEIVER": field("receiver"),
        "STATE": field("status"),
        "TRIES": field("tries"),
        "TITLE": field("title"),
        "LAST ERROR": field("last_error"),
    }
    print_rows(rows, columns, context.output, nothing="nobody was told of anything yet")


@alerts_command.command("test")
@click.option("--route", default="", help="Only this route.")
@shared
@pass_context
def test_command(context: Context, route: str) -> int:
    """Send a test message to the receivers, and say whether it arrived. Exit code 1 when one did not."""
    rows = context.client.post("alerts/test", route=route)
    columns = {"RECEIVER": field("receiver"), "STATE": field("status"), "ERROR": field("last_error")}
    nothing = "there is nobody to tell: add alerts.receivers to the config"
    print_rows(rows, columns, context.output, nothing=nothing)
    return 0 if rows and all(row["status"] == "sent" for row in rows) else 1
