"""The command `logmedic`: its commands, loaded when they are called, and what their failures exit with."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from logmedic import __version__
from logmedic.cli.context import shared
from logmedic.cli.output import complain
from logmedic.model.errors import (
    ConfigInvalid,
    DaemonUnreachable,
    LogmedicError,
    NotFound,
    RulesInvalid,
)

EXIT_CODES: dict[type[LogmedicError], int] = {
    ConfigInvalid: 3,
    RulesInvalid: 3,
    DaemonUnreachable: 4,
    NotFound: 5,
}
"""Everything else exits 1. Usage is 2, failed rule tests 6, `--fail-on` 10, a status without any receiver
that works 11."""
INTERRUPTED = 130

_COMMANDS = {
    "run": ("run", "Run the daemon, or read something once."),
    "status": ("status", "What is watched, what is broken, and whether fixes are armed."),
    "sources": ("sources", "What is read, how far, and what was missed."),
    "top": ("top", "The host as it is now, live: incidents, fixes, alerts, rates."),
    "incidents": ("incidents", "Open incidents; --all the past too."),
    "show": ("incidents", "The whole story of an incident."),
    "why": ("why", "What holds the fix of an incident, or why a line is known."),
    "approve": ("incidents", "Run the fix that waits for you."),
    "reject": ("incidents", "Do not run the fix that waits for you."),
    "ack": ("ack", "You take care of it: nobody is reminded, nobody else is called."),
    "silence": ("silence", "Tell nobody of it for a while: INCIDENT, list, end."),
    "events": ("events", "What happened, and with -f what happens now, live."),
    "fixes": ("fixes", "What was tried, and whether it held; dry runs."),
    "breakers": ("breakers", "Breakers of fixes: list, reset."),
    "trust": ("trust", "How far fixes are trusted: show, raise, lower, history."),
    "pause": ("pausing", "The kill switch: hold every fix."),
    "resume": ("pausing", "Let fixes run again."),
    "stats": ("stats", "Errors, fixes, escalations, recovery time."),
    "query": ("query", "Ask the past in SQL."),
    "issues": ("learned", "Known issues: from rules, learned, and breakers."),
    "learnings": ("learned", "What was learned, newest first."),
    "learned": ("learned", "Errors that no rule knows: list, show, promote, mute, resolve."),
    "learn": ("learn", "What old logs teach: the top errors that no rule knows."),
    "alerts": ("alerts", "Messages to people: list, receivers, route, preview, test, resend."),
    "reload": ("status", "Load the rules again."),
    "storage": ("storage", "What the store takes, what leaves it next, its copies."),
    "backup": ("storage", "Copy the store, while the daemon runs or without one."),
    "restore": ("storage", "Put a backup in the place of the store."),
    "rules": ("rules", "Rule files: check, test, list, schema."),
    "config": ("config", "The config: check, show, schema."),
    "doctor": ("doctor", "What must be well for the daemon to do its job, and how to repair it."),
    "bugreport": ("bugreport", "What a report of a bug needs, in one file, without secrets and names."),
    "install": ("install", "As root: what fixes need to run in units of the service manager."),
    "demo": ("demo", "See it work: a small service really breaks."),
}
"""Name, module, and one line of help: the list is printed without importing any of them."""


class LazyGroup(click.Group):
    """Imports a command's module when it is called."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"logmedic.cli.{_COMMANDS[name][0]}")
        command: click.Command = getattr(module, f"{name}_command")
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in _COMMANDS.items()])

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            close = get_close_matches(args[0], _COMMANDS, n=1)
            raise click.UsageError(f"{error.message} Did you mean `{close[0]}`?" if close else error.message) from None


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="logmedic %(version)s")
@shared
def logmedic() -> None:
    """Recognises known problems in logs, fixes them in a sandbox, proves that it worked, and calls people when it needs
    them.

    Exit codes: 0 ok, 1 failed, 2 usage, 3 config or rules invalid, 4 no daemon, 5 not found, 6 rule tests failed, 10
    open incidents (--fail-on), 11 no receiver works.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Answers the exit code; the only place where errors become one."""
    try:
        answer = logmedic.main(args=arguments, prog_name="logmedic", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except LogmedicError as error:
        complain(f"error: {error.text}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to be flushed at exit
        return 0
    return answer if isinstance(answer, int) else 0
