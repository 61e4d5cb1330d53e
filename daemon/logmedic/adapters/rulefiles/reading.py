"""Which files are rule files, and reading them so that nobody else can have written them."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from logmedic.yamldoc.document import SIZE_LIMIT

SUFFIXES = (".yaml", ".yml")
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Refused(Exception):
    """A file or directory that is not read. `hint`: what to type. `missing`: there is nothing of that name."""

    def __init__(self, text: str, hint: str = "", *, missing: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Owners:
    """User ids that may own what is read, besides root; None: everybody may (somebody's drafts)."""

    allowed: frozenset[int] | None

    def check(self, path: Path, status: os.stat_result) -> None:
        """Raises Refused when somebody else can change `path`."""
        if self.allowed is None:
            return
        if status.st_uid != 0 and status.st_uid not in self.allowed:
            raise Refused(f"{path} belongs to {_name(status.st_uid)}, who may not write rules", f"chown root: {path}")
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_mode & _OTHERS_WRITE and not sticky and not _only_its_owner(status):
            raise Refused(f"others can write to {path} (mode {stat.S_IMODE(status.st_mode):o})", f"chmod go-w {path}")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def _only_its_owner(status: os.stat_result) -> bool:
    """Whether the group that may write is the private group of the owner, as umask 002 leaves it."""
    if status.st_mode & stat.S_IWOTH:
        return False
    try:
        owner, group = pwd.getpwuid(status.st_uid), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    if owner.pw_gid != group.gr_gid or set(group.gr_mem) - {owner.pw_name}:
        return False
    return all(each.pw_uid == owner.pw_uid for each in pwd.getpwall() if each.pw_gid == group.gr_gid)


def find(path: Path) -> list[Path]:
    """The rule files at `path`: itself, or those in it, sorted. Raises Refused."""
    try:
        if not path.is_dir():
            path.stat()
            return [path]
        return sorted(each for each in path.iterdir() if each.suffix in SUFFIXES and not each.name.startswith("."))
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and not path.is_symlink()
        hint = "correct rules.paths in the config"
        raise Refused(f"cannot read {path}: {error.strerror}", hint, missing=missing) from None


def watched(path: Path) -> Path:
    """The directory in which something happens when a rule file at `path` changes, appears or goes."""
    is_file = path.is_file() or (path.suffix in SUFFIXES and not path.is_dir())
    return path.parent if is_file else path


def read(path: Path, owners: Owners) -> bytes:
    """The content. What is checked is what is read: one descriptor, no symbolic link as its last part, its directories
    checked as well. Raises Refused."""
    directory = path.parent.resolve()
    try:
        if owners.allowed is not None:
            for each in (directory, *directory.parents):
                owners.check(each, each.stat())
        descriptor = os.open(directory / path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        link = path.is_symlink()
        words = "a symbolic link" if link else error.strerror
        raise Refused(f"cannot read {path}: {words}", "put the file itself there" if link else "") from None
    try:
        return _content(path, descriptor, owners)
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _content(path: Path, descriptor: int, owners: Owners) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{path} is no regular file", "put a plain file there, or rename it")
    owners.check(path, status)
    if status.st_size > SIZE_LIMIT:
        raise Refused(f"{path} is larger than {SIZE_LIMIT} bytes", "split it")
    return b"".join(_chunks(descriptor))


def _chunks(descriptor: int) -> Iterator[bytes]:
    """At most the limit, and one byte more so that a file that grew meanwhile is noticed."""
    left = SIZE_LIMIT + 1
    while left > 0 and (chunk := os.read(descriptor, min(left, 65536))):
        left -= len(chunk)
        yield chunk


def found_in(paths: Sequence[Path]) -> tuple[list[Path], list[tuple[Path, Refused]]]:
    """All rule files, each once, in order; and the paths that could not be looked into."""
    files: dict[Path, None] = {}
    refused: list[tuple[Path, Refused]] = []
    for path in paths:
        try:
            files.update(dict.fromkeys(find(path)))
        except Refused as refusal:
            refused.append((path, refusal))
    return list(files), refused
