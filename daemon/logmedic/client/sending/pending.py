"""The reports that the daemon has not taken yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from logmedic.client.answers import Question

MOST_SENDS = 10
"""What was not taken over so many connections is given up."""


@dataclass(slots=True)
class Waiting:
    """`begun`: its line without the end (`building.finished`). `spooled`: it is in a file, which is kept until it is
    taken. `sends`: how often it went out."""

    id: str
    begun: bytes
    question: Question | None = None
    spooled: bool = False
    sends: int = 0


class Pending:
    """In the order in which they came. Bounded by `most` reports and `most_bytes` of their lines."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._all: dict[str, Waiting] = {}
        self._unsent: deque[str] = deque()
        self._bytes = 0
        self.spooled = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(list(self._all.values()))

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    @property
    def in_flight(self) -> bool:
        """Something was sent on this connection, and is not taken yet."""
        return len(self._unsent) < len(self._all)

    def add(self, waiting: Waiting) -> bool:
        """False: there is no room. For a batch out of the spool there always is."""
        if waiting.id in self._all:
            return True
        full = len(self._all) >= self._most or self._bytes + len(waiting.begun) > self._most_bytes
        if full and not waiting.spooled:
            return False
        self._all[waiting.id] = waiting
        self._unsent.append(waiting.id)
        self._bytes += len(waiting.begun)
        self.spooled += waiting.spooled
        return True

    def next(self) -> Waiting | None:
        """The oldest that is not sent on this connection; it counts as sent."""
        while self._unsent:
            waiting = self._all.get(self._unsent.popleft())
            if waiting is not None:
                waiting.sends += 1
                return waiting
        return None

    def remove(self, id: str) -> Waiting | None:
        waiting = self._all.pop(id, None)
        if waiting is not None:
            self._bytes -= len(waiting.begun)
            self.spooled -= waiting.spooled
        return waiting

    def again(self, id: str) -> Waiting | None:
        """It was not taken now, and may be later."""
        waiting = self._all.get(id)
        if waiting is not None and id not in self._unsent:
            waiting.sends -= 1
            self._unsent.append(id)
        return waiting

    def question(self, id: str) -> Question | None:
        waiting = self._all.get(id)
        return waiting.question if waiting is not None else None

    def lost(self) -> list[Waiting]:
        """The connection ended: all are to be sent again, but those (returned) that went out too often."""
        given_up = [each for each in self if each.sends >= MOST_SENDS]
        for each in given_up:
            self.remove(each.id)
        self._unsent = deque(self._all)
        return given_up
