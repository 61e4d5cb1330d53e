"""The templates that are known, so indexed that those of a kind are found without looking at the others."""

from __future__ import annotations

from typing import Generic, TypeVar

from logmedic.model.issue import Template
from logmedic.model.shape import WILD, Keys, Shape, likely, places, skeleton, words_of

K = TypeVar("K")
V = TypeVar("V")
Room = tuple[str, int]
"""Component and length: only templates of one room can be of one kind."""
Wild = tuple[int, ...]
"""Places that are WILD, ascending."""

MANY = 64
"""Templates that are alike and were not found to be one by then never will be: they are not compared any more."""
CROWD = 2048
"""Templates of one build, as many as are looked at when one of them becomes more general: some 2 ms."""
REMEMBERED = 65_536
"""Shapes whose placement is remembered."""


class _Layer(Generic[K, V]):
    """A dict over another one, which it never writes to. None is no value."""

    __slots__ = ("own", "under")

    def __init__(self, under: _Layer[K, V] | None) -> None:
        self.own: dict[K, V | None] = {}
        self.under = under

    @property
    def held(self) -> dict[K, V]:
        both = {**(self.under.held if self.under else {}), **self.own}
        return {key: value for key, value in both.items() if value is not None}

    def get(self, key: K) -> V | None:
        if self.under is None or key in self.own:
            return self.own.get(key)
        return self.under.get(key)

    def put(self, key: K, value: V | None) -> None:
        if value is not None or self.under is not None:
            self.own[key] = value
        else:
            self.own.pop(key, None)


class Grove:
    """Written by its owner alone. Templates without a shape are found by fingerprint only."""

    __slots__ = (
        "_lacking",
        "_loose",
        "_placed",
        "_rooms",
        "_templates",
        "_turn",
        "_turns",
        "_under",
        "_whole",
        "_wide",
        "_wild",
    )

    def __init__(self, under: Grove | None = None) -> None:
        self._under = under
        self._templates: _Layer[str, Template] = _Layer(under._templates if under else None)
        self._whole: _Layer[int, tuple[str, ...]] = _Layer(under._whole if under else None)
        self._lacking: _Layer[int, tuple[str, ...]] = _Layer(under._lacking if under else None)
        self._loose: _Layer[int, tuple[str, ...]] = _Layer(under._loose if under else None)
        self._wide: _Layer[int, tuple[str, ...]] = _Layer(under._wide if under else None)
        self._wild: _Layer[Room, dict[Wild, int]] = _Layer(under._wild if under else None)
        self._rooms: _Layer[Room, tuple[int, int]] = _Layer(under._rooms if under else None)
        self._turn: int = under._turn if under else 0
        self._turns: _Layer[str, int] = _Layer(under._turns if under else None)
        self._placed: dict[str, tuple[str, int, int, int, tuple[str, ...] | None]] = under._placed if under else {}

    @property
    def size(self) -> int:
        """Templates, and entries of the indices, of this layer: nothing when all were dropped."""
        indices = (self._whole, self._lacking, self._loose, self._wide, self._wild, self._rooms, self._turns)
        return sum(len(layer.own) for layer in (self._templates, *indices))

    def __eq__(self, other: object) -> bool:
        """The same templates: all else follows from them."""
        return isinstance(other, Grove) and self._templates.held == other._templates.held

    __hash__ = None  # type: ignore[assignment]  # it changes

    def over(self) -> Grove:
        """An overlay for one decision: reads through, writes to itself. Good until what is under it is written to."""
        return Grove(self)

    def get(self, fingerprint: str) -> Template | None:
        return self._templates.get(fingerprint)

    def put(self, template: Template) -> None:
        """A new one, or a new version of one. One with `merged_into` is found by fingerprint only."""
        known = self._templates.get(template.fingerprint)
        self._templates.put(template.fingerprint, template)
        if known is not None and known.shape == template.shape and known.merged_into == template.merged_into:
            return
        if known is not None:
            self._index(known, present=False)
        self._index(template, present=True)

    def drop(self, fingerprint: str) -> None:
        known = self._templates.get(fingerprint)
        if known is not None:
            self._index(known, present=False)
            self._templates.put(fingerprint, None)

    def survivor(self, fingerprint: str) -> Template | None:
        """What became of it: itself, or what it is part of by now."""
        found = self._templates.get(fingerprint)
        while found is not None and found.merged_into:
            found = self._templates.get(found.merged_into)
        return found

    def alike(self, key: int) -> list[Template]:
        """Those whose skeleton has this key."""
        return self._those(self._whole.get(key))

    def but_for_one_word(self, key: int) -> list[Template]:
        """Those whose skeleton has this key with one of its words WILD."""
        return self._those(self._lacking.get(key))

    def but_for_likely(self, key: int) -> list[Template]:
        """Those whose skeleton has this key with all of its likely places WILD."""
        return self._those(self._loose.get(key))

    def but_for_words(self, key: int) -> list[Template]:
        """Those whose skeleton has this key with all of its words WILD."""
        return self._those(self._wide.get(key), CROWD)

    def wild(self, room: Room) -> list[Wild]:
        """What templates of the room have WILD, ascending."""
        return sorted(self._wild.get(room) or ())

    def placed(self, fingerprint: str, room: Room) -> Template | None:
        """Where the shape of this fingerprint was placed, when nothing changed since that could place it elsewhere."""
        known = self._placed.get(fingerprint)
        if known is None:
            return None
        to, turn, opened, key, alike = known
        if self._turns.get(to) != turn or self._opened(room) != opened or self._whole.get(key) != alike:
            return None
        return self._templates.get(to)

    def remember(self, fingerprint: str, room: Room, key: int, to: str) -> None:
        """That the shape of this fingerprint, its skeleton with this key, is of `to` and changes nothing of it."""
        if self._under is not None and self._turn != self._under._turn:
            return
        if len(self._placed) >= REMEMBERED:
            self._placed.clear()
        self._placed[fingerprint] = to, self._turns.get(to) or 0, self._opened(room), key, self._whole.get(key)

    def _opened(self, room: Room) -> int:
        """The turn in which a template with a WILD place came or went."""
        return (self._rooms.get(room) or (0, 0))[0]

    def _those(self, fingerprints: tuple[str, ...] | None, most: int = MANY) -> list[Template]:
        if not fingerprints or len(fingerprints) > most:
            return []
        return [found for each in fingerprints if (found := self._templates.get(each)) is not None]

    def _index(self, template: Template, *, present: bool) -> None:
        if template.merged_into or not template.shape:
            return
        self._turn += 1
        bare = skeleton(template.shape)
        keys, name = Keys(template.component, bare), (template.fingerprint,)
        holes = [keys.without(at) for at in places(bare)]
        loose = keys.without(*likely(bare))
        for layer, key in (
            (self._whole, keys.whole),
            *((self._lacking, hole) for hole in holes),
            (self._loose, loose),
            (self._wide, keys.without(*words_of(bare))),
        ):
            _enter(layer, key, name, present)
        self._tell(self._lacking, keys.whole)
        for key in (keys.whole, *holes):
            self._tell(self._whole, key)
        for key in holes:
            self._tell(self._lacking, key)
        self._tell(self._loose, loose)
        self._turns.put(template.fingerprint, self._turn if present else None)
        self._enter_room((template.component, len(template.shape)), wild_of(template.shape), 1 if present else -1)

    def _tell(self, layer: _Layer[int, tuple[str, ...]], key: int) -> None:
        """Templates that look there that something changed; where there are too many, none looks."""
        there = layer.get(key) or ()
        if len(there) <= MANY + 1:
            for each in there:
                self._turns.put(each, self._turn)

    def _enter_room(self, room: Room, wild: Wild, one: int) -> None:
        opened, held = self._rooms.get(room) or (self._turn, 0)
        self._rooms.put(room, (self._turn if wild else opened, held + one) if held + one else None)
        if wild:
            self._count(room, wild, one)

    def _count(self, room: Room, wild: Wild, n: int) -> None:
        counts = dict(self._wild.get(room) or {})
        counts[wild] = counts.get(wild, 0) + n
        self._wild.put(room, {each: count for each, count in counts.items() if count} or None)


def wild_of(shape: Shape) -> Wild:
    return tuple(at for at, token in enumerate(shape) if token == WILD)


def _enter(layer: _Layer[int, tuple[str, ...]], key: int, fingerprints: tuple[str, ...], present: bool) -> None:
    """`fingerprints`: one, in a tuple that all keys share."""
    there = layer.get(key)
    if present:
        layer.put(key, there + fingerprints if there else fingerprints)
    else:
        layer.put(key, tuple(each for each in there or () if each not in fingerprints) or None)
