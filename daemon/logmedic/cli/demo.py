"""demo."""

from __future__ import annotations

import click

from logmedic.cli.context import shared


@click.command("demo")
@click.option("--keep", is_flag=True, envvar="KEEP", help="Keep it running afterwards, to look around (KEEP=1).")
@shared
def demo_command(keep: bool) -> int:
    """A small web service really breaks, three ways; the real daemon deals with it. Under a minute."""
    from logmedic.demo import main

    return main(keep)
