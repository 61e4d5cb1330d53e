"""trust, trust show, raise, lower, keep, history."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Row, at, field, print_json, print_rows, print_table, visible, when
from logmedic.cli.styled import say
from logmedic.model.rule import Mode

_LEVELS = [each.value for each in Mode]
_RULE = click.argument("rule")
_WHY = click.option("--why", required=True, metavar="TEXT", help="Recorded with your name.")


def _outcomes(row: Row) -> str:
    return f"{row['wins']} of {row['wins'] + row['losses']}" if row["wins"] + row["losses"] else "-"


def _now(row: Row) -> str:
    """How far it may go now."""
    if row.get("in_force") is False:
        return "not in force"
    mode = row.get("mode") or ""
    return f"{mode} ({row['whose']})" if mode and mode != row["level"] else mode


_COLUMNS = {
    "RULE": field("rule_id"),
    "LEVEL": field("level"),
    "FILE SAYS": field("given"),
    "NOW": _now,
    "VERIFIED": _outcomes,
    "PROPOSED": field("proposed"),
    "BY": field("by"),
    "SINCE": lambda row: at(row["since"]) if row["by"] else "",
}
_CHANGES = {
    "WHEN": when("at"),
    "RULE": field("rule_id"),
    "CHANGE": field("kind"),
    "FROM": field("before"),
    "TO": field("after"),
    "BY": field("by"),
    "WHY": field("why"),
}
_STEPS = {
    "STEP": lambda row: row["name"] + (" (one of several)" if row["choice"] else ""),
    "FIXED": lambda row: f"{row['fixed']:.1f} of {row['tried']:.1f}" if row["tried"] else "-",
    "SHARE": lambda row: f"{row['rate']:.0%}" if row["tried"] else "-",
    "BY ITSELF": lambda row: f"{row['baseline']:.0%}" if row["watched"] else "not known",
    "EARNED AT LEAST": lambda row: f"{row['at_least']:+.0%}" if row["tried"] else "-",
}


@click.group("trust", invoke_without_command=True)
@shared
@click.pass_context
def trust_command(given: click.Context) -> None:
    """How far the fixes of rules are trusted: observe, approve, auto. The daemon's own mode is above all of it.

    Verified successes propose the next level; you decide. Failures take a level away by themselves."""
    if given.invoked_subcommand is None:
        context = given.ensure_object(Context)
        print_rows(context.ask("trust"), _COLUMNS, context.output, nothing="no rule in force has a fix")


@trust_command.command("show")
@_RULE
@shared
@pass_context
def show_command(context: Context, rule: str) -> None:
    """All of one RULE: its level, what its steps earned, in the order in which they are tried, and every change."""
    row = context.client.get(f"trust/{quote(rule, safe='')}")
    if context.output != "table":
        print_json(row)
        return
    print_table([row], _COLUMNS)
    if row["why"]:
        say(f"why: {row['why']}")
    if row["proposed"]:
        say(f"next: logmedic trust raise {rule} --why TEXT, or logmedic trust keep {rule} --why TEXT")
    for title, rows, columns in (("steps", row["steps"], _STEPS), ("changes", row["changes"], _CHANGES)):
        if rows:
            print()
            say(title)
            print_table(rows, columns)


@trust_command.command("raise")
@_RULE
@click.option("--to", "level", type=click.Choice(_LEVELS), help="Default: the next level.")
@_WHY
@shared
@pass_context
def raise_command(context: Context, rule: str, level: str | None, why: str) -> None:
    """Let the fix of RULE go further: from observe to approve, from approve to auto."""
    _move(context, rule, level, why, by=1)


@trust_command.command("lower")
@_RULE
@click.option("--to", "level", type=click.Choice(_LEVELS), help="Default: the level below.")
@_WHY
@shared
@pass_context
def lower_command(context: Context, rule: str, level: str | None, why: str) -> None:
    """Let the fix of RULE go less far. What runs goes on to its end."""
    _move(context, rule, level, why, by=-1)


@trust_command.command("keep")
@_RULE
@_WHY
@shared
@pass_context
def keep_command(context: Context, rule: str, why: str) -> None:
    """Turn a proposal down: RULE keeps its level, and has to earn the next one anew."""
    before = _row_of(context, rule)
    if not before["proposed"]:
        raise click.UsageError(f"nothing is proposed for {rule}: it is at {before['level']}")
    row = context.client.post(f"trust/{quote(rule, safe='')}", level=before["level"], why=why)
    if context.output != "table":
        print_json(row)
    else:
        say(f"{rule} stays at {row['level']}, and has to earn {before['proposed']} anew")


@trust_command.command("history")
@click.argument("rule", default="")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@shared
@pass_context
def history_command(context: Context, rule: str, limit: int) -> None:
    """Who changed trust, and why; of one RULE, or of all. `logmedic` is the daemon itself."""
    rows = context.ask("trust_changes", rule=rule, limit=limit)
    print_rows(
        rows,
        _CHANGES,
        context.output,
        nothing=visible("nothing was changed or proposed yet" + (f" for {rule}" if rule else "")),
    )


def _row_of(context: Context, rule: str) -> dict[str, Any]:
    row: dict[str, Any] = context.client.get(f"trust/{quote(rule, safe='')}")
    return row


def _move(context: Context, rule: str, level: str | None, why: str, *, by: int) -> None:
    present = Mode(_row_of(context, rule)["level"])
    wanted = Mode(level) if level is not None else _beside(present, by)
    if wanted is None:
        side = "above" if by > 0 else "below"
        raise click.UsageError(f"{rule} is at {present.value} already: there is no level {side} it")
    if (wanted.rank - present.rank) * by <= 0:
        way = "raised" if by > 0 else "lowered"
        raise click.UsageError(f"{rule} is at {present.value}: it cannot be {way} to {wanted.value}")
    _set(context, rule, wanted.value, why)


def _beside(level: Mode, by: int) -> Mode | None:
    place = level.rank + by
    return list(Mode)[place] if 0 <= place < len(Mode) else None


def _set(context: Context, rule: str, level: str, why: str) -> None:
    row = context.client.post(f"trust/{quote(rule, safe='')}", level=level, why=why)
    if context.output != "table":
        print_json(row)
        return
    held = f", and {row['whose']} makes it {row['mode']} for now" if row["mode"] != row["level"] else ""
    say(f"{rule}: {row['level']} since {at(row['since']).partition(' (')[0]}{held}")
