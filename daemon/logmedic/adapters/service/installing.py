"""Putting the service on a host, comparing it, taking it away. As root, or below another directory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from logmedic.adapters.service.layout import (
    ARMING,
    CHANGED,
    COMMAND,
    DAEMON,
    HEAD,
    PACKAGED,
    PATH,
    PLACES,
    TELLER,
    UNITS,
    Layout,
)
from logmedic.hostfiles.programs import Programs
from logmedic.hostfiles.writing import HostFiles
from logmedic.model.errors import OrderRefused

_LOCK = "/etc/logmedic/.install.lock"
_STARTED = (PATH, DAEMON)
_STOPPED = (PATH, CHANGED, ARMING, DAEMON, TELLER)


@dataclass(frozen=True, slots=True)
class Done:
    """`written`, `removed`: paths. `enabled`: units that start with the host from now on."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()


class ServiceFiles:
    """Below `root` (/ is the host; elsewhere nothing is started)."""

    def __init__(self, root: Path = Path("/"), programs: Programs | None = None) -> None:
        self._files = HostFiles(root)
        self._programs = programs or Programs()
        self._below = [] if self._files.is_host else [f"--root={root.absolute()}"]

    @property
    def is_packaged(self) -> bool:
        return any(self._files.at(each).exists() for each in PACKAGED)

    @property
    def is_made(self) -> bool:
        """Whether anything is there that `put` wrote: a package brings one of these files too, and a mask is a link."""
        return any(self._is_ours(path) for path in PLACES.values())

    def has(self, path: str) -> bool:
        return self._files.at(path).exists()

    def differences(self, wanted: Layout) -> list[str]:
        """One line each; none when what is there is what is wanted."""
        files = [f"{state} {path}" for path, text in wanted.files.items() if (state := self._files.state(path, text))]
        return [*files, *(f"missing {path}" for path in self._absent(wanted))]

    def put(self, wanted: Layout) -> Done:
        """All files, accounts and directories of `wanted`. What people disabled stays disabled. Nothing is started:
        `start` does that. Raises OSError, OrderRefused."""
        with self._alone() as interrupted:
            is_new = not self._files.at(f"{UNITS}/{DAEMON}").exists()
            changed = [path for path, text in wanted.files.items() if interrupted or self._files.state(path, text)]
            links = list(self._absent(wanted))
            for path in changed:
                self._files.write(path, wanted.files[path])
            for path in links:
                self._files.at(path).parent.mkdir(parents=True, exist_ok=True)
                self._files.at(path).symlink_to(wanted.links[path])
            self._make_accounts()
            if changed and self._files.is_host:
                self._programs.order("systemctl", "daemon-reload")
            enabled = _STARTED if is_new or interrupted else ()
            if enabled:
                self._programs.order("systemctl", *self._below, "enable", *enabled)
            return Done(written=(*changed, *links), enabled=enabled)

    def start(self, done: Done) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is enabled and does not run is started, and a daemon that runs on what `done` replaced starts anew. What
        was started, and what was restarted. Raises OrderRefused."""
        runs = {name for name in _STARTED if self._says("is-active", name)}
        again = tuple(name for name in _STARTED if name in runs) if done.written else ()
        if done.written:
            self._programs.ask("systemctl", "reset-failed", *_STARTED)  # starts of what was there before do not count
        if again:
            self._programs.order("systemctl", "restart", *again)
        wanted = tuple(name for name in _STARTED if name not in runs and self._says("is-enabled", name))
        if wanted:
            self._programs.order("systemctl", "start", *wanted)
        return wanted, again

    def remove(self, links: Sequence[str] = (COMMAND,), program: str = "") -> Done:
        """Stops and takes away what `put` wrote; of `links` those that lead to `program`. Raises OSError,
        OrderRefused."""
        with self._alone():
            there = self.there(links, program)
            units = [name for name in _STOPPED if PLACES[name] in there]
            starting = [name for name in _STARTED if name in units]  # an interrupted removal may have left others alone
            if units and self._files.is_host:
                self._programs.order("systemctl", "stop", *units)
            if starting:
                self._programs.order("systemctl", *self._below, "disable", *starting)
            for path in there:
                self._files.at(path).unlink(missing_ok=True)
            if self._files.is_host:
                self._programs.order("systemctl", "daemon-reload")
            if self._files.is_host and units:  # without names it would be every unit of the host
                self._programs.ask("systemctl", "reset-failed", *units)  # not one of them need have failed
            return Done(removed=tuple(there))

    def there(self, links: Sequence[str] = (COMMAND,), program: str = "") -> list[str]:
        """What `remove` would take away; beside a package only what `put` wrote."""
        files = [path for path in PLACES.values() if os.path.lexists(self._files.at(path))]
        files = [path for path in files if not self.is_packaged or self._is_ours(path)]
        ours = [path for path in links if self._leads_to(path) == program]
        return [*files, *(ours if program else [])]

    def _absent(self, wanted: Layout) -> Iterator[str]:
        """Links that lead to another logmedic stay: somebody made them."""
        return (path for path in wanted.links if not os.path.lexists(self._files.at(path)))

    def _is_ours(self, path: str) -> bool:
        try:
            with self._files.at(path).open("rb") as file:
                return file.readline().startswith(HEAD.encode())
        except OSError:
            return False

    def _leads_to(self, path: str) -> str:
        try:
            return os.readlink(self._files.at(path))
        except OSError:
            return ""

    def _make_accounts(self) -> None:
        """And the directories, which belong to them. Raises OrderRefused."""
        if not self._programs.has("systemd-sysusers"):
            raise OrderRefused("systemd-sysusers is not installed: nothing can make the accounts", "install systemd")
        self._programs.order("systemd-sysusers", *self._below, "logmedic.conf")
        self._programs.order("systemd-tmpfiles", *self._below, "--create", "logmedic.conf")

    def _says(self, question: str, unit: str) -> bool:
        return self._programs.ask("systemctl", question, "--quiet", unit).returncode == 0

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Raises OSError, OrderRefused."""
        self._files.check((*{path.rpartition("/")[0] for path in (*PLACES.values(), COMMAND, _LOCK)},))
        with self._files.alone(_LOCK, "the service is being installed or removed by somebody else") as interrupted:
            yield interrupted
