"""What reads a file of the store in a process of its own: a damaged one can take the process along that opens it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logmedic.adapters.store.walog import wal_of
from logmedic.model.errors import StoreBusy, StoreFull

CHILDREN = 3
"""So many in a row must end without a report before the file is to blame for it: one may have been killed."""
OPEN_LIMIT_S = 120.0
"""For replaying a large log on a slow disk."""
READ_BYTES_S = 4 * 1024 * 1024
"""And so much longer for a large file: what a slow disk reads and writes in a second, at the least."""


class Children:
    """One at a time. `end` may be called from any thread, `report` in one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def report(self, task: str, *paths: Path) -> dict[str, Any]:
        """What a child reports; `task` is one of `trying`. `error` when none could. Raises StoreFull when its time is
        over, StoreBusy when the host lets it come to no end, and after `end`: a file is not given up for that."""
        command = [sys.executable, "-I", "-m", "logmedic.adapters.store.trying", task, *map(str, paths)]
        limit_s = OPEN_LIMIT_S + sum(map(_size, paths)) / READ_BYTES_S
        status = 0
        for _ in range(CHILDREN):
            if self._ended:
                raise StoreBusy("whoever reads the store was ended", "try again")
            process = self._begun(command)
            try:
                said, _ = process.communicate(timeout=limit_s)
                report: dict[str, Any] = json.loads(said)
            except subprocess.TimeoutExpired:
                text = f"the store's disk is too slow: {limit_s:.0f} s were not enough to read it"
                raise StoreFull(text, "see what the kernel says of it (dmesg)") from None
            except ValueError:
                status = process.returncode
            else:
                return report
            finally:
                if process.returncode is None:
                    process.kill()
                    process.communicate()
        if status == -signal.SIGKILL:
            raise StoreBusy("whoever reads the store is killed", "see whether there is memory (free -h, dmesg)")
        return {"error": f"the process that opened it ended with status {status}"}

    def _begun(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        self._process = process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if self._ended:  # before there was one to be killed
            process.kill()
        return process

    def end(self) -> None:
        """At once: `report` raises StoreBusy soon, now and from now on."""
        self._ended = True
        if self._process is not None:
            self._process.kill()


def _size(path: Path) -> int:
    return sum(each.stat().st_size for each in (path, wal_of(path)) if each.exists())
