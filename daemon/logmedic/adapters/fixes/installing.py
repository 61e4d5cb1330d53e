"""Putting an installation of fixes on a host, comparing it, taking it away. As root, or below another directory."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from logmedic.adapters.fixes.layout import POLKIT, WANTS, Layout, socket_of
from logmedic.adapters.fixes.unitfiles import ENTRIES, ROOTS, SOCKETS, UNITS
from logmedic.model.errors import OrderRefused

_SYSTEMCTL = "/usr/bin/systemctl"


class Installation:
    """Below `root` (/ is the host; only there is the service manager told)."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._is_host = root == Path("/")

    def differences(self, wanted: Layout) -> list[str]:
        """One line each, sorted by path; none when what is installed is what is wanted."""
        changed = [
            f"{self._state(path, text)} {path}" for path, text in wanted.files.items() if self._state(path, text)
        ]
        absent = [f"missing {path}" for path in wanted.links if not os.path.islink(self._at(path))]
        gone = [f"left over {path}" for path in self._ours() if path not in wanted.files and path not in wanted.links]
        return sorted([*changed, *absent, *gone], key=lambda each: each.split(" /", 1)[1])

    def put(self, wanted: Layout) -> None:
        """All of `wanted`, and nothing that was installed before and is not in it. Raises OSError, OrderRefused."""
        changed = [path for path, text in wanted.files.items() if self._state(path, text)]
        self._take([path for path in self._ours() if path not in wanted.files and path not in wanted.links])
        for directory in wanted.directories:
            self._at(directory).mkdir(mode=0o755, parents=True, exist_ok=True)
        for path in changed:
            self._write(path, wanted.files[path])
        for path, target in wanted.links.items():
            with suppress(FileExistsError):
                self._at(path).symlink_to(target)
        self._tell(wanted, changed)

    def remove(self) -> None:
        """Raises OSError, OrderRefused."""
        self._take(list(self._ours()))
        for path in (ROOTS, SOCKETS if self._is_host else ""):
            if path:
                _remove_empty(self._at(path))
        if self._is_host:
            _systemctl("daemon-reload")

    # -- files ---------------------------------------------------------------------------------------------------------

    def _at(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _state(self, path: str, text: str) -> str:
        owner = 0 if self._is_host else os.geteuid()
        try:
            status = self._at(path).lstat()
            same = (status.st_uid, status.st_mode) == (owner, stat.S_IFREG | 0o644) and self._at(
                path
            ).read_text() == text
        except (OSError, ValueError):
            return "missing"
        return "" if same else "changed"

    def _ours(self) -> Iterator[str]:
        for directory, patterns in _OURS.items():
            for pattern in patterns:
                for found in sorted(self._at(directory).glob(pattern)):
                    yield f"{directory}/{found.name}"

    def _write(self, path: str, text: str) -> None:
        """Whole or not at all."""
        at = self._at(path)
        at.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = at.with_name(f".{at.name}.new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "w") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
        new.replace(at)

    def _take(self, paths: Sequence[str]) -> None:
        sockets = [path.rpartition("/")[2] for path in paths if path.endswith(".socket") and WANTS not in path]
        if self._is_host and sockets:
            _systemctl("stop", *sockets)
        for path in paths:
            self._at(path).unlink(missing_ok=True)
            if path.endswith(".json"):
                name = path.rpartition("/")[2].removesuffix(".json")
                _remove_empty(self._at(f"{ROOTS}/{name}"))
                self._at(f"{SOCKETS}/.{name}.rate").unlink(missing_ok=True)

    # -- the service manager -------------------------------------------------------------------------------------------

    def _tell(self, wanted: Layout, changed: Sequence[str]) -> None:
        """A socket that its trigger limit ended is started again as well."""
        if not self._is_host:
            return
        _systemctl("daemon-reload")
        sockets = [socket_of(name) for name in wanted.names]
        new = [name for name in sockets if f"{UNITS}/{name}" in changed]
        _ran("reset-failed", *sockets)  # not one of them need have failed
        if new:
            _systemctl("restart", *new)
        _systemctl("start", *sockets)


_OURS = {
    ENTRIES: ("*.json",),
    UNITS: ("logmedic-fix-*.socket", "logmedic-fix-*@.service"),
    WANTS: ("logmedic-fix-*.socket",),
    POLKIT.rpartition("/")[0]: (POLKIT.rpartition("/")[2],),
}


def _systemctl(*arguments: str) -> None:
    """Raises OrderRefused."""
    ran = _ran(*arguments)
    if ran.returncode != 0:
        said = " ".join(ran.stderr.split())[:300]
        raise OrderRefused(f"systemctl {arguments[0]} failed: {said}", f"type: systemctl {' '.join(arguments)}"[:200])


def _ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_SYSTEMCTL, *arguments], capture_output=True, text=True, check=False)  # noqa: S603


def _remove_empty(directory: Path) -> None:
    """The mount points of a view: directories, and empty files. Whatever else is there stays, and its directories."""
    for room, _, names in os.walk(directory, topdown=False):
        for name in names:
            file = Path(room) / name
            if file.lstat().st_size == 0 and not file.is_symlink():
                file.unlink()
        with suppress(OSError):
            Path(room).rmdir()
