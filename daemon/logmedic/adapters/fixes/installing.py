"""Putting an installation of fixes on a host, comparing it, taking it away. As root, or below another directory."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from logmedic.adapters.fixes.layout import POLKIT, WANTS, Layout, socket_of
from logmedic.adapters.fixes.unitfiles import ENTRIES, MOUNT, ROOTS, SOCKETS, TEMPORARY, UNITS
from logmedic.hostfiles.programs import Programs
from logmedic.hostfiles.writing import HostFiles

_LOCK = f"{ENTRIES}/.lock"


class Installation:
    """Below `root` (/ is the host; only there is the service manager told)."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._files = HostFiles(root)
        self._is_host = self._files.is_host
        self._programs = Programs()

    def differences(self, wanted: Layout) -> list[str]:
        """One line each, sorted by path; none when what is installed is what is wanted."""
        changed = [
            f"{self._state(path, text)} {path}" for path, text in wanted.files.items() if self._state(path, text)
        ]
        rooms = [f"changed {path}" for path in wanted.directories if self._is_spoilt(path)]
        absent = [f"missing {path}" for path in wanted.links if not os.path.islink(self._at(path))]
        gone = [f"left over {path}" for path in self._ours() if path not in wanted.files and path not in wanted.links]
        return sorted([*changed, *rooms, *absent, *gone], key=lambda each: each.split(" /", 1)[1])

    def put(self, wanted: Layout) -> None:
        """All of `wanted`, and nothing that was installed before and is not in it. Raises OSError, OrderRefused."""
        with self._alone() as interrupted:
            self._put(wanted, anew=interrupted)

    def _put(self, wanted: Layout, *, anew: bool) -> None:
        """`anew`: what is there may not have been told to the service manager."""
        changed = [path for path, text in wanted.files.items() if anew or self._state(path, text)]
        self._take([path for path in self._ours() if path not in wanted.files and path not in wanted.links])
        for directory in wanted.directories:
            self._at(directory).mkdir(mode=0o755, parents=True, exist_ok=True)
            if self._is_spoilt(directory):
                self._at(directory).chmod(0o755)
        for path in changed:
            self._files.write(path, wanted.files[path])
        for path, target in wanted.links.items():
            with suppress(FileExistsError):
                self._at(path).symlink_to(target)
        self._tell(wanted, changed)

    def remove(self) -> None:
        """Raises OSError, OrderRefused."""
        with self._alone():
            self._take(list(self._ours()))
            for path in (ROOTS, *((SOCKETS, TEMPORARY) if self._is_host else ())):
                _remove_empty(self._at(path))
            if self._is_host:
                self._programs.order("systemctl", "daemon-reload")
        with suppress(OSError):  # somebody's own files
            self._at(ENTRIES).rmdir()

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Raises OSError, OrderRefused."""
        self._files.check((*_OURS, ROOTS))
        with self._files.alone(_LOCK, "fixes are being installed or removed by somebody else") as interrupted:
            yield interrupted

    # -- files ---------------------------------------------------------------------------------------------------------

    def _at(self, path: str) -> Path:
        return self._files.at(path)

    def _state(self, path: str, text: str) -> str:
        return self._files.state(path, text)

    def _is_spoilt(self, directory: str) -> bool:
        """Whether it is there, ours alone, and not as it was made. (That of the wants is the service manager's.)"""
        try:
            mode = self._at(directory).stat().st_mode
        except OSError:
            return False
        return directory != WANTS and stat.S_IMODE(mode) != 0o755

    def _ours(self) -> Iterator[str]:
        for directory, patterns in _OURS.items():
            for pattern in patterns:
                for found in sorted(self._at(directory).glob(pattern)):
                    if "*" not in pattern or _NAMED.fullmatch(found.name):  # others may be somebody's own
                        yield f"{directory}/{found.name}"

    def _take(self, paths: Sequence[str]) -> None:
        units = [
            path.rpartition("/")[2] for path in paths if path.endswith((".socket", ".mount")) and WANTS not in path
        ]
        if self._is_host and units:
            self._programs.order("systemctl", "stop", *units)
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
        self._programs.order("systemctl", "daemon-reload")
        sockets = [socket_of(name) for name in wanted.names]
        new = [name for name in sockets if f"{UNITS}/{name}" in changed]
        self._programs.ask("systemctl", "reset-failed", *sockets)  # not one of them need have failed
        if new:
            self._programs.order("systemctl", "restart", *new)
        if f"{UNITS}/{MOUNT}" in changed:
            self._programs.ask("systemctl", "try-reload-or-restart", MOUNT)  # of another size
        self._programs.order("systemctl", "start", *sockets)


def _is_started_by(path: str) -> bool:
    """A link that wants a unit, or a service, of which those under way go on to their end."""
    return path.startswith(WANTS) or path.endswith(".service")


_NAMED = re.compile(r"(logmedic-fix-)?([0-9a-f]{12}|canary)(\.json|\.socket|@\.service)", re.ASCII)
_OURS = {
    ENTRIES: ("*.json",),
    UNITS: ("logmedic-fix-*.socket", "logmedic-fix-*@.service", MOUNT),
    WANTS: ("logmedic-fix-*.socket",),
    POLKIT.rpartition("/")[0]: (POLKIT.rpartition("/")[2],),
}


def _remove_empty(directory: Path) -> None:
    """The mount points of a view: directories, and empty files. Whatever else is there stays, and its directories."""
    for room, _, names in os.walk(directory, topdown=False):
        for name in names:
            file = Path(room) / name
            if file.lstat().st_size == 0 and not file.is_symlink():
                file.unlink()
        with suppress(OSError):
            Path(room).rmdir()
