"""From lines of one kind to the pattern of all of them: what they share stays, what varies by its form or from line to
line is a class as narrow as its values allow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, groupby, pairwise

from logmedic.core.captures import accept
from logmedic.core.classes import LOOSE, Narrow, class_of
from logmedic.core.generalising import MAX_COVERED, Kind, Piece, digits_open, escaped, kind_of, pieces_of
from logmedic.core.secrets import MASK
from logmedic.core.sharing import shared
from logmedic.model.match import Capture, CaptureType

MAX_TOKENS = 200
"""Of a line: finding what two lines share takes time with the product of their tokens."""
MAX_LOOSE = 2
"""Places that may hold any text; what is behind a further one is left out."""

_WORD = r"[^\W\d_]{1,100}"
_FINE = re.compile(rf"{_WORD}|[0-9]+| +|.", re.DOTALL)
_STAND_IN = "xmaskedx"
"""For MASK while a line is taken apart: a word, so that tokens go on over it."""
_SECRET = (r"[^\s\"'<>&,;]+", r"\S+", r".+")
_LINKS = frozenset("._-$@/")
"""Between parts of one name."""
_BLANKED = re.compile(r"[0f]{12}|0[0 -]{10,}0")
"""What masking leaves of hex and of card numbers."""
_QUOTED = ('"', "'")


@dataclass(frozen=True, slots=True)
class _Place:
    """`values`: what stands there in each line so far, "" for nothing. `pattern`: what takes each of them; empty for a
    gap, where the lines differ."""

    pattern: str
    values: tuple[str, ...]
    fixed: bool = False
    name: str = ""
    type: CaptureType | None = None

    @property
    def is_gap(self) -> bool:
        return not self.pattern

    @property
    def is_literal(self) -> bool:
        return self.fixed and self.pattern == escaped(self.values[0])

    @property
    def is_word(self) -> bool:
        return self.is_literal and self.values[0].isalpha()

    @property
    def is_wide(self) -> bool:
        """Text that goes on over several words, or that some line does not have."""
        return any(not each or " " in each for each in self.values)


@dataclass(frozen=True, slots=True)
class Alike:
    """Lines of one kind, or a single one, without newlines. What they say begins at `message_at` of the first; from
    there on all lines of the kind are known to share the words `told` and no others (None: nobody knows, and what these
    lines share is taken for it). `secret`: which of SECRETS stands for what was masked."""

    lines: tuple[str, ...]
    told: frozenset[str] | None = None
    message_at: int = 0
    secret: int = 0

    def kind(self, *, typed: bool = True, narrow: Narrow = Narrow.NOT) -> Kind:
        """`Kind.pieces` are about the first line. Takes all lines, as far as they are looked at."""
        return kind_of(_pieces(_places(self), narrow, self), typed=typed)


SECRETS = range(len(_SECRET))


@lru_cache(maxsize=16)
def _places(alike: Alike) -> Sequence[_Place]:
    """Is asked for again and again, with the same lines to be narrowed."""
    aligned = _aligned([_tokens(each, _SECRET[alike.secret]) for each in alike.lines])
    return _cut(_merged(_told(aligned, alike)))


def words_of(text: str) -> frozenset[str]:
    """As `told` has them."""
    return frozenset(re.findall(_WORD, text))


# -- the tokens of a line ----------------------------------------------------------------------------------------------


def _tokens(line: str, secret: str) -> list[_Place]:
    line = line[: 4 * MAX_COVERED].replace(MASK, _STAND_IN)
    places: list[_Place] = []
    for said, group in groupby(pieces_of(line), key=_is_said):
        if said:
            places += _words("".join(each.text for each in group), secret)
        else:
            places += (_token(each, secret) for each in group)
    return places[:MAX_TOKENS]


def _is_said(piece: Piece) -> bool:
    """It stands there as it is, and may be a part of a word."""
    return piece.fixed and piece.pattern == digits_open(piece.text)


def _token(piece: Piece, secret: str) -> _Place:
    text = piece.text.replace(_STAND_IN, MASK)
    if text != piece.text and text[0] not in _QUOTED:
        return _Place(secret, (text,))
    return _Place(piece.pattern, (text,), piece.fixed, piece.name, piece.type)


def _words(text: str, secret: str) -> Iterator[_Place]:
    for found in _FINE.finditer(text):
        if _STAND_IN in found[0]:
            yield _Place(secret, (found[0].replace(_STAND_IN, MASK),))
        elif found[0][0] in "0123456789":
            yield _Place(r"\d+", (found[0],), fixed=True)
        else:
            yield _Place(
                " +" if len(found[0]) > 1 and found[0][0] == " " else escaped(found[0]), (found[0],), fixed=True
            )


# -- what several lines share ------------------------------------------------------------------------------------------


def _aligned(lines: Sequence[Sequence[_Place]]) -> list[_Place]:
    places = list(lines[0])
    for number, line in enumerate(lines[1:], 1):
        places = list(_joined(places, line, number))
    return places


def _joined(places: Sequence[_Place], line: Sequence[_Place], count: int) -> Iterator[_Place]:
    """`places` are of `count` lines, to which `line` comes."""
    at = other = 0
    for n, m in (*_shared(places, line), (len(places), len(line))):
        if at < n or other < m:
            values = [("".join(each.values[k] for each in places[at:n])) for k in range(count)]
            yield _Place("", (*values, "".join(each.values[0] for each in line[other:m])))
        if n < len(places):
            old, new = places[n], line[m]
            kind = old.type if old.type is new.type else None
            yield replace(old, values=(*old.values, *new.values), fixed=old.fixed and new.fixed, type=kind)
        at, other = n + 1, m + 1


def _shared(places: Sequence[_Place], line: Sequence[_Place]) -> list[tuple[int, int]]:
    return shared([each.pattern for each in places], [each.pattern for each in line])


# -- what varies -------------------------------------------------------------------------------------------------------


def _told(places: Iterable[_Place], alike: Alike) -> Iterator[_Place]:
    """A word that others of the kind are known not to have is a gap, though all these lines have it."""
    at = 0
    for each in places:
        known = alike.told is None or at < alike.message_at or not each.is_word or each.values[0] in alike.told
        at += len(each.values[0])
        yield each if known else _Place("", each.values)


def _merged(places: Iterable[_Place]) -> list[_Place]:
    """Without gaps beside one another, and beside other places of no certain end."""
    done: list[_Place] = []
    for each in places:
        done.append(each)
        while (count := _mergeable(done)) > 1:
            tail = done[-count:]
            values = tuple("".join(parts) for parts in zip(*(part.values for part in tail), strict=True))
            done[-count:] = [_Place("", values)]
    return done


def _mergeable(done: Sequence[_Place]) -> int:
    """How many of the last are one gap: beside one another, or with what stands between them part of one value."""
    if len(done) > 1:
        one, last = done[-2:]
        if (one.is_gap or last.is_gap) and not (_ends(one, last) or _ends(last, one)):
            return 2
    if len(done) > 2:
        one, between, last = done[-3:]
        if one.is_gap and last.is_gap and not between.is_word and (one.is_wide or last.is_wide):
            return 3
        if (one.is_gap or last.is_gap) and between.values[0] in _LINKS and not (one.is_literal or last.is_literal):
            return 3
    return 0


def _ends(place: _Place, gap: _Place) -> bool:
    """Whether it is certain where the gap ends and the place begins."""
    return place.is_literal or (place.pattern == " +" and not gap.is_wide)


def _cut(places: Sequence[_Place]) -> list[_Place]:
    """As much as a pattern is about."""
    starts = accumulate((len(each.values[0]) for each in places), initial=0)
    return [each for each, start in zip(places, starts, strict=False) if start < MAX_COVERED]


def _pieces(places: Sequence[_Place], narrow: Narrow, alike: Alike) -> Iterator[Piece]:
    """The last has no pattern when it may hold any text. Behind a place that may, the first that fits is as good as any
    other: nothing is tried twice."""
    starts = [0, *accumulate(len(each.values[0]) for each in places)]
    chosen = [
        _chosen(each, behind, narrow if start >= alike.message_at else Narrow.NOT, alike.told)
        for (each, behind), start in zip(pairwise((*places, None)), starts, strict=False)
        if each is not None
    ]
    if chosen[-1:] == [LOOSE]:
        chosen[-1] = ""
    loose = [n for n, each in enumerate(chosen) if each == LOOSE]
    for n, (place, pattern, at) in enumerate(zip(places, chosen, starts, strict=False)):
        if n in loose[1:]:
            yield Piece(at, "", ")", fixed=True)
        if n in loose[MAX_LOOSE:]:
            yield Piece(at, place.values[0], "")
            return
        typed = place.type if pattern == place.pattern and _all_accepted(place) else None
        shown = f"(?>{pattern}" if n in loose[:-1] else pattern
        yield Piece(at, place.values[0], shown, place.name if typed else "", typed, place.fixed)


def _all_accepted(place: _Place) -> bool:
    return place.type is not None and all(accept(each, Capture(place.type)) is not None for each in place.values)


def _is_told(place: _Place, told: frozenset[str] | None) -> bool:
    """It looks like a value, and is a word that all of the kind are known to have."""
    one, *others = dict.fromkeys(place.values)
    return not others and one.isalpha() and not place.is_gap and told is not None and one in told


def _chosen(place: _Place, behind: _Place | None, narrow: Narrow, told: frozenset[str] | None) -> str:
    if place.is_literal:
        return place.pattern
    if narrow and _is_told(place, told):
        return escaped(place.values[0])
    secret = any(MASK in each or _BLANKED.search(each) for each in place.values)
    if place.is_gap or narrow is not Narrow.NOT:
        follows = behind.values[0][:1] if behind is not None and behind.is_literal else ""
        return class_of(place.values, place.pattern, follows, Narrow.NOT if secret else narrow)
    return place.pattern
