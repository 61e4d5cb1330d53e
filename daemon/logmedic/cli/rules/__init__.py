"""Rule files: one module a command; each adds itself to the group."""

from logmedic.cli.rules import backtest, check, costs, explain, importing, listing, new, show, test
from logmedic.cli.rules.group import rules_command

__all__ = ["backtest", "check", "costs", "explain", "importing", "listing", "new", "rules_command", "show", "test"]
