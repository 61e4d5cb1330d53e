"""learned mute, unmute, resolve, merge: what people decide about known issues, those of rules too."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.learned.group import learned_command
from logmedic.cli.learned.words import state_of
from logmedic.cli.output import Row, print_json, short
from logmedic.cli.styled import say

_ISSUE = click.argument("issue")


@learned_command.command("mute")
@_ISSUE
@click.option("--for", "duration", metavar="TIME", help="For so long: 2h, 7d.")
@click.option("--until", metavar="TIME", help="Until then: 2026-12-01T08:00:00Z.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="For N more occurrences.")
@click.option("--next-version", is_flag=True, help="Until a newer version of what logs it is seen.")
@shared
@pass_context
def mute_command(
    context: Context, issue: str, duration: str | None, until: str | None, count: int | None, next_version: bool
) -> None:
    """Call nobody for ISSUE; it is counted as before. Whichever of the options is met first ends it; with none of them
    it lasts until `learned unmute`."""
    given = {"for": duration, "until": until, "count": count, "next_version": next_version or None}
    row = _post(context, issue, "mute", **{name: value for name, value in given.items() if value is not None})
    _tell(context, row, f"{short(row)}: {state_of(row)}; nobody is called for it")


@learned_command.command("unmute")
@_ISSUE
@shared
@pass_context
def unmute_command(context: Context, issue: str) -> None:
    """Call people for ISSUE again."""
    row = _post(context, issue, "unmute")
    _tell(context, row, f"{short(row)}: {state_of(row)}")


@learned_command.command("resolve")
@_ISSUE
@click.option(
    "--in-version", default="", metavar="V", help="It is over from this version on: older ones may still log it."
)
@click.option("--because", default="", metavar="TEXT", help="What was done; told when it comes back.")
@shared
@pass_context
def resolve_command(context: Context, issue: str, in_version: str, because: str) -> None:
    """Say that ISSUE is over. A line that was written later brings it back, and people hear of it."""
    row = _post(context, issue, "resolve", in_version=in_version, because=because)
    _tell(context, row, f"{short(row)}: {state_of(row)}")


@learned_command.command("merge", short_help="Make one issue a part of another.")
@_ISSUE
@click.argument("into")
@shared
@pass_context
def merge_command(context: Context, issue: str, into: str) -> None:
    """Make the learned ISSUE a part of INTO, for ever: what the one's lines are, the other's are from now on. Whether
    people are called is as of INTO: a mute of ISSUE ends."""
    row = _post(context, issue, "merge", into=into)
    _tell(context, row, f"{short(row)}: seen {row['occurrences']}x with what was merged into it, {state_of(row)}")


def _post(context: Context, issue: str, act: str, **body: Any) -> Row:
    row: Row = context.client.post(f"issues/{quote(issue, safe='')}/{act}", **body)
    return row


def _tell(context: Context, row: Row, words: str) -> None:
    if context.output == "table":
        say(words)
    else:
        print_json(row)
