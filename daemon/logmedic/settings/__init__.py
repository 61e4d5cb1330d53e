"""The operator's settings: the only reader of the main config file and of the environment.

Layers, later ones win: the defaults, the file, variables such as LOGMEDIC_WEB__SOCKET. Secrets are references
(`${file:/path}`, `${credential:name}`, `${env:NAME}`) that are followed once, at load.

What it offers is imported when it is first used: commands that only ask the daemon need none of the models.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logmedic.settings.form import Settings, config_schema
    from logmedic.settings.loading import config_warnings, load_at_rest, load_settings
    from logmedic.settings.places import config_path, shipped_rules
    from logmedic.settings.remains import load_alert_settings

__all__ = [
    "Settings",
    "config_path",
    "config_schema",
    "config_warnings",
    "load_alert_settings",
    "load_at_rest",
    "load_settings",
    "shipped_rules",
]
_ROOMS = {
    "Settings": "form",
    "config_path": "places",
    "config_schema": "form",
    "config_warnings": "loading",
    "load_alert_settings": "remains",
    "load_at_rest": "loading",
    "load_settings": "loading",
    "shipped_rules": "places",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
