"""Shapes: what is left of a message when its variable parts are masked, as a tuple of tokens.

A token is a word (`failed`, `org.example.Job`, `eth0`), what stands between words (`: `, ` (`), a mask (`<ip>`) or
EMPTY, a place between brackets or quotes that holds nothing. `<` of the message is a token of its own, so that no text
of a log can be taken for a mask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Shape = tuple[str, ...]

WILD = "<*>"
"""Any value, of whatever type; in a skeleton, any place of a value."""
MIXED = "<value>"
"""Values of several types; `true`, `null` and their like."""
EMPTY = ""
MASKS = frozenset(
    f"<{name}>"
    for name in (
        *("*", "n", "dur", "size", "hex", "uuid", "mac", "ip", "host", "hostport", "url", "mail", "path", "time"),
        *("quoted", "version", "id", "value"),
    )
)
_NAMES = "|".join(re.escape(mask[1:-1]) for mask in sorted(MASKS))
_LOOKALIKE = re.compile(rf"<(?=(?:{_NAMES})>)")
FAULT = re.compile(r"(?:Exception|Error|Fault|Failure|Warning|Timeout)\Z")
"""Ends the name of a class of faults: two of them are two kinds, however alike the rest is."""
_NAME = re.compile(r"\w[._$]\w|[a-z][A-Z]")
_LEADS = frozenset(
    (
        *("for", "from", "by", "via"),
        *("user", "host", "node", "name", "named", "class"),
    )
)
_SIGNS = frozenset(("=", ":", "(", "[", "{"))
_UNITS = frozenset(
    (
        *("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "kB", "bytes", "byte"),
        *("ns", "us", "ms", "s", "sec", "secs", "second", "seconds", "min", "minute", "minutes", "hour", "hours"),
    )
)
_DIGIT = re.compile("[0-9]")


def text_of(shape: Shape) -> str:
    """The template, for people. Where the message itself had `<ip>`, it is `\\<ip>`."""
    parts: list[str] = []
    literal = ""
    for token in shape:
        if token in MASKS:
            parts += (_escaped(literal), token)
            literal = ""
        else:
            literal += token
    return "".join((*parts, _escaped(literal)))


def _escaped(literal: str) -> str:
    return _LOOKALIKE.sub(r"\\<", literal) if "<" in literal else literal


def is_word(token: str) -> bool:
    return token[:1].isalpha() or token[:1] == "_"


def is_mask(token: str) -> bool:
    return token in MASKS


def is_value(token: str) -> bool:
    """It holds a value, or may: a word, a mask or nothing."""
    return token in MASKS or not token or is_word(token)


def skeleton(shape: Shape) -> list[str]:
    """`shape` with WILD for all that one occurrence shows to be a value: masks, nothing, words with digits, words in
    quotes and units of numbers."""
    bare = [WILD if token in MASKS or not token else token for token in shape]
    for at, token in enumerate(shape):
        if (
            bare[at] is not WILD
            and is_word(token)
            and (_DIGIT.search(token) or _is_quoted(shape, at) or _is_unit(shape, at))
        ):
            bare[at] = WILD
    return bare


def _is_quoted(shape: Shape, at: int) -> bool:
    if not 0 < at < len(shape) - 1:
        return False
    return shape[at - 1][-1:] in ("'", '"') and shape[at - 1][-1:] == shape[at + 1][:1]


def _is_unit(shape: Shape, at: int) -> bool:
    return at > 1 and shape[at] in _UNITS and shape[at - 1] == " " and shape[at - 2] in MASKS


def places(bare: Sequence[str]) -> Iterator[int]:
    """Where a skeleton has words that evidence may show to be values: not the first, which tells kinds apart (unless it
    is the name of something), and no names of faults."""
    first = True
    for at, token in enumerate(bare):
        if is_word(token):
            if (not first or "." in token) and not FAULT.search(token):
                yield at
            first = False


def words_of(bare: Sequence[str]) -> list[int]:
    """Where a skeleton has words."""
    return [at for at, token in enumerate(bare) if is_word(token)]


def likely(bare: Sequence[str]) -> list[int]:
    """Those places that look like ones of values: after `=`, `:`, an opening bracket or a word like `for`; names like
    org.example.Job, sub_task, subTask."""
    return [at for at in places(bare) if follows_lead(bare, at) or follows_sign(bare, at) or _NAME.search(bare[at])]


def follows_lead(bare: Sequence[str], at: int) -> bool:
    return at > 1 and bare[at - 1] == " " and bare[at - 2] in _LEADS


def follows_sign(bare: Sequence[str], at: int) -> bool:
    """A reason stands after a colon and a blank, and tells kinds apart: that is no sign of a value."""
    return at > 0 and (bare[at - 1][-1:] in _SIGNS or bare[at - 1][-2:] == "= ")


_PRIME = 2**61 - 1
MAX_LENGTH = 1024
"""Tokens of a shape."""
_POWERS = tuple(pow(1_000_003, at, _PRIME) for at in range(1, MAX_LENGTH + 1))
_WILD = hash(WILD)


class Keys:
    """Keys of a skeleton, and of it with some places WILD: each in O(1) a place after O(length). Equal skeletons have
    equal keys; others too once in 2**61. Of this process only: they rest on hash()."""

    __slots__ = ("_bare", "whole")

    def __init__(self, of: str, bare: Sequence[str]) -> None:
        """`of`: what apart from the skeleton must be equal."""
        self._bare = bare
        key = hash((of, len(bare)))
        for power, token in zip(_POWERS, bare, strict=False):
            key += hash(token) * power
        self.whole = key % _PRIME

    def without(self, *places: int) -> int:
        return (self.whole + sum((_WILD - hash(self._bare[at])) * _POWERS[at] for at in places)) % _PRIME
