"""Logs rotated by the host's own logrotate."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from crash.logs import KEPT, LATE_S

PROGRAM = "/usr/sbin/logrotate"
NUMBERED = "create\ncompress\ndelaycompress"
DATED = "create\ndateext\ndateformat -%Y%m%d-%s"
COPIED = "copytruncate"


class Logrotate:
    """As a Rotation of crash.logs; `how`: the lines of its file. What is emptied in place loses what nobody has read:
    `is_read` says when that is all of it, and until then a rotation is left out. `room`: for its two files."""

    def __init__(self, room: Path, name: str, how: str, is_read: Callable[[Path], bool] | None = None) -> None:
        self.late_s = 0.0 if how == COPIED else LATE_S
        self.left_out = 0
        self._file, self._state = room / f"{name}.conf", room / f"{name}.state"
        self._how, self._is_read = how, is_read

    def rotate(self, path: Path) -> None:
        if self._is_read is not None and not self._is_read(path):
            self.left_out += 1
            return
        self._file.write_text(f"{path} {{\nrotate {KEPT}\n{self._how}\n}}\n")
        self._file.chmod(0o644)
        ran = subprocess.run(
            [PROGRAM, "--force", "--state", str(self._state), str(self._file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
