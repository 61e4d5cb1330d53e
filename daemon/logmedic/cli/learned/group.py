"""The group `learned`, which lists where no command is named."""

from __future__ import annotations

import click

from logmedic.cli.context import shared


class _ListsByDefault(click.Group):
    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Options alone are those of the list."""
        named = {*self.commands, *self.get_help_option_names(context)}
        if not named & set(args) and (not args or args[0].startswith("-")):
            args = ["list", *args]
        return super().parse_args(context, args)


@click.group("learned", cls=_ListsByDefault)
@shared
def learned_command() -> None:
    """Errors that no rule knows and that keep coming; without a command: the list.

    ISSUE is the end of an issue's id, at least four characters, as lists show it. `show` and what decides (mute,
    unmute, resolve) take every known issue, those of rules too."""
