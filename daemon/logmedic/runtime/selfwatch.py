"""Watches the daemon's own parts. Says it to the engine, which tells people, once, and of the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing, Input
from logmedic.model.notice import Notice
from logmedic.runtime.symptoms import Look, Symptom

log = structlog.get_logger("logmedic.selfwatch")

LOOK_EVERY_S = 5.0
CALM_S = 60.0
"""How long it must be well before that is told. Each time that it comes back, twice as long: what comes and goes for
hours is one piece of news, not a hundred."""
CALM_MAX_S = 3600.0
FORGET_S = 24 * 3600.0
"""After so long in good health it is as new."""
_PREFIX = "daemon:"


@dataclass(slots=True)
class _Course:
    """How one part does, in seconds of the loop. `event`: of what it was told of last."""

    event: AlertEvent
    sick_since: float | None = None
    well_since: float | None = None
    told: bool = False
    relapses: int = 0

    def calm_s(self) -> float:
        return float(min(CALM_MAX_S, CALM_S * 2 ** min(self.relapses, 16)))


class SelfWatch:
    """`tell`: waits until it is committed. `looks` are made on the loop, `slow_looks` in a thread: they may wait for a
    disk. `open_notices`: by subject, as the engine knows them: what was told before the start, and is over by now, is
    ended as well. `notices`: what happened to the store, all of it since the start, the oldest first; `of_notices`
    tells of those that are new. Time is the loop's."""

    def __init__(
        self,
        *,
        looks: Sequence[Look] = (),
        slow_looks: Sequence[Look] = (),
        tell: Callable[[Input], Awaitable[None]],
        open_notices: Callable[[], Mapping[str, Notice]],
        notices: Callable[[], Sequence[str]],
        of_notices: Callable[[Sequence[str]], Ailing],
    ) -> None:
        self._looks = tuple(looks)
        self._slow_looks = tuple(slow_looks)
        self._tell = tell
        self._open_notices = open_notices
        self._notices = notices
        self._of_notices = of_notices
        self._told = 0
        self._courses: dict[str, _Course] = {}

    async def run(self) -> None:
        """Until cancelled."""
        self._remember()
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def _remember(self) -> None:
        for subject, notice in self._open_notices().items():
            if subject.startswith(_PREFIX) and not notice.over and notice.lasting:
                part = subject.removeprefix(_PREFIX)
                self._courses.setdefault(part, _Course(notice.event, told=True))

    async def look(self) -> None:
        if new := self._notices()[self._told :]:
            await self._tell(self._of_notices(new))
            self._told += len(new)
        symptoms = [*_all_of(self._looks), *await asyncio.to_thread(_all_of, self._slow_looks)]
        found = {each.ailing.part: each for each in symptoms}
        now = asyncio.get_running_loop().time()
        for symptom in found.values():
            await self._sick(symptom, now)
        for part in [part for part in self._courses if part not in found]:
            await self._well(part, now)

    async def _sick(self, symptom: Symptom, now: float) -> None:
        ailing = symptom.ailing
        course = self._courses.setdefault(ailing.part, _Course(ailing.event))
        course.well_since = None
        course.sick_since = now if course.sick_since is None else course.sick_since
        if not course.told and now - course.sick_since >= symptom.patience_s:
            log.error("ailing", part=ailing.part, what=ailing.what)
            await self._tell(ailing)
            course.told, course.event = True, ailing.event

    async def _well(self, part: str, now: float) -> None:
        course = self._courses[part]
        course.sick_since = None
        course.well_since = now if course.well_since is None else course.well_since
        if course.told and now - course.well_since >= course.calm_s():
            log.info("well_again", part=part)
            await self._tell(Ailing(part, course.event))
            course.told, course.relapses = False, course.relapses + 1
        elif not course.told and now - course.well_since >= FORGET_S:
            del self._courses[part]


def _all_of(looks: Iterable[Look]) -> list[Symptom]:
    return [each for look in looks for each in look()]
