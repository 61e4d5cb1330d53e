"""A place where the maintainer scripts run without dpkg: their paths lie below a directory, and systemd's programs are
stand-ins that keep the state of each unit in a file."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareroot import ROOT

BUILDER: dict[str, Any] = runpy.run_path(str(ROOT / "scripts/build-deb"))
UNITS = ("logmedic-fixes.path", "logmedic.service")
VALUES = {
    "VERSION": "1.2",
    "DEB_VERSION": "1.2",
    "ARCHITECTURE": "amd64",
    "STORE_FORM": "9",
    "UNITS": " ".join(UNITS),
    "ENABLED_UNITS": " ".join(UNITS),
}
_PLACE = re.compile(r"(?<![\w.}$])/(run|var|opt|etc|root)/")
_SYSTEMCTL = """\
#!/bin/sh
echo "systemctl $*" >>"{room}/said"
case $1 in
is-active) cat "{room}/units/$2" 2>/dev/null || echo inactive; grep -qx active "{room}/units/$2" ;;
is-enabled) exit 0 ;;
start) echo active >"{room}/units/$2" ;;
stop) shift; for unit in "$@"; do echo inactive >"{room}/units/$unit"; done ;;
esac
"""
_INVOKE = '#!/bin/sh\nexec systemctl "$@"\n'
_ACCOUNTS = '#!/bin/sh\n[ ! -e "{room}/no-accounts" ]\n'
_NOTHING = "#!/bin/sh\n"
_TOOLS = {
    "systemctl": _SYSTEMCTL,
    "deb-systemd-invoke": _INVOKE,
    "deb-systemd-helper": _NOTHING,
    "systemd-sysusers": _ACCOUNTS,
    "systemd-tmpfiles": _NOTHING,
}


def script(name: str) -> str:
    return str(BUILDER["filled"]((ROOT / f"packaging/{name}.in").read_text(), VALUES))


@dataclass(frozen=True, slots=True)
class Stage:
    """`room`: what the scripts take for /. A file `no-accounts` in it makes `systemd-sysusers` fail."""

    room: Path

    def set_up(self) -> Stage:
        for name in ("run/systemd/system", "var/lib/logmedic", "opt/logmedic/bin", "etc/logmedic", "units", "tools"):
            (self.room / name).mkdir(parents=True)
        for name, text in _TOOLS.items():
            self.program(f"tools/{name}", text.replace("{room}", str(self.room)))
        self.program("opt/logmedic/bin/logmedic", _NOTHING)
        return self

    def program(self, path: str, text: str) -> None:
        at = self.room / path
        at.write_text(text)
        at.chmod(0o755)

    def ran(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As dpkg calls it."""
        text = _PLACE.sub(rf"{self.room}/\1/", script(name))
        words = ["sh", "-s", "--", *arguments]
        path = f"{self.room}/tools:{os.environ['PATH']}"
        return subprocess.run(words, input=text, capture_output=True, text=True, check=False, env={"PATH": path})

    def upgraded(self) -> str:
        """What its scripts complained about."""
        told = [self.ran("prerm", "upgrade", "1.2"), self.ran("postinst", "configure", "1.1")]
        return "".join(each.stderr for each in told)

    def states(self) -> dict[str, str]:
        return {name: (self.room / "units" / name).read_text().strip() for name in UNITS}

    def set_state(self, state: str, *units: str) -> None:
        for name in units:
            (self.room / "units" / name).write_text(f"{state}\n")
