"""A source of files: the set of followers of its globs, read in turn so that no file starves another."""

from __future__ import annotations

import asyncio
import glob
import math
import os
import resource
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from typing import Any, NamedTuple

from logmedic.adapters.sources.discovery import Discovery, parents_of
from logmedic.adapters.sources.follower import Follower
from logmedic.adapters.sources.packed import is_packed
from logmedic.adapters.sources.patience import Limits, Start
from logmedic.adapters.sources.rotated import rotated_base, siblings_of
from logmedic.adapters.sources.wake import Bell, Wake
from logmedic.model.record import OVER, Block, Checkpoint
from logmedic.ports import Clock

LOOKED_AT_ONCE = 256
"""Files compared with their path at one reconciling look; with more of them each has its turn, to stay idle (F14)."""

EXPAND_EVERY = 20
"""Every so many looks the globs are expanded again even if nobody told of a change."""

RETIRED = 4096
"""Files read to their end whose identity is remembered, in case another glob finds them under another name."""

POLL_S = 0.25
BREATHE_EVERY = 16
"""Steps after which the loop's other tasks get their turn, also when no read had to wait."""
NOT_THERE = "not there yet"


class _Expanded(NamedTuple):
    """What the globs find, the directories that decide it, and how long it took to look."""

    found: list[str]
    parents: set[str]
    took_s: float


class FileSource:
    """Follows what the globs find; see ports.Source. `once`: reads each file to its present end and ends. Files that a
    glob finds at its first start begin at their end, with `from_start` or `once` at 0; those that appear later, also
    while nothing runs, begin at 0. `optional`: files that are not there are no trouble. `wake` and `discovery` are
    shared and not closed here. `max_open`: descriptors held at once (default: half of the process's limit); the least
    recently read are closed and opened again when they change."""

    def __init__(
        self,
        name: str,
        globs: Sequence[str],
        *,
        clock: Clock,
        wake: Wake,
        discovery: Discovery,
        from_start: bool = False,
        once: bool = False,
        optional: bool = False,
        max_line: int = 1024 * 1024,
        rotate_grace_s: float = 2.0,
        reconcile_s: float = 3.0,
        partial_timeout_s: float = 5.0,
        max_open: int | None = None,
    ) -> None:
        self._name = name
        self._globs = tuple(os.path.abspath(pattern) for pattern in globs)
        self._clock = clock
        self._wake = wake
        self._discovery = discovery
        self._start = Start.BEGINNING if from_start or once else Start.END
        self._once = once
        self._optional = optional
        self._limits = Limits(max_line, rotate_grace_s, partial_timeout_s)
        self._reconcile_s = reconcile_s
        self._max_open = max_open or max(16, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._followers: dict[str, Follower] = {}
        self._reset()

    def _reset(self) -> None:
        self._bell = Bell()
        self._unmarked: list[str] = []
        self._first: list[str] = []
        self._gone: list[str] = []
        self._expand_wanted = False
        self._expansion: asyncio.Task[_Expanded] | None = None
        self._next_expansion = 0.0
        self._claims: dict[tuple[int, int], str] = {}
        self._ready: OrderedDict[str, None] = OrderedDict()
        self._open: OrderedDict[str, None] = OrderedDict()
        self._due: dict[str, float] = {}
        self._next_due = math.inf
        self._directories: set[str] = set()
        self._retired: OrderedDict[tuple[int, int], Checkpoint] = OrderedDict()
        self._turn: list[str] = []
        self._looks = 0
        self._next_look = 0.0

    @property
    def name(self) -> str:
        return self._name

    def health(self) -> list[dict[str, Any]]:
        rows = [follower.row() for follower in self._followers.values()]
        degraded = self._wake.problem or self._discovery.problem
        for row in rows:
            row["problem"] = row["problem"] or degraded
        if self._optional:
            return rows
        return rows + [self._absent(pattern) for pattern in self._globs if self._is_absent(pattern)]

    def lags(self) -> Iterator[tuple[str, int, str]]:
        """As ports.ManyOrigins."""
        degraded = self._wake.problem or self._discovery.problem
        for follower in tuple(self._followers.values()):
            yield follower.origin, follower.lag_bytes(), follower.trouble.problem or degraded
        if not self._optional:
            yield from ((pattern, 0, NOT_THERE) for pattern in self._globs if self._is_absent(pattern))

    def _is_absent(self, pattern: str) -> bool:
        return not glob.has_magic(pattern) and pattern not in self._followers and not os.path.lexists(pattern)

    def _absent(self, pattern: str) -> dict[str, Any]:
        nothing = {"offset": 0, "size": 0, "lag_bytes": 0, "last_read_at": None}
        return {"origin": pattern, **nothing, "problem": NOT_THERE}

    async def blocks(self, checkpoints: Mapping[str, Checkpoint]) -> AsyncGenerator[Block, None]:
        self._reset()
        self._followers.clear()
        try:
            self._begin(checkpoints)
            steps = 0
            while True:
                self._listen(_now())
                follower = self._next_ready()
                if follower is None:
                    if self._once:
                        return
                    for mark in (*self._marks_of_patterns(), *self._marks_of_gone()):
                        yield mark
                    await self._bell.wait(self._patience(_now()))
                    continue
                block = await follower.step(_now(), self._clock.now())
                self._after_step(follower)
                if block is not None:
                    yield block
                steps += 1
                if steps % BREATHE_EVERY == 0:
                    await asyncio.sleep(0)
        finally:
            self._close()

    # -- finding files ---------------------------------------------------------------------------------------------

    def _begin(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Files with a checkpoint first, so that of two names of one file the known one is followed."""
        for origin, mark in checkpoints.items():
            if self._is_mine(mark):
                self._follow(origin, mark=mark)
        known = [pattern for pattern in self._globs if _mark_of(pattern) in checkpoints]
        self._unmarked = [pattern for pattern in self._globs if pattern not in known]
        later = self._found(known)  # what is new of these appeared while nobody was there to meet it
        rotated = {path: siblings_of(path).paths for path in later if path not in self._followers}
        self._adopt_all(later, Start.BEGINNING, rotated)
        found = self._found(self._unmarked)
        history = _history(found) if self._start is Start.BEGINNING else {}
        self._adopt_all(found, self._start, history)
        self._first = list(self._followers)
        self._next_look = _now() + self._reconcile_s
        if not self._once:
            self._watch_directories(parents_of(self._globs))

    def _is_mine(self, mark: Checkpoint) -> bool:
        return mark.source == self._name and any(fnmatch(mark.origin, pattern) for pattern in self._globs)

    def _marks_of_patterns(self) -> Iterator[Block]:
        """Once the positions of all that a pattern found first are told: what it finds later, also at a later start, is
        new, and read from its beginning. One that could not be opened yet has no position."""
        if not self._unmarked:
            return
        self._first = [path for path in self._first if path in self._followers and self._followers[path].announce]
        if self._first:
            return
        unmarked, self._unmarked = self._unmarked, []
        for pattern in unmarked:
            yield self._mark(_mark_of(pattern), 0)

    def _marks_of_gone(self) -> Iterator[Block]:
        """Positions in what is gone for good are forgotten (I6), unless it came back."""
        gone, self._gone = self._gone, []
        for path in gone:
            if path not in self._followers:
                yield self._mark(path, OVER)

    def _mark(self, origin: str, offset: int) -> Block:
        now = self._clock.now()
        return Block(self._name, origin, b"", 0, Checkpoint(origin, self._name, offset, now), now)

    def _found(self, globs: Sequence[str]) -> list[str]:
        """What the globs find. A directory that a pattern happens to match is passed over; one that is named is not:
        it is trouble to be told."""
        paths: dict[str, None] = {}
        for pattern in globs:
            named = not glob.has_magic(pattern)
            for path in sorted(glob.iglob(pattern, recursive=True)):
                if named or not (os.path.isdir(path) or is_packed(path)):
                    paths[path] = None
        return list(paths)

    def _expand(self) -> None:
        """In a thread: with 10,000 files it takes long enough to be noticed. At most one part in ten of the time goes
        into it, whatever the writers do to the directory."""
        self._expand_wanted = False
        self._expansion = asyncio.create_task(asyncio.to_thread(self._expanded))
        self._expansion.add_done_callback(lambda _: self._bell.nudge())

    def _expanded(self) -> _Expanded:
        begun = time.monotonic()
        return _Expanded(self._found(self._globs), parents_of(self._globs), time.monotonic() - begun)

    def _take_expansion(self, expanded: _Expanded) -> None:
        self._expansion = None
        self._adopt_all(expanded.found, Start.BEGINNING, {})
        self._watch_directories(expanded.parents)
        self._next_expansion = _now() + max(0.02, 10 * expanded.took_s)

    def _adopt_all(self, found: Sequence[str], start: Start, history: Mapping[str, Sequence[str]]) -> None:
        """Follow what is not followed yet, under this name or another (F26). An older generation of a log that is
        followed itself is read by that one's follower."""
        unopened = {key: path for key, path in self._claims.items() if not self._keys_of(path)}
        self._claims = {key: path for path in self._followers for key in self._keys_of(path)}
        self._claims.update((key, path) for key, path in unopened.items() if path in self._followers)
        logs = {*found, *self._followers}
        for path in found:
            if path in self._followers or _base_of(path) in logs:
                continue
            key = _key(path)
            if key is None or key in self._claims:
                continue
            self._claims[key] = path
            self._follow(path, mark=self._retired.get(key), start=start, history=history.get(path, ()))

    def _keys_of(self, path: str) -> list[tuple[int, int]]:
        follower = self._followers.get(path)
        return follower.keys() if follower else []

    def _follow(
        self,
        path: str,
        *,
        mark: Checkpoint | None = None,
        start: Start = Start.BEGINNING,
        history: Sequence[str] = (),
    ) -> None:
        self._followers[path] = Follower(
            path, self._name, self._limits, mark=mark, start=start, once=self._once, history=history
        )
        if not self._once:
            self._wake.watch(path, self._bell)
        self._ready[path] = None

    def _watch_directories(self, wanted: set[str]) -> None:
        for directory in wanted - self._directories:
            self._discovery.watch(directory, self._discovered)
        for directory in self._directories - wanted:
            self._discovery.forget(directory, self._discovered)
        self._directories = wanted

    def _discovered(self) -> None:
        self._expand_wanted = True
        self._bell.nudge()

    # -- listening -------------------------------------------------------------------------------------------------

    def _listen(self, at: float) -> None:
        """Take in what happened, without waiting."""
        if self._once:
            return
        if self._bell.rung:
            self._take_rings(at)
        if at >= self._next_due:
            self._take_due(at)
        if at >= self._next_look:
            self._reconcile(at)
        if self._expansion is not None and self._expansion.done():
            self._take_expansion(self._expansion.result())
        if self._expand_wanted and self._expansion is None and at >= self._next_expansion:
            self._expand()

    def _take_rings(self, at: float) -> None:
        rung = self._bell.take()
        if rung.everything:
            self._expand_wanted = True
            self._look_at(list(self._followers), at)
        self._look_at(rung.changed, at)
        for path in rung.written:
            if path in self._followers:
                self._ready[path] = None

    def _take_due(self, at: float) -> None:
        for path in [path for path, due in self._due.items() if due <= at]:
            del self._due[path]
            self._ready[path] = None
        self._next_due = min(self._due.values(), default=math.inf)

    def _reconcile(self, at: float) -> None:
        """What no event told. Without events to rely on, every file is looked at, and more often."""
        self._wake.renew()
        self._discovery.renew()
        polling = bool(self._wake.problem)
        if not self._turn:
            self._turn = list(self._followers)
        count = len(self._turn) if polling else LOOKED_AT_ONCE
        turn, self._turn = self._turn[:count], self._turn[count:]
        self._look_at(turn, at)
        self._looks += 1
        self._expand_wanted = self._expand_wanted or self._looks % EXPAND_EVERY == 0
        poll_s = min(self._reconcile_s, max(POLL_S, len(self._followers) / 2000))
        self._next_look = at + (poll_s if polling else self._reconcile_s)

    def _look_at(self, paths: Iterable[str], at: float) -> None:
        for path in paths:
            follower = self._followers.get(path)
            if follower is None:
                continue
            before = follower.seen
            if follower.look(at):
                self._ready[path] = None
            elif self._is_over(follower):
                self._drop(path)
            if (before or ())[:2] != (follower.seen or ())[:2]:
                self._wake.watch(path, self._bell)

    def _patience(self, at: float) -> float:
        moments = [self._next_look, self._next_due]
        if self._expand_wanted and self._expansion is None:
            moments.append(self._next_expansion)
        return max(0.0, min(moments) - at)

    # -- reading in turn -------------------------------------------------------------------------------------------

    def _next_ready(self) -> Follower | None:
        while self._ready:
            path, _ = self._ready.popitem(last=False)
            follower = self._followers.get(path)
            if follower is not None:
                return follower
        return None

    def _after_step(self, follower: Follower) -> None:
        path = follower.origin
        self._due.pop(path, None)
        if follower.more:
            self._ready[path] = None
        elif follower.due_at is not None:
            self._due[path] = follower.due_at
            self._next_due = min(self._next_due, follower.due_at)
        if follower.retired:
            self._remember(follower)
        self._keep_to_budget(follower)
        if self._is_over(follower):
            self._drop(path)

    def _remember(self, follower: Follower) -> None:
        for mark in follower.retired:
            self._retired[mark.device, mark.inode] = mark
        follower.retired.clear()
        while len(self._retired) > RETIRED:
            self._retired.popitem(last=False)
        self._expand_wanted = True

    def _keep_to_budget(self, follower: Follower) -> None:
        """Close what was read longest ago (F25)."""
        self._open.pop(follower.origin, None)
        if follower.queue:
            self._open[follower.origin] = None
        if len(self._open) <= self._max_open:
            return
        for path in self._open:
            oldest = self._followers.get(path)
            if oldest is None or oldest.drained:
                del self._open[path]
                if oldest is not None:
                    oldest.park()
                return

    def _is_over(self, follower: Follower) -> bool:
        """Gone, read to its end, and found by a pattern: were it named, people would want to see that it is gone."""
        return follower.abandoned and follower.origin not in self._globs

    def _drop(self, path: str) -> None:
        follower = self._followers.pop(path)
        follower.close()
        self._gone.append(path)
        self._wake.forget(path, self._bell)
        self._due.pop(path, None)
        self._open.pop(path, None)

    def _close(self) -> None:
        if self._expansion is not None:
            self._expansion.cancel()
        for path, follower in self._followers.items():
            follower.park()
            self._wake.forget(path, self._bell)
        for directory in self._directories:
            self._discovery.forget(directory, self._discovered)
        self._directories = set()


def _mark_of(pattern: str) -> str:
    """The origin under which it is remembered that a pattern has found its first files; no path begins so."""
    return f"glob:{pattern}"


def _now() -> float:
    """Loop time: waiting is not measured on a clock that people set (F33)."""
    return asyncio.get_running_loop().time()


def _key(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:  # a dangling link, or gone again
        return None
    return status.st_dev, status.st_ino


def _base_of(path: str) -> str:
    directory, name = os.path.split(path)
    base = rotated_base(name)
    return os.path.join(directory, base) if base else ""


def _history(found: Sequence[str]) -> dict[str, list[str]]:
    """For each log, those of its older generations that the globs find as well, oldest first."""
    bases = {_base_of(path) for path in found} & set(found)
    return {base: [path for path in siblings_of(base).paths if path in set(found)] for base in bases}
