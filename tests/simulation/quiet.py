"""The daemon's own log, left out: a simulation tells its story itself."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import structlog


def quiet() -> None:
    """For the rest of this process."""
    structlog.configure(processors=[_dropped])


def _dropped(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    raise structlog.DropEvent
