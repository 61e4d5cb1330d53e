"""Logs of the past searched by several threads, and what is found kept in time's order, in bounded memory."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime
from heapq import merge
from queue import LifoQueue
from typing import IO

from logmedic.adapters.sources.packed import spacious
from logmedic.adapters.sources.past import PastLog
from logmedic.core.backtest import Kept, Log, in_time, kept
from logmedic.core.matcher import Matcher
from logmedic.model.errors import PermanentError
from logmedic.model.record import Findings

HELD_MATCHES = 100_000
"""So many are kept in memory (some 60 MB); more go to a file, sorted."""
MAX_MATCHES = 20_000_000
"""Some 6 GB on disk, and as long to replay as to read a book."""


class TooManyMatches(PermanentError):
    """More than a backtest takes in."""


class Matches:
    """Filled by several threads, then read once. Files without a name, closed by `close`."""

    def __init__(self, held: int = HELD_MATCHES, most: int = MAX_MATCHES) -> None:
        self._most_held = held
        self._most = most
        self._held: list[Kept] = []
        self._runs: list[IO[str]] = []
        self._adding = threading.Lock()
        self.count = 0

    def add(self, found: Sequence[Kept]) -> None:
        """Those of one record belong into one call. Raises TooManyMatches, and OSError when the disk is full."""
        with self._adding:
            self._held += found
            self.count += len(found)
            if self.count > self._most:
                raise TooManyMatches(
                    f"there are more than {self._most:,} matches",
                    "name fewer rules, or less time with --since, --until",
                )
            if len(self._held) >= self._most_held:
                self._spill()

    def _spill(self) -> None:
        run = tempfile.TemporaryFile("w+", dir=spacious(), encoding="utf-8")  # noqa: SIM115 - `close` does
        self._runs.append(run)
        run.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in sorted(self._held, key=in_time))
        self._held = []

    def in_order(self) -> Iterator[Kept]:
        self._held.sort(key=in_time)
        return merge(*map(_read_back, self._runs), self._held, key=in_time)

    def close(self) -> None:
        for run in self._runs:
            run.close()


def _read_back(run: IO[str]) -> Iterator[Kept]:
    run.seek(0)
    for line in run:
        yield Kept(*json.loads(line))


class Search:
    """`rules`: the place of each rule id in what is replayed. Only matches of records written in [since, until) are
    kept. `pulse` is called after each block, in any of the threads."""

    def __init__(
        self,
        logs: Sequence[PastLog],
        matcher: Matcher,
        rules: Mapping[str, int],
        matches: Matches,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        self._logs = logs
        self._matcher = matcher
        self._rules = rules
        self._matches = matches
        self._since = since
        self._until = until
        self._stop = threading.Event()
        self._left = len(logs)
        self._counting = threading.Lock()  # guards `_left` and the counts below
        self._lines = [0] * len(logs)
        self.timeouts: Counter[str] = Counter()
        self.captures_refused = 0
        self._queue: LifoQueue[int | None] = LifoQueue()

    def run(self, workers: int) -> None:
        """Until every log is read. Raises what keeps matches from being kept; an interrupt ends it after a block."""
        for number in reversed(range(len(self._logs))):
            self._queue.put(number)
        if not self._logs:
            return
        with ThreadPoolExecutor(workers, "search") as pool:
            try:
                working = [pool.submit(self._work, workers) for _ in range(workers)]
                wait(working, return_when=FIRST_EXCEPTION)
            finally:
                self._stop.set()
                self._release(workers)
        for each in working:
            each.result()

    def read(self) -> list[Log]:
        """What was read of each log."""
        return [replace(past.log, lines=lines) for past, lines in zip(self._logs, self._lines, strict=True)]

    def _work(self, workers: int) -> None:
        """The log that was read last is read on before another is begun: as many are open as there are workers."""
        while not self._stop.is_set() and (number := self._queue.get()) is not None:
            block = self._logs[number].next_block()
            if block is None:
                self._ended(workers)
                continue
            self._queue.put(number)
            self._take(number, self._matcher.find(block))

    def _ended(self, workers: int) -> None:
        with self._counting:
            self._left -= 1
            if not self._left:
                self._release(workers)

    def _release(self, workers: int) -> None:
        for _ in range(workers):
            self._queue.put(None)

    def _take(self, number: int, findings: Findings) -> None:
        wanted = [
            kept(each, number, self._rules[each.rule_id]) for each in findings.matches if self._is_asked(each.record.at)
        ]
        if wanted:
            self._matches.add(wanted)
        with self._counting:
            self._lines[number] += findings.lines
            self.timeouts.update(findings.timeouts)
            self.captures_refused += findings.captures_refused

    def _is_asked(self, at: datetime) -> bool:
        return (self._since is None or at >= self._since) and (self._until is None or at < self._until)
