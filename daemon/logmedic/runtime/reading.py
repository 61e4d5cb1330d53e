"""Which sources are read: some as long as the daemon runs, others as long as a rule file brings them along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import structlog

from logmedic.runtime.intake import Intake
from logmedic.runtime.supervisor import Supervisor

log = structlog.get_logger("logmedic.reading")

S = TypeVar("S")
"""What is asked for: two that are equal are the same source."""


class Reading(Generic[S]):
    """The only one that starts and stops intakes. `intakes`: those that are read, in the order of their start."""

    def __init__(self, *, make: Callable[[str, S], Intake], supervisor: Supervisor) -> None:
        self._make = make
        self._supervisor = supervisor
        self._wanted: dict[str, S] = {}
        self.intakes: list[Intake] = []

    def begin(self, intake: Intake) -> asyncio.Task[None]:
        """Read it, until it ends or the daemon does."""
        self.intakes.append(intake)
        return self._supervisor.keep(part_of(intake.name), intake.run)

    async def follow(self, wanted: Mapping[str, S]) -> list[asyncio.Task[None]]:
        """Read these and no others of those that were followed before. Where one is asked for differently it is
        stopped, and begun again behind what is stored. Answers the tasks of what was begun."""
        gone = [name for name, spec in self._wanted.items() if wanted.get(name) != spec]
        await self._supervisor.drop(*map(part_of, gone))
        self.intakes = [each for each in self.intakes if each.name not in gone]
        new = [name for name in wanted if name not in self._wanted or name in gone]
        self._wanted = dict(wanted)
        if gone or new:
            log.info("sources_changed", begun=sorted(new), stopped=sorted(set(gone) - set(new)))
        return [self.begin(self._make(name, wanted[name])) for name in new]


def part_of(source: str) -> str:
    """The supervisor's name of what reads it."""
    return f"source {source}"
