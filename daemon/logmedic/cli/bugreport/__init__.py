"""What a report of a bug needs, in one file, without secrets and names."""

from logmedic.cli.bugreport.command import bugreport_command

__all__ = ["bugreport_command"]
