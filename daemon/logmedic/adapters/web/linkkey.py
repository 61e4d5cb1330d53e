"""The key that signs links, and that the key of sessions is made of, in a file beside the store: whoever can read it
can approve fixes."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from logmedic.model.errors import PermanentError

NAME = "links.key"
BYTES = 32
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class LinkKey:
    """`notice`: what people have to be told of it; may be empty."""

    key: bytes = field(repr=False)
    notice: str = ""


def link_key(directory: Path) -> LinkKey:
    """Made the first time. One that is damaged, or that others could have read or written, is replaced: links that were
    sent before open nothing then, and the notice says so. Raises PermanentError."""
    path = directory / NAME
    try:
        found = _read(path)
        return LinkKey(found) if isinstance(found, bytes) else LinkKey(_made(path), found)
    except OSError as error:
        raise PermanentError(
            f"the key of the links, {path}, cannot be used: {error.strerror or error}",
            f"let the daemon's user write {directory}, or leave web.listen empty, and web.dashboard",
        ) from None


def _read(path: Path) -> bytes | str:
    """The key, or why there is to be another one: a notice, empty when there was none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return _replaced(path, error.strerror or str(error))
    try:
        found, content = os.fstat(descriptor), os.read(descriptor, BYTES + 1)
    except OSError as error:
        return _replaced(path, error.strerror or str(error))
    finally:
        os.close(descriptor)
    wrong = _wrong_with(found, content)
    return _replaced(path, wrong) if wrong else content


def _wrong_with(found: os.stat_result, content: bytes) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "it is no file"
    if found.st_uid != os.geteuid():
        return f"it belongs to user {found.st_uid}"
    if found.st_mode & 0o077:
        return f"others may use it (mode {stat.S_IMODE(found.st_mode):04o})"
    if len(content) != BYTES:
        return "it is damaged"
    return ""


def _replaced(path: Path, why: str) -> str:
    return f"the key of the links, {path}, was replaced: {why}; links of messages that were sent before open nothing"


def _made(path: Path) -> bytes:
    """Whole and durable, or not there: a rename puts it in its place, whatever stood there."""
    key, new = secrets.token_bytes(BYTES), path.with_name(f".{NAME}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
    try:
        os.write(descriptor, key)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.rename(path)
    return key
