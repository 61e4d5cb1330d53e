"""The class of characters that takes the values of one place, as narrow as they allow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum

from logmedic.core.generalising import escaped, pattern_of_token
from logmedic.core.linetokens import KINDS

LOOSE = ".*?"
MAX_VALUES = 8
"""That a place is narrowed to."""
_UNIT = r"(?:ns|us|µs|ms|s|m|h|d|[KMGT]i?B?|%)"
_OF_KIND = {
    "url": r"https?://[^\s\"'<>),;\]]+",
    "double": r'"(?:[^"\\]|\\.)*"',
    "single": r"'(?:[^'\\]|\\.)*'",
    "hostport": r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d+",
    "time": r"[\w:.,+/-]+(?: [\w:.,+/-]+)*",
}
"""Where values of one kind look different."""
_HEX = r"(?:0x)?[0-9a-fA-F]+"
_NUMBERS = (r"\d+", r"-?\d+(?:\.\d+)*", r"[-+]?\d+(?:[.,]\d+)*", rf"-?\d+(?:\.\d+)?{_UNIT}?")
_NARROW_WORDS = (r"[a-z]+", r"[A-Z]+", r"[A-Za-z]+", r"[a-z0-9]+", r"\w+")
_WORD = r"[\w.-]+"


class Narrow(IntEnum):
    """How far a place is narrowed so that a pattern takes less. TOLD: what looks like a value is a word that the
    template knows. CLASSES: the letters that its values are made of. SAME: where all values are one, that one. VALUES:
    those that were seen."""

    NOT = 0
    TOLD = 1
    CLASSES = 2
    SAME = 3
    VALUES = 4


def class_of(values: Sequence[str], pattern: str, follows: str, narrow: Narrow) -> str:
    """`pattern`: what is known to take them all, or nothing. `follows`: the character that stands behind the place, if
    it is always the same."""
    there = list(dict.fromkeys(filter(None, values)))
    if narrow >= Narrow.SAME and len(there) <= (MAX_VALUES if narrow is Narrow.VALUES else 1) and not _is_time(there):
        found = "|".join(sorted(map(escaped, there), key=lambda each: (-len(each), each)))
        found = f"(?:{found})" if len(there) > 1 else found
    else:
        found = pattern or next(each for each in _classes(there, follows, narrow) if _takes(each, there))
    if found == LOOSE or len(there) == len(set(values)):
        return found
    return f"(?:{found})?"


def _classes(values: Sequence[str], follows: str, narrow: Narrow) -> Iterator[str]:
    """The narrowest first; the last takes anything."""
    kinds = {found.lastgroup if (found := KINDS.fullmatch(each)) is not None else None for each in values}
    kind = str(next(iter(kinds))) if len(kinds) == 1 else ""
    yield from dict.fromkeys(filter(None, map(pattern_of_token, values))) if kind != "None" else ()
    if kind in _OF_KIND:
        yield _OF_KIND[kind]
    yield from _NUMBERS
    if "hex" in kinds:
        yield _HEX
    if narrow >= Narrow.CLASSES:
        yield from _NARROW_WORDS
    yield _WORD
    stop = re.escape(follows) if follows and not follows.isspace() and not follows.isalnum() else ""
    yield rf"[^\s{stop}]+" if stop else r"\S+"
    if stop:
        yield rf"[^\n{stop}]+"
    yield LOOSE


def _takes(pattern: str, values: Sequence[str]) -> bool:
    compiled = re.compile(pattern)
    return all(compiled.fullmatch(each) for each in values)


def _is_time(values: Sequence[str]) -> bool:
    return all((found := KINDS.fullmatch(each)) is not None and found.lastgroup == "time" for each in values)
