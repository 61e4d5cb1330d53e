"""The operator's settings: the only reader of the main config file and of the environment.

Layers, later ones win: the defaults, the file, variables such as LOGMEDIC_WEB__SOCKET. Secrets are references
(`${file:/path}`, `${credential:name}`, `${env:NAME}`) that are followed once, at load.
"""

from logmedic.settings.form import Settings, config_schema
from logmedic.settings.loading import config_path, config_warnings, load_settings
from logmedic.settings.places import shipped_rules
from logmedic.settings.remains import load_alert_settings

__all__ = [
    "Settings",
    "config_path",
    "config_schema",
    "config_warnings",
    "load_alert_settings",
    "load_settings",
    "shipped_rules",
]
