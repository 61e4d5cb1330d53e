"""Sizes as people write them."""

from __future__ import annotations

UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def size_text(size: int) -> str:
    """As a rule file has it, in the largest unit that needs no fraction."""
    return next(f"{size // worth}{unit}" for unit, worth in reversed(UNITS.items()) if size % worth == 0)


def bytes_text(count: float) -> str:
    """Rounded, for people."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
