"""fixes, fixes try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Row, field, print_json, print_rows, span, visible, when
from logmedic.cli.styled import say

TRY_WAIT_S = 900.0
"""Each step of a dry run may take as long as its timeout."""
OUTPUT_SHOWN = 40
"""Lines of one step of a dry run."""


def verdict_of(row: Row) -> str:
    """Of an attempt; what happens to it, while there is none."""
    said = row["verdict"] or ("done" if row["status"] == "finished" else row["status"])
    return str(said).replace("_", " ")


def step_of(row: Row) -> str:
    undo = " (rollback)" if row.get("kind") == "rollback" else ""
    again = f", try {row['try_no']}" if row["try_no"] > 1 else ""
    return f"{row['step_name']}{undo}{again}"


def took(row: Row) -> str:
    seconds = row["duration_s"]
    return f"{seconds * 1000:.0f} ms" if seconds is not None and seconds < 1 else span(seconds)


_COLUMNS = {
    "WHEN": when("started_at"),
    "RULE": field("rule_id"),
    "STEP": step_of,
    "TARGET": field("target"),
    "VERDICT": verdict_of,
    "TOOK": took,
    "TIER": field("sandbox"),
    "INCIDENT": lambda row: str(row["incident_id"])[-8:],
}


@click.group("fixes", invoke_without_command=True)
@click.option("--since", default=None, metavar="TIME", help="Only those since then: 1d, 2026-11-24T03:00:00Z.")
@click.option("--rule", default="", metavar="RULE", help="Only those of this rule.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@shared
@click.pass_context
def fixes_command(given: click.Context, since: str | None, rule: str, limit: int) -> None:
    """What was tried, and whether it held: steps of fixes, newest first. `logmedic show` with an incident has the
    output."""
    if given.invoked_subcommand is None:
        context = given.ensure_object(Context)
        rows = context.ask("fixes", since=since, rule=rule, limit=limit)
        nothing = "no fix was run" + (f" since {since}" if since else " yet") + (f" for {rule}" if rule else "")
        print_rows(rows, _COLUMNS, context.output, nothing=visible(nothing))


@fixes_command.command("try")
@click.argument("rule")
@click.option("--capture", "captures", multiple=True, metavar="NAME=VALUE", help="What a line would give; repeatable.")
@shared
@pass_context
def try_command(context: Context, rule: str, captures: tuple[str, ...]) -> int:
    """Dry run of every step of the fix of RULE, in the sandbox that it has: nothing is changed. Exit code 1 when a step
    could not run."""
    client = context.client.waiting(TRY_WAIT_S)
    answer = client.post(f"rules/{quote(rule, safe='')}/rehearse", captures=_pairs(captures))
    if context.output != "table":
        print_json(answer)
    else:
        for line in _told(answer):
            say(line)
    return 0 if all(each["ok"] for each in answer["steps"]) else 1


def _pairs(captures: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for each in captures:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise click.UsageError(f"--capture {each}: write NAME=VALUE")
        pairs[name] = value
    return pairs


def _told(answer: Mapping[str, Any]) -> Iterator[str]:
    filled = ", ".join(f"{name} = {value}" for name, value in answer["captures"].items())
    yield f"{answer['rule']}: what its fix would do{f' with {filled}' if filled else ''}; nothing is changed"
    for row in answer["steps"]:
        tier = row["sandbox"] or "not run"
        yield f"{'✓' if row['ok'] else '✗'} {row['step']} ({tier})"
        yield f"    $ {' '.join(row['argv'])}"
        if row["detail"]:
            yield f"    {row['detail']}"
        yield from output_lines(row["output"], OUTPUT_SHOWN)


def output_lines(output: str, shown: int) -> Iterator[str]:
    """The last lines of it, and how many there are before."""
    lines = output.splitlines()
    if len(lines) > shown:
        yield f"    | ({len(lines) - shown} lines before; -o json has all that is kept)"
    yield from (f"    | {line}" for line in lines[-shown:])
