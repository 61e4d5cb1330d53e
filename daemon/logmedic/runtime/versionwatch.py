"""Notices which version of a program runs, where a file names it."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from logmedic.core.versions import MAX_LENGTH
from logmedic.model.changeset import Input, VersionSeen

log = structlog.get_logger("logmedic.versions")

LOOK_EVERY_S = 3.0
"""A deployment often swaps a link far above the file, which no watch of its directory tells: so it is looked at."""
MAX_BYTES = 4096
FIRST_LOOK_S = 2.0
"""A start waits no longer, whatever a file system does."""


class Unreadable(Exception):
    """Why a file names no version."""


class VersionWatch:
    """`tell`: waits until it is taken. `files`: by source."""

    def __init__(self, files: Mapping[str, Path], tell: Callable[[Input], Awaitable[None]]) -> None:
        self._files = dict(files)
        self._tell = tell
        self._versions: dict[str, str] = {}
        self._problems: dict[str, str] = {}

    async def first_look(self) -> None:
        """For who begins to read behind it: what the first lines say is of that version."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_S):
                await self.look()

    async def run(self) -> None:
        """Until cancelled; ends at once where there is no file to look at."""
        while self._files:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        for source, path in self._files.items():
            try:
                version, problem = await asyncio.to_thread(version_in, path), ""
            except Unreadable as why:
                version, problem = "", str(why)
            if problem and problem != self._problems.get(source):
                log.warning("version_unreadable", source=source, file=str(path), problem=problem)
            self._problems[source] = problem
            if version and version != self._versions.get(source):
                await self._tell(VersionSeen(source, version))
                self._versions[source] = version


def version_in(path: Path) -> str:
    """What stands in the first line of its first 4 KiB, printable and cut. Raises Unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO must hold nobody up
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable("it is no regular file")
            content = os.read(descriptor, MAX_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    line = content.decode("utf-8", "replace").partition("\n")[0]
    version = "".join(each for each in line if each.isprintable()).strip()[:MAX_LENGTH]
    if not version:
        raise Unreadable("its first line is empty")
    return version
