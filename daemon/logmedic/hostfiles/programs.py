"""The programs of systemd, asked as root."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from logmedic.model.errors import OrderRefused

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Programs:
    """`path`: where they are looked for."""

    def __init__(self, path: str = _PATH) -> None:
        self._path = path

    def has(self, name: str) -> bool:
        return shutil.which(name, path=self._path) is not None

    def ask(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Whatever comes of it; 127 where there is no such program."""
        found = shutil.which(name, path=self._path)
        if found is None:
            return subprocess.CompletedProcess([name], 127, "", f"{name} is not installed")
        return subprocess.run([found, *arguments], capture_output=True, text=True, check=False)  # noqa: S603

    def order(self, name: str, *arguments: str) -> None:
        """Raises OrderRefused."""
        ran = self.ask(name, *arguments)
        if ran.returncode != 0:
            said = " ".join(ran.stderr.split())[:300]
            told = f"{name} {arguments[0]}" if arguments else name
            raise OrderRefused(f"{told} failed: {said}", _hint(name, arguments, said))


def _hint(name: str, arguments: Sequence[str], said: str) -> str:
    """A unit that does not start does not start when it is typed again: its log says why. Of several the one that
    systemctl speaks of."""
    match name, *arguments:
        case "systemctl", "start" | "restart", *units if units:
            unit = next((each for each in units if each in said), units[-1]).removesuffix(".service")
            return f"type: systemctl status {unit}; journalctl -u {unit} -n 30"
    return f"type: {' '.join((name, *arguments))}"[:200]
