"""pause, resume: the kill switch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json, until
from logmedic.cli.styled import say
from logmedic.model.errors import DaemonUnreachable


def pause_line(pause: Mapping[str, Any]) -> str:
    """Who, why, until when, and what to type."""
    why = f": {pause['why']}" if pause["why"] else ""
    ends = "until the file is gone" if pause["origin"] == "file" else "until somebody resumes"
    return (
        f"PAUSED by {pause['by']}{why}, {until(pause['until']) if pause['until'] else ends}; "
        f"to end it: {taken_back_by(pause)}"
    )


def taken_back_by(pause: Mapping[str, Any]) -> str:
    """What to type."""
    return f"rm {pause['by'].removeprefix('file ')}" if pause["origin"] == "file" else "logmedic resume"


@click.command("pause")
@click.option("--for", "duration", metavar="TIME", help="For so long: 30m, 2h. Default: until `logmedic resume`.")
@click.option("--until", "until_text", metavar="TIME", help="Until then: 2026-12-01T08:00:00Z.")
@click.option("--why", default="", metavar="TEXT", help="What people read who ask why nothing is fixed.")
@click.option("--stop", is_flag=True, help="End the steps that run now as well.")
@shared
@pass_context
def pause_command(context: Context, duration: str | None, until_text: str | None, why: str, stop: bool) -> None:
    """Hold every fix of this host, at once, also over restarts. What is found is still counted and told. What runs goes
    on to its end, unless --stop.

    Without a daemon that answers: touch the pause file, see `actions.pause_file` of the config."""
    given = {"for": duration, "until": until_text, "why": why or None, "stop": stop or None}
    try:
        answer = context.client.post("pause", **{name: value for name, value in given.items() if value is not None})
    except DaemonUnreachable as unreachable:
        hint = f"pause it by the file instead: touch {context.settings_at_rest.actions.pause_file}"
        raise DaemonUnreachable(unreachable.text, hint) from None
    _tell(context, answer)


@click.command("resume")
@shared
@pass_context
def resume_command(context: Context) -> int:
    """Let fixes run again; what waited is looked at once more. Exit code 1 while the pause file still holds them."""
    answer = context.client.post("resume")
    if context.output == "table" and not answer["paused"]:
        print("fixes run again")
        return 0
    _tell(context, answer)
    if answer["paused"]:
        complain("error: they are still paused")
    return 1 if answer["paused"] else 0


def _tell(context: Context, answer: Mapping[str, Any]) -> None:
    if context.output != "table":
        print_json(answer)
        return
    for pause in answer["pauses"]:
        say(pause_line(pause))
