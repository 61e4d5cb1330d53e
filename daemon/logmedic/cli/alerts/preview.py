"""alerts preview."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from logmedic.cli.alerts.group import alerts_command, policy_of, sender_of
from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import Row, print_rows, visible
from logmedic.model.alertevent import AlertEvent
from logmedic.model.errors import OrderRefused

_EVENT = click.Choice([each.value for each in AlertEvent])
_ENDINGS = {"html": "html", "markdown": "md", "slack": "md"}
_WIDTH = 100


@alerts_command.command("preview")
@click.argument("incident", default="")
@click.option("--receiver", default="", metavar="NAME", help="What this one would get.")
@click.option("--event", type=_EVENT, help="Default: its last news.")
@click.option("--sample", type=_EVENT, help="A message of something that did not happen, from the config alone.")
@click.option(
    "-w", "--write", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Each into a file there."
)
@shared
@pass_context
def preview_command(
    context: Context, incident: str, receiver: str, event: str | None, sample: str | None, write: Path | None
) -> None:
    """The exact message that each receiver of INCIDENT would get, without sending it. Its links open nothing.

    With --sample no incident and no daemon are needed: templates and routes can be tried."""
    if bool(incident) == bool(sample):
        raise click.UsageError("name an INCIDENT, or --sample and a kind of news")
    if sample is not None and event is not None:
        raise click.UsageError("--sample names the event itself")
    if sample is not None:
        rows = _of_sample(context, AlertEvent(sample), receiver)
    else:
        rows = context.client.post("alerts/preview", incident=incident, event=event or "", receiver=receiver)
    if not rows:
        raise OrderRefused("nobody would be told: no route takes it", "logmedic alerts route says why")
    if write is not None:
        _written(rows, write)
    elif context.output != "table":
        print_rows(rows, {}, context.output, nothing="")
    else:
        for line in _shown(rows):
            print(line)


def _of_sample(context: Context, event: AlertEvent, receiver: str) -> list[Row]:
    """Written and rendered by this process, as the daemon would."""
    import asyncio
    from datetime import UTC, datetime

    from logmedic.model.state import EngineState
    from logmedic.runtime import previews
    from logmedic.runtime.samples import sample

    policy = previews.unsigned(policy_of(context))
    draft = previews.draft_of(EngineState(), policy, datetime.now(UTC))
    said = previews.said_of(draft, sample(event, draft.now))
    receivers = context.settings.receivers()
    return list(asyncio.run(previews.rendered(draft, said, receiver, receivers, sender_of(context))))


def _shown(rows: list[Row]) -> Iterator[str]:
    if held := rows[0].get("held"):
        yield _styled(visible(f"it would not be told now: {held}"), fg="yellow")
        yield ""
    width = min(shutil.get_terminal_size((_WIDTH, 24)).columns, _WIDTH)
    for number, row in enumerate(rows):
        if number:
            yield ""
        over = f", over route {row['route']}" if row["route"] else ""
        head = visible(f"{row['receiver']} ({row['scheme']}), {row['format']}{over}")
        yield _styled(f"-- {head} {'-' * max(width - len(head) - 4, 2)}", dim=True)
        yield _styled(visible(row["title"]), bold=True)
        yield ""
        yield visible(row["body"].rstrip("\n"), lines=True)
        if row["files"]:
            yield ""
            yield _styled(visible(f"with {', '.join(row['files'])}"), dim=True)


def _styled(text: str, **style: Any) -> str:
    import os

    return click.style(text, **style) if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def _written(rows: list[Row], directory: Path) -> None:
    """A file a receiver: the title, an empty line, the body; of HTML the body alone, which a browser shows."""
    directory.mkdir(parents=True, exist_ok=True)
    for row in rows:
        ending = _ENDINGS.get(row["format"], "txt")
        path = directory / f"{''.join(c if c.isalnum() or c in '-_' else '_' for c in row['receiver'])}.{ending}"
        path.write_text(row["body"] if ending == "html" else f"{row['title']}\n\n{row['body']}\n", encoding="utf-8")
        print(visible(str(path)))
