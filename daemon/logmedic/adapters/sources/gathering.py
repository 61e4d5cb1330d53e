"""Rows of what was found in logs of the past, put in order in bounded memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Any, Generic, TypeVar

from logmedic.adapters.sources.packed import spacious
from logmedic.core.backtest import Kept, in_time
from logmedic.model.errors import PermanentError

HELD_MATCHES = 50_000
"""So many are kept in memory (some 30 MB) by each process; more go to files, sorted."""
MAX_MATCHES = 20_000_000
"""Some 6 GB on disk."""
R = TypeVar("R", bound=tuple[Any, ...])
"""A row of plain values, a NamedTuple: it can be written as JSON."""


class TooManyMatches(PermanentError):
    """More than a backtest takes in, or than can be learned at once."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"there are more than {most:,} matches", "name fewer rules, or less time with --since and --until"
        )
        self._most = most

    def __reduce__(self) -> tuple[type[TooManyMatches], tuple[int]]:
        return TooManyMatches, (self._most,)


class Rows(Generic[R]):
    """Put in the order of `key`. What is more than `held` is in files of a directory of its own, gone after `close`."""

    def __init__(self, form: Callable[..., R], key: Callable[[R], Any], held: int, most: int = MAX_MATCHES) -> None:
        self.held = held
        self.most = most
        self.key = key
        self.count = 0
        self._form = form
        self._room = tempfile.TemporaryDirectory(prefix="logmedic-past-", dir=spacious())
        self.room = Path(self._room.name)
        self._bundle = Bundle(self)
        self._runs: list[Path] = []

    def take(self, bundle: Bundle[R]) -> None:
        """What another process found. Raises TooManyMatches, and OSError when the disk is full."""
        self._runs += bundle.runs
        self.count += bundle.count
        if self.count > self.most:
            raise TooManyMatches(self.most)
        self._bundle.add(bundle.rows)

    def in_order(self) -> Iterator[R]:
        rows = sorted(self._bundle.rows, key=self.key)
        return merge(*map(self._read_back, (*self._runs, *self._bundle.runs)), rows, key=self.key)

    def close(self) -> None:
        self._room.cleanup()

    def _read_back(self, run: Path) -> Iterator[R]:
        with run.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                yield self._form(*json.loads(line))


class Matches(Rows[Kept]):
    """In time's order."""

    def __init__(self, held: int = HELD_MATCHES, most: int = MAX_MATCHES) -> None:
        super().__init__(Kept, in_time, held, most)


class Bundle(Generic[R]):
    """Rows on their way: the newest in memory, others in `runs`, each of them sorted."""

    def __init__(self, owner: Rows[R]) -> None:
        self.rows: list[R] = []
        self.runs: list[Path] = []
        self.count = 0
        self._held, self._most, self._room, self._key = owner.held, owner.most, owner.room, owner.key

    def add(self, found: Sequence[R]) -> None:
        """Those of one record belong into one call."""
        self.rows += found
        self.count += len(found)
        if self.count > self._most:
            raise TooManyMatches(self._most)
        if len(self.rows) >= self._held:
            self._spill()

    def _spill(self) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self._room, encoding="utf-8", newline="\n", delete=False) as run:
            run.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in sorted(self.rows, key=self._key))
        self.runs.append(Path(run.name))
        self.rows = []
