"""Who is told, and how soon, that a followed file was written to: one inotify descriptor for the whole daemon."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import structlog
from inotify_simple import Event, INotify, flags  # type: ignore[import-untyped]

# As plain numbers: at 10,000 lines a second a flag's own arithmetic shows.
WRITTEN = int(flags.MODIFY)
CHANGED = int(flags.CREATE | flags.MOVED_TO | flags.MOVED_FROM | flags.DELETE | flags.ATTRIB)
GONE = int(flags.DELETE_SELF | flags.MOVE_SELF | flags.UNMOUNT)
OVERFLOW, IGNORED = int(flags.Q_OVERFLOW), int(flags.IGNORED)
MASK = WRITTEN | CHANGED | int(flags.DELETE_SELF | flags.MOVE_SELF | flags.ONLYDIR)

log = structlog.get_logger("logmedic.sources")


class Rung(NamedTuple):
    """What a bell was rung for: paths written to, paths whose directory entry changed, or anything at all."""

    written: frozenset[str]
    changed: frozenset[str]
    everything: bool


class Bell:
    """Rung on the loop's thread by a Wake or a Discovery; waited on by the one source that owns it. Ringing twice for
    one path before it is taken counts once, so it needs no bound but the number of followed paths."""

    __slots__ = ("_changed", "_everything", "_rung", "_written")

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._written: set[str] = set()
        self._changed: set[str] = set()
        self._everything = False

    def written(self, path: str) -> None:
        self._written.add(path)
        self._rung.set()

    def changed(self, path: str) -> None:
        self._changed.add(path)
        self._rung.set()

    def everything(self) -> None:
        self._everything = True
        self._rung.set()

    def nudge(self) -> None:
        """Wake the owner, who knows why."""
        self._rung.set()

    async def wait(self, timeout_s: float) -> None:
        """Until it is rung, or for `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return

    def take(self) -> Rung:
        rung = Rung(frozenset(self._written), frozenset(self._changed), self._everything)
        self._written.clear()
        self._changed.clear()
        self._everything = False
        self._rung.clear()
        return rung

    @property
    def rung(self) -> bool:
        return self._rung.is_set()


class Wake(Protocol):
    """A hint, never the truth: what it misses, the reconciling look of the source finds."""

    @property
    def problem(self) -> str:
        """Why files have to be polled; empty when they need not."""

    def watch(self, path: str, bell: Bell) -> None:
        """Ring `bell` with `path` when it, or the file that it links to, changes. Never raises. Again after a
        rotation, for a link may point elsewhere by then."""

    def forget(self, path: str, bell: Bell) -> None: ...

    def renew(self) -> None:
        """Watch again what went and came back."""


@dataclass(slots=True)
class _Directory:
    """`names`: what is followed in it, each with the path to ring and the bell. `watch`: None while not watched."""

    path: str
    watch: int | None = None
    identity: tuple[int, int] | None = None
    names: dict[str, tuple[tuple[str, Bell], ...]] = field(default_factory=dict)

    def everyone(self) -> Iterator[tuple[str, Bell]]:
        for listeners in self.names.values():
            yield from listeners


def _identity(directory: str) -> tuple[int, int] | None:
    try:
        status = os.stat(directory)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _places(path: str) -> set[tuple[str, str]]:
    """(directory, name) of a path, and of what it links to: writes to a target elsewhere give no event here (F11)."""
    directory, name = os.path.split(os.path.abspath(path))
    return {(os.path.realpath(directory), name), os.path.split(os.path.realpath(path))}


class InotifyWake:
    """One descriptor and one watch a directory. Made anywhere, used on one running loop; closed by whoever made it.
    Without inotify, or without watches left, it says so in `problem`, and the sources poll (F13)."""

    def __init__(self, *, instance: Callable[[], INotify] = INotify) -> None:
        self.overflows = 0
        self._instance = instance
        self._inotify: INotify | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._directories: dict[str, _Directory] = {}
        self._by_watch: dict[int, list[_Directory]] = {}
        self._places: dict[tuple[str, Bell], set[tuple[str, str]]] = {}
        self._start_problem = ""
        self._watch_problems: dict[str, str] = {}

    @property
    def problem(self) -> str:
        return self._start_problem or next(iter(self._watch_problems.values()), "")

    def watch(self, path: str, bell: Bell) -> None:
        places = _places(path)
        known = self._places.get((path, bell))
        if known == places:
            return
        if known:
            self.forget(path, bell)
        self._places[path, bell] = places
        for directory_path, name in places:
            directory = self._directories.get(directory_path)
            if directory is None:
                directory = self._directories[directory_path] = _Directory(directory_path)
                self._attach(directory)
            directory.names[name] = (*directory.names.get(name, ()), (path, bell))

    def forget(self, path: str, bell: Bell) -> None:
        for directory_path, name in self._places.pop((path, bell), ()):
            directory = self._directories[directory_path]
            rest = tuple(each for each in directory.names[name] if each != (path, bell))
            if rest:
                directory.names[name] = rest
                continue
            del directory.names[name]
            if not directory.names:
                self._detach(directory)
                self._watch_problems.pop(directory_path, None)
                del self._directories[directory_path]

    def renew(self) -> None:
        for directory in self._directories.values():
            identity = _identity(directory.path)
            if directory.watch is not None and identity == directory.identity:
                continue
            self._detach(directory)
            if identity is not None and self._attach(directory):
                for path, bell in directory.everyone():
                    bell.changed(path)

    def close(self) -> None:
        if self._inotify is not None and self._loop is not None:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._inotify.fd)
            self._inotify.close()
        self._inotify = None
        self._directories.clear()
        self._by_watch.clear()
        self._places.clear()

    def _attach(self, directory: _Directory) -> bool:
        """Watch it. False when it cannot be watched; a directory that is not there yet is no problem of inotify's."""
        inotify = self._open()
        if inotify is None:
            return False
        try:
            watch = inotify.add_watch(directory.path, MASK)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return False
        except OSError as error:
            if directory.path not in self._watch_problems:
                log.warning("watching_failed", directory=directory.path, error=str(error))
            self._watch_problems[directory.path] = f"{directory.path} cannot be watched ({error.strerror}): polling"
            return False
        self._watch_problems.pop(directory.path, None)
        directory.watch, directory.identity = watch, _identity(directory.path)
        self._by_watch.setdefault(watch, []).append(directory)
        return True

    def _detach(self, directory: _Directory) -> None:
        watch, directory.watch, directory.identity = directory.watch, None, None
        if watch is None:
            return
        sharing = self._by_watch.get(watch, [])
        if directory in sharing:
            sharing.remove(directory)
        if not sharing and self._by_watch.pop(watch, None) is not None and self._inotify is not None:
            try:
                self._inotify.rm_watch(watch)
            except OSError:  # the directory was removed, and the kernel's watch with it
                return

    def _open(self) -> INotify | None:
        if self._inotify is None:
            try:
                self._inotify = self._instance()
            except OSError as error:
                if not self._start_problem:
                    log.warning("inotify_unavailable", error=str(error))
                self._start_problem = f"inotify is not to be had ({error.strerror}): polling"
                return None
            self._start_problem = ""
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._inotify.fd, self._readable)
        return self._inotify

    def _readable(self) -> None:
        if self._inotify is not None:
            for event in self._inotify.read(timeout=0):
                self._dispatch(event)

    def _dispatch(self, event: Event) -> None:
        if event.mask & OVERFLOW:
            self._overflowed()
            return
        directories = self._by_watch.get(event.wd, ())
        if event.mask & IGNORED:
            self._by_watch.pop(event.wd, None)
        for directory in tuple(directories):
            if event.mask & IGNORED:
                directory.watch = None
            elif event.mask & GONE:
                self._detach(directory)
                for path, bell in directory.everyone():
                    bell.changed(path)
            else:
                _ring(directory.names.get(event.name, ()), written=bool(event.mask & WRITTEN))

    def _overflowed(self) -> None:
        """Events were lost: everybody looks at everything (F12)."""
        self.overflows += 1
        log.warning("inotify_overflow", overflows=self.overflows)
        for bell in {bell for _, bell in self._places}:
            bell.everything()


def _ring(listeners: tuple[tuple[str, Bell], ...], *, written: bool) -> None:
    for path, bell in listeners:
        if written:
            bell.written(path)
        else:
            bell.changed(path)
