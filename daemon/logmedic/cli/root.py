"""The command `logmedic`: its commands, loaded when they are called, and what their failures exit with."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from logmedic import __version__
from logmedic.cli import examples
from logmedic.cli.context import shared
from logmedic.cli.output import complain
from logmedic.model.errors import (
    ConfigInvalid,
    DaemonUnreachable,
    LogmedicError,
    NotFound,
    RulesInvalid,
    StoreLocked,
)

EXIT_CODES: dict[type[LogmedicError], int] = {
    ConfigInvalid: 3,
    RulesInvalid: 3,
    DaemonUnreachable: 4,
    NotFound: 5,
    StoreLocked: 7,
}
"""Everything else exits 1. Usage is 2, failed rule tests 6, `--fail-on` 10, a status without any receiver
that works 11."""
INTERRUPTED = 130
VARIABLE = "_LOGMEDIC_COMPLETE"
"""Set by a shell that asks what can be typed (click's convention)."""

_TOPICS: dict[str, dict[str, tuple[str, str]]] = {
    "Look": {
        "status": ("status", "What is watched, what is broken."),
        "top": ("top", "The same, live, with keys to decide."),
        "incidents": ("incidents", "Open incidents; --all the past too."),
        "show": ("incidents", "The whole story of an incident."),
        "why": ("why", "Why it is not fixed, not told, not known."),
        "events": ("events", "What happened; -f what happens now."),
        "alerts": ("alerts", "Messages to people: list, route, test ..."),
        "fixes": ("fixes", "What was tried, and whether it held."),
        "sources": ("sources", "What is read, how far, what was missed."),
        "stats": ("stats", "Errors, fixes, escalations, recovery time."),
        "query": ("query", "Ask the past in SQL."),
    },
    "Decide": {
        "approve": ("incidents", "Run the fix that waits for you."),
        "reject": ("incidents", "Do not run the fix that waits for you."),
        "ack": ("ack", "You take care of it: nobody is reminded."),
        "silence": ("silence", "Tell nobody of it for a while."),
        "pause": ("pausing", "The kill switch: hold every fix."),
        "resume": ("pausing", "Let fixes run again."),
        "trust": ("trust", "How far fixes are trusted: show, raise ..."),
        "breakers": ("breakers", "Breakers of fixes: list, reset."),
    },
    "For scripts": {
        "report": ("report", "Report an error, and wait for its fix."),
    },
    "Rules": {
        "rules": ("rules", "Rule files: check, test, explain, new ..."),
        "reload": ("status", "Load the rules again."),
    },
    "Learn": {
        "learned": ("learned", "Errors that no rule knows: list, mute ..."),
        "issues": ("learned", "All known issues."),
        "learnings": ("learned", "What was learned, newest first."),
        "learn": ("learn", "What old logs teach."),
    },
    "Run and install": {
        "run": ("run", "Run the daemon, or read something once."),
        "config": ("config", "The config: check, show, schema."),
        "doctor": ("doctor", "What must be well, and how to repair it."),
        "bugreport": ("bugreport", "What a bug report needs, without secrets."),
        "storage": ("storage", "What the store takes, and its copies."),
        "backup": ("storage", "Copy the store."),
        "restore": ("storage", "Put a backup in the place of the store."),
        "dashboard": ("dashboard", "A link that signs a browser in."),
        "token": ("token", "Tokens for programs: new, list."),
        "install": ("install", "As root: make it a service of this host."),
        "uninstall": ("install", "As root: take the service away; data stay."),
        "completion": ("completion", "For bash, zsh and fish."),
        "demo": ("demo", "See it work: a small service really breaks."),
    },
}
"""By topic: name, module, and a line of help that fits into 60 columns. The list is printed without importing any of
them."""
_COMMANDS = {name: command for commands in _TOPICS.values() for name, command in commands.items()}


def topics() -> dict[str, dict[str, str]]:
    """Each topic's commands with their line of help."""
    return {topic: {name: told for name, (_, told) in commands.items()} for topic, commands in _TOPICS.items()}


class LazyGroup(click.Group):
    """Imports a command's module when it is called."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"logmedic.cli.{_COMMANDS[name][0]}")
        command: click.Command = getattr(module, f"{name}_command")
        examples.attach(command, name)
        if VARIABLE in os.environ:
            from logmedic.cli import completing

            completing.attach_all(command)
        return command

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Behind the commands, which people look for."""
        self.format_commands(context, formatter)
        click.Command.format_options(self, context, formatter)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        for topic, commands in _TOPICS.items():
            with formatter.section(topic):
                formatter.write_dl([(name.ljust(_WIDEST), told) for name, (_, told) in commands.items()])

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            close = get_close_matches(args[0], _COMMANDS, n=1)
            raise click.UsageError(f"{error.message} Did you mean `{close[0]}`?" if close else error.message) from None

    def shell_complete(self, context: click.Context, incomplete: str) -> list[Any]:
        """Without importing the commands."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=told) for name, (_, told) in _COMMANDS.items() if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, context, incomplete)


_WIDEST = max(map(len, _COMMANDS))


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
        answer = logmedic.main(args=arguments, prog_name="logmedic", standalone_mode=False, complete_var=VARIABLE)
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
