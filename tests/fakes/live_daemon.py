"""What is committed and told live, without an engine: numbered events of one incident, and the store's answer to
`events`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import builders as make
from logmedic.core.feed import events_of, row_of
from logmedic.model.changeset import Changeset
from logmedic.model.errors import StoreBusy
from logmedic.model.frame import Frame
from logmedic.model.issue import Incident, IncidentEvent
from logmedic.model.severity import Severity
from logmedic.ports import Clock
from logmedic.runtime.feed import Feed

INCIDENT = Incident("i1", "s1", "web-down", "", "web is down", Severity.HIGH, make.START, make.START)


def id_of(n: int) -> str:
    return f"0193a000-0000-7000-8000-{n:012x}"


class LiveDaemon:
    """Commits events, numbered from 1, and tells the feed of them. `known`: the incident is remembered."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.known = True
        self.busy = False
        self.asked = 0
        self.rows: list[dict[str, Any]] = []
        self.restart()

    def restart(self) -> None:
        """A new process: what was committed is there, who listened is not."""
        self.feed = Feed(self.ask, clock=self.clock, titles=lambda _: INCIDENT if self.known else None)

    def live(self, after: str | None = None) -> AsyncGenerator[Frame, None]:
        return self.feed.listen(after)

    def commit(self, count: int = 1, text: str = "") -> None:
        numbers = range(len(self.rows) + 1, len(self.rows) + count + 1)
        at = self.clock.now()
        changeset = Changeset(events=tuple(IncidentEvent(id_of(n), "i1", at, "note", text or f"{n}") for n in numbers))
        self.rows += map(row_of, events_of(changeset, lambda _: INCIDENT) or ())
        self.feed.publish(changeset)

    async def ask(self, question: str, /, *, after: str = "", newest: bool = False, limit: int = 100) -> Any:
        """As Queries.events, and somebody commits before the answer and after it was made."""
        assert question == "events"
        self.asked += 1
        if self.busy:
            raise StoreBusy("the store is busy")
        await asyncio.sleep(0.01)
        found = [row for row in self.rows if row["id"] > after]
        answer = found[-limit:] if newest else found[:limit]
        await asyncio.sleep(0.01)
        return answer
