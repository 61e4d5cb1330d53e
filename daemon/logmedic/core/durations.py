"""Spans of time, as people write them."""

from __future__ import annotations

from datetime import timedelta


def duration_text(duration: timedelta) -> str:
    """As `parse_duration` reads it, in the largest unit that needs no fraction."""
    milliseconds = round(duration.total_seconds() * 1000)
    for unit, worth in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % worth == 0:
            return f"{milliseconds // worth}{unit}"
    return f"{milliseconds}ms"
