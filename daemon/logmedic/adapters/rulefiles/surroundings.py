"""What is there on this host beside the rules: sources that are read, units that systemd knows."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from glob import iglob
from pathlib import Path

from logmedic.adapters.rulefiles.places import child
from logmedic.yamldoc import DocumentInvalid, parse_document

_SYSTEMD_RUNS = "/run/systemd/system"
_PATIENCE_S = 10.0


def _none_unknown(_: Sequence[str]) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`sources`: what the config reads by name, each with its globs (none: it is no files). `known`: tells names
    beside them that mean something. `unknown_units`: of some units, those that systemd does not have. `routes`: those
    of the config's alerts, None where it tells nobody. `unknown_users`: of some names, those that no account has."""

    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: Callable[[], frozenset[str]] = frozenset
    unknown_units: Callable[[Sequence[str]], frozenset[str]] = _none_unknown
    routes: frozenset[str] | None = None
    unknown_users: Callable[[Sequence[str]], frozenset[str]] = _none_unknown

    def is_silent(self, name: str) -> bool:
        """It is read from files, and there is none."""
        globs = self.sources.get(name.partition(":")[0], ())
        return bool(globs) and not any(next(iglob(glob, recursive=True), None) for glob in globs)


def brought_by(directory: Path) -> frozenset[str]:
    """The names of the sources that the rule files there bring along. What cannot be read brings none."""
    names: set[str] = set()
    for path in sorted(directory.glob("*.yaml")):
        try:
            document = parse_document(str(path), path.read_bytes())
        except (OSError, DocumentInvalid):
            continue
        names.update(sources.keys if (sources := child(document.root, "sources")) is not None else ())
    return frozenset(names)


def units_unknown_to_systemd(units: Sequence[str]) -> frozenset[str]:
    """Empty where systemd does not run, or does not answer."""
    if not units or not os.path.isdir(_SYSTEMD_RUNS):
        return frozenset()
    command = ["systemctl", "show", "--property=LoadState", "--value", "--", *units]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    states = ran.stdout.split()
    if len(states) != len(units):
        return frozenset()
    return frozenset(unit for unit, state in zip(units, states, strict=True) if state == "not-found")


def users_without_account(names: Sequence[str]) -> frozenset[str]:
    return frozenset(each for each in names if not _has_account(each))


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except (KeyError, ValueError):  # it is none, or it cannot be one
        return False
    return True
