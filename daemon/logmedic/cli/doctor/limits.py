"""What the kernel allows: inotify watches and instances, open files; against what is in use and what is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from logmedic.cli.doctor.finding import Finding, unknown, warning, well, wrong

if TYPE_CHECKING:
    from logmedic.settings import Settings

PROC = Path("/proc")
INOTIFY = Path("/proc/sys/fs/inotify")
OWN_FILES = 64
"""Descriptors beside those of logs: the store, the socket and its callers, pipes of fixes and of alert workers."""


@dataclass(frozen=True, slots=True)
class Inotify:
    """Of one user: inotify(7) counts both by user."""

    watches: int
    instances: int


def limits(directory: Path = INOTIFY) -> Inotify:
    """Raises OSError where the kernel has no inotify, ValueError for what is no number."""
    read = [int((directory / name).read_text()) for name in ("max_user_watches", "max_user_instances")]
    return Inotify(*read)


def in_use(uid: int, proc: Path = PROC, without: int = 0) -> Inotify:
    """Of the processes of `uid` that we may look into, but for the process `without`."""
    watches = instances = 0
    for pid in (each for each in os.listdir(proc) if each.isdecimal() and int(each) != without):
        with suppress(OSError):
            if os.stat(proc / pid).st_uid != uid:
                continue
            for info in os.listdir(proc / pid / "fdinfo"):
                counted = _watches_of(proc / pid / "fdinfo" / info, proc / pid / "fd" / info)
                if counted is not None:
                    instances, watches = instances + 1, watches + counted
    return Inotify(watches, instances)


def _watches_of(info: Path, link: Path) -> int | None:
    """None: it is no inotify descriptor."""
    with suppress(OSError):
        if os.readlink(link) == "anon_inode:inotify":
            return info.read_text().count("inotify wd:")
    return None


def needed(directories: int) -> Inotify:
    """By the daemon: one watch a directory to be woken by, and one to find new files by; of these each has an
    instance of its own (watchdog)."""
    return Inotify(2 * directories, 1 + directories)


def of_inotify(allowed: Inotify, others: Inotify, wanted: Inotify, user: str) -> Iterator[Finding]:
    """`others`: what other processes of the user have."""
    rows = (
        ("watches", allowed.watches, others.watches, wanted.watches),
        ("instances", allowed.instances, others.instances, wanted.instances),
    )
    for what, most, used, more in rows:
        found = f"{most:,} for {user}, {used:,} in use by others, about {more:,} needed"
        if used + more > most:
            enough = max(2 * (used + more), 512 if what == "instances" else 65536)
            key = f"fs.inotify.max_user_{what}"
            repair = f"sysctl -w {key}={enough}; echo {key}={enough} > /etc/sysctl.d/60-logmedic.conf"
            yield warning(f"inotify {what}", f"{found}: what is left over is polled", repair)
        else:
            yield well(f"inotify {what}", found)


def of_files(most: int, wanted: int, used: int | None) -> Finding:
    """`used`: by the daemon now; None when that is not to be seen."""
    found = f"{most:,} allowed, about {wanted:,} needed" + (f", {used:,} open now" if used is not None else "")
    if max(wanted, used or 0) > 0.9 * most:
        repair = f"systemctl edit logmedic: LimitNOFILE={max(65536, 4 * wanted)}"
        return wrong("open files", f"{found}: lines wait for files that cannot be opened", repair)
    return well("open files", found)


def open_files(pid: int, unit: Mapping[str, str], proc: Path = PROC) -> tuple[int, int | None]:
    """The limit of the daemon `pid` (0: none runs; then of its unit, else our own), and how many it has open."""
    import resource

    used = None
    if pid:
        with suppress(OSError):
            used = len(os.listdir(proc / str(pid) / "fd"))
        with suppress(OSError, StopIteration, ValueError):
            lines = (proc / str(pid) / "limits").read_text().splitlines()
            return int(next(each for each in lines if each.startswith("Max open files")).split()[3]), used
    if unit.get("LimitNOFILE", "").isdecimal():
        return int(unit["LimitNOFILE"]), used
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0], used


def followed(settings: Settings) -> tuple[int, int]:
    """How many directories are watched, and how many files are there."""
    import glob

    from logmedic.adapters.sources.discovery import parents_of
    from logmedic.rulesets import make_rule_loader

    brought = make_rule_loader(settings, prove=False).load().sources
    globs = [each for spec in settings.followed(brought).values() for each in spec.files or ()]
    there = {each for each in (*parents_of(globs), *map(str, settings.rule_paths())) if os.path.isdir(each)}
    return len(there), len({path for each in globs for path in glob.iglob(each, recursive=True)})


def look(
    settings: Settings,
    *,
    user: str,
    uid: int,
    pid: int,
    unit: Mapping[str, str],
    inotify: Path = INOTIFY,
    proc: Path = PROC,
) -> Iterator[Finding]:
    """`user`, `uid`: the daemon's; `pid`: of the daemon that runs, or 0."""
    directories, files = followed(settings)
    try:
        yield from of_inotify(limits(inotify), in_use(uid, proc, without=pid), needed(directories), user)
    except (OSError, ValueError) as error:
        yield unknown("inotify", f"its limits cannot be read: {error}")
    most, used = open_files(pid, unit, proc)
    yield of_files(most, files + 3 * directories + OWN_FILES, used)
