"""Logs of the past searched by several processes, and what is found put in time's order, in bounded memory."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import merge
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from logmedic.adapters.sources.packed import is_packed, spacious
from logmedic.adapters.sources.past import PastLog
from logmedic.core.backtest import Kept, Log, in_time, kept
from logmedic.core.matcher import Matcher
from logmedic.model.errors import PermanentError
from logmedic.model.record import Block, Findings

HELD_MATCHES = 50_000
"""So many are kept in memory (some 30 MB) by each process; more go to files, sorted."""
MAX_MATCHES = 20_000_000
"""Some 6 GB on disk."""
PART_BYTES = 64 * 1024 * 1024
"""Plain files that are larger are searched in parts."""
PULSE_S = 0.1


class TooManyMatches(PermanentError):
    """More than a backtest takes in."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"there are more than {most:,} matches", "name fewer rules, or less time with --since and --until"
        )
        self._most = most

    def __reduce__(self) -> tuple[type[TooManyMatches], tuple[int]]:
        return TooManyMatches, (self._most,)


class Matches:
    """Put in time's order. What is more than `held` is in files of a directory of its own, gone after `close`."""

    def __init__(self, held: int = HELD_MATCHES, most: int = MAX_MATCHES) -> None:
        self.held = held
        self.most = most
        self.count = 0
        self._room = tempfile.TemporaryDirectory(prefix="logmedic-backtest-", dir=spacious())
        self.room = Path(self._room.name)
        self._bundle = Bundle(self)
        self._runs: list[Path] = []

    def take(self, bundle: Bundle) -> None:
        """What another process found. Raises TooManyMatches, and OSError when the disk is full."""
        self._runs += bundle.runs
        self.count += bundle.count
        if self.count > self.most:
            raise TooManyMatches(self.most)
        self._bundle.add(bundle.rows)

    def in_order(self) -> Iterator[Kept]:
        rows = sorted(self._bundle.rows, key=in_time)
        return merge(*map(_read_back, (*self._runs, *self._bundle.runs)), rows, key=in_time)

    def close(self) -> None:
        self._room.cleanup()


class Bundle:
    """Matches on their way: the newest in memory, others in `runs`, each of them sorted."""

    def __init__(self, owner: Matches) -> None:
        self.rows: list[Kept] = []
        self.runs: list[Path] = []
        self.count = 0
        self._held, self._most, self._room = owner.held, owner.most, owner.room

    def add(self, found: Sequence[Kept]) -> None:
        """Those of one record belong into one call."""
        self.rows += found
        self.count += len(found)
        if self.count > self._most:
            raise TooManyMatches(self._most)
        if len(self.rows) >= self._held:
            self._spill()

    def _spill(self) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self._room, encoding="utf-8", newline="\n", delete=False) as run:
            run.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in sorted(self.rows, key=in_time))
        self.runs.append(Path(run.name))
        self.rows = []


def _read_back(run: Path) -> Iterator[Kept]:
    with run.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield Kept(*json.loads(line))


class Part(NamedTuple):
    """Bytes of a log, by its number. `end` None: to its end."""

    log: int
    begin: int
    end: int | None


@dataclass(slots=True)
class Found:
    """What a part of a log gave."""

    log: Log
    bundle: Bundle
    timeouts: Counter[str] = field(default_factory=Counter)
    captures_refused: int = 0
    quarantined: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """`rules`: the place of each rule id in what is replayed. Only matches of records written in [since, until) are
    kept."""

    rules: Mapping[str, int]
    since: datetime | None = None
    until: datetime | None = None

    def includes(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


class Search:
    """Of `logs`, read once. Processes and not threads: the scan lets go of the interpreter's lock, but what comes
    before and behind it does not, and unpacking takes it back after every few kilobytes. They are forked: nothing that
    is compiled is compiled again, and nothing is handed over but what was found. `pulse` is told how many of the files'
    bytes were read."""

    def __init__(
        self, logs: Sequence[PastLog], matcher: Matcher, wanted: Wanted, matches: Matches, pulse: Callable[[int], None]
    ) -> None:
        self._logs = logs
        self._matcher = matcher
        self._wanted = wanted
        self._matches = matches
        self._pulse = pulse
        forking = get_context("fork")
        self._read = forking.Value("q", 0)
        self._stopped = forking.Event()
        self.timeouts: Counter[str] = Counter()
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

    def _taken(self, found: Found) -> Log:
        self._matches.take(found.bundle)
        self.timeouts.update(found.timeouts)
        self.captures_refused += found.captures_refused
        self.quarantined |= found.quarantined
        return found.log

    def search(self, part: Part) -> Found:
        """All of a part, in this process."""
        lines = 0
        with closing(self._logs[part.log].part(part.begin, part.end, self._moved)) as log:
            found = Found(log.log, Bundle(self._matches))
            while not self._stopped.is_set() and (block := log.next_block()) is not None:
                span = log.within(block.start, block.start + len(block.data))
                findings = self._matcher.find(block)
                lines += _lines(block, findings, *span)
                found.bundle.add(self._kept(part.log, findings, *span))
                found.timeouts.update(findings.timeouts)
                found.captures_refused += findings.captures_refused
            found.log = replace(log.log, lines=lines)
        found.quarantined = frozenset(self._matcher.quarantined)
        return found

    def _kept(self, number: int, findings: Findings, low: int, high: int) -> list[Kept]:
        return [
            kept(each, number, self._wanted.rules[each.rule_id])
            for each in findings.matches
            if low <= each.record.start < high and self._wanted.includes(each.record.at)
        ]

    def _moved(self, more: int) -> None:
        with self._read.get_lock():
            self._read.value += more


_PDEATHSIG = 1
_searching: Search | None = None
"""Of a process that was forked for it: it cannot be handed over in any other way. Set by `_begin` alone."""


def _begin(search: Search) -> None:
    """Signals are the parent's to deal with; and nobody outlives it."""
    global _searching
    _searching = search
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


def _search(part: Part) -> Found:
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
