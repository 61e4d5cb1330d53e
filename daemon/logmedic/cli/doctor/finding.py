"""What a look at one thing found. Standard library only: the doctor works where wheels are missing (F41)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """WARNING: the daemon works, with less. UNKNOWN: it could not be looked at, and `found` says why."""

    WELL = "well"
    WRONG = "wrong"
    WARNING = "warning"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """`repair`: what to type or to do when it is not well."""

    name: str
    state: State
    found: str
    repair: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """An account of this host. `groups`: all of its groups, the first one is its own."""

    name: str
    uid: int
    groups: tuple[int, ...] = ()


Look = Callable[[], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """`look` runs in a process of its own for at most `limit_s`, as the user `to_be` where that is another one."""

    name: str
    look: Look
    limit_s: float = 15.0
    to_be: Person | None = None


def well(name: str, found: str) -> Finding:
    return Finding(name, State.WELL, found)


def wrong(name: str, found: str, repair: str) -> Finding:
    return Finding(name, State.WRONG, found, repair)


def warning(name: str, found: str, repair: str = "") -> Finding:
    return Finding(name, State.WARNING, found, repair)


def unknown(name: str, found: str, repair: str = "") -> Finding:
    return Finding(name, State.UNKNOWN, found, repair)
