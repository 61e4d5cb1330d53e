"""What took long to find out of rules, kept for the next start: files that only this user can write."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

KEPT = 4
"""Files of one kind: what the last starts and reloads made."""
LEFT_S = 3600.0
"""Nobody writes a file for so long: its writer was killed."""
_NEW = ".new-"
_HERE = os.O_NOFOLLOW | os.O_CLOEXEC


class Shelf:
    """Named contents in `directory`, which is made when it is missing. Nothing here is ever needed: what cannot be
    written or read, is damaged, or may have been written by somebody else is as if it were not there. `stamp` tells
    whatever the contents depend on beside their names."""

    def __init__(self, directory: Path, stamp: str = "") -> None:
        self._directory = directory
        self._stamp = stamp

    def get(self, key: str) -> bytes | None:
        with suppress(OSError), _own_directory(self._directory) as here:
            descriptor = os.open(self._name(key), os.O_RDONLY | os.O_NONBLOCK | _HERE, dir_fd=here)
            with os.fdopen(descriptor, "rb") as file:
                _refuse_others(os.fstat(descriptor))
                digest, content = file.read(32), file.read()
                if sha256(content).digest() != digest:
                    return None
                with suppress(OSError):
                    os.utime(descriptor)
                return content
        return None

    def put(self, key: str, content: bytes) -> None:
        name = self._name(key)
        with suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _own_directory(self._directory) as here:
                with _replacing(name, here) as descriptor, os.fdopen(descriptor, "wb") as file:
                    file.write(sha256(content).digest())
                    file.write(content)
                _tidy(here, name)

    def _name(self, key: str) -> str:
        """`key`: its part before a dash is its kind."""
        kind, _, rest = key.rpartition("-")
        return f"{sha256((self._stamp + rest).encode()).hexdigest()[:32]}.{kind or 'db'}"


def _tidy(here: int, written: str) -> None:
    """After `written`: no more than KEPT of its kind, and nothing that was left half written. A name that is not like
    ours is somebody else's."""
    ours = re.compile(r"[0-9a-f]{32}" + re.escape(written[32:]))
    with os.scandir(here) as entries:
        found = [(each.name, each.stat(follow_symlinks=False).st_mtime) for each in entries]
    now = dict(found).get(written, 0.0)
    kept = sorted((-at, name) for name, at in found if ours.fullmatch(name))
    left = [name for name, at in found if re.fullmatch(_NEW + r"\w{8,16}", name) and now - at > LEFT_S]
    for name in (*(name for _, name in kept[KEPT:]), *left):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=here)


def _refuse_others(status: os.stat_result) -> None:
    """Raises PermissionError when somebody else can have changed it. (Root trusts root's alone: what another user wrote
    may be meant for it.)"""
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError


@contextmanager
def _own_directory(path: Path) -> Iterator[int]:
    """Its descriptor: whoever owns a directory above can put another one in its place at any time. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _HERE)
    try:
        _refuse_others(os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _replacing(name: str, here: int) -> Iterator[int]:
    """A new file, which takes the place of `name` as a whole."""
    new = f"{_NEW}{token_hex(8)}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _HERE, 0o600, dir_fd=here)
    try:
        yield descriptor
        os.replace(new, name, src_dir_fd=here, dst_dir_fd=here)
    except BaseException:
        with suppress(OSError):
            os.unlink(new, dir_fd=here)
        raise


def program_stamp() -> str:
    """Changes with this program, Python and the machine: whatever decides what comes of a rule file."""
    digest = sha256(f"{sys.version} {os.uname().machine}".encode())
    root = Path(__file__).parents[2]
    for part in ("model", "core", "yamldoc", "adapters/rulefiles"):
        for path in sorted((root / part).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
