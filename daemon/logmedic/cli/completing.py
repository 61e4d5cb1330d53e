"""What can stand on a command line: ids of the running daemon beside commands, options and choices.

Asked for at each press of a key: nothing here imports the settings unless a config file is named, and a daemon that
does not answer at once is as good as none."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from logmedic.cli.client import Client
from logmedic.cli.context import Context
from logmedic.cli.output import visible
from logmedic.model.errors import LogmedicError

ANSWER_S = 0.3
"""Longer than that nobody waits for a key."""
DEFAULT_SOCKET = Path("/run/logmedic/logmedic.sock")
SOCKET_VARIABLE = "LOGMEDIC_WEB__SOCKET"
HELP_SHOWN = 60
"""Characters."""
_SHORT = 8

Ask = Callable[..., Any]
Named = Iterator[tuple[str, str]]
"""What to write, and what it is."""


def incidents(ask: Ask) -> Named:
    return ((row["id"][-_SHORT:], f"{row['severity']}, {row['title']}") for row in ask("incidents", all=True))


def issues(ask: Ask) -> Named:
    return ((row["id"][-_SHORT:], row["title"]) for row in ask("issues"))


def rules(ask: Ask) -> Named:
    """Those that were asked of anything, and those with a fix."""
    for row in ask("rules"):
        yield row["rule"], f"of {row['service']}"
    for row in ask("trust"):
        yield row["rule_id"], f"trusted with {row['level']}"


def sources(ask: Ask) -> Named:
    return ((row["source"], row["origin"]) for row in ask("sources"))


def receivers(ask: Ask) -> Named:
    return ((row["name"], f"{row['scheme']}, {row['state']}") for row in ask("receivers"))


def silences(ask: Ask) -> Named:
    return ((row["id"][-_SHORT:], f"by {row['by']}: {row['why']}") for row in ask("silences"))


def dead_letters(ask: Ask) -> Named:
    return ((row["id"][-_SHORT:], f"to {row['receiver']}: {row['title']}") for row in ask("alerts", status="dead"))


NAMED: Mapping[str, Callable[[Ask], Named]] = {
    "incident": incidents,
    "asked": incidents,
    "--incident": incidents,
    "--from-incident": incidents,
    "issue": issues,
    "into": issues,
    "--of": issues,
    "rule": rules,
    "rule_id": rules,
    "--rule": rules,
    "name": sources,
    "--source": sources,
    "receiver": receivers,
    "--receiver": receivers,
    "silence": silences,
    "ids": dead_letters,
}
"""By the name of an argument, or by an option."""
FILES = frozenset({"places", "arguments", "sources"})
"""Arguments that are files, or names."""


def attach_all(command: click.Command) -> None:
    """To it, and to what is below it."""
    attach(command)
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        attach_all(each)


def attach(command: click.Command) -> None:
    """Let its parameters ask the daemon."""
    for parameter in command.params:
        key = str(parameter.name) if isinstance(parameter, click.Argument) else parameter.opts[-1]
        if key in NAMED:
            setattr(parameter, "shell_complete", _completer(NAMED[key]))  # noqa: B010  (each parameter for itself)
        elif key in FILES and isinstance(parameter, click.Argument):
            setattr(parameter, "shell_complete", lambda *_: [CompletionItem("", type="file")])  # noqa: B010


def _completer(named: Callable[[Ask], Named]) -> Callable[[click.Context, str], list[CompletionItem]]:
    def complete(context: click.Context, incomplete: str) -> list[CompletionItem]:
        try:
            found = dict(named(_asker(context)))
        except (LogmedicError, KeyError, TypeError):  # no daemon, or one of another version
            return []
        return [
            CompletionItem(name, help=visible(told)[:HELP_SHOWN])
            for name, told in found.items()
            if name.startswith(incomplete) and name.isprintable()
        ]

    return complete


def _asker(context: click.Context) -> Ask:
    """All answers together take no longer than ANSWER_S."""
    path, ends = _socket(context.ensure_object(Context)), time.monotonic() + ANSWER_S

    def ask(question: str, **given: Any) -> Any:
        return Client(path, max(ends - time.monotonic(), 0.01)).get(question, **given)

    return ask


def _socket(context: Context) -> Path:
    """Raises ConfigInvalid."""
    if context.socket is not None:
        return context.socket
    if context.config is None and (named := os.environ.get(SOCKET_VARIABLE)):
        return Path(named)
    if context.config is None and DEFAULT_SOCKET.exists():
        return DEFAULT_SOCKET
    return context.settings.web.socket
