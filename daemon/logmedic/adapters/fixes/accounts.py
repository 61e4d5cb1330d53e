"""Whom a step runs as, where no service manager changes the user."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

from logmedic.model.errors import SandboxUnavailable

FIX_UID = 61999
"""The user of fixes where no account is made for them: outside the ranges that Debian, Red Hat and systemd give out."""


@dataclass(frozen=True, slots=True)
class Account:
    """`groups`: the supplementary ones."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def account_of(asked: str, usual: str) -> Account | None:
    """`asked`: the user that the step names, or empty; `usual`: whom steps without one run as, which need not exist.
    None: we stay who we are. Raises SandboxUnavailable when `asked` cannot be had."""
    if os.geteuid() != 0:
        _check_ourselves(asked)
        return None
    if asked:
        return _named(asked)
    try:
        entry = pwd.getpwnam(usual)
    except KeyError:
        return Account(f"user id {FIX_UID}", FIX_UID, FIX_UID)
    return Account(usual, entry.pw_uid, entry.pw_gid)


def _check_ourselves(asked: str) -> None:
    """Raises SandboxUnavailable."""
    if asked and asked != _name_of(os.geteuid()):
        raise SandboxUnavailable(f"only a daemon that is root can run it as {asked!r}", "remove sandbox.user")


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _named(name: str) -> Account:
    """With the groups that the service manager would give it, too. Raises SandboxUnavailable."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise SandboxUnavailable(f"there is no account {name!r} for it to run as", "make it, or name another") from None
    groups = tuple(each for each in os.getgrouplist(name, entry.pw_gid) if each != entry.pw_gid)
    return Account(name, entry.pw_uid, entry.pw_gid, groups)
