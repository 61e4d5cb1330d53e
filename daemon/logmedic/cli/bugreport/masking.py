"""What is taken out of everything that goes into the bundle."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from logmedic.core.pseudonyms import Pseudonyms

_PEOPLE = range(1000, 65000)
"""User ids of people; below are those of services, which say what runs and of nobody."""
_QUOTED = frozenset(
    {"captures", "description", "error_pattern", "evidence", "group_key", "output", "samples", "text", "title"}
)
"""Keys of rows whose values are made of log text: what is in it is anybody's."""
LEFT_OUT = "[left out]"


def pseudonyms(config: Path | None, env: Mapping[str, str]) -> Pseudonyms:
    from logmedic.settings.known import known_secrets

    return Pseudonyms(secrets=known_secrets(config, env), hosts=host_names(), users=people(env))


def host_names() -> set[str]:
    """Of this host, whole and in short."""
    names = {socket.gethostname(), os.uname().nodename}
    with suppress(OSError):
        names.add(Path("/etc/hostname").read_text().strip())
    return {each for name in names for each in (name, name.partition(".")[0]) if each} - {"localhost"}


def people(env: Mapping[str, str]) -> set[str]:
    """Who has an account here, and who types this."""
    known = {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid in _PEOPLE}
    typing = {env.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER")}
    return {each for each in known | typing if each and each != "root"} - _services()


def _services() -> set[str]:
    return {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid not in _PEOPLE}


def without_log_text(value: Any) -> Any:
    match value:
        case dict():
            return {key: LEFT_OUT if key in _QUOTED and each else without_log_text(each) for key, each in value.items()}
        case list():
            return [without_log_text(each) for each in value]
    return value


def environment_names(env: Mapping[str, str]) -> Iterator[str]:
    """Of the variables that this program reads; not what they hold."""
    return (name for name in sorted(env) if name.startswith("LOGMEDIC_") or name in ("TZ", "LANG", "NO_COLOR"))
