"""Where the daemon is asked, found without the whole of the settings: building their models takes longer than most
answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logmedic.settings.places import config_path, usual_socket
from logmedic.yamldoc.document import DocumentInvalid, parse_document

_VARIABLES = "LOGMEDIC_WEB"


def door(path: Path | None, env: Mapping[str, str]) -> Path | None:
    """The socket that `load_settings` would find, where that is plain to see and something is there. None: ask
    `load_settings`, which also says what is wrong."""
    if any(name.upper().startswith(_VARIABLES) for name in env):
        return None
    file = config_path(path, env)
    try:
        config = parse_document(str(file), file.read_bytes()).plain() if file else {}
    except (OSError, DocumentInvalid):
        return None
    socket = _told(config)
    return socket if socket is not None and os.path.exists(socket) else None


def _told(config: Any) -> Path | None:
    """None: not plainly."""
    web = config.get("web", {}) if isinstance(config, dict) else None
    if not isinstance(web, dict):
        return None
    if "socket" not in web:
        return usual_socket()
    socket = web["socket"]
    return Path(socket) if isinstance(socket, str) and socket and "$" not in socket else None
