"""completion: what shells need to complete commands, options, and ids."""

from __future__ import annotations

import click

from logmedic.cli.context import shared
from logmedic.model.errors import PermanentError


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@shared
def completion_command(shell: str) -> None:
    """Print what SHELL needs to complete commands, options, choices, and the ids of incidents, rules, issues, sources,
    receivers and silences, which the running daemon is asked for.

    \b
    To install it for everybody, as root:
      logmedic completion bash > /usr/share/bash-completion/completions/logmedic
      logmedic completion zsh > /usr/share/zsh/vendor-completions/_logmedic
      logmedic completion fish > /usr/share/fish/vendor_completions.d/logmedic.fish
    Or for this shell alone:
      source <(logmedic completion bash)
    """
    from click.shell_completion import get_completion_class

    from logmedic.cli.root import VARIABLE, logmedic

    kind = get_completion_class(shell)
    if kind is None:
        raise PermanentError(f"click completes nothing for {shell}", "bash, zsh, or fish")
    source = kind(logmedic, {}, "logmedic", VARIABLE)
    print(source.source_template % source.source_vars())
