"""Whether the daemon's user can read each source."""

from __future__ import annotations

import glob
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logmedic.cli.doctor.finding import Finding, warning, well, wrong
from logmedic.cli.doctor.host import group_name

if TYPE_CHECKING:
    from logmedic.settings import Settings
    from logmedic.settings.sources import SourceSettings

LIMIT_S = 40.0
JOURNAL_S = 10.0
SHOWN = 3
"""Files of one source that cannot be read."""
_HIDDEN = {"yes": ("/home", "/root", "/run/user"), "tmpfs": ("/home", "/root", "/run/user")}
"""By the unit's ProtectHome=: what the daemon does not see."""


@dataclass(frozen=True, slots=True)
class Shut:
    """A file that cannot be read. `at`: it, or the first directory on the way that may not be entered; `group`: whose
    members may, or empty."""

    path: str
    at: str
    group: str = ""


def shut(path: str) -> Shut | None:
    """Why this process cannot read the file at `path`; None: it can, or it is gone."""
    for each in [*map(str, reversed(Path(path).parents)), path]:
        is_file = each == path
        try:
            status = os.stat(each)
        except FileNotFoundError:
            return None
        except OSError:
            return Shut(path, each)
        if not os.access(each, os.R_OK if is_file else os.X_OK, effective_ids=True):
            wanted = stat.S_IRGRP if is_file else stat.S_IXGRP
            return Shut(path, each, group_name(status.st_gid) if status.st_mode & wanted and status.st_gid else "")
    return None


def repair_of(each: Shut, user: str) -> str:
    if each.group:
        return f"usermod -aG {each.group} {user}; systemctl restart logmedic"
    return f"setfacl -m u:{user}:{'r' if each.at == each.path else 'x'} {each.at}"


def of_files(
    name: str, spec_globs: Sequence[str], paths: Sequence[str], found: Sequence[Shut], *, optional: bool, user: str
) -> Iterator[Finding]:
    """`paths`: what the globs find; `found`: those of them that cannot be read."""
    label = f"source {name}"
    if not paths:
        told = f"no file: {', '.join(spec_globs[:SHOWN])}"
        yield (
            well(label, f"{told} (it need not be there)")
            if optional
            else warning(
                label, f"{told}, or the user {user} may not look there", f"sudo -u {user} ls -l {spec_globs[0]}"
            )
        )
        return
    for each in found[:SHOWN]:
        at = "" if each.at == each.path else f" (shut at {each.at})"
        yield wrong(label, f"{each.path} cannot be read by {user}{at}", repair_of(each, user))
    if len(found) > SHOWN:
        yield wrong(label, f"and {len(found) - SHOWN} more files cannot be read by {user}", repair_of(found[-1], user))
    if not found:
        yield well(
            label, f"{len(paths)} files, {user} can read them" if len(paths) > 1 else f"{user} can read {paths[0]}"
        )


def hidden(paths: Sequence[str], protect_home: str) -> list[str]:
    """What the unit keeps from the daemon, whoever may read it."""
    rooms = _HIDDEN.get(protect_home, ())
    return [each for each in paths if any(os.path.realpath(each).startswith(f"{room}/") for room in rooms)]


def look_at_files(name: str, spec: SourceSettings, user: str, protect_home: str) -> Iterator[Finding]:
    globs = spec.files or ()
    paths = sorted({each for pattern in globs for each in glob.iglob(pattern, recursive=True)})
    files = [each for each in paths if not os.path.isdir(each)]
    found = [each for each in map(shut, files) if each is not None]
    yield from of_files(name, globs, files, found, optional=spec.optional, user=user)
    for each in hidden(files, protect_home)[:1]:
        repair = "systemctl edit logmedic: ProtectHome=read-only"
        yield wrong(f"source {name}", f"{each} is not seen inside the unit (ProtectHome={protect_home})", repair)


def look_at_journal(name: str, directory: str, user: str, program: str = "journalctl") -> Finding:
    """By asking for its last entry, as the reader of the daemon would."""
    label = f"source {name}"
    found = shutil.which(program)
    if found is None:
        return wrong(label, "journalctl is not installed", "apt-get install systemd")
    where = [f"--directory={directory}"] if directory else []
    try:
        ran = subprocess.run(  # noqa: S603
            [found, "--no-pager", "-q", "-n", "1", "-o", "cat", *where],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=JOURNAL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return wrong(label, f"journalctl gave no answer within {JOURNAL_S:g} s", "journalctl --verify")
    if ran.stdout.strip():
        return well(label, f"{user} can read the journal")
    told = " ".join(ran.stderr.split())[:200] or "it has no entry, or none that may be read"
    repair = f"usermod -aG systemd-journal {user}; systemctl restart logmedic"
    return (wrong if ran.returncode or ran.stderr else warning)(label, f"the journal, as {user}: {told}", repair)


def look_at_program(name: str, program: str, user: str) -> Finding:
    label, found = f"source {name}", shutil.which(program, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
    if found is None:
        return wrong(label, f"{program} is not there, or {user} may not run it", f"ls -l {program}")
    return well(label, f"{user} can run {found}")


def of_syslog(name: str, spec: SourceSettings) -> Finding:
    assert spec.syslog is not None  # noqa: S101
    listen = spec.syslog
    ports = [f"{kind} {port}" for kind, port in (("udp", listen.udp), ("tcp", listen.tcp)) if port is not None]
    low = [port for port in (listen.udp, listen.tcp) if port is not None and port < 1024]
    where = ", ".join([*(f"{listen.address} {each}" for each in ports), *([str(listen.unix)] if listen.unix else [])])
    if low:
        repair = "listen at a port from 1024 on, or systemctl edit logmedic: AmbientCapabilities=CAP_NET_BIND_SERVICE"
        return warning(f"source {name}", f"{where}: only root may listen below port 1024", repair)
    return well(f"source {name}", f"listens at {where}")


def of_daemon(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """What the daemon that runs says of its files and streams."""
    ill = [row for row in rows if row["problem"]]
    for row in ill[:SHOWN]:
        yield wrong(f"source {row['source']}", f"{row['origin']}: {row['problem']}", "logmedic sources")
    if len(ill) > SHOWN:
        yield wrong("sources", f"and {len(ill) - SHOWN} more have problems", "logmedic sources")


def look(settings: Settings, user: str, protect_home: str) -> Iterator[Finding]:
    """Of all that is followed, as this process, which is `user` by now."""
    from logmedic.rulesets import make_rule_loader

    brought = make_rule_loader(settings, prove=False).load().sources
    absent = 0
    for name, spec in settings.followed(brought).items():
        if spec.journal is not None:
            yield look_at_journal(name, str(spec.journal.directory or ""), user)
        elif spec.command is not None:
            yield look_at_program(name, spec.command[0], user)
        elif spec.syslog is not None:
            yield of_syslog(name, spec)
        elif spec.optional and not any(True for each in spec.files or () for _ in glob.iglob(each, recursive=True)):
            absent += 1
        else:
            yield from look_at_files(name, spec, user, protect_home)
    if absent:
        yield well("sources", f"{absent} logs that rule packs know are not on this host")


def nobody(user: str) -> Finding:
    return wrong("daemon's user", f"the unit runs as {user}, and there is no such account", "systemd-sysusers")
