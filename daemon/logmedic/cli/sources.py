"""sources: the proof that nothing is missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import field, print_rows, several, span, visible, when
from logmedic.core.sizes import bytes_text as size


def behind(row: Mapping[str, Any]) -> str:
    """How far: in bytes, and by the time of the last line read."""
    if not row["lag_bytes"]:
        return "-"
    seconds = row.get("lag_s")
    return size(row["lag_bytes"]) + (f", {span(seconds)}" if seconds else "")


def state_of(row: Mapping[str, Any]) -> str:
    """What is wrong with it, or nothing."""
    quiet = f"quiet (noticed {row['quiet_since']})" if row.get("quiet_since") else ""
    return "; ".join(each for each in (row["problem"], quiet) if each)


BRIEF = {
    "SOURCE": field("source"),
    "FROM": field("origin"),
    "READ": lambda row: size(row["offset"]),
    "BEHIND": behind,
    "LAST LINE": when("last_read_at"),
    "PROBLEM": state_of,
}
_WHOLE = {
    "SOURCE": field("source"),
    "FROM": field("origin"),
    "POSITION": field("offset"),
    "BEHIND": behind,
    "LINES": field("lines"),
    "READ": lambda row: size(row["bytes"]),
    "GAPS": lambda row: f"{row['gaps']}" + (f", {size(row['skipped_bytes'])}" if row["skipped_bytes"] else ""),
    "TRUNCATED": lambda row: f"{row['truncations']}x",
    "LAST LINE": when("last_line_at"),
    "PROBLEM": state_of,
}
_GAPS = {
    "WHEN": when("at"),
    "SOURCE": field("source"),
    "FROM": field("origin"),
    "KIND": lambda row: row["kind"].replace("_", " "),
    "LOST": lambda row: size(row["lost_bytes"]) if row["lost_bytes"] else "-",
    "WHAT": field("detail"),
}


def others(listed: int, total: int) -> str:
    """A word on those that a status does not list."""
    return f"{several(total - listed, 'other')} of {total} in order: logmedic sources" if total > listed else ""


@click.command("sources")
@click.option("--gaps", is_flag=True, help="What was not read, and when sources were quiet, newest first.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="Of --gaps.")
@click.argument("name", required=False)
@shared
@pass_context
def sources_command(context: Context, gaps: bool, limit: int, name: str | None) -> None:
    """What is read, how far, and what was missed; of source NAME, or of all. Counts are since the daemon's start."""
    if gaps:
        rows = context.ask("gaps", source=name or "", limit=limit)
        print_rows(rows, _GAPS, context.output, nothing="no gap: every byte was read")
        return
    rows = context.client.get("sources", source=name or "")
    print_rows(rows, _WHOLE, context.output, nothing=f"no source is called {visible(name)}" if name else "no source")
