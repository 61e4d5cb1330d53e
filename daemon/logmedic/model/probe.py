"""Checks: what is asked of the world before and after a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from logmedic.model.sandbox import SandboxSpec

WITHIN = timedelta(seconds=30)
EVERY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Passes once GET `url` answers `status` (and holds `contains`) inside `within`, tried `every`. No redirects."""

    url: str
    status: int = 200
    contains: str = ""
    within: timedelta = WITHIN
    every: timedelta = EVERY


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Passes once `address` (host:port) accepts a connection inside `within`."""

    address: str
    within: timedelta = WITHIN
    every: timedelta = EVERY


@dataclass(frozen=True, slots=True)
class CommandProbe:
    """Passes once `run` (argv, in the same sandbox as a step) exits 0 inside `within`. `written`, `captures`: as of a
    Step."""

    run: tuple[str, ...]
    sandbox: SandboxSpec = SandboxSpec()
    within: timedelta = WITHIN
    every: timedelta = EVERY
    written: tuple[str, ...] = ()
    captures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class UnitProbe:
    """Passes once the unit's ActiveState is `state` and it has been so for `up_for`. Without a service manager nobody
    can say."""

    unit: str
    state: str = "active"
    up_for: timedelta = timedelta(0)
    within: timedelta = WITHIN
    every: timedelta = EVERY


@dataclass(frozen=True, slots=True)
class FileProbe:
    """Passes once `path` is there (`exists` False: is not), changed within `newer_than`, and is at most `max_bytes`
    large; None: not asked for."""

    path: str
    exists: bool = True
    newer_than: timedelta | None = None
    max_bytes: int | None = None
    within: timedelta = WITHIN
    every: timedelta = EVERY


@dataclass(frozen=True, slots=True)
class DiskProbe:
    """Passes once the file system of `path` has `percent` (0..100) of its room free for users, and `free_bytes`, and
    `inodes_percent` of its inodes; 0: not asked for."""

    path: str
    percent: float = 0.0
    free_bytes: int = 0
    inodes_percent: float = 0.0
    within: timedelta = WITHIN
    every: timedelta = EVERY


@dataclass(frozen=True, slots=True)
class AllOf:
    """Passes when all do, asked in order; the first that does not decides."""

    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Passes when one does; asked all at once."""

    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Passes when `probe` does not; what nobody can say stays so. Asked once, without waiting."""

    probe: Probe


Probe = HttpProbe | TcpProbe | CommandProbe | UnitProbe | FileProbe | DiskProbe | AllOf | AnyOf | Not
