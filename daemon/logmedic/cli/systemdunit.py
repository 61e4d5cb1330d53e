"""What systemd knows of a unit."""

from __future__ import annotations

import pwd
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from logmedic.model.errors import OrderRefused

UNIT = "logmedic.service"
USER = "logmedic"
ASK_S = 5.0
_ASKED = (
    *("LoadState", "ActiveState", "SubState", "UnitFileState", "User", "Result", "NRestarts", "ExecMainStatus"),
    *("MainPID", "ProtectHome", "LimitNOFILE", "FragmentPath", "NeedDaemonReload"),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What `systemctl show` says of a unit, by property; empty where systemd does not answer. `booted`: whether systemd
    runs this host."""

    shown: Mapping[str, str] = field(default_factory=dict)
    booted: bool = False

    @property
    def is_installed(self) -> bool:
        return self.shown.get("LoadState") == "loaded"

    @property
    def is_active(self) -> bool:
        return self.shown.get("ActiveState") in ("active", "activating", "reloading")

    @property
    def user(self) -> str:
        """By name, also where the unit has a number."""
        named = self.shown.get("User") or "root"
        with suppress(KeyError):
            return pwd.getpwuid(int(named)).pw_name if named.isdecimal() else named
        return named


def systemctl(*arguments: str, program: str = "systemctl") -> str | None:
    """None where it does not answer."""
    try:
        ran = subprocess.run(  # noqa: S603
            [program, "--no-pager", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout


def unit_of(name: str = UNIT, *, program: str = "systemctl", booted: Path = Path("/run/systemd/system")) -> Unit:
    if not booted.is_dir():
        return Unit()
    told = systemctl("show", name, "-p", ",".join(_ASKED), program=program)
    pairs = (line.partition("=") for line in (told or "").splitlines())
    return Unit({key: value for key, _, value in pairs}, booted=True)


def daemon_user(*, program: str = "systemctl", booted: Path = Path("/run/systemd/system")) -> str:
    """Whom the service runs as: a drop-in may name another one than what is installed. Where systemd does not know:
    the user that it is installed for. Raises OrderRefused where systemd runs the host, and does not say."""
    unit = unit_of(program=program, booted=booted)
    if unit.booted and not unit.shown:
        raise OrderRefused("systemd does not say whom logmedic.service runs as", "name it: --user NAME")
    return unit.user if unit.is_installed else USER
