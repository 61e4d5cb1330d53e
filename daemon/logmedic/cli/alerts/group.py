"""The group `alerts`, and what its commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from logmedic.cli.context import Context, shared

if TYPE_CHECKING:
    from logmedic.adapters.alerts.sender import AppriseSender
    from logmedic.model.policy import Policy


@click.group("alerts")
@shared
def alerts_command() -> None:
    """Messages to people: what was sent, where news would go and why, what it would look like."""


def policy_of(context: Context) -> Policy:
    """What decisions about alerts rely on, from the config alone; without rules. Raises ConfigInvalid."""
    import socket
    from datetime import UTC, datetime

    from logmedic.runtime.clock import local_zone
    from logmedic.runtime.previews import NO_KEY

    now = datetime.now(UTC)
    return context.settings.policy(hostname=socket.gethostname(), started_at=now, zone=local_zone(), link_key=NO_KEY)


def sender_of(context: Context) -> AppriseSender:
    """As the daemon has it, with the config as it is now."""
    import sys

    from logmedic.adapters.alerts.sender import AppriseSender

    settings = context.settings
    templates = str(settings.alerts.templates or "")
    return AppriseSender(python=sys.executable, environment=settings.surroundings, templates=templates)
