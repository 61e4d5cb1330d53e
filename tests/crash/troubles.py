"""What goes wrong beside a long load: each a few seconds, and over when it returns."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crash.company import Receivers
from crash.process import Daemon
from crash.sampling import children

BALLAST_MIB = 4096
DISK = "512m"
GOOD = """version: 1
rules:
  - id: spare-{number}
    title: "it was never said"
    match: {{ pattern: 'ERROR spare: never said {number}' }}
    tests:
      - {{ name: said, lines: ["ERROR spare: never said {number}"], expect: {{ fires: 1 }} }}
"""
BROKEN = "version: 1\nrules:\n  - id: spare-{number}\n   title: [\n"


@contextmanager
def small_disk(at: Path) -> Iterator[bool]:
    """A small file system of its own at `at`; False where that is not allowed: then it stays as it was."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755", "none", str(at)]
    mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(at)], check=True)


class Editor:
    """Writes rule files as editors do: good, broken, good again; and asks for a reload in between."""

    def __init__(self, rules: Path, daemon: Daemon) -> None:
        self.edits = 0
        self._rules, self._daemon = rules, daemon

    def edit(self) -> None:
        self.edits += 1
        text = BROKEN if self.edits % 3 == 2 else GOOD
        beside = self._rules / ".spare.tmp"
        beside.write_text(text.format(number=self.edits))
        beside.rename(self._rules / "spare.yaml")
        if self.edits % 2:
            os.kill(self._daemon.pid, signal.SIGHUP)

    def mend(self) -> None:
        """The last word is a good one."""
        if self.edits % 3 == 2:
            self.edit()


class Troubles:
    """`came`: how many. `past`: what came before; it is added to. `disk`: whether the store has a small file system of
    its own, that can be filled."""

    def __init__(
        self, daemon: Daemon, receivers: Receivers, chance: random.Random, *, past: list[str], disk: bool
    ) -> None:
        self.came = 0
        self._past = past
        self._daemon, self._receivers, self._chance = daemon, receivers, chance
        self._pause = threading.Event()  # is never set
        self._kinds: tuple[Callable[[], None], ...] = (
            self._nobody_hears,
            self._helpers_stand_still,
            self._all_stands_still,
            *([self._disk_is_full] if disk else []),
        )

    def one(self) -> None:
        trouble = self._kinds[len(self._past) % len(self._kinds)]
        trouble()
        self.came += 1
        self._past.append(trouble.__name__.strip("_").replace("_", " "))

    def _nobody_hears(self) -> None:
        with self._receivers.away():
            self._wait(3, 8)

    def _helpers_stand_still(self) -> None:
        stopped = children(self._daemon.pid)
        for pid in stopped:
            _signal(pid, signal.SIGSTOP)
        self._wait(2, 5)
        for pid in stopped:
            _signal(pid, signal.SIGCONT)

    def _all_stands_still(self) -> None:
        os.kill(self._daemon.pid, signal.SIGSTOP)
        self._wait(2, 5)
        os.kill(self._daemon.pid, signal.SIGCONT)

    def _disk_is_full(self) -> None:
        ballast = self._daemon.store.with_name("ballast")
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            for _ in range(BALLAST_MIB):
                file.write(bytes(1024 * 1024))
        self._wait(3, 8)
        ballast.unlink(missing_ok=True)

    def _wait(self, least_s: float, most_s: float) -> None:
        self._pause.wait(self._chance.uniform(least_s, most_s))


def _signal(pid: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, which)
