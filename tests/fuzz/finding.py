"""What went wrong with which input, and in which file it is kept."""

from __future__ import annotations

import hashlib
import re
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fuzz.target import Broken
from fuzz.tracing import PRODUCT

FRAMES = 8
"""The innermost, of what is told."""
MOST_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Find:
    """`kind`: the class of an exception, or `hang`, `slow`, `memory`, `growth`, `death`. `where`: the product's line
    that it came from; two finds of one kind and place are one. `input`: minimized where it could be."""

    target: str
    kind: str
    where: str
    text: str
    input: bytes

    @property
    def cause(self) -> tuple[str, str]:
        return self.kind, self.where

    def row(self) -> dict[str, Any]:
        return {**asdict(self), "input": self.input.hex()}

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Find:
        return cls(**{**row, "input": bytes.fromhex(row["input"])})


def find_of(target: str, error: BaseException, given: bytes) -> Find:
    """`where` is the innermost place in the product, else of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(PRODUCT)] or frames
    if isinstance(error, Broken):  # whose promise it is: the line of the target, not that of `claim`
        ours = frames[:-1]
    name = Path(ours[-1].filename).name if ours else ""
    where = f"{name}:{ours[-1].lineno} {ours[-1].name}" if ours else ""
    if isinstance(error, RecursionError):  # where it ends is chance
        where = name
    text = "".join(traceback.format_exception(error, limit=-FRAMES))
    return Find(target, type(error).__name__, where, text[-MOST_TEXT:], given)


def kept(find: Find, room: Path) -> Path:
    """Write its input into `room`, named after what it is and what it holds."""
    room.mkdir(parents=True, exist_ok=True)
    kind = re.sub(r"[^a-z]+", "-", find.kind.lower()).strip("-")
    path = room / f"{find.target}-{kind}-{hashlib.sha256(find.input).hexdigest()[:8]}"
    path.write_bytes(find.input)
    return path
