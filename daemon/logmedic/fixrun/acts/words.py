"""How acts talk: sizes, ages, paths, and lists that end."""

from __future__ import annotations

import os

LINES = 40
"""Of a list; the rest is told as a sum."""


class Unreached(Exception):
    """The goal could not be reached, and nothing is broken: its text says why (exit 3)."""


def size(count: float) -> str:
    """Of bytes, with a binary unit."""
    for unit in ("B", "K", "M", "G"):
        if count < 1024:
            return f"{count:.0f}{unit}" if unit == "B" or count >= 100 else f"{count:.1f}{unit}"
        count /= 1024
    return f"{count:.1f}T"


def age(seconds: float) -> str:
    """The two largest units."""
    left = max(0, int(seconds))
    told: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if left >= length or (unit == "s" and not told):
            told.append(f"{left // length}{unit}")
            left %= length
    return " ".join(told[:2])


def shown(path: str) -> str:
    """A name of a file is anybody's text: one line of it, and nothing that moves a cursor."""
    return path if path.isprintable() else ascii(path)


def joined(room: str, *parts: str) -> str:
    return os.path.join(room, *parts)


class Listing:
    """Prints the first lines of a list, and counts all of it."""

    def __init__(self, verb: str) -> None:
        self._verb = verb
        self.count = 0
        self.bytes = 0

    def add(self, path: str, allocated: int, seconds_old: float) -> None:
        self.count += 1
        self.bytes += allocated
        if self.count <= LINES:
            print(f"{self._verb} {size(allocated):>6}  {age(seconds_old):>7}  {shown(path)}")

    def end(self) -> None:
        if self.count > LINES:
            print(f"... and {self.count - LINES} more")
        things = "1 file" if self.count == 1 else f"{self.count} files"
        print(f"{self._verb} {things}, {size(self.bytes)}")
