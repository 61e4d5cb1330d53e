"""F06, F07: files that are renamed and packed while it is looked for what is unread of them."""

from __future__ import annotations

import asyncio
import gzip
import os
import threading
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from logmedic.adapters.sources.identity import follow
from logmedic.adapters.sources.opened import open_regular
from logmedic.model.record import Checkpoint

ROTATIONS = 40
READ = 7
"""Generations there are when reading stops in the middle of the first."""


class Rotator:
    """Rotates as logrotate does with delaycompress: the older generation is packed, all are renamed, the log is begun
    anew. Each generation says which it is."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._numbers = count()
        self._begin()

    def rotate(self) -> None:
        first = Path(f"{self._log}.1")
        if first.exists():
            self._pack(first)
        packed = sorted(self._log.parent.glob(f"{self._log.name}.*.gz"), key=_number, reverse=True)
        for old in packed:
            old.rename(f"{self._log}.{_number(old) + 1}.gz")
        self._log.rename(first)
        self._begin()

    def _begin(self) -> None:
        number = next(self._numbers)
        beside = self._log.with_name("beside")
        beside.write_bytes(b"".join(b"generation %d line %06d\n" % (number, n) for n in range(2000)))
        beside.rename(self._log)

    def _pack(self, plain: Path) -> None:
        status = plain.stat()
        target = Path(f"{plain}.gz")
        target.write_bytes(gzip.compress(plain.read_bytes(), 1))
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        plain.unlink()


def _number(path: Path) -> int:
    return int(path.name.split(".")[2])


def half_read(log: Path) -> Checkpoint:
    file = open_regular(str(log))
    file.place(file.size() // 2)
    mark = file.checkpoint(str(log), "app", datetime.now(UTC))
    file.close()
    return mark


def generations(log: Path, mark: Checkpoint) -> list[int]:
    """Those that `follow` finds, in order; none while it gives up."""

    async def scenario() -> list[int]:
        current = None
        try:
            current = open_regular(str(log))
            trail, gaps = await follow(mark, current, str(log))
        except OSError:
            if current is not None:
                current.close()
            return []
        assert gaps == ()
        numbers = [int(os.pread(file.fd, 40, file.offset).split()[1]) for file in trail.files]
        for file in trail.files:
            file.close()
        return numbers

    return asyncio.run(scenario())


def test_f06_f07_no_generation_is_left_out_while_files_are_rotated(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    rotator = Rotator(log)
    mark = half_read(log)
    for _ in range(READ):
        rotator.rotate()
    over = threading.Event()

    def storm() -> None:
        for _ in range(ROTATIONS):
            rotator.rotate()
            over.wait(0.02)
        over.set()

    thread = threading.Thread(target=storm)
    thread.start()
    tried, found = 0, 0
    while not over.is_set():
        numbers = generations(log, mark)
        tried, found = tried + 1, found + bool(numbers)
        assert numbers == list(range(len(numbers))), str(numbers)
    thread.join()
    assert tried > 1
    assert generations(log, mark) == list(range(READ + ROTATIONS + 1))
