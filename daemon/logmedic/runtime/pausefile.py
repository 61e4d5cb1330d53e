"""The kill switch as a file: while it is there, no fix starts. It needs no daemon that answers, and no login but one
that can make a file."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog

from logmedic.model.changeset import Input, PauseFixes, ResumeFixes
from logmedic.model.trust import PauseOrigin

log = structlog.get_logger("logmedic.pause")

LOOK_EVERY_S = 1.0
FIRST_LOOK_S = 2.0
"""A start waits no longer, whatever a file system does."""
MAX_BYTES = 4096
LONGEST_WHY = 200


class Unknown(Exception):
    """Nobody can say whether the file is there."""


class PauseWatch:
    """`tell`: waits until it is taken. `look`: as `reason_in`. What cannot be looked at changes nothing: fixes stay
    paused, or not, as they were, also as of the last run."""

    def __init__(
        self,
        path: Path,
        tell: Callable[[Input], Awaitable[None]],
        look: Callable[[Path], str | None] | None = None,
    ) -> None:
        self._path = path
        self._tell = tell
        self._look = reason_in if look is None else look
        self._known: str | Unknown | None = Unknown("not looked at yet")
        """The reason that was told last; None: that the file is not there."""
        self._problem = ""

    async def first_look(self) -> list[PauseFixes | ResumeFixes]:
        """For who starts the engine."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_S):
                return await self._news()
        return []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        for each in await self._news():
            await self._tell(each)

    async def _news(self) -> list[PauseFixes | ResumeFixes]:
        try:
            found = await asyncio.to_thread(self._look, self._path)
        except Unknown as unknown:
            self._cannot_say(str(unknown))
            return []
        self._problem = ""
        if found == self._known:
            return []
        known, self._known = self._known, found
        if found is not None:
            log.info("fixes_paused", by=self._by, why=found)
            return [PauseFixes(PauseOrigin.FILE, self._by, found)]
        if not isinstance(known, Unknown):
            log.info("fixes_resumed", by=self._by)
        return [ResumeFixes(PauseOrigin.FILE, self._by)]

    def _cannot_say(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("pause_file_unreadable", file=str(self._path), problem=problem)
        self._problem = problem

    @property
    def _by(self) -> str:
        return f"file {self._path}"


def reason_in(path: Path) -> str | None:
    """The first line of the file, printable and cut; empty for one that has none or cannot be read: its name alone
    pauses. None: it is not there. Raises Unknown."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unknown(error.strerror or str(error)) from None
    return _first_line(path) if stat.S_ISREG(found.st_mode) else ""


def _first_line(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            content = os.read(descriptor, MAX_BYTES)
        finally:
            os.close(descriptor)
    except OSError:
        return ""
    line = content.decode("utf-8", "replace").partition("\n")[0]
    return "".join(each for each in line if each.isprintable()).strip()[:LONGEST_WHY]
