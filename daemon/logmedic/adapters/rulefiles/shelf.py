"""What took long to find out of rules, kept for the next start: files that only this user can write."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp

KEPT = 4
"""Files of one kind: what the last starts and reloads made."""


class Shelf:
    """Named contents in `directory`, which is made when it is missing. Nothing here is ever needed: what cannot be
    written or read, is damaged, or may have been written by somebody else is as if it were not there. `stamp` tells
    whatever the contents depend on beside their names."""

    def __init__(self, directory: Path, stamp: str = "") -> None:
        self._directory = directory
        self._stamp = stamp

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            if not _is_own(os.fstat(descriptor)):
                return None
            digest, content = file.read(32), file.read()
        if sha256(content).digest() != digest:
            return None
        with suppress(OSError):
            os.utime(path)
        return content

    def put(self, key: str, content: bytes) -> None:
        with suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_own(self._directory.stat()):
                return
            with _replacing(self._path(key)) as descriptor, os.fdopen(descriptor, "wb") as file:
                file.write(sha256(content).digest())
                file.write(content)
            self._tidy(self._path(key).suffix)

    def _path(self, key: str) -> Path:
        """`key`: its part before a dash is its kind."""
        kind, _, rest = key.rpartition("-")
        return self._directory / f"{sha256((self._stamp + rest).encode()).hexdigest()[:32]}.{kind or 'db'}"

    def _tidy(self, suffix: str) -> None:
        files = sorted(self._directory.glob(f"*{suffix}"), key=lambda each: each.stat().st_mtime, reverse=True)
        for each in files[KEPT:]:
            each.unlink(missing_ok=True)


def _is_own(status: os.stat_result) -> bool:
    """Nobody else can have changed it. (Root trusts root's alone: what another user wrote may be meant for it.)"""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@contextmanager
def _replacing(path: Path) -> Iterator[int]:
    """A new file, which takes the place of `path` as a whole."""
    descriptor, name = mkstemp(dir=path.parent, prefix=".new-")
    try:
        yield descriptor
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def program_stamp() -> str:
    """Changes with this program, Python and the machine: whatever decides what comes of a rule file."""
    digest = sha256(f"{sys.version} {os.uname().machine}".encode())
    root = Path(__file__).parents[2]
    for part in ("model", "core", "yamldoc", "adapters/rulefiles"):
        for path in sorted((root / part).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
