"""The live view of a terminal. Everything but screen.py and desk.py is pure."""

from logmedic.cli.top.command import top_command as top_command
