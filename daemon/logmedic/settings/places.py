"""Where things are on this host, unless the operator says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "LOGMEDIC_CONFIG"
REPORT_VARIABLE = "LOGMEDIC_REPORT_SOCKET"
"""Where logmedic.client reports."""

REPORT_SOCKET = "report.sock"
"""Beside the socket for commands, unless the config says otherwise."""
SYSTEM_CONFIG = Path("/etc/logmedic/logmedic.yaml")
SYSTEM_RULES = Path("/etc/logmedic/rules.d")
SYSTEM_CREDENTIALS = Path("/etc/logmedic/credentials")
"""A secret a file; root's alone. The unit loads all of them: LoadCredential=CREDENTIALS_ID:..."""
CREDENTIALS_ID = "logmedic"
SYSTEM_PAUSE = Path("/etc/logmedic/paused")


def config_path(given: Path | None, env: Mapping[str, str] = os.environ) -> Path | None:
    """The file to read: the one that was named, or the system's when there is one."""
    named = given or (Path(env[CONFIG_VARIABLE]) if env.get(CONFIG_VARIABLE) else None)
    return named or (SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None)


def shipped_rules() -> Path:
    """The rule packs as installed, or those of the checkout."""
    installed = Path(__file__).parents[1] / "shipped" / "rules"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[3] / "rules"


def state_directory() -> Path:
    """systemd's choice, the system's for root, else the user's own."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    if os.geteuid() == 0:
        return Path("/var/lib/logmedic")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "logmedic"


def pause_file() -> Path:
    """Of the system's daemon where administrators look first; of a user's own beside its state."""
    state = state_directory()
    return SYSTEM_PAUSE if state.is_relative_to("/var/lib") else state / "paused"


def cache_directory() -> Path | None:
    """The user's own, for what can be found out again; None for one without a home."""
    given, home = os.environ.get("XDG_CACHE_HOME"), os.path.expanduser("~")
    if not given and not os.path.isdir(home):
        return None
    return Path(given or os.path.join(home, ".cache")) / "logmedic"


def runtime_directory() -> Path:
    """As `state_directory`. A user who runs no daemon asks the system's."""
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    system = Path("/run/logmedic")
    own = Path(os.environ.get("XDG_RUNTIME_DIR") or state_directory())
    if os.geteuid() == 0 or (_is_there(system / "logmedic.sock") and not _is_there(own / "logmedic.sock")):
        return system
    return own


def _is_there(path: Path) -> bool:
    """Where we may not look, nothing is ours."""
    return os.path.exists(path)


def usual_socket() -> Path:
    return runtime_directory() / "logmedic.sock"
