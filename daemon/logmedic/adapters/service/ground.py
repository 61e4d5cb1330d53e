"""The program that the units start, what is shipped for them, and whether others could change any of it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from logmedic.adapters.service.layout import PLACES, unfit
from logmedic.fixrun import owned
from logmedic.model.errors import OrderRefused

HINT = "install it where only root can write: docs/install.md"


def program() -> str:
    """The command of the environment that runs us."""
    return f"{sys.prefix}/bin/logmedic"


def shipped() -> Mapping[str, str]:
    """As installed, or those of the checkout. Raises OrderRefused."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "shipped" / "systemd"
    room = installed if installed.is_dir() else package.parents[1] / "systemd"
    try:
        return {name: (room / name).read_text() for name in PLACES}
    except OSError as error:
        raise OrderRefused(f"{error.filename}: {error.strerror}", "install logmedic again") from None


def check(command: str, prefix: Path) -> None:
    """Whether the service could run `command` of the environment at `prefix`, and nobody but root change it. Raises
    OrderRefused."""
    for wrong in (unfit(command), owned.flaw(command, program=True), *_loose(prefix), *_shut(prefix)):
        if wrong:
            raise OrderRefused(f"this logmedic cannot be a service of the host: {wrong}", HINT)


def _loose(prefix: Path) -> Iterator[str]:
    """The first file or directory of it that is not root's alone, and the interpreter behind it."""
    yield owned.flaw(os.path.realpath(prefix / "bin" / "python"), program=True)
    for room, _, names in os.walk(prefix):
        for path in (room, *(os.path.join(room, name) for name in names)):
            status = os.lstat(path)
            if status.st_uid != 0:
                yield f"{path} is not root's: chown -R root:root {prefix}"
                return
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISLNK(status.st_mode):
                yield f"others can write to {path}: chmod -R go-w {prefix}"
                return


def _shut(prefix: Path) -> Iterator[str]:
    """The first directory on the way to it through which others do not get, or file of it that they cannot read: what
    root makes with a umask of 077. The service runs as another user."""
    for above in reversed(prefix.parents):
        if not above.stat().st_mode & stat.S_IXOTH:
            yield f"others do not get through {above}: chmod a+x {above}"
            return
    for room, rooms, names in os.walk(prefix):
        rooms[:] = [name for name in rooms if name != "__pycache__"]  # done without, and written by whoever runs it
        for path in (room, *(os.path.join(room, name) for name in names)):
            if not _is_open(os.lstat(path).st_mode):
                yield f"others cannot read {path}: chmod -R a+rX {prefix}"
                return


def _is_open(mode: int) -> bool:
    """Like `a+rX`: what root can execute, or enter, others can as well. A link has no mode of its own."""
    wanted = stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
    return stat.S_ISLNK(mode) or mode & wanted == wanted
