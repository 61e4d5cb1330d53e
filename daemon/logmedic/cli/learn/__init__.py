"""The command `learn`."""

from logmedic.cli.learn.command import learn_command

__all__ = ["learn_command"]
