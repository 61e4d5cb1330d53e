"""Which format a plugin's service has."""

from __future__ import annotations

from logmedic.adapters.alerts.formats.discord import Discord
from logmedic.adapters.alerts.formats.mail import Mail
from logmedic.adapters.alerts.formats.matrix import Matrix
from logmedic.adapters.alerts.formats.ntfy import Ntfy
from logmedic.adapters.alerts.formats.opsgenie import Opsgenie
from logmedic.adapters.alerts.formats.pagerduty import PagerDuty
from logmedic.adapters.alerts.formats.shape import Shape
from logmedic.adapters.alerts.formats.slack import Slack
from logmedic.adapters.alerts.formats.teams import Teams
from logmedic.adapters.alerts.formats.telegram import Telegram
from logmedic.adapters.alerts.formats.webhook import Webhook

_SHAPES: dict[str, type[Shape]] = {
    "slack": Slack,
    **dict.fromkeys(("mailto", "mailtos"), Mail),
    "discord": Discord,
    "tgram": Telegram,
    **dict.fromkeys(("matrix", "matrixs"), Matrix),
    **dict.fromkeys(("workflow", "workflows"), Teams),
    **dict.fromkeys(("ntfy", "ntfys"), Ntfy),
    "pagerduty": PagerDuty,
    "opsgenie": Opsgenie,
    **dict.fromkeys(("json", "jsons"), Webhook),
}


def shape_for(scheme: str) -> type[Shape] | None:
    """None: plain text."""
    return _SHAPES.get(scheme)
