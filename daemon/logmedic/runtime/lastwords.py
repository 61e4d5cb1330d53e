"""Who was told that the daemon cannot run: kept in a file until it runs again, and they hear of that (F75). The store
is the daemon's, and whoever tells it has none."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from logmedic.core.fallen import PART
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing

NAME = "told-of-failure"
MAX_BYTES = 65536


def keep(directory: Path, what: str, told: Sequence[str]) -> None:
    """With those who were told before. Nothing where it cannot be written: then nobody hears that it is over."""
    known = _read(directory / NAME)
    everybody = dict.fromkeys((*(known.told if known is not None else ()), *told))
    new = directory / f".{NAME}.new"
    with suppress(OSError):
        new.write_text(json.dumps({"what": what, "told": list(everybody)}))
        os.replace(new, directory / NAME)


def told(directory: Path) -> tuple[Ailing, ...]:
    """What the engine is to hear once it runs: what was told, and that it is over."""
    known = _read(directory / NAME)
    return (known, Ailing(PART, AlertEvent.DAEMON_FAILED)) if known is not None else ()


def forget(directory: Path) -> None:
    with suppress(OSError):
        (directory / NAME).unlink(missing_ok=True)


def _read(path: Path) -> Ailing | None:
    try:
        with path.open("rb") as file:
            row = json.loads(file.read(MAX_BYTES))
        what, told = str(row["what"]), tuple(str(each) for each in row["told"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Ailing(PART, AlertEvent.DAEMON_FAILED, what, told=told) if what and told else None
