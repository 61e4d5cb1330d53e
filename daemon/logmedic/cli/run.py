"""run."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json
from logmedic.cli.status import print_status

if TYPE_CHECKING:
    from logmedic.settings import Settings


@click.command("run")
@click.option("--once", is_flag=True, help="Read what is there, wait for what that sets off, report, end.")
@click.option("--observe", is_flag=True, help="Run no fix, whatever the config says.")
@click.option("--rules", multiple=True, type=click.Path(path_type=Path), help="Rule files, instead of the configured.")
@click.argument("sources", nargs=-1)
@shared
@pass_context
def run_command(context: Context, once: bool, observe: bool, rules: tuple[Path, ...], sources: tuple[str, ...]) -> int:
    """Run the daemon in the foreground. SIGTERM drains, SIGHUP reloads the rules.

    SOURCES are files, or - for standard input, instead of the configured ones; every rule hears them.
    """
    from logmedic.app import Run, run_daemon
    from logmedic.cli.logs import configure

    os.umask(0o077)
    configure(verbose=context.verbose, quiet=once)
    settings = _changed(context.settings, observe, rules)
    with ExitStack() as stack:
        if once and context.store is None:
            settings = _with_a_store(settings, stack)
        return run_daemon(Run(settings, once=once, sources=sources, report=lambda status: _report(context, status)))


def _changed(settings: Settings, observe: bool, rules: tuple[Path, ...]) -> Settings:
    from logmedic.model.rule import Mode

    changes: dict[str, Any] = {"mode": Mode.OBSERVE} if observe else {}
    if rules:
        changes["rules"] = settings.rules.model_copy(update={"paths": tuple(path.absolute() for path in rules)})
    return settings.model_copy(update=changes)


def _with_a_store(settings: Settings, stack: ExitStack) -> Settings:
    """For a look at something, a store that is in use or not ours is no reason to fail."""
    from logmedic.adapters.store.reading import problem_of

    problem = problem_of(settings.storage.path)
    if not problem:
        return settings
    room = stack.enter_context(tempfile.TemporaryDirectory(prefix="logmedic-"))
    complain(f"{problem}; what is found now is not kept")
    storage = settings.storage.model_copy(update={"path": Path(room) / "logmedic.duckdb"})
    return settings.model_copy(update={"storage": storage})


def _report(context: Context, status: Mapping[str, Any]) -> None:
    if context.output == "table":
        print_status(status)
    else:
        print_json(status)
    sys.stdout.flush()
