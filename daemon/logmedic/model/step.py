"""One step of a fix: what it does, what it needs, what has to hold before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from logmedic.model.probe import Probe
from logmedic.model.sandbox import SandboxSpec


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts` includes the first. Wait before try n+1: min(max, base * factor ** (n - 1)), a quarter more or
    less."""

    attempts: int = 3
    base: timedelta = timedelta(seconds=1)
    max: timedelta = timedelta(seconds=10)
    factor: float = 2.0


@dataclass(frozen=True, slots=True)
class Command:
    """A program: argv, `{capture}` placeholders are filled per argument."""

    argv: tuple[str, ...]


class UnitVerb(StrEnum):
    RESTART = "restart"
    RELOAD = "reload"
    START = "start"


@dataclass(frozen=True, slots=True)
class UnitJob:
    """A job of the service manager; done when the job is, and the unit is active (Type=oneshot: has ended well)."""

    verb: UnitVerb
    unit: str


@dataclass(frozen=True, slots=True)
class KillProcess:
    """Every process of `unit` that is called `process` (its comm): SIGTERM, and SIGKILL after `grace`. None of them
    there is a failure, and never a reason to look elsewhere (F66)."""

    unit: str
    process: str
    grace: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """Deletes regular files below `paths` whose names match `pattern` (fnmatch), the oldest first, none younger than
    `older_than`, none of the newest `keep`, until `percent` or `free_bytes` of the file system are free (whichever is
    set), and never more than `at_most` bytes. Enough room already: nothing is deleted, and that is a success. Links are
    not followed, other file systems not entered."""

    paths: tuple[str, ...]
    pattern: str = "*"
    older_than: timedelta = timedelta(hours=1)
    keep: int = 0
    percent: float = 0.0
    free_bytes: int = 0
    at_most: int = 10 * 1024**3


@dataclass(frozen=True, slots=True)
class DropCache:
    """Empties the directory `path`, which stays; what is younger than `older_than` stays too. Links are not followed,
    other file systems not entered."""

    path: str
    older_than: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class RotateLog:
    """`logrotate --force` with the file `config` alone, and a state of its own."""

    config: str


@dataclass(frozen=True, slots=True)
class RenewCertificate:
    """Runs `argv` when the certificate (PEM) in `file` ends within `before`; a success only when it ends later then."""

    file: str
    argv: tuple[str, ...]
    before: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CallHttp:
    """One request by the daemon; a success when it answers `status` (0: any of 200..299). No redirects."""

    method: str
    url: str
    status: int = 0
    body: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Does nothing for so long."""

    time: timedelta


Action = Command | UnitJob | KillProcess | FreeSpace | DropCache | RotateLog | RenewCertificate | CallHttp | Wait
"""What a step does."""
Sandboxed = Command | KillProcess | FreeSpace | DropCache | RotateLog | RenewCertificate
"""What runs in a sandbox; the rest is done by the daemon or the service manager."""


@dataclass(frozen=True, slots=True)
class Step:
    """`expect`: probes that must all pass, or the step is passed over. `rollback`: undoes it, when it failed in the
    middle or made it worse (Fix.guard); has no retry, no expect and no rollback of its own. `rung`: steps of the same
    rung are alternatives, of which what they earned decides the order. `written`, `captures`: of one whose captures are
    filled in, as the rule has it, and those that it uses (name and value)."""

    name: str
    action: Action
    timeout: timedelta = timedelta(seconds=30)
    retry: Retry = Retry()
    sandbox: SandboxSpec = SandboxSpec()
    expect: tuple[Probe, ...] = ()
    rollback: Step | None = None
    rung: int = 0
    written: Step | None = None
    captures: tuple[tuple[str, str], ...] = ()
