"""The blocks of docs/operations.md. The second word of a fence says where its commands are typed by a test:

live        beside a running daemon, without systemd
booted      in a booted container with the package installed
downgrade   there, with the package of the version before
lost        there, and the store is gone
config      it is a config: it loads"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).parents[1] / "docs" / "operations.md"
PAGE = PATH.read_text(encoding="utf-8")
PLACES = ("live", "booted", "downgrade", "lost", "config")


@dataclass(frozen=True, slots=True)
class Block:
    """`line`: of its fence."""

    language: str
    place: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"line-{self.line}"


def _blocks() -> tuple[Block, ...]:
    return tuple(
        Block(*f"{found[1]} ".split(" ", 1), PAGE.count("\n", 0, found.start()) + 1, found[2])  # type: ignore[misc]
        for found in re.finditer(r"^```(\S.*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)
    )


BLOCKS = tuple(Block(each.language, each.place.strip(), each.line, each.text) for each in _blocks())


def of(place: str) -> tuple[Block, ...]:
    return tuple(each for each in BLOCKS if each.place == place)
