"""Messages to people: one module a command; each adds itself to the group."""

from logmedic.cli.alerts import failed, listing, preview, route, sending
from logmedic.cli.alerts.group import alerts_command

__all__ = ["alerts_command", "failed", "listing", "preview", "route", "sending"]
