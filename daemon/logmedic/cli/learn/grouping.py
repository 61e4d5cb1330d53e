"""learn --groups: lines to groups, for measuring and for scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from io import BufferedIOBase

from logmedic.core.mining.groups import groups
from logmedic.model.errors import NotFound

AT_ONCE = 10_000
"""Lines."""


def print_groups(places: Sequence[str]) -> None:
    """One line for each line of `places`, in their order, after all of them are read."""
    out, held = sys.stdout.buffer, []
    for group, template in groups(_lines(places)):
        held.append(f"{group}\t{' '.join(template.split())}\n")
        if len(held) >= AT_ONCE:
            out.write("".join(held).encode("utf-8", "replace"))
            held.clear()
    out.write("".join(held).encode("utf-8", "replace"))


def _lines(places: Sequence[str]) -> Iterator[str]:
    """Cut at newlines alone; invalid UTF-8 is replaced."""
    for place in places:
        with ExitStack() as stack:
            for line in sys.stdin.buffer if place == "-" else stack.enter_context(_opened(place)):
                yield line.rstrip(b"\r\n").decode("utf-8", "replace")


def _opened(place: str) -> BufferedIOBase:
    from logmedic.adapters.sources.packed import is_packed, unpacking

    try:
        return unpacking(place) if is_packed(place) else open(place, "rb")
    except OSError as error:
        raise NotFound(f"cannot read {place}: {error.strerror}") from None
