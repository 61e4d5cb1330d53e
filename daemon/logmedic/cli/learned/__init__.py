"""What is learned: one module a command; each adds itself to the group."""

from logmedic.cli.learned import deciding, listing, precursors, promote, show
from logmedic.cli.learned.group import learned_command
from logmedic.cli.learned.tables import issues_command, learnings_command

__all__ = [
    "deciding",
    "issues_command",
    "learned_command",
    "learnings_command",
    "listing",
    "precursors",
    "promote",
    "show",
]
