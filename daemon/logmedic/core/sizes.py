"""Sizes as people write them."""

from __future__ import annotations

UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def size_text(size: int) -> str:
    """As a rule file has it, in the largest unit that needs no fraction."""
    return next(f"{size // worth}{unit}" for unit, worth in reversed(UNITS.items()) if size % worth == 0)
