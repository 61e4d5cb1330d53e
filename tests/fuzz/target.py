"""What is fuzzed: one reader of bytes, what it is begun with, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

Attempt = Callable[[bytes], None]
"""Reads one input. Returns when it was taken, raises one of the target's `refusals` when it was refused in order;
anything else that it raises is a find."""
Open = Callable[[Path], AbstractContextManager[Attempt]]
"""Makes what reads, in an empty directory of its own; on exit that is closed."""

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """`seeds`: inputs that the reader knows, in an order that is always the same. `tokens`: words of its language.
    `most_bytes`: of an input. `cpu_s`: more than that for one input is a find, and so are `hang_s` seconds without an
    end. `memory`: bytes of address space beyond what is there before the first input. `growth`: bytes of RSS, from a
    quarter of the run to its end. `peak`: bytes that one input may add to the highest RSS of the run."""

    name: str
    open: Open
    seeds: Callable[[], Iterable[bytes]]
    tokens: tuple[bytes, ...] = ()
    refusals: tuple[type[Exception], ...] = ()
    most_bytes: int = 16 * 1024
    cpu_s: float = 3.0
    hang_s: float = 30.0
    memory: int = 1024 * MIB
    growth: int = 96 * MIB
    peak: int = 128 * MIB


class Broken(AssertionError):
    """A promise of the target does not hold: its text says which."""


def claim(holds: bool, promise: str) -> None:
    """Raises Broken."""
    if not holds:
        raise Broken(promise)
