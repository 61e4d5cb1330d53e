"""Where the daemon is asked, found without the whole of the settings: building their models takes longer than most
answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logmedic.settings.places import REPORT_SOCKET, REPORT_VARIABLE, config_path, usual_socket
from logmedic.yamldoc.document import DocumentInvalid, parse_document

_WEB, _REPORTS = "LOGMEDIC_WEB", "LOGMEDIC_REPORTS"


def door(path: Path | None, env: Mapping[str, str]) -> Path | None:
    """The socket that `load_settings` would find, where that is plain to see and something is there. None: ask
    `load_settings`, which also says what is wrong."""
    config = _read(path, env, _WEB)
    socket = _commands(config) if config is not None else None
    return socket if socket is not None and os.path.exists(socket) else None


def report_door(path: Path | None, env: Mapping[str, str]) -> Path | None:
    """The same of the socket that applications report to, whether something is there or not."""
    config = _read(path, env, _WEB, _REPORTS)
    reports = config.get("reports", {}) if config is not None else None
    if config is None or not isinstance(reports, dict):
        return None
    if "socket" in reports:
        return _plain(reports["socket"])
    commands = _commands(config)
    return commands.with_name(REPORT_SOCKET) if commands is not None else None


def _read(path: Path | None, env: Mapping[str, str], *variables: str) -> dict[str, Any] | None:
    """None: it cannot be read, or variables (that begin so) have a say in it."""
    if any(name.upper().startswith(variables) for name in env if name != REPORT_VARIABLE):
        return None
    file = config_path(path, env)
    try:
        config = parse_document(str(file), file.read_bytes()).plain() if file else {}
    except (OSError, DocumentInvalid):
        return None
    return config if isinstance(config, dict) else None


def _commands(config: Mapping[str, Any]) -> Path | None:
    """None: not plainly."""
    web = config.get("web", {})
    if not isinstance(web, dict):
        return None
    return _plain(web["socket"]) if "socket" in web else usual_socket()


def _plain(socket: Any) -> Path | None:
    return Path(socket) if isinstance(socket, str) and socket and "$" not in socket else None
