"""Lines to groups, apart from any daemon: each line taken as an error of one and the same component."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from logmedic.core.mining.masks import named, names_in, shape_of
from logmedic.core.mining.placing import fingerprint, place
from logmedic.model.grove import Grove
from logmedic.model.shape import Shape

REMEMBERED = 16_384
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_ZEROED = bytes.maketrans(b"123456789", b"000000000")


def groups(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(fingerprint, template) for each line, as they stand when all lines are read. Needs some 8 bytes a line, and what
    the templates need."""
    grove, shapes, placed = Grove(), _Shapes(), []
    for n, line in enumerate(lines):
        shape, name = shapes.of(line)
        placement = place(grove, shape, "", name)
        template = placement.template
        if placement.fresh:
            template = replace(template, first_seen=_BEGIN + timedelta(microseconds=n))
        for each in (*placement.absorbed, template):
            grove.put(each)
        placed.append(template.fingerprint)
    for once in placed:
        if (now := grove.survivor(once)) is not None:
            yield now.fingerprint, now.template


class _Shapes:
    """Remembers shapes, as unknowns.Judge does."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, ...], tuple[Shape, str]] = {}
        self._names: dict[bytes, tuple[int, ...]] = {}

    def of(self, line: str) -> tuple[Shape, str]:
        """The shape, and its fingerprint."""
        raw = line.encode("utf-8", "surrogatepass")
        zeroed = raw.translate(_ZEROED)
        if (places := self._names.get(zeroed)) is not None:
            known = self._known.get((zeroed, *named(raw, places)))
            if known is not None:
                return known
        if len(self._known) >= REMEMBERED:
            self._known.clear()
            self._names.clear()
        shape = shape_of(line)
        places = self._names.setdefault(zeroed, names_in(raw, shape))
        found = self._known[zeroed, *named(raw, places)] = shape, fingerprint("", shape)
        return found
