"""Another file takes the place of the store and of its log. Whenever that is cut off, the store's name leads to one of
the two, whole, and never to one with the log of the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from logmedic.adapters.store import copies
from logmedic.adapters.store.walog import wal_of
from logmedic.model.errors import StoreBusy

Reached = Callable[[str], None]
"""Told what was reached: ready, alone, replaced."""


def replacement_of(path: Path) -> Path:
    """What takes the place of the store at `path`: whole, once it has this name."""
    return path.with_name(f"{path.name}.replacement")


def replace(path: Path, new: Path, reached: Reached = lambda _: None) -> None:
    """`new` is whole, and nobody has it open; it gets the name `path`, durably. From `ready` on it is what `finish`
    puts there. Raises OSError; StoreBusy when it has a log of its own."""
    if wal_of(new).exists():
        raise StoreBusy(f"the log of {new} was not brought into the file", "look at the disk, and try again")
    copies.make_durable(new)
    new.replace(replacement_of(path))
    copies.make_durable(path.parent)
    reached("ready")
    finish(path, reached)


def finish(path: Path, reached: Reached = lambda _: None) -> bool:
    """What a `replace` that was cut off had left to do. Whether there was something. Raises OSError."""
    ready = replacement_of(path)
    if not ready.exists():
        return False
    wal_of(path).unlink(missing_ok=True)
    copies.make_durable(path.parent)  # before the name: a log of another file must not come back beside the new one
    reached("alone")
    ready.replace(path)
    copies.make_durable(path.parent)
    reached("replaced")
    return True
