"""The main config, and the time zone of this host."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from logmedic.cli.doctor.finding import Finding, Person, unknown, warning, well, wrong
from logmedic.cli.output import several

if TYPE_CHECKING:
    from logmedic.settings import Settings

CREDENTIALS = Path("/run/credentials/logmedic.service")
"""Where systemd keeps what LoadCredential= gave the unit that runs; root may look."""
CHECK = "logmedic config check"
_UNREADABLE = re.compile(r"cannot read the config .*: Permission denied|\$\{file:[^}]*\}: Permission denied")
_NOT_THE_UNIT = "not started by systemd with LoadCredential="
SHOWN = 5
"""Mistakes and warnings."""


def environment(env: Mapping[str, str], credentials: Path = CREDENTIALS) -> dict[str, str]:
    """As the unit has it, as far as we may see that."""
    if env.get("CREDENTIALS_DIRECTORY") or not os.access(credentials, os.R_OK | os.X_OK):
        return dict(env)
    return {**env, "CREDENTIALS_DIRECTORY": str(credentials)}


def mistakes_of(text: str) -> list[str]:
    """Of the text of a ConfigInvalid: a line each, without the lines of the config below it, which may hold secrets."""
    from logmedic.settings.remains import one_line_each

    return list(one_line_each(text))


def of_mistakes(mistakes: Sequence[str]) -> Iterator[Finding]:
    ours = [each for each in mistakes if _UNREADABLE.search(each)]
    units = [each for each in mistakes if _NOT_THE_UNIT in each]
    real = [each for each in mistakes if each not in ours and each not in units]
    for each in real[:SHOWN]:
        yield wrong("config", each, CHECK)
    if len(real) > SHOWN:
        yield wrong("config", f"and {len(real) - SHOWN} more mistakes", CHECK)
    if ours and not real:
        yield unknown("config", ours[0], "sudo logmedic doctor")
    if units and not (real or ours):
        yield unknown("config", f"{units[0]}; it can be read while the service runs", "systemctl start logmedic")


def look(path: Path | None, env: Mapping[str, str]) -> Iterator[Finding]:
    from logmedic.model.errors import ConfigInvalid
    from logmedic.settings import config_path, config_warnings, load_settings

    try:
        settings = load_settings(path, env)
        warnings = config_warnings(path, env)
    except ConfigInvalid as invalid:
        yield from of_mistakes(mistakes_of(invalid.text))
        return
    read = config_path(path, env)
    named = several(len(settings.sources), "source") + (" and the usual ones" if settings.discovers else "")
    yield well("config", f"{read or 'no file, the defaults'}: mode {settings.mode.value}, {named}")
    for each in warnings[:SHOWN]:
        yield warning("config", f"{each.file}:{each.line}: {each.text}", each.hint or CHECK)


def loaded(path: Path | None, env: Mapping[str, str]) -> Settings | None:
    """None: it does not load; `look` says why."""
    from logmedic.model.errors import ConfigInvalid
    from logmedic.settings import load_settings

    try:
        return load_settings(path, env)
    except ConfigInvalid:
        return None


def of_secret_files(path: Path | None, env: Mapping[str, str], daemon: Person) -> Iterator[Finding]:
    """Files that `${file:...}` names have to be the daemon's user's alone: its group is those who may only look."""
    from logmedic.settings.known import secret_files

    for each in secret_files(path, env):
        repair = f"chown {daemon.name} {each}; chmod 400 {each}"
        try:
            status = each.stat()
        except OSError as error:
            yield unknown("secrets", f"{each}: {error.strerror}", "sudo logmedic doctor")
            continue
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            yield warning("secrets", f"{each} is {mode:04o}: not only the daemon gets at it", repair)
        elif daemon.uid not in (status.st_uid, 0):
            yield wrong("secrets", f"{each} is {mode:04o} and not {daemon.name}'s: the daemon cannot read it", repair)
        else:
            yield well("secrets", f"{each} is the daemon's alone")


def zone(localtime: Path = Path("/etc/localtime"), env: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """What log times without a zone are taken to be in."""
    from zoneinfo import ZoneInfo

    if not localtime.exists():
        yield warning("time zone", f"{localtime} is not there: log times without a zone are taken for UTC", _SET_ZONE)
        return
    try:
        with localtime.open("rb") as rules:
            ZoneInfo.from_file(rules)
    except (OSError, ValueError) as error:
        yield wrong("time zone", f"{localtime} cannot be read: {error}", _SET_ZONE)
        return
    name = os.path.realpath(localtime).partition("zoneinfo/")[2] or "of a file without a name"
    if env.get("TZ") and env["TZ"].lstrip(":") != name:
        yield warning("time zone", f"{name}, and TZ is {env['TZ']}: the daemon goes by {localtime}", "unset TZ")
    else:
        yield well("time zone", name)


_SET_ZONE = "timedatectl set-timezone Europe/Berlin"
