"""Where logmedic is on this host, and whether its runner is root's alone."""

from __future__ import annotations

import grp
import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path

from logmedic.adapters.fixes.accounts import account_of
from logmedic.adapters.fixes.catalogue import Installable
from logmedic.adapters.fixes.fitness import Acts, unfit
from logmedic.adapters.fixes.unitfiles import Ground
from logmedic.fixrun import owned
from logmedic.model.errors import SandboxUnavailable

_SEEN_ANYWAY = "/usr/"


def interpreter() -> str:
    """The one below any virtual environment: a fix is not run by what lies in a directory of somebody's."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)


def package() -> str:
    return str(Path(__file__).resolve().parents[2])


def here(*, daemon: str, user: str, concurrency: int) -> Ground:
    """`user`: the account of fixes (actions.user); its group is theirs, when it exists."""
    prefix = os.path.realpath(sys.base_prefix)
    return Ground(
        python=interpreter(),
        package=package(),
        prefix="" if f"{prefix}/".startswith(_SEEN_ANYWAY) else prefix,
        daemon=daemon,
        group=_group_of(user),
        concurrency=concurrency,
    )


def _group_of(user: str) -> str:
    try:
        gid = pwd.getpwnam(user).pw_gid
        return grp.getgrgid(gid).gr_name if gid else ""  # root's own is nobody else's
    except KeyError:
        return ""


def runner_flaws(ground: Ground) -> Iterator[str]:
    """Who else could change what every fix is started by."""
    yield from filter(None, [owned.flaw(ground.python, program=True), owned.flaw(f"{ground.package}/__init__.py")])
    for room, _, names in os.walk(f"{ground.package}/fixrun"):
        for path in (room, *(os.path.join(room, name) for name in names)):
            if wrong := owned.flaw(path):
                yield wrong
                return


def host_problem(fix: Installable, ground: Ground) -> str:
    """Why this host cannot run it as it is now, or nothing: its account, its program, its paths. Asked by root."""
    try:
        account = account_of(user, "") if (user := fix.step.sandbox.user) else None
    except SandboxUnavailable as refused:
        return refused.text
    if account is not None and account.uid == 0 and account.name != "root":
        return f"the account {account.name!r} is root; say so: `user: root`"
    if account is not None and account.uid == _uid_of(ground.daemon):
        return f"{account.name!r} is the daemon's own account: its files, and it itself, would be the step's"
    return unfit(fix.step, account, Acts(ground.python, ground.package, ground.prefix))


def account_exists(name: str) -> bool:
    return _uid_of(name) is not None


def _uid_of(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
