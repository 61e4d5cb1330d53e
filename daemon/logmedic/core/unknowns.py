"""What an error-looking record is that no rule knows. A storm of one error is judged once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from logmedic.core import templates
from logmedic.core.records import decode

REMEMBERED = 16_384
"""Judgements kept, and as many of those before: together more than there are templates. Some 400 bytes each."""
MAX_KEY = 1024
"""Bytes of a record that is remembered: longer ones seldom come twice."""

_ZEROED = bytes.maketrans(b"123456789", b"000000000")
_TELLS_ZERO = b": 0"
"""`errors: 0` is none: there, and nowhere else, it matters which digit it is."""
_LENGTHS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.:/-])"
    r"|(?<=[ =(*#,])\d{1,9}(?![\w./:-]|,\d| \d\d:)",
    re.ASCII,
)
"""In a message, addresses, and numbers that stand alone, but for a day before a time: how many digits these have is
chance, and makes no other kind."""
_DETECTORS = tuple(map(regex.compile, templates.ERROR_DETECTORS))


@dataclass(frozen=True, slots=True)
class Kind:
    """What all records of one fingerprint have in common; `trace` and `critical`: of the record that was judged."""

    component: str
    template: str
    fingerprint: str
    trace: bool
    critical: bool


class Judge:
    """Remembers by the record's bytes with all digits zeroed: what is found depends on where digits stand alone (see
    `templates.mask`), so remembering changes nothing. Used from any thread: what two judge at once is the same."""

    def __init__(self, first: int) -> None:
        """`first`: the index of the first of templates.ERROR_DETECTORS among the patterns of the scanner."""
        self._first = first
        self.memory = _Memory()

    def judge(self, source: str, raw: bytes, indices: Sequence[int]) -> Kind | None:
        """The kind of the record `raw`; None when it is no error. `indices`: of the patterns with a hit in it."""
        if len(raw) > MAX_KEY or _TELLS_ZERO in raw:
            return self._judged(source, raw, indices)
        key = source, raw.translate(_ZEROED)
        kind = self.memory.get(key)
        if kind is _NEVER:
            kind = self._judged(source, raw, indices)
            self.memory.put(key, kind)
        return kind

    def _judged(self, source: str, raw: bytes, indices: Sequence[int]) -> Kind | None:
        text = decode(raw, 0, len(raw))
        if not self._is_error(text, indices):
            return None
        trace = templates.has_trace(text)
        if not trace and templates.declares_calm(text):
            return None
        component = templates.component_of(text, source)
        template = templates.mask(_LENGTHS.sub(_as_one, templates.message_of(text)))
        return Kind(component, template, templates.fingerprint(component, template), trace, templates.is_critical(text))

    def _is_error(self, text: str, indices: Sequence[int]) -> bool:
        detectors = (index - self._first for index in indices if index >= self._first)
        return any(_DETECTORS[each].search(text) for each in detectors)


_NEVER = Kind("", "", "", False, False)


class _Memory:
    """The last REMEMBERED that were put, and up to as many of those before."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[tuple[str, bytes], Kind | None] = {}
        self._old: dict[tuple[str, bytes], Kind | None] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: tuple[str, bytes]) -> Kind | None:
        """_NEVER when it is not remembered."""
        kind = self._young.get(key, _NEVER)
        if kind is _NEVER and self._old:
            kind = self._old.get(key, _NEVER)
            if kind is not _NEVER:
                self.put(key, kind)
        return kind

    def put(self, key: tuple[str, bytes], kind: Kind | None) -> None:
        if len(self._young) >= REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[key] = kind


def _as_one(found: re.Match[str]) -> str:
    return "0.0.0.0" if "." in found[0] else "0"  # noqa: S104  not an address to listen on
