"""Files that root puts on a host, or below a directory that becomes one: whole or not at all, and readable for
everybody whatever umask root has."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from logmedic.model.errors import OrderRefused


class HostFiles:
    """Below `root`. Paths are those of the host (/etc/...). `is_host`: it is this one, and everything is root's."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root
        self.is_host = root == Path("/")

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
        told when somebody else is at it. Raises OSError, OrderRefused."""
        before, at = os.umask(0o022), self.at(lock)
        try:
            at.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            interrupted = at.exists()
            with open(os.open(at, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "w") as held:
                _take(held.fileno(), at, busy)
                yield interrupted
                at.unlink()
        finally:
            os.umask(before)


def _take(lock: int, at: Path, busy: str) -> None:
    """Raises OrderRefused."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), at.stat()):
            return
    except (BlockingIOError, FileNotFoundError):
        pass  # somebody has it, or has just taken it away
    raise OrderRefused(busy, "wait for that, and type it again")
