"""Whether what a step needs is there on this host, and nobody else's to change (F60)."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from logmedic.adapters.fixes.accounts import Account
from logmedic.adapters.fixes.acts import out_of_reach, programs_of
from logmedic.core.captures import names_in
from logmedic.core.durations import duration_text
from logmedic.core.stepneeds import needs_of
from logmedic.core.targets import argv_of
from logmedic.fixrun import owned
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.step import Command, RotateLog, Step

_SEEN = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/")
"""What a step sees of the host without asking for it."""
_NEVER = ("/proc", "/dev", "/sys")
"""Of the host these are not shown, nor anything in them."""
_OF_THE_DAEMON = ("/var/lib/logmedic", "/run/logmedic", "/run/logmedic-fix")
"""Its store, and the sockets by which it and fixes are asked for things: whoever sees one can connect."""
_BOUNDS = (
    *_OF_THE_DAEMON,
    *("/etc/logmedic", "/var/lib/logmedic-fix", "/etc/systemd", "/run/systemd", "/etc/polkit-1"),
)
"""What says what a fix may. A step that can write there, or to a directory that holds one of them, has no bounds."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What runs built-in steps: `python`, a path that a sandbox can show, with `prefix` when it is not below /usr.
    `package`: the directory of logmedic. `problem`: why they cannot run here."""

    python: str
    package: str
    prefix: str = ""
    problem: str = ""

    @property
    def shown(self) -> tuple[str, ...]:
        own = (self.prefix, f"{self.package}/__init__.py", f"{self.package}/fixrun")
        return tuple(each for each in own if each)


def acts_here() -> Acts:
    """By the interpreter below any virtual environment, or the system's own where other users cannot reach that."""
    package = str(Path(__file__).resolve().parents[2])
    python = os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)
    prefix = os.path.realpath(sys.base_prefix)
    problem = "" if _is_open(f"{package}/fixrun") else f"others than root cannot read {package}: chmod o+rX there"
    if python.startswith(_SEEN):
        return Acts(python, package, problem=problem)
    if _is_open(prefix):
        return Acts(python, package, prefix, problem)
    system = next((each for each in ("/usr/bin/python3", "/usr/local/bin/python3") if os.access(each, os.X_OK)), "")
    return Acts(system, package, problem=problem if system else "no Python in /usr; type: apt-get install python3")


def _is_open(directory: str) -> bool:
    """Whether the user of fixes can get there."""
    if os.geteuid() != 0:
        return True  # fixes are ourselves then
    parts = [Path(directory), *Path(directory).parents]
    return all(each.stat().st_mode & stat.S_IXOTH for each in parts) and bool(parts[0].stat().st_mode & stat.S_IROTH)


def unfit(step: Step, account: Account | None, acts: Acts) -> str:
    """Why this host cannot run `step` as `account`, or nothing. Captures may be filled in or not."""
    spec = needs_of(step)
    if spec.kind is SandboxKind.NONE:
        return next(_flaws(step, account, acts), "")
    of_paths = (_hidden(step, spec), _forbidden(spec), _absent(step, spec), _led_elsewhere(spec, account))
    return next(chain(_flaws(step, account, acts), *of_paths), "")


def _flaws(step: Step, account: Account | None, acts: Acts) -> Iterator[str]:
    """Of what is executed."""
    owners = {0, os.geteuid(), *([account.uid] if account is not None and step.sandbox.user else [])}
    for program in programs_of(step.action):
        if not names_in(program) and (wrong := owned.flaw(program, owners, program=True)):
            yield wrong
    if isinstance(step.action, RotateLog) and (wrong := owned.flaw(step.action.config, owners)):
        yield wrong  # it may hold commands
    if not isinstance(step.action, Command) and acts.problem:
        yield acts.problem


def _hidden(step: Step, spec: SandboxSpec) -> Iterator[str]:
    rooms = tuple(f"{each.rstrip('/')}/" for each in (*spec.read, *spec.write))
    for program in programs_of(step.action):
        for path in () if names_in(program) else dict.fromkeys((program, os.path.realpath(program))):
            if not path.startswith((*_SEEN, *rooms)) and path not in (*spec.read, *spec.write):
                yield f"{path} is not there inside the sandbox: add its directory to sandbox.read"


def _forbidden(spec: SandboxSpec) -> Iterator[str]:
    for path in (*spec.write, *spec.read):
        whole = os.path.realpath(path)
        if whole == "/" or _is_of(whole, _NEVER):
            yield f"{path} of the host is never shown to a fix"
    for path in spec.read:
        if _is_of(os.path.realpath(path), _OF_THE_DAEMON):
            yield f"{path} is the daemon's own, and never shown to a fix"
    for path in spec.write:
        whole = os.path.realpath(path)
        if _is_of(whole, _BOUNDS) or any(_is_of(os.path.realpath(each), (whole,)) for each in _BOUNDS):
            yield f"{path} may not be written by any fix: what bounds fixes is there"


def _absent(step: Step, spec: SandboxSpec) -> Iterator[str]:
    for path in (*spec.write, *spec.read):
        if not os.path.exists(path):
            yield f"{path} of the sandbox does not exist"
    if path := out_of_reach(step):
        yield f"{path} may not be written by this step: sandbox.write names no directory that it lies in"


def _is_of(path: str, rooms: Iterable[str]) -> bool:
    """Whether it is one of them, or lies in one."""
    return any(f"{path}/".startswith(f"{os.path.realpath(each).rstrip('/')}/") for each in rooms)


def _led_elsewhere(spec: SandboxSpec, account: Account | None) -> Iterator[str]:
    """What is shown is what the path leads to when the step starts. Who can put a link there would have the step do to
    other directories what its user may. One without a user of its own owns nothing that could be done to."""
    if not spec.user and account is not None:
        return
    owners = {0, account.uid if account is not None else os.geteuid()}
    for path in spec.write:
        if wrong := owned.flaw(path, owners, way=True):
            yield f"{path} could be led elsewhere: {wrong}"


def plan_of(step: Step, account: Account | None) -> str:
    """What a command would be given, for people."""
    spec = needs_of(step)
    bare = spec.kind is SandboxKind.NONE
    cpu = f", {duration_text(spec.cpu)} of processor time" if spec.cpu is not None else ""
    lines = {
        "would run": " ".join(argv_of(step.action)),
        "as": account.name if account is not None else "the daemon's own user",
        "may write": "whatever that user may" if bare else ", ".join(spec.write) or "nothing but its own /tmp",
        "sees": "the whole host" if bare else ", ".join(("/usr", *spec.read)),
        "network": "the host's" if bare else spec.network.value,
        "limits": f"{duration_text(step.timeout)}{cpu}, {spec.memory_bytes >> 20} MiB a process, {spec.tasks} tasks, "
        f"files of {_size(spec.file_bytes)}",
    }
    return "".join(f"{name}: {told}\n" for name, told in lines.items())


def _size(count: int) -> str:
    whole = count % (1 << 20) == 0
    return f"{count >> 20} MiB" if whole else f"{count >> 10} KiB"
