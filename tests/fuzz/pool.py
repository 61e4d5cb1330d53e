"""Which known input the next one is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

MOST = 2000
MOST_BYTES = 16 * 1024 * 1024


class Pool:
    """The inputs that reached something new, and those that the run began with. Bounded: the oldest of what was found
    go first. Half of the choices fall on the last tenth, since what is near a new line is often new too."""

    def __init__(self, chance: Random, known: Iterable[bytes]) -> None:
        self._chance = chance
        self._known = list(known) or [b""]
        self._begun = len(self._known)
        self._size = sum(map(len, self._known))

    def __len__(self) -> int:
        return len(self._known)

    def add(self, found: bytes) -> None:
        self._known.append(found)
        self._size += len(found)
        while len(self._known) > self._begun + 1 and (len(self._known) > MOST or self._size > MOST_BYTES):
            self._size -= len(self._known.pop(self._begun))

    def pick(self) -> bytes:
        recent = self._chance.random() < 0.5
        return self._chance.choice(self._known[-max(1, len(self._known) // 10) :] if recent else self._known)

    def any(self) -> bytes:
        return self._chance.choice(self._known)
