"""What a daemon takes while it runs, sampled, and whether that stays flat."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY_S = 5.0
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """`at`: seconds since its life began. `helpers_bytes`: memory of all children. `held_bytes`: the store without its
    holes, and `rows` in it (None: was not asked this time)."""

    at: float
    memory_bytes: int
    descriptors: int
    threads: int
    children: int
    helpers_bytes: int
    store_bytes: int
    wal_bytes: int
    archive_bytes: int
    held_bytes: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """The median of a life's last quarter is at most that of its second one, times `times`, plus `more`."""

    what: str
    of: Callable[[Sample], float | None]
    times: float
    more: float
    unit: float = 1.0


def _a_row(sample: Sample) -> float | None:
    return sample.held_bytes / sample.rows if sample.held_bytes is not None and sample.rows else None


BOUNDS = (
    Bound("memory, MiB", lambda s: s.memory_bytes, 1.10, 16 * MIB, MIB),
    Bound("memory of its children, MiB", lambda s: s.helpers_bytes, 1.10, 32 * MIB, MIB),
    Bound("descriptors", lambda s: s.descriptors, 1.0, 4),
    Bound("threads", lambda s: s.threads, 1.0, 2),
    Bound("children", lambda s: s.children, 1.0, 2),
    Bound("write-ahead log, MiB", lambda s: s.wal_bytes, 1.5, 16 * MIB, MIB),
    Bound("store without its holes, bytes a row", _a_row, 1.10, 16),
)
"""Slack for what is open for a moment: a file that was just rotated, a step, a message under way."""


@dataclass(frozen=True, slots=True)
class Flatness:
    bound: Bound
    second: float
    last: float

    @property
    def holds(self) -> bool:
        return self.last <= self.second * self.bound.times + self.bound.more

    def __str__(self) -> str:
        before, after = self.second / self.bound.unit, self.last / self.bound.unit
        return f"{self.bound.what:40}{before:>12.1f}{after:>12.1f}{'' if self.holds else '  <-- grows'}"


def flatness(samples: Sequence[Sample], bounds: Iterable[Bound] = BOUNDS) -> list[Flatness]:
    """Of one life. What was not sampled in both quarters is left out."""
    quarters = _quarters(samples)
    return [
        Flatness(bound, statistics.median(second), statistics.median(last))
        for bound in bounds
        for second, last in [(_known(bound, quarters[1]), _known(bound, quarters[3]))]
        if second and last
    ]


def _quarters(samples: Sequence[Sample]) -> list[Sequence[Sample]]:
    long = samples[-1].at if samples else 0.0
    return [[each for each in samples if n * long / 4 <= each.at <= (n + 1) * long / 4] for n in range(4)]


def _known(bound: Bound, samples: Iterable[Sample]) -> list[float]:
    return [value for each in samples if (value := bound.of(each)) is not None]


def curve(samples: Sequence[Sample], points: int = 12) -> list[str]:
    """A small table: so many moments, evenly spread."""
    rows = [
        f"{'min':>6}{'MiB':>8}{'helpers':>9}{'fds':>6}{'threads':>9}{'children':>10}{'store':>8}{'WAL':>7}{'archive':>9}"
    ]
    step = max(1, (len(samples) - 1) // max(1, points - 1))
    return rows + [_row(each) for each in samples[::step]]


def _row(s: Sample) -> str:
    return (
        f"{s.at / 60:>6.1f}{s.memory_bytes / MIB:>8.0f}{s.helpers_bytes / MIB:>9.0f}{s.descriptors:>6}{s.threads:>9}"
        f"{s.children:>10}{s.store_bytes / MIB:>8.1f}{s.wal_bytes / MIB:>7.1f}{s.archive_bytes / MIB:>9.2f}"
    )


class Sampler:
    """A thread that looks at one process and its store, each EVERY_S. `asks`: (held bytes, rows) of the store, now and
    then None. A context manager: `samples` are of inside it."""

    def __init__(
        self, pid: int, store: Path, asks: Callable[[], tuple[int, int] | None], every_s: float = EVERY_S
    ) -> None:
        self.samples: list[Sample] = []
        self._pid, self._store, self._asks, self._every_s = pid, store, asks, every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sampler")

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        begun = time.monotonic()
        while not self._over.wait(self._every_s):
            try:
                self.samples.append(self._sample(time.monotonic() - begun))
            except (FileNotFoundError, ProcessLookupError):
                return  # it was killed

    def _sample(self, at: float) -> Sample:
        process, helpers = Path(f"/proc/{self._pid}"), children(self._pid)
        held = self._asks()
        archive = self._store.parent / "archive"
        return Sample(
            at,
            memory(self._pid),
            len(os.listdir(process / "fd")),
            len(os.listdir(process / "task")),
            len(helpers),
            sum(memory(each) for each in helpers),
            _size(self._store),
            _size(self._store.with_name(f"{self._store.name}.wal")),
            sum(_size(each) for each in archive.rglob("*.parquet")),
            *(held or (None, None)),
        )


def children(pid: int) -> list[int]:
    """Their process ids; of helpers and of fixes."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return []
    return [int(each) for task in tasks for each in _read(task / "children").split()]


def memory(pid: int) -> int:
    """Resident bytes; 0 when it is gone."""
    words = _read(Path(f"/proc/{pid}/statm")).split()
    return int(words[1]) * PAGE if words else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
