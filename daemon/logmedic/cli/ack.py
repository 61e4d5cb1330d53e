"""ack: somebody takes care of it."""

from __future__ import annotations

from urllib.parse import quote

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Row, print_json, until
from logmedic.cli.styled import say


def subject_name(subject: str) -> str:
    """A notice's subject as people type it."""
    kind, _, name = subject.partition(":")
    if kind == "incident":
        return name[-8:]
    return f"issue:{name[-8:]}" if kind == "issue" else subject


def acked_text(row: Row) -> str:
    """Of a notice: who takes care of it, and how long."""
    ends = until(row["acked_until"]) if row["acked_until"] else "until it is over"
    return f"{row['acked_by']} takes care of it {ends}"


@click.command("ack")
@click.argument("incident")
@click.option("--for", "duration", metavar="TIME", help="For so long: 30m, 4h. Default: until it is over.")
@click.option("--until", "until_text", metavar="TIME", help="Until then: 2026-12-01T08:00:00Z.")
@click.option("--undo", is_flag=True, help="Nobody takes care of it any more: people are reminded again.")
@shared
@pass_context
def ack_command(context: Context, incident: str, duration: str | None, until_text: str | None, undo: bool) -> None:
    """You take care of it: nobody is reminded of it, and nobody else is called. You are told when it is over, and when
    it becomes worse. INCIDENT is the end of its id; a learned issue's id, source:NAME or rule:ID work as well."""
    given = {"for": duration, "until": until_text, "undo": undo or None}
    body = {name: value for name, value in given.items() if value is not None}
    row = context.client.post(f"incidents/{quote(incident, safe='')}/ack", **body)
    if context.output != "table":
        print_json(row)
        return
    told = "nobody takes care of it: people are reminded again" if undo else acked_text(row)
    say(f"{subject_name(row['subject'])}: {told}: {row['title']}")
