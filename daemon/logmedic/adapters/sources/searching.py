"""Logs of the past searched by several processes."""

from __future__ import annotations

import ctypes
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from multiprocessing import get_context
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from logmedic.adapters.sources.gathering import Bundle, R, Rows
from logmedic.adapters.sources.packed import is_packed
from logmedic.adapters.sources.past import PastLog
from logmedic.core.backtest import Kept, Log, kept
from logmedic.core.ordinary import Draw, drawn
from logmedic.model.record import Block, Findings

PART_BYTES = 16 * 1024 * 1024
"""Plain files that are larger are searched in parts."""
PULSE_S = 0.1
R_co = TypeVar("R_co", bound=tuple[Any, ...], covariant=True)


class Part(NamedTuple):
    """Bytes of a log, by its number. `end` None: to its end."""

    log: int
    begin: int
    end: int | None


@dataclass(slots=True)
class Found(Generic[R]):
    """What a part of a log gave."""

    log: Log
    bundle: Bundle[R]
    timeouts: Counter[str] = field(default_factory=Counter)
    captures_refused: int = 0
    quarantined: frozenset[str] = frozenset()
    ordinary: dict[int, str] = field(default_factory=dict)


class Finder(Protocol):
    """A matcher, or what stands in front of one."""

    @property
    def quarantined(self) -> Mapping[str, str]: ...

    def find(self, block: Block, draw: Draw | None = None) -> Findings: ...


class Keeper(Protocol[R_co]):
    """What is kept of one part of a log."""

    def taken(self, block: Block, findings: Findings, low: int, high: int) -> Sequence[R_co]:
        """The rows that are ready, of records that begin in [low, high) of the log. Those of one record together."""
        ...

    def rest(self) -> Sequence[R_co]:
        """What waits for the end of the part."""
        ...


class Keeping(Protocol[R_co]):
    """What is kept of logs, by the number of the log."""

    def of(self, log: int) -> Keeper[R_co]: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Matches. `rules`: the place of each rule id in what is replayed. Only those of records written in [since, until)
    are kept."""

    rules: Mapping[str, int]
    since: datetime | None = None
    until: datetime | None = None

    def of(self, log: int) -> Keeper[Kept]:
        return _KeptMatches(self, log)

    def includes(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class _KeptMatches:
    wanted: Wanted
    log: int

    def taken(self, block: Block, findings: Findings, low: int, high: int) -> Sequence[Kept]:
        wanted = self.wanted
        return [
            kept(each, self.log, wanted.rules[each.rule_id])
            for each in findings.matches
            if low <= each.record.start < high and wanted.includes(each.record.at)
        ]

    def rest(self) -> Sequence[Kept]:
        return ()


class Search(Generic[R]):
    """Of `logs`, read once; what `keeping` keeps of them goes into `rows`. Processes and not threads: the scan lets go
    of the interpreter's lock, but what comes before and behind it does not, and unpacking takes it back after every few
    kilobytes. They are forked: nothing that is compiled is compiled again, and nothing is handed over but what was
    found. `pulse` is told how many of the files' bytes were read."""

    def __init__(
        self,
        logs: Sequence[PastLog],
        matcher: Finder,
        keeping: Keeping[R],
        rows: Rows[R],
        pulse: Callable[[int], None],
        *,
        drawing: bool = False,
    ) -> None:
        """`drawing`: keep some ordinary lines as well, by the source of their log."""
        self._logs = logs
        self._matcher = matcher
        self._keeping = keeping
        self._rows = rows
        self._pulse = pulse
        self._drawing = drawing
        forking = get_context("fork")
        self._read = forking.Value("q", 0)
        self._stopped = forking.Event()
        self.timeouts: Counter[str] = Counter()
        self.ordinary: dict[str, list[str]] = {}
        self.captures_refused = 0
        self.quarantined: frozenset[str] = frozenset()

    def run(self, workers: int) -> list[Log]:
        """What was read of each log. Raises what keeps matches from being kept, and BrokenProcessPool when a process
        was killed."""
        parts = [part for number, log in enumerate(self._logs) for part in _parts(number, log.log.path)]
        read = self._in_processes(parts, min(workers, len(parts))) if parts else []
        of_log: dict[int, list[Log]] = {}
        for part, log in zip(parts, read, strict=True):
            of_log.setdefault(part.log, []).append(log)
        return [_whole(each) for each in of_log.values()]

    def _in_processes(self, parts: Sequence[Part], workers: int) -> list[Log]:
        read: dict[int, Log] = {}
        with ProcessPoolExecutor(workers, get_context("fork"), _begin, (self,)) as pool:
            try:
                working = {pool.submit(_search, part): number for number, part in enumerate(parts)}
                while working:
                    done, _ = wait(working, PULSE_S, return_when=FIRST_COMPLETED)
                    for each in done:
                        read[working.pop(each)] = self._taken(each.result())
                    self._pulse(self._read.value)
            finally:
                self._stopped.set()
                pool.shutdown(cancel_futures=True)
        return [read[number] for number in range(len(parts))]

    def _taken(self, found: Found[R]) -> Log:
        self._rows.take(found.bundle)
        self.timeouts.update(found.timeouts)
        self.captures_refused += found.captures_refused
        self.quarantined |= found.quarantined
        self.ordinary.setdefault(found.log.source, []).extend(found.ordinary.values())
        return found.log

    def search(self, part: Part) -> Found[R]:
        """All of a part, in this process."""
        lines, keeper, numbers = 0, self._keeping.of(part.log), count(1)
        with closing(self._logs[part.log].part(part.begin, part.end, self._moved)) as log:
            found = Found(log.log, Bundle(self._rows))
            while not self._stopped.is_set() and (block := log.next_block()) is not None:
                span = log.within(block.start, block.start + len(block.data))
                findings = self._matcher.find(block, self._draw(part, next(numbers)))
                if (ordinary := findings.ordinary) is not None:
                    found.ordinary[ordinary.slot] = ordinary.text
                lines += _lines(block, findings, *span)
                found.bundle.add(keeper.taken(block, findings, *span))
                found.timeouts.update(findings.timeouts)
                found.captures_refused += findings.captures_refused
            found.bundle.add(keeper.rest())
            found.log = replace(log.log, lines=lines)
        found.quarantined = frozenset(self._matcher.quarantined)
        return found

    def _draw(self, part: Part, block: int) -> Draw | None:
        return drawn(f"{self._logs[part.log].log.path} {part.begin}", block) if self._drawing else None

    def _moved(self, more: int) -> None:
        with self._read.get_lock():
            self._read.value += more


_PDEATHSIG = 1
_searching: Search[Any] | None = None
"""Of a process that was forked for it: it cannot be handed over in any other way. Set by `_begin` alone."""


def _begin(search: Search[Any]) -> None:
    """Signals are the parent's to deal with; and nobody outlives it."""
    global _searching
    _searching = search
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


def _search(part: Part) -> Found[Any]:
    assert _searching is not None, "the process was not begun"  # noqa: S101
    return _searching.search(part)


def _parts(number: int, path: str) -> list[Part]:
    """Nothing is known yet of whether the file can be read."""
    size = 0 if is_packed(path) or not os.path.isfile(path) else os.path.getsize(path)
    begins = range(0, size, PART_BYTES) or range(1)
    return [Part(number, begin, begin + PART_BYTES if begin + PART_BYTES < size else None) for begin in begins]


def _whole(parts: Sequence[Log]) -> Log:
    """What is known of a log by its parts."""
    first, *_, last = parts[0], *parts
    return replace(
        first,
        bytes=sum(each.bytes for each in parts),
        lines=sum(each.lines for each in parts),
        last=last.last or first.last,
        problem=next((each.problem for each in parts if each.problem), ""),
    )


def _lines(block: Block, findings: Findings, low: int, high: int) -> int:
    """Those that begin in [low, high) of the log."""
    if high - low == len(block.data):
        return findings.lines
    begin, end = low - block.start, high - block.start
    if begin == end:
        return 0
    return (not begin) + block.data.count(b"\n", max(0, begin - 1), end - 1)
