"""Files that root puts on a host, or below a directory that becomes one: whole or not at all, and readable for
everybody whatever umask root has."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from logmedic.model.errors import OrderRefused

BUSY_S = 30.0
"""The unit that looks for changed rules installs fixes by itself: whoever types it then waits some seconds."""
_LOOK_S = 0.1


class HostFiles:
    """Below `root`. Paths are those of the host (/etc/...). `is_host`: it is this one, and everything is root's."""

    def __init__(self, root: Path = Path("/"), busy_s: float | None = None) -> None:
        """`busy_s`: how long somebody else may be at it; None: BUSY_S on the host, and not at all elsewhere."""
        self.root = root
        self.is_host = root == Path("/")
        self._busy_s = busy_s if busy_s is not None else BUSY_S if self.is_host else 0.0

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def state(self, path: str, text: str) -> str:
        """`missing`, `changed`, or nothing when the file is as it would be written."""
        owner = 0 if self.is_host else os.geteuid()
        try:
            status = self.at(path).lstat()
            is_ours = (status.st_uid, status.st_mode) == (owner, stat.S_IFREG | 0o644)
            return "" if is_ours and self.at(path).read_text() == text else "changed"
        except (OSError, ValueError):
            return "missing"

    def write(self, path: str, text: str) -> None:
        """Whole or not at all. Raises OSError."""
        at = self.at(path)
        at.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = at.with_name(f".{at.name}.new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "w") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(at)

    def check(self, directories: Iterable[str]) -> None:
        """What is below `root` may be an image that somebody else made. Raises OrderRefused."""
        for directory in directories:
            if not self.at(directory).resolve().is_relative_to(self.root.resolve()):
                raise OrderRefused(f"{self.at(directory)} leads out of {self.root}", "remove the link in it")

    @contextmanager
    def alone(self, lock: str, busy: str) -> Iterator[bool]:
        """Nobody else writes meanwhile, and what is made is 0755 or 0644: with a umask of 077 no fix could see its own
        root directory, with 0 anybody could write to it. True: the one before did not get to its end. `busy`: what is
        told when somebody else is at it for too long. Raises OSError, OrderRefused."""
        before, at = os.umask(0o022), self.at(lock)
        try:
            at.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            held, interrupted = self._taken(at, busy)
            with held:
                yield interrupted
                at.unlink()
        finally:
            os.umask(before)

    def _taken(self, at: Path, busy: str) -> tuple[TextIO, bool]:
        """The lock, and whether it was there. Raises OSError, OrderRefused."""
        ends = time.monotonic() + self._busy_s
        while True:
            interrupted = at.exists()
            held = open(os.open(at, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "w")  # noqa: SIM115
            if _is_taken(held.fileno(), at):
                return held, interrupted
            held.close()
            if time.monotonic() >= ends:
                raise OrderRefused(busy, "wait for that, and type it again")
            time.sleep(_LOOK_S)


def _is_taken(lock: int, at: Path) -> bool:
    """No: somebody has it, or has just taken it away."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(lock), at.stat())
    except (BlockingIOError, FileNotFoundError):
        return False
