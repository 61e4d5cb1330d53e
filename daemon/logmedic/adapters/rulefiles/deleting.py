"""Directories in which no fix may delete: they belong to the system, or to many programs at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from posixpath import dirname, normpath

from logmedic.adapters.rulefiles.bounds import path_mistakes
from logmedic.adapters.rulefiles.placeholders import Mistake, captures_in, names_in, possible
from logmedic.model.rule import Rule

_THE_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sbin", "/sys", "/usr")
"""With all that is below: programs, settings, and what only looks like files. What deletes there breaks the host."""
_OF_MANY = frozenset(
    f"/var/{each}" for each in ("backups", "cache", "lib", "lock", "log", "mail", "opt", "run", "spool", "tmp", "www")
)
"""Themselves, and not what is below. So is every directory at the top (/home, /root, /run, /srv, /tmp, /var, ...), and
every home: an age and a name say nothing there of whose files they are."""
OF_THE_DAEMON = ("/var/lib/logmedic", "/var/log/logmedic", "/run/logmedic")


def deleting_mistakes(rule: Rule, path: str, where: str) -> Iterator[Mistake]:
    yield from path_mistakes(rule, path, where)
    allowed = [each for _, capture in captures_in(rule, path) for each in capture.allow]
    for real in dict.fromkeys((*possible(rule, path, samples=True), *allowed)):
        if why := _whose("/" + normpath(real).lstrip("/")):
            yield f"no fix deletes in `{real[:80]}`: {why}", "name the directory of one program: /var/cache/app"


def unreachable(rule: Rule, path: str, write: Sequence[str]) -> Iterator[Mistake]:
    """What comes from a log line opens nothing in a sandbox: `write` has to name a directory around it. Paths without
    captures are open by themselves."""
    if not names_in(path):
        return
    rooms = ["/" + normpath(each).lstrip("/") for each in write]
    for real in possible(rule, path, samples=True):
        if not any(is_below("/" + normpath(real).lstrip("/"), each) for each in rooms):
            hint = f"sandbox: {{ write: [{dirname(path.partition('{')[0]) or '/var/cache/app'}] }}"
            yield f"`{path[:80]}` holds a capture, and `write` names no directory around it", hint
            return


def _whose(path: str) -> str:
    """Empty: it may be one program's."""
    if any(is_below(path, each) for each in _THE_SYSTEM):
        return "it is a part of the system"
    if path.count("/") == 1 or path in _OF_MANY or dirname(path) == "/home":
        return "it belongs to many programs"
    if any(is_below(path, each) for each in OF_THE_DAEMON):
        return "logmedic keeps its own files there"
    return ""


def is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
