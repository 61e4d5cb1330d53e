"""Logs that are written all the time, and the ways in which they are rotated."""

from __future__ import annotations

import gzip
import itertools
import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

KEPT = 60
"""Generations of a log: more than the daemon may fall behind (Storm's MOST_BEHIND), and fewer than it looks into."""
LATE_S = 0.8
"""How long a renamed file may still be written to: well inside the daemon's grace of two seconds."""
BURSTS = 0.01
"""The share of writes that are a burst."""

Record = Callable[[], str]


class Rotation(Protocol):
    """How a log's older generations are named and kept. `rotate`: make room at `path` by renaming what is there.
    `late_s`: how long, at most, its writer goes on with the renamed file."""

    late_s: float

    def rotate(self, path: Path) -> None: ...


class Numbered:
    """app.log.1 is the youngest."""

    late_s = 0.0

    def rotate(self, path: Path) -> None:
        _shift(path, KEPT, "")
        path.rename(f"{path}.1")


class Dated:
    """app.log-20261124-1795500000; its writer is told late, and writes to the renamed file for a while."""

    late_s = LATE_S

    def __init__(self) -> None:
        self._last = 0

    def rotate(self, path: Path) -> None:
        self._last = max(self._last + 1, int(time.time()))  # no two of one second
        path.rename(path.with_name(f"{path.name}-{time.strftime('%Y%m%d')}-{self._last}"))
        for old in sorted(path.parent.glob(f"{path.name}-*"))[:-KEPT]:
            old.unlink()


class Packed:
    """app.log.1 is plain, older ones are compressed: the second rotation packs (delaycompress). `at_once`: the next
    rotation packs what it renames as well; for when nobody reads."""

    late_s = 0.0
    at_once = False

    def rotate(self, path: Path) -> None:
        first = path.with_name(f"{path.name}.1")
        if first.exists():
            pack(first)
        _shift(path, KEPT, ".gz")
        path.rename(first)
        if self.at_once:
            self.at_once = False
            pack(first)


def pack(plain: Path) -> None:
    """As gzip does: the packed file grows beside the plain one, has its times, and the plain one goes."""
    target = plain.with_name(f"{plain.name}.gz")
    status = plain.stat()
    with plain.open("rb") as source, gzip.open(target, "wb", compresslevel=1) as packed:
        shutil.copyfileobj(source, packed)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    plain.unlink()


def _shift(path: Path, kept: int, extension: str) -> None:
    """app.log.1 becomes app.log.2, and so on; the oldest goes."""
    there = list(itertools.takewhile(os.path.exists, (f"{path}.{n}{extension}" for n in itertools.count(1))))
    for number in range(len(there), 0, -1):
        old = f"{path}.{number}{extension}"
        if number >= kept:
            os.unlink(old)
        else:
            os.rename(old, f"{path}.{number + 1}{extension}")


class Log:
    """One log and the thread that writes it, with what `record` makes. Rotated every `rotate_s` seconds or so. `batch`
    records are written every `pause_s`, as one write each: who reads sees all of a record or nothing. Now and then
    `burst` of them come at once. Nothing is written while `full`. A context manager: it writes inside."""

    def __init__(
        self,
        path: Path,
        record: Record,
        rotation: Rotation,
        chance: random.Random,
        *,
        pause_s: float = 0.05,
        batch: int = 20,
        burst: int = 0,
        rotate_s: float = 3.0,
        full: Callable[[], bool] = lambda: False,
    ) -> None:
        self.path = path
        self.rotation = rotation
        self.rotations = 0
        self._record = record
        self._chance = chance
        self._pause_s, self._batch, self._burst, self._rotate_s = pause_s, batch, burst, rotate_s
        self._full = full
        self._turn = threading.Lock()  # guards the two below, and the names of the files
        self._file = path.open("ab", buffering=0)
        self._late: list[tuple[float, BinaryIO]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"writer of {path.name}")

    def __enter__(self) -> Log:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Everything is written, and nothing open, behind this. The file at the path has something in it then: of an
        empty one, nothing would be stored that says that it was read."""
        self._over.set()
        self._thread.join()
        self._write_to(self._file, self._batch)
        for file in (self._file, *(late for _, late in self._late)):
            file.close()

    def rotate(self) -> None:
        """Now; from any thread."""
        with self._turn:
            self.rotation.rotate(self.path)
            self._late.append((time.monotonic() + self._chance.uniform(0, self.rotation.late_s), self._file))
            self._file = self.path.open("ab", buffering=0)
            self.rotations += 1

    def _work(self) -> None:
        due = time.monotonic() + self._rotate_s
        while not self._over.wait(self._pause_s):
            if self._full():
                continue
            with self._turn:
                self._close_late()
                self._write()
            if time.monotonic() >= due:
                self.rotate()
                due = time.monotonic() + self._chance.uniform(0.2, 1.8) * self._rotate_s

    def _close_late(self) -> None:
        while self._late and self._late[0][0] <= time.monotonic():
            self._late.pop(0)[1].close()

    def _write(self) -> None:
        """To a renamed file half of the time, while there is one."""
        late = self._late and self._chance.random() < 0.5
        file = self._late[0][1] if late else self._file
        count = self._burst if self._burst and self._chance.random() < BURSTS else self._batch
        self._write_to(file, count)

    def _write_to(self, file: BinaryIO, count: int) -> None:
        for _ in range(count):
            content = self._record().encode()
            assert file.write(content) == len(content), "a short write: is the disk full?"
