"""What an installation of fixes puts where. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from logmedic.adapters.fixes.catalogue import Installable, canary_fix, entry
from logmedic.adapters.fixes.unitfiles import (
    ENTRIES,
    MOUNT,
    ROOTS,
    UNITS,
    Ground,
    service_unit,
    socket_unit,
    temporary_mount,
)

POLKIT = "/etc/polkit-1/rules.d/50-logmedic.rules"
WANTS = f"{UNITS}/sockets.target.wants"

_HIDDEN = ("sys", "var", "var/tmp")
"""What is made inaccessible in a view has to be there; other mount points systemd makes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`files` (0644): text by path. `directories` (0755): in the order in which they are made. `links`: target by path.
    `names`: of the fixes."""

    files: Mapping[str, str] = field(default_factory=dict)
    directories: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def layout(fixes: Sequence[Installable], ground: Ground, polkit: str = "") -> Layout:
    """With the canary. `polkit`: the rules that let the daemon ask for jobs of units; empty: none."""
    every = [canary_fix(python=ground.python, package=ground.package), *fixes]
    files: dict[str, str] = {f"{UNITS}/{MOUNT}": temporary_mount(ground)}
    for fix in every:
        told = entry(fix, python=ground.python, package=ground.package)
        files[f"{ENTRIES}/{fix.name}.json"] = json.dumps(told, indent=1, sort_keys=True) + "\n"
        files[f"{UNITS}/{socket_of(fix.name)}"] = socket_unit(fix, ground)
        files[f"{UNITS}/logmedic-fix-{fix.name}@.service"] = service_unit(fix, ground)
    if polkit:
        files[POLKIT] = polkit
    return Layout(
        files=files,
        directories=(ENTRIES, WANTS, ROOTS, *(path for fix in every for path in _rooms(fix.name))),
        links={f"{WANTS}/{socket_of(fix.name)}": f"{UNITS}/{socket_of(fix.name)}" for fix in every},
        names=tuple(fix.name for fix in every),
    )


def _rooms(name: str) -> tuple[str, ...]:
    """The root of a view, and what has to be in it."""
    return (f"{ROOTS}/{name}", *(f"{ROOTS}/{name}/{each}" for each in _HIDDEN))


def socket_of(name: str) -> str:
    return f"logmedic-fix-{name}.socket"
