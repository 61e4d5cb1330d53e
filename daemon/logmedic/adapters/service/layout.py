"""What `logmedic install` puts where. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

UNITS = "/etc/systemd/system"
DAEMON, PATH, TELLER, CHANGED, ARMING = (
    "logmedic.service",
    "logmedic-fixes.path",
    "logmedic-failed.service",
    "logmedic-fixes-changed.service",
    "logmedic-fixes.service",
)
PLACES: Mapping[str, str] = {
    **{name: f"{UNITS}/{name}" for name in (DAEMON, PATH, TELLER, CHANGED, ARMING)},
    "logmedic.sysusers.conf": "/etc/sysusers.d/logmedic.conf",
    "logmedic.tmpfiles.conf": "/etc/tmpfiles.d/logmedic.conf",
    "logmedic.logrotate": "/etc/logrotate.d/logmedic",
}
"""By the name among the shipped files."""
PACKAGED = ("/usr/lib/systemd/system/logmedic.service", "/lib/systemd/system/logmedic.service")
"""Where a package of the distribution has it: then all of it is the package's."""
COMMAND = "/usr/local/bin/logmedic"
KEPT = ("/etc/logmedic", "/var/lib/logmedic", "/var/log/logmedic")
"""Config, rules and secrets; what was learned; a log in files. Never taken away."""
DROP_INS = tuple(f"{UNITS}/{name}.d" for name in (DAEMON, PATH, TELLER, CHANGED, ARMING))
"""Somebody's own, and left as well."""
HEAD = "# Made by `logmedic install` of logmedic"
"""So each file begins; the package's preinst looks for it as well."""
_SHIPPED_PROGRAM = "/opt/logmedic/bin/logmedic"
_PLAIN = re.compile(r"/[A-Za-z0-9._/@+,=~-]*", re.ASCII)
"""What needs no quoting in a unit."""
_ON_PATH = ("/usr/local/bin/logmedic", "/usr/bin/logmedic")
_HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108  nothing is put there
"""What the units do not see (ProtectHome=, PrivateTmp=)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`files` (0644): text by path. `links`: target by path."""

    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


def layout(shipped: Mapping[str, str], *, program: str, version: str) -> Layout:
    """`shipped`: text by name, each that PLACES names. `program`: what the units start. The version stands in each
    file: another program is another text, and the daemon is started anew."""
    files = {place: _made(shipped[name], program, version) for name, place in PLACES.items()}
    return Layout(files, {} if program in _ON_PATH else {COMMAND: program})


def _made(text: str, program: str, version: str) -> str:
    head = f"{HEAD} {version}: changes are overwritten.\n"
    return head + text.replace(_SHIPPED_PROGRAM, program)


def unfit(program: str) -> str:
    """Why units cannot start it from where it lies, or nothing."""
    if not _PLAIN.fullmatch(program):
        return f"{program!r} cannot be written into a unit: letters, digits and ._/@+,=~- only"
    room = next((each for each in _HIDDEN if program.startswith(each)), "")
    return f"the service does not see {program}: {room.rstrip('/')} is hidden from it" if room else ""
