"""Which template a shape belongs to, which others it shows to be the same, or that it is a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from logmedic.core.mining.evidence import needed
from logmedic.model.changed import changed
from logmedic.model.grove import Grove, Wild, wild_of
from logmedic.model.issue import Template
from logmedic.model.shape import EMPTY, MIXED, WILD, Keys, Shape, is_word, likely, places, skeleton, text_of, words_of

VERSION = 2
"""Of the fingerprints made here."""
MAX_WILD = 32
"""Different sets of WILD places in templates of one component and one length."""
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Placement:
    """`template`: a new one (`fresh`; only what the miner knows is filled in), the known one, or a new version of it.
    `absorbed`: younger ones that are part of it from now on, as their new versions. Nothing is counted."""

    template: Template
    absorbed: tuple[Template, ...] = ()
    fresh: bool = False


def fingerprint(component: str, shape: Shape) -> str:
    """16 hex digits."""
    told = "\x1f".join((component, *shape))
    return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=8, person=b"shape2").hexdigest()


def place(grove: Grove, shape: Shape, component: str, name: str = "") -> Placement:
    """`name`: fingerprint(component, shape), where it is known already. What is answered is for the caller to put."""
    shape = shape or (EMPTY,)
    name = name or fingerprint(component, shape)
    room = component, len(shape)
    if (known := grove.placed(name, room)) is not None:
        return Placement(known)
    keys = Keys(component, skeleton(shape))
    taking = list(_known(grove, keys, grove.wild(room)))
    alike = taking or _alike(grove, shape, component)
    if not alike:
        return _fresh(name, shape, component)
    placement = _joined(grove, alike, shape)
    if not placement.absorbed and placement.template is alike[0]:
        grove.remember(name, room, keys.whole, alike[0].fingerprint)
    return placement


def _fresh(name: str, shape: Shape, component: str) -> Placement:
    return Placement(
        Template(
            fingerprint=name,
            template=text_of(shape),
            component=component,
            sample="",
            occurrences=0,
            first_seen=_NEVER,
            last_seen=_NEVER,
            version=VERSION,
            shape=shape,
        ),
        fresh=True,
    )


def _joined(grove: Grove, alike: list[Template], shape: Shape) -> Placement:
    """`alike` and `shape` as one, and with what more is shown to be the same by that. The oldest survives."""
    together = {each.fingerprint: each for each in alike}
    general = shape
    while True:
        for each in together.values():
            general = united(general, each.shape)
        found = _alike(grove, general, alike[0].component)
        if wild_of(general) not in {wild_of(each.shape) for each in together.values()}:
            found += _covered(grove, general, alike[0].component)
        more = [each for each in found if each.fingerprint not in together]
        if not more:
            break
        together.update((each.fingerprint, each) for each in more)
    oldest, *younger = sorted(together.values(), key=_age)
    if oldest.shape != general:
        oldest = changed(oldest, shape=general, template=text_of(general))
    return Placement(oldest, tuple(changed(each, merged_into=oldest.fingerprint) for each in younger))


def _age(template: Template) -> tuple[datetime, str]:
    return template.first_seen, template.fingerprint


def united(one: Shape, other: Shape) -> Shape:
    """What both are, of equal length: where values differ MIXED, where words do WILD."""
    if one == other:
        return one
    pairs = zip(one, other, skeleton(one), skeleton(other), strict=True)
    return tuple(a if a == b else MIXED if c == d and WILD not in (a, b) else WILD for a, b, c, d in pairs)


def _alike(grove: Grove, shape: Shape, component: str) -> list[Template]:
    """Templates that are of the same kind as `shape` by now, the oldest first."""
    bare = skeleton(shape)
    keys = Keys(component, bare)
    wild = grove.wild((component, len(shape)))
    found = {each.fingerprint: each for each in _known(grove, keys, wild)}
    if len(wild) < MAX_WILD:
        for each in (*_shown(grove, shape, bare, keys), *_shown_together(grove, shape, bare, keys)):
            found[each.fingerprint] = each
    return sorted(found.values(), key=_age)


def _known(grove: Grove, keys: Keys, wild: list[Wild]) -> Iterator[Template]:
    """Those that take the shape as they are."""
    yield from grove.alike(keys.whole)
    for places_ in wild:
        for each in grove.alike(keys.without(*places_)):
            if all(each.shape[at] == WILD for at in places_):
                yield each


def _covered(grove: Grove, shape: Shape, component: str) -> Iterator[Template]:
    """Those that a template of this shape takes: each would join it when it came again, and so it does at once."""
    bare = skeleton(shape)
    words = words_of(bare)
    fixed = [at for at, token in enumerate(shape) if token != WILD]
    for each in grove.but_for_words(Keys(component, bare).without(*words)):
        if all(each.shape[at] == bare[at] for at in words):
            others = skeleton(each.shape)
            if all(bare[at] == others[at] for at in fixed):
                yield each


def _shown(grove: Grove, shape: Shape, bare: list[str], keys: Keys) -> Iterator[Template]:
    """Those that differ in one word, which is by now shown to be a value; also where `shape` has the value."""
    for each in grove.but_for_one_word(keys.whole):
        at = next(
            (n for n, (ours, theirs) in enumerate(zip(bare, skeleton(each.shape), strict=False)) if ours != theirs),
            None,
        )
        if at is not None and _varies(shape, at, [each]):
            yield each
    for at in places(bare):
        key = keys.without(at)
        there, others = grove.alike(key), grove.but_for_one_word(key)
        if (there or others) and _varies(shape, at, [*there, *others]):
            yield from there
            yield from others


def _varies(shape: Shape, at: int, others: Iterable[Template]) -> bool:
    values = {each.shape[at] for each in others} | {shape[at]}
    words = [each for each in values if is_word(each)]
    left = sum(is_word(token) for token in shape) - is_word(shape[at])
    with_a_value = len(words) < len(values)
    return (with_a_value and left > 1) or len(words) >= needed(shape, at, words, left)


def _shown_together(grove: Grove, shape: Shape, bare: list[str], keys: Keys) -> Iterator[Template]:
    """Those that differ in words of places that look like ones of values, each of which is shown to be one."""
    others = grove.but_for_likely(keys.without(*likely(bare)))
    varying = [at for at in range(len(shape)) if any(each.shape[at] != shape[at] for each in others)]
    settled = {at for at in varying if _varies(shape, at, others)}
    for each in others:
        if all(each.shape[at] == shape[at] or at in settled for at in varying):
            yield each
