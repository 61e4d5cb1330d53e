"""config check, show, schema."""

from __future__ import annotations

import asyncio

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json, several
from logmedic.cli.styled import say

INVALID = 3


@click.group("config")
@shared
def config_command() -> None:
    """The main config."""


@config_command.command("check")
@shared
@pass_context
def check_command(context: Context) -> int:
    """Read and validate the config, ask Apprise whether it can use the receivers, and try the templates. Nothing is
    sent."""
    from logmedic.cli.alerts.group import sender_of
    from logmedic.settings import config_path, config_warnings
    from logmedic.yamldoc import render_problems

    settings, sender = context.settings, sender_of(context)
    verdicts = asyncio.run(sender.check(list(settings.receivers().values())))
    mistakes = asyncio.run(sender.check_templates())
    if warnings := config_warnings(context.config):
        complain(render_problems(warnings))
    if mistakes:
        complain(f"error: templates have mistakes:\n{render_problems(mistakes)}")
    wrong = {name: problem for name, problem in verdicts.items() if problem}
    for name, problem in wrong.items():
        complain(f"error: receiver {name}: {problem}")
    read = config_path(context.config)
    if context.output != "table":
        print_json({"file": str(read) if read else None, "receivers": verdicts})
    elif not wrong and not mistakes:
        told = several(len(verdicts), "receiver") if verdicts else "no receivers: nobody will be told"
        named = several(len(settings.sources), "source")
        heard = f"{named} and the usual ones" if settings.discovers else named
        say(f"{read or 'no config file, the defaults'}: all good ({heard}, {told})")
    return INVALID if wrong or mistakes else 0


@config_command.command("show")
@shared
@pass_context
def show_command(context: Context) -> None:
    """What is in force, defaults and variables included, as JSON. Secrets are hidden."""
    print_json(context.settings.model_dump(mode="json"))


@config_command.command("schema")
@shared
def schema_command() -> None:
    """The JSON Schema of the config, for editors."""
    from logmedic.settings import config_schema

    print_json(config_schema())
