"""silence: tell nobody of it for a while. `silence INCIDENT` is short for `silence add INCIDENT`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click

from logmedic.cli.ack import subject_name
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Row, at, field, print_json, print_rows, short, until
from logmedic.cli.styled import say
from logmedic.model.severity import Severity

SHOWN = 10
"""Of what a silence covers."""
_TAKE_A_VALUE = frozenset({"-c", "--config", "--socket", "--store", "-o", "--output"})
"""Of the options that may stand before a command's name."""


class _Silence(click.Group):
    """What does not begin with one of its commands is what is to be silenced: at 3 a.m. nobody types `add`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        first = _first(args)
        if first is None and not args:
            args = ["list"]
        elif first not in (*self.commands, "--help", "-h"):
            args = ["list" if first is None else "add", *args]
        return super().parse_args(context, args)


def _first(args: list[str]) -> str | None:
    """The first that is no shared option, nor the value of one."""
    left = iter(args)
    for each in left:
        if each in _TAKE_A_VALUE:
            next(left, None)
        elif each not in ("-v", "--verbose") and each.partition("=")[0] not in _TAKE_A_VALUE:
            return each
    return None


@click.group("silence", cls=_Silence)
@shared
def silence_command() -> None:
    """Tell nobody of it for a while.

    logmedic silence INCIDENT --for 2h --why TEXT: this one, and those of the same rule and group that follow it.
    `logmedic silence add --help` has all that can be silenced; `logmedic silence` alone lists what is silent.
    """


@silence_command.command("add")
@click.argument("incident", default="")
@click.option("--rule", metavar="PATTERN", help="Of rules: an id, or a pattern such as pg-*.")
@click.option("--source", metavar="PATTERN", help="Of these sources.")
@click.option("--service", metavar="PATTERN", help="Of rules of these services.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="With one of these tags; repeatable.")
@click.option(
    "--severity", "severities", multiple=True, type=click.Choice([each.value for each in Severity]), help="Repeatable."
)
@click.option("--label", "labels", multiple=True, metavar="NAME=PATTERN", help="With such a label; repeatable.")
@click.option("--for", "duration", metavar="TIME", help="For so long: 30m, 2h, 7d.")
@click.option("--until", "until_text", metavar="TIME", help="Until then: 2026-12-01T08:00:00Z.")
@click.option("--from", "from_text", metavar="TIME", help="From then on. Default: now.")
@click.option("--why", default="", metavar="TEXT", help="What people read who ask why nobody was told.")
@click.option("--everything", is_flag=True, help="Yes, all that people could be told.")
@click.option("--dry-run", is_flag=True, help="Only say what it would cover.")
@shared
@pass_context
def add_command(
    context: Context,
    /,
    *,
    incident: str,
    tags: tuple[str, ...],
    severities: tuple[str, ...],
    labels: tuple[str, ...],
    duration: str | None,
    until_text: str | None,
    from_text: str | None,
    why: str,
    everything: bool,
    dry_run: bool,
    **named: str | None,
) -> None:
    """Tell nobody of what fits all that is named, for a while. What is found is still counted, fixed and recorded.

    With INCIDENT (the end of its id): of it, and of those of the same rule and group that follow it."""
    if not duration and not until_text:
        raise click.UsageError("a silence has an end: --for 2h, or --until 2026-12-01T08:00:00Z")
    if not why.strip():
        raise click.UsageError("say why, for whoever wonders why nobody was told: --why TEXT")
    given: dict[str, Any] = {
        "incident": incident,
        "severity": list(severities),
        "tag": list(tags),
        "labels": {**{name: value for name, value in named.items() if value}, **_pairs(labels)},
        "for": duration,
        "until": until_text,
        "from": from_text,
        "why": why,
        "everything": everything,
        "dry_run": dry_run,
    }
    row = context.client.post("silences", **{name: value for name, value in given.items() if value})
    if context.output != "table":
        print_json(row)
        return
    for line in _told(row):
        say(line)


def _pairs(labels: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for each in labels:
        name, equals, pattern = each.partition("=")
        if not (name and equals and pattern):
            raise click.UsageError(f"--label {each}: write NAME=PATTERN")
        pairs[name] = pattern
    return pairs


def meant(row: Row) -> str:
    """What a silence is about."""
    parts = [" or ".join(row["severities"]), *(f"tag {tag}" for tag in row["tags"])]
    parts += [f"{name} {pattern[-8:] if name == 'incident' else pattern}" for name, pattern in row["labels"].items()]
    return ", ".join(filter(None, parts)) or "everything"


def _told(row: Row) -> Iterator[str]:
    name = f"silence {short(row)}" if row["id"] else "nothing is changed; the silence would be"
    begins = f" from {at(row['starts_at']).partition(' (')[0]}" if row["state"] == "to come" else ""
    yield f"{name}: nobody is told of {meant(row)}{begins} {until(row['until'])}"
    total, shown = row["covers_total"], row["covers"][:SHOWN]
    yield (
        f"it covers {total} of what is open now{':' if shown else ''}" if total else "nothing that is open now is meant"
    )
    for each in shown:
        yield f"  {subject_name(each['subject'])}  {each['severity']:<8}  {each['title']}"
    if total > len(shown):
        yield f"  and {total - len(shown)} more"
    if row["id"]:
        yield f"to end it: logmedic silence end {short(row)}"


@silence_command.command("list")
@click.option("--all", "everything", is_flag=True, help="The past too.")
@shared
@pass_context
def list_command(context: Context, everything: bool) -> None:
    """What is silent, or will be."""
    rows = context.ask("silences", since=None if everything else "0s")
    columns = {
        "SILENCE": short,
        "STATE": state_of,
        "OF": meant,
        "BY": field("by"),
        "WHY": field("why"),
        "COVERS": lambda row: str(row.get("covers_total", "")),
    }
    nothing = "there was no silence yet" if everything else "nothing is silenced"
    print_rows(rows, columns, context.output, nothing=nothing)


def state_of(row: Row) -> str:
    """Whether it is in force, and until when."""
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    if datetime.fromisoformat(row["until"]) <= now:
        return f"over since {at(row['until']).partition(' (')[0]}" + (
            f", ended by {row['ended_by']}" if row["ended_by"] else ""
        )
    if datetime.fromisoformat(row["starts_at"]) > now:
        return f"from {at(row['starts_at']).partition(' (')[0]} {until(row['until'])}"
    return until(row["until"])


@silence_command.command("end")
@click.argument("silence")
@shared
@pass_context
def end_command(context: Context, silence: str) -> None:
    """End it now: people are told of what is still open. SILENCE is the end of its id."""
    row = context.client.post(f"silences/{quote(silence, safe='')}/end")
    if context.output != "table":
        print_json(row)
        return
    say(f"silence {short(row)} is over: people are told of {meant(row)} again")
