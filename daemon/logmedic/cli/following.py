"""Live events from the daemon, over as many connections as it takes: each event once, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from logmedic.cli.client import Client
from logmedic.cli.sse import EventStream, Message, NoEventStream
from logmedic.core.fromjson import object_of
from logmedic.model.errors import DaemonUnreachable, PermanentError, TransientError

SILENCE_S = 16.0
"""The daemon says every 5 s that it lives."""
PAUSE_S = 0.2
PAUSE_MAX_S = 5.0
AWAY = "the daemon went away; waiting for it"
BACK = "the daemon answers again"
SHOWN = ("id", "at", "kind", "severity", "title", "text", "subject")
"""What a row has in any case: a newer daemon may tell more."""
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
    `pause` waits so many seconds. Raises as Client.get, but for what happens once it has answered; PermanentError for
    what no daemon of ours tells."""
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
                    for message in _messages(stream, piece):
                        if message.event == "entry":
                            yield _row(message.data)
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


def _messages(stream: EventStream, piece: bytes) -> list[Message]:
    try:
        return stream.feed(piece)
    except NoEventStream as error:
        raise _no_event(str(error)) from None


def _row(told: str) -> dict[str, Any]:
    """Raises PermanentError."""
    try:
        row = object_of(told)
        if not all(isinstance(row.get(name), str) for name in SHOWN):
            raise ValueError(f"it lacks one of {', '.join(SHOWN)}")
        datetime.fromisoformat(row["at"])
    except ValueError as error:
        raise _no_event(str(error)) from None
    return row


def _no_event(why: str) -> PermanentError:
    return PermanentError(f"what the daemon tells is no event: {why}", "is it of another version? logmedic status")
