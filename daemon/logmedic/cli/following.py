"""Live events from the daemon, over as many connections as it takes: each event once, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from logmedic.cli.client import Client
from logmedic.cli.sse import EventStream
from logmedic.model.errors import DaemonUnreachable, TransientError

SILENCE_S = 16.0
"""The daemon says every 5 s that it lives."""
PAUSE_S = 0.2
PAUSE_MAX_S = 5.0
AWAY = "the daemon went away; waiting for it"
BACK = "the daemon answers again"
RESET = "the daemon does not know what was told last, some events may be missing: logmedic events --since 1h"


def follow(
    client: Client,
    after: str,
    wanted: Mapping[str, str],
    *,
    tell: Callable[[str], None],
    pause: Callable[[float], None],
) -> Iterator[dict[str, Any]]:
    """Rows of what comes behind the event `after`, without end. `tell`: that the daemon went away, and that it is back;
    `pause` waits so many seconds. Raises as Client.get, but for what happens once it has answered."""
    waiting, last = client.waiting(SILENCE_S), after
    met, failures, away = False, 0, False
    while True:
        stream = EventStream(last)
        asked = {"Accept": "text/event-stream", "Last-Event-ID": last}
        try:
            with waiting.receiving("events/stream", asked, **wanted) as received:
                if away:
                    tell(BACK)
                met, away = True, False
                while piece := received():
                    failures = 0
                    for message in stream.feed(piece):
                        if message.event == "entry":
                            yield json.loads(message.data)
                        elif message.event == "reset":
                            tell(RESET)
                    last = stream.last_id
        except (DaemonUnreachable, TransientError) as error:
            if not met:
                raise
            if not away:
                tell(AWAY if isinstance(error, DaemonUnreachable) else f"{error.text}; it is asked again")
            away = True
        pause(min(PAUSE_S * 2**failures, PAUSE_MAX_S))
        failures = min(failures + 1, 10)
