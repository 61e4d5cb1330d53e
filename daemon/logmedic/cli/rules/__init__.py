"""Rule files: one module a command; each adds itself to the group."""

from logmedic.cli.rules import check, listing, test
from logmedic.cli.rules.group import rules_command

__all__ = ["check", "listing", "rules_command", "test"]
