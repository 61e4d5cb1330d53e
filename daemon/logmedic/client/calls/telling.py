"""The one way from the patterns to a Client: whatever is wrong with it, the application's call goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from logmedic.client.answers import Answer, State
from logmedic.client.guarded import quietly, quietly_async

if TYPE_CHECKING:
    from logmedic.client.client import Client

MARK = "__logmedic_mark__"
REPORT = "__logmedic_report__"
FRESH_S = 60.0
"""Some libraries raise one exception object again and again: after that long it is a new error."""

AWAY = Answer(State.AWAY)
"""What is known where nobody was asked, or nobody answered."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What an exception carries that was reported. `answer`: the daemon's, where it was asked."""

    report_id: str
    request_id: str
    at: float
    answer: Answer | None


def report(client: Client | None, error: BaseException | str, **facts: Any) -> str:
    """The report's id; empty when there is none. `client`: None for the process's default."""
    return quietly(lambda: _resolved(client).report(error, **facts), "")


def ask(client: Client | None, error: BaseException, *, wait: float, **facts: Any) -> Answer:
    """Blocks for `wait` seconds at most."""
    return quietly(lambda: _resolved(client).ask(error, wait=wait, **facts), AWAY)


async def ask_async(client: Client | None, error: BaseException, *, wait: float, **facts: Any) -> Answer:
    return await quietly_async(lambda: _resolved(client).ask_async(error, wait=wait, **facts), AWAY)


def share(client: Client | None, name: str, state: Literal["open", "closed"], open_for: float) -> None:
    quietly(lambda: _resolved(client).share(name, state, open_for), None)


def follow(client: Client | None, name: str, told: Callable[[str, float], None]) -> None:
    quietly(lambda: _resolved(client).follow(name, told), None)


def mark(error: BaseException, report_id: str, request_id: str, answer: Answer | None = None) -> None:
    """Best effort: not every exception takes attributes."""
    if report_id:
        made = Mark(report_id, request_id, time.monotonic(), answer)
        quietly(lambda: setattr(error, MARK, made), None)
        quietly(lambda: setattr(error, REPORT, report_id), None)


def reported(error: BaseException, request_id: str) -> Mark | None:
    """None: not yet, not in this request, or long ago. Outside of any request (""), where what a request has raised is
    logged at the end, that of any counts."""
    found = quietly(lambda: getattr(error, MARK, None), None)
    if not isinstance(found, Mark) or time.monotonic() - found.at >= FRESH_S:
        return None
    return found if request_id in ("", found.request_id) else None


def _resolved(client: Client | None) -> Client:
    if client is not None:
        return client
    from logmedic.client.client import default

    return default()
