"""The group `learned`; what it says without a command."""

from __future__ import annotations

import click

from logmedic.cli.context import Context, pass_context, shared


@click.group("learned", invoke_without_command=True)
@shared
@pass_context
@click.pass_context
def learned_command(invoked: click.Context, context: Context) -> None:
    """Errors that no rule knows and that keep coming; without a command: the list.

    ISSUE is the end of an issue's id, at least four characters, as lists show it. `show` and what decides (mute,
    unmute, resolve) take every known issue, those of rules too."""
    if invoked.invoked_subcommand is None:
        from logmedic.cli.learned.listing import print_learned

        print_learned(context)
