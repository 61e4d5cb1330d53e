"""events: what happened, and what happens now."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.eventlines import Printer
from logmedic.cli.output import complain, print_json
from logmedic.model.errors import DaemonUnreachable
from logmedic.model.severity import Severity

LAST = 20
"""Events that are shown when nothing says how many."""
MOST = 10_000
BEGINNING = "00000000-0000-0000-0000-000000000000"
"""An id before all of them."""

Row = Mapping[str, Any]


@click.command("events")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens now, until it is interrupted.")
@click.option("--since", metavar="TIME", help="From then on: 1h, 2026-11-24T03:00:00Z.")
@click.option("--limit", type=click.IntRange(1, MOST), help=f"The last so many; {LAST}, or with --since {MOST:,}.")
@click.option("--kind", "kinds", multiple=True, metavar="K", help="Of that kind: opened, held, resolved. Repeatable.")
@click.option("--incident", default="", metavar="INCIDENT", help="Of that incident.")
@click.option("--severity", type=click.Choice([each.value for each in Severity]), help="At least so severe.")
@shared
@pass_context
def events_command(
    context: Context,
    follow: bool,
    since: str | None,
    limit: int | None,
    kinds: tuple[str, ...],
    incident: str,
    severity: str | None,
) -> None:
    """What happened, oldest first, a line an event: when, how severe, what, of which incident. With -f it goes on with
    what happens now, each event once, also over restarts of the daemon.

    \b
    logmedic events --since 1h --severity high
    logmedic events -f -o jsonl
    """
    if follow and context.output == "json":
        raise click.UsageError("What is followed has no end: use -o jsonl.")
    incident = _whole_id(context, incident)
    newest = _newest(context) if follow else ""
    asked = {"kinds": kinds or None, "incident": incident or None}
    limit = limit or (MOST if since else LAST)
    rows = context.ask("events", newest=True, limit=MOST if severity else limit, since=since, **asked)
    after = max([newest, *(str(row["id"]) for row in rows[-1:])])
    _show(context, [row for row in rows if _at_least(row, severity)][-limit:], follow)
    if follow:
        try:
            _follow(context, after, {"kind": ",".join(kinds), "incident": incident}, severity)
        except BrokenPipeError:  # as `| head` does; click would make an error of it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _whole_id(context: Context, incident: str) -> str:
    """Raises NotFound."""
    return str(context.ask("incident", incident_id=incident)["id"]) if incident else ""


def _newest(context: Context) -> str:
    """Of all events: what comes behind it was asked for, or is told live. Without any daemon it does not matter."""
    rows = context.ask("events", newest=True, limit=1)
    return str(rows[-1]["id"]) if rows else BEGINNING


def _show(context: Context, rows: Sequence[Row], follow: bool) -> None:
    if context.output == "json":
        print_json(list(rows))
        return
    printer = Printer(context.output)
    for row in rows:
        printer.show(row)
    if not rows and not follow and context.output == "table":
        print("nothing of that kind happened")


def _at_least(row: Row, severity: str | None) -> bool:
    if severity is None:
        return True
    told = str(row["severity"])
    return told in set(Severity) and Severity(told).rank >= Severity(severity).rank


def _follow(context: Context, after: str, wanted: Mapping[str, str], severity: str | None) -> None:
    printer = Printer(context.output)
    for row in _told(context, after, {name: text for name, text in wanted.items() if text}):
        if _at_least(row, severity):
            printer.show(row)


def _told(context: Context, after: str, wanted: Mapping[str, str]) -> Iterator[Row]:
    """Raises DaemonUnreachable when none runs at the beginning."""
    from logmedic.cli.following import follow

    try:
        yield from follow(context.client, after, wanted, tell=complain, pause=time.sleep)
    except DaemonUnreachable as error:
        raise DaemonUnreachable(f"{error.text}: nothing can be followed", error.hint) from None
