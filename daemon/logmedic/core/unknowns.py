"""What an error-looking record is that no rule knows. A storm of one error is judged once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import regex

from logmedic.core import templates
from logmedic.core.evidence import without_colours
from logmedic.core.mining.masks import named, names_in, shape_of
from logmedic.core.mining.placing import fingerprint
from logmedic.core.records import decode
from logmedic.model.shape import Shape, text_of

REMEMBERED = 24_576
"""Judgements kept, and as many of those before: either are more than there are templates. Some 400 bytes each,
and 1,000 a kind."""
MAX_KEY = 1024
"""Bytes of a record that is remembered: longer ones seldom come twice."""

_ZEROED = bytes.maketrans(b"123456789", b"000000000")
_TELLS_ZERO = b": 0"
"""`errors: 0` is none: there, and in names, it matters which digit it is."""
_DETECTORS = tuple(map(regex.compile, templates.ERROR_DETECTORS))


@dataclass(frozen=True, slots=True)
class Kind:
    """What all records of one fingerprint have in common; `trace` and `critical`: of the record that was judged."""

    component: str
    template: str
    fingerprint: str
    trace: bool
    critical: bool
    shape: Shape = ()


class Judge:
    """Remembers by the record's bytes with all digits zeroed, and by the names with digits that its shape has: what is
    found depends on nothing else (see `shape_of`), so remembering changes nothing. Used from any thread: what two judge
    at once is the same."""

    def __init__(self, first: int) -> None:
        """`first`: the index of the first of templates.ERROR_DETECTORS among the patterns of the scanner."""
        self._first = first
        self.memory = _Memory()

    def judge(self, source: str, raw: bytes, indices: Sequence[int]) -> Kind | None:
        """The kind of the record `raw`; None when it is no error. `indices`: of the patterns with a hit in it."""
        if len(raw) > MAX_KEY or _TELLS_ZERO in raw:
            return self._judged(source, raw, indices)
        key: Key = (source, raw.translate(_ZEROED))
        known = self.memory.get(key)
        if known is not None and known.names:
            known = self.memory.get((*key, *named(raw, known.names)))
        if known is not None:
            return known.kind
        kind = self._judged(source, raw, indices)
        if kind is None:
            self.memory.put(key, Judgement())
        elif (same := self.memory.met(kind)) is not None:
            names = names_in(raw, kind.shape)
            if names:
                self.memory.put(key, Judgement(names=names))
                key = (*key, *named(raw, names))
            self.memory.put(key, Judgement(same))
        return kind

    def _judged(self, source: str, raw: bytes, indices: Sequence[int]) -> Kind | None:
        text = decode(raw, 0, len(raw))
        if not self._is_error(text, indices):
            return None
        text = without_colours(text)
        trace = templates.has_trace(text)
        if not trace and templates.declares_calm(text):
            return None
        component = templates.component_of(text, source)
        shape = shape_of(templates.message_of(text))
        name = fingerprint(component, shape)
        return Kind(component, text_of(shape), name, trace, templates.is_critical(text), shape)

    def _is_error(self, text: str, indices: Sequence[int]) -> bool:
        detectors = (index - self._first for index in indices if index >= self._first)
        return any(_DETECTORS[each].search(text) for each in detectors)


Key = tuple[str | bytes, ...]
Kept = TypeVar("Kept", set[int], dict[Kind, Kind])


class Judgement(NamedTuple):
    """`names`: which words with digits it depends on besides; there is one for each of what these are."""

    kind: Kind | None = None
    names: tuple[int, ...] = ()


class _Memory:
    """The last REMEMBERED that were put, and up to as many of those before."""

    __slots__ = ("_kinds", "_met", "_old", "_young")

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._kinds: dict[Kind, Kind] = {}
        self._young: dict[Key, Judgement] = {}
        self._old: dict[Key, Judgement] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def met(self, kind: Kind) -> Kind | None:
        """The one that was met before; None at first: what comes once is not worth remembering, and a flood of errors
        of which no two are of one kind drives nothing out."""
        mark = hash(kind.fingerprint)
        if mark not in self._met:
            _bounded(self._met).add(mark)
            return None
        return self._kinds.get(kind) or _bounded(self._kinds).setdefault(kind, kind)

    def get(self, key: Key) -> Judgement | None:
        found = self._young.get(key)
        if found is None and self._old:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: Key, judgement: Judgement) -> None:
        if len(self._young) >= REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[key] = judgement


def _bounded(kept: Kept) -> Kept:
    if len(kept) >= 4 * REMEMBERED:
        kept.clear()
    return kept
