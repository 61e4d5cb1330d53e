"""What one listener of the live events is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from logmedic.model.live import LiveEvent, Topic


@dataclass(frozen=True, slots=True)
class Began:
    """The first frame: what follows comes after the event with the id `last`. `reset`: what the listener had last is
    not known here, so that it may have missed something; it looks at everything again."""

    last: str
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Entries:
    """At least one, in the order of their ids; each is told once."""

    events: tuple[LiveEvent, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """What is worth asking for again."""

    topics: frozenset[Topic]


@dataclass(frozen=True, slots=True)
class Alive:
    """All up to the event with the id `last` was told."""

    at: datetime
    last: str


@dataclass(frozen=True, slots=True)
class Lagged:
    """The last frame of a listener that did not read: it may begin again behind what it had last."""


Frame = Began | Entries | Changed | Alive | Lagged
