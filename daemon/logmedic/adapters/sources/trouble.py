"""What is wrong with one file: said once, shown as long as it lasts, tried again ever more rarely."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

import structlog

RETRY_S, RETRY_MAX_S = 1.0, 30.0

log = structlog.get_logger("logmedic.sources")


@dataclass(slots=True)
class Trouble:
    """`problem` is empty when all is well. `retry_at`: loop time before which the file is left alone, or
    None. `tried`: what was at the path when opening failed (see `tried_of`); empty when unknown."""

    origin: str
    problem: str = ""
    retry_at: float | None = None
    _failures: int = 0
    tried: tuple[int, ...] = ()

    def failed(self, error: OSError, at: float, opening: str = "") -> None:
        """`opening`: the path that could not be opened."""
        self._failures += 1
        self.retry_at = at + min(RETRY_MAX_S, RETRY_S * 2 ** min(self._failures - 1, 10))
        if opening:
            self.tried = _tried_at(opening)
        self.tell(error.strerror or str(error))

    def tell(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            log.warning("file_trouble", origin=self.origin, problem=problem)

    def wait(self, problem: str) -> None:
        """Nothing to be tried: events and looks tell when it is over."""
        self.retry_at = None
        self.tell(problem)

    def waiting(self, at: float) -> bool:
        return self.retry_at is not None and at < self.retry_at

    def clear(self) -> None:
        self._failures = 0
        self.tried = ()
        self.retry_at = None
        self.problem = ""


def tried_of(status: os.stat_result) -> tuple[int, ...]:
    """Device and inode, and what decides whether it can be opened."""
    return status.st_dev, status.st_ino, status.st_mode, status.st_uid, status.st_gid


def is_another(before: tuple[int, ...], now: tuple[int, ...]) -> bool:
    """Whether two answers of `tried_of` speak of different files. An inode is used again at once; its type tells a file
    from what was no file."""
    return (*before[:2], stat.S_IFMT(before[2])) != (*now[:2], stat.S_IFMT(now[2]))


def _tried_at(path: str) -> tuple[int, ...]:
    try:
        return tried_of(os.stat(path))
    except OSError:  # not even that is allowed
        return ()
