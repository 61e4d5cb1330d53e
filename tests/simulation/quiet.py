"""The daemon's own log, left out: a simulation tells its story itself."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import structlog


def quiet(hear: Callable[[str, str], None] = lambda event, about: None) -> None:
    """For the rest of this process. `hear`: of each event, and what it says."""

    def dropped(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        hear(str(event.get("event", "")), ", ".join(f"{key} {value}" for key, value in event.items() if key != "event"))
        raise structlog.DropEvent

    structlog.configure(processors=[dropped])
