"""New files: watchdog tells of directories whose entries changed. A hint, never the truth."""

from __future__ import annotations

import asyncio
import glob
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

MAX_OBSERVED = 64
"""Directories given to watchdog, which spends a thread on each. Those beyond are seen by `renew` alone."""

POLL_S = 3.0
RETRY_S = 60.0
"""How long to poll before inotify is tried again."""

ENTRIES: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]
CONTENTS: list[type[FileSystemEvent]] = [*ENTRIES, FileClosedEvent]
POLLED_CONTENTS: list[type[FileSystemEvent]] = [*ENTRIES, FileModifiedEvent]

log = structlog.get_logger("logmedic.sources")

Callback = Callable[[], None]
Look = tuple[int, int, int]


class Discovery(Protocol):
    """Calls back, on the loop that `watch` was called on, after something in a directory changed."""

    @property
    def problem(self) -> str:
        """Why directories are only polled; empty when they need not be."""

    def watch(self, directory: str, callback: Callback, *, contents: bool = False) -> None:
        """Call back when an entry of `directory` appears, goes or is renamed; with `contents` also when a file in it
        was written and closed. The directory need not exist yet. Never raises; safe to repeat."""

    def forget(self, directory: str, callback: Callback) -> None: ...

    def renew(self) -> None:
        """Look at every directory itself, for what watchdog does not tell (F10), and call back for changes."""


@dataclass(slots=True)
class _Watched:
    """`observed` is None where watchdog does not see it. `seen` is device, inode and mtime of the last look."""

    contents: bool
    callbacks: list[Callback] = field(default_factory=list)
    observed: ObservedWatch | None = None
    seen: Look | None = None


class _Handler(FileSystemEventHandler):
    """Carries events from watchdog's thread to the loop."""

    def __init__(self, tell: Callable[[str], None], directory: str, loop: asyncio.AbstractEventLoop) -> None:
        self._tell = tell
        self._directory = directory
        self._loop = loop

    def on_any_event(self, event: FileSystemEvent) -> None:
        try:
            self._loop.call_soon_threadsafe(self._tell, self._directory)
        except RuntimeError:  # the loop is closed: nobody is left to be told
            return


class WatchdogDiscovery:
    """One observer for everybody. Made anywhere, used on one running loop, closed by whoever made it."""

    def __init__(self, *, observer: Callable[[], BaseObserver] = Observer, retry_s: float = RETRY_S) -> None:
        self._make_native = observer
        self._observer: BaseObserver | None = None
        self._watched: dict[str, _Watched] = {}
        self._problem = ""
        self._retry_s = retry_s
        self._retry_at = 0.0
        """Loop time before which inotify is not tried again."""

    @property
    def problem(self) -> str:
        return self._problem

    def watch(self, directory: str, callback: Callback, *, contents: bool = False) -> None:
        watched = self._watched.get(directory)
        if watched is None:
            watched = self._watched[directory] = _Watched(contents, seen=_look(directory))
            self._observe(directory, watched)
        elif contents and not watched.contents:
            self._unobserve(watched)
            watched.contents = True
            self._observe(directory, watched)
        if callback not in watched.callbacks:
            watched.callbacks.append(callback)

    def forget(self, directory: str, callback: Callback) -> None:
        watched = self._watched.get(directory)
        if watched is None or callback not in watched.callbacks:
            return
        watched.callbacks.remove(callback)
        if not watched.callbacks:
            self._unobserve(watched)
            del self._watched[directory]

    def renew(self) -> None:
        for directory, watched in tuple(self._watched.items()):
            before, watched.seen = watched.seen, _look(directory)
            if watched.seen is None or before is None or watched.seen[:2] != before[:2] or watched.observed is None:
                self._unobserve(watched)
                if watched.seen is not None:
                    self._observe(directory, watched)
            if watched.seen != before:
                self._tell(directory)
        if self._problem and asyncio.get_running_loop().time() >= self._retry_at:
            self._try_again()

    async def close(self) -> None:
        observer, self._observer = self._observer, None
        self._watched.clear()
        if observer is not None:
            observer.stop()
            await asyncio.to_thread(observer.join)

    def _tell(self, directory: str) -> None:
        watched = self._watched.get(directory)
        for callback in tuple(watched.callbacks) if watched else ():
            callback()

    def _observe(self, directory: str, watched: _Watched) -> None:
        if watched.seen is None or self._observed_count() >= MAX_OBSERVED:
            return
        try:
            watched.observed = self._schedule(directory, watched.contents)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            watched.observed = None
        except OSError as error:
            self._fall_back(error)

    def _schedule(self, directory: str, contents: bool) -> ObservedWatch:
        if self._observer is None:
            self._observer = _started(_polling_observer if self._problem else self._make_native)
        return self._scheduled(self._observer, directory, contents=contents, polled=bool(self._problem))

    def _scheduled(self, observer: BaseObserver, directory: str, *, contents: bool, polled: bool) -> ObservedWatch:
        handler = _Handler(self._tell, directory, asyncio.get_running_loop())
        wanted = (POLLED_CONTENTS if polled else CONTENTS) if contents else ENTRIES
        return observer.schedule(handler, directory, event_filter=wanted)

    def _fall_back(self, error: OSError) -> None:
        """No inotify for watchdog: watch everything again by polling; when even that fails, `renew` is what is left."""
        if self._problem:
            return
        self._problem = f"watchdog cannot use inotify ({error.strerror}): new files are found by polling"
        log.warning("discovery_degraded", error=str(error))
        if self._observer is not None:
            self._observer.stop()
        self._observer = None
        self._retry_at = asyncio.get_running_loop().time() + self._retry_s
        for directory, watched in self._watched.items():
            watched.observed = None
            self._observe(directory, watched)

    def _try_again(self) -> None:
        """Back to inotify when it can watch all of it; till then nothing changes."""
        self._retry_at = asyncio.get_running_loop().time() + self._retry_s
        directories = [directory for directory, watched in self._watched.items() if watched.seen is not None]
        native: BaseObserver | None = None
        try:
            native = _started(self._make_native)
            observed = {
                each: self._scheduled(native, each, contents=self._watched[each].contents, polled=False)
                for each in directories[:MAX_OBSERVED]
            }
        except OSError:
            if native is not None:
                native.stop()
            return
        polling, self._observer = self._observer, native
        for directory, watched in self._watched.items():
            watched.observed = observed.get(directory)
        self._problem = ""
        log.info("discovery_recovered")
        if polling is not None:
            polling.stop()

    def _unobserve(self, watched: _Watched) -> None:
        observed, watched.observed = watched.observed, None
        if observed is not None and self._observer is not None:
            self._observer.unschedule(observed)

    def _observed_count(self) -> int:
        return sum(watched.observed is not None for watched in self._watched.values())


def _started(make: Callable[[], BaseObserver]) -> BaseObserver:
    observer = make()
    observer.daemon = True
    observer.start()
    return observer


def _polling_observer() -> BaseObserver:
    return PollingObserver(timeout=POLL_S)


def _look(directory: str) -> Look | None:
    try:
        status = os.stat(directory)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns


def parents_of(patterns: Iterable[str]) -> set[str]:
    """The directories whose entries decide what the globs find, as they are now; at most a few for usual globs."""
    found: set[str] = set()
    for pattern in patterns:
        head = os.path.dirname(os.path.abspath(pattern))
        while glob.has_magic(head):
            found.update(each for each in glob.iglob(head, recursive=True) if os.path.isdir(each))
            head = os.path.dirname(head)
        found.add(head)
    return found
