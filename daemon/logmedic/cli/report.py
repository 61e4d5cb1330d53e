"""report: scripts tell the daemon of an error, and may wait for its fix."""

from __future__ import annotations

import logging
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import print_json
from logmedic.cli.styled import say
from logmedic.model.errors import DaemonUnreachable, PermanentError
from logmedic.model.severity import Severity

if TYPE_CHECKING:
    from logmedic.client import Answer, Client

TAKEN_S = 5.0
"""So long the daemon may take to store it."""
NOT_FIXED = 1
MAX_READ = 16_384
"""Bytes of standard input; a report keeps fewer."""


@click.command("report")
@click.argument("message")
@click.option("--component", default="script", metavar="NAME", help="Who reports: backup. Rules match it.")
@click.option("--action", default="", metavar="WHAT", help="What it was doing: dump.")
@click.option("--error", "kind", default="", metavar="TYPE", help="The kind of error: DumpFailed. Rules match it.")
@click.option("--impact", type=click.Choice([each.value for each in Severity]), default="medium", show_default=True)
@click.option("--environment", default="", metavar="NAME", help="production, test.")
@click.option("--request", "request_id", default="", metavar="ID", help="The request that failed; the incident has it.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Of a known issue that it becomes. Again for more.")
@click.option("--wait", metavar="TIME", help="Wait so long for the fix of a rule that knows it: 60s.")
@shared
@pass_context
def report_command(
    context: Context,
    message: str,
    component: str,
    action: str,
    kind: str,
    impact: str,
    environment: str,
    request_id: str,
    tags: tuple[str, ...],
    wait: str | None,
) -> int | None:
    """Report an error to the daemon, as applications do with logmedic.client. Everybody on the host may, unless the
    config names a group.

    MESSAGE says what failed; - reads it from standard input. With --wait: exits 0 when it is verifiably fixed, so that
    the script can go on, and 1 otherwise."""
    wait_s = _seconds(wait) if wait else 0.0
    message = _message(message)
    _check_words(component, environment, request_id, tags)
    lost = _Lost()
    client = _client(_socket(context), component, environment)
    error: Exception | str = _raised(kind, message) if kind else message
    about = {"action": action, "impact": impact, "request_id": request_id, "tags": tags}
    if wait_s:
        answer = client.ask(error, wait=wait_s, known_within=min(wait_s, TAKEN_S), **about)  # type: ignore[arg-type]
    else:
        report_id = client.report(error, **about)  # type: ignore[arg-type]
        client.flush(TAKEN_S)
    client.close(0)
    _check(client, lost.why)
    if not wait_s:
        _told({"report": report_id, "state": "taken"}, "taken", context)
        return None
    _told(_row(answer), _words(answer), context)
    return None if answer.fixed else NOT_FIXED


def _client(socket: Path, component: str, environment: str) -> Client:
    from logmedic.client import Client

    return Client(socket=socket, component=component, environment=environment)


def _socket(context: Context) -> Path:
    """Raises ConfigInvalid."""
    from logmedic.settings.door import report_door
    from logmedic.settings.places import REPORT_SOCKET, REPORT_VARIABLE

    if given := os.environ.get(REPORT_VARIABLE):
        return Path(given)
    if context.socket is not None:
        return context.socket.with_name(REPORT_SOCKET)
    return report_door(context.config, os.environ) or context.settings.report_socket


def _raised(kind: str, message: str) -> Exception:
    """The client names an error by its class."""
    made: type[Exception] = type(kind.replace("\0", ""), (Exception,), {"__module__": "builtins"})
    return made(message)


class _Lost(logging.Handler):
    """Takes what the client would log of a report that is lost. `why`: with what goes before it."""

    def __init__(self) -> None:
        super().__init__()
        self.why = ""
        client = logging.getLogger("logmedic.client")
        client.addHandler(self)
        client.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        self.why = f": {record.getMessage()}"


def _message(given: str) -> str:
    """Raises UsageError."""
    text = sys.stdin.buffer.read(MAX_READ).decode(errors="replace") if given == "-" else given
    if not text.strip():
        raise click.BadParameter("it is empty: say what failed", param_hint="MESSAGE")
    return text.rstrip()


def _check_words(component: str, environment: str, request_id: str, tags: tuple[str, ...]) -> None:
    """An application's are cleaned; here somebody can still mend them. Raises UsageError."""
    from logmedic.core import reports

    said: list[tuple[str, str, re.Pattern[str], str]] = [
        ("--component", component, reports.COMPONENT, "a letter, then letters, digits, . _ -; at most 64"),
        ("--environment", environment, reports.ENVIRONMENT, "at most 64 letters, digits, . _ : -"),
        ("--request", request_id or "-", reports.REQUEST_ID, "at most 128 letters, digits, . _ : / = + @ -"),
        *(("--tag", tag, reports.TAG, "at most 64 letters, digits, . _ : -") for tag in tags),
    ]
    for option, given, wanted, words in said:
        if wanted.match(given) is None:
            raise click.BadParameter(f"`{given}`: write {words}", param_hint=option)


def _check(client: Client, why: str) -> None:
    """Raises DaemonUnreachable, PermanentError."""
    stats = client.stats()
    if stats.refused:
        text = f"the daemon did not take the report{why or ': too many, or not what it takes'}"
        raise PermanentError(text, "journalctl -u logmedic -g reports_refused says why; docs/reports.md has the limits")
    if not stats.taken:
        text = f"no daemon took the report{why}"
        raise DaemonUnreachable(text, "systemctl start logmedic; reports: {enabled: true} in its config is the default")


def _row(answer: Answer) -> dict[str, str]:
    told = asdict(answer)
    return {"report": told.pop("report_id"), **told, "state": answer.state.value}


def _words(answer: Answer) -> str:
    state = answer.state.value.replace("_", " ")
    words = answer.detail if answer.detail.startswith(state) else f"{state}: {answer.detail}".removesuffix(": ")
    where = f" (logmedic show {answer.incident[-8:]})" if answer.incident else ""
    return f"{words}{where}"


def _told(row: dict[str, str], words: str, context: Context) -> None:
    if context.output == "table":
        say(words)
    else:
        print_json(row)


def _seconds(told: str) -> float:
    from logmedic.core.reports import MAX_WAIT
    from logmedic.yamldoc import parse_duration

    try:
        wait = parse_duration(told)
    except ValueError as error:
        raise click.BadParameter(str(error).replace("; ", ": "), param_hint="--wait") from None
    if not 0 < wait.total_seconds() <= MAX_WAIT.total_seconds():
        raise click.BadParameter("write 1s to 10m", param_hint="--wait")
    return wait.total_seconds()
