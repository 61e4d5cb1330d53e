"""The `{capture}`s in texts of a rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice, product

from logmedic.core.captures import fill
from logmedic.model.match import Capture, CaptureType
from logmedic.model.rule import Rule
from logmedic.yamldoc import Fields, meant

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_SAMPLES = {
    CaptureType.IP: "192.0.2.1",
    CaptureType.HOSTPORT: "host:1",
    CaptureType.HOSTNAME: "host",
    CaptureType.INT: "1",
    CaptureType.PATH: "/path",
    CaptureType.UNIT: "unit.service",
    CaptureType.WORD: "word",
}

MAX_POSSIBLE = 1000

Mistake = tuple[str, str]
"""Text and hint."""


def report(fields: Fields, key: str, mistakes: Iterator[Mistake]) -> None:
    """Add `mistakes` where `key` stands."""
    for text, hint in mistakes:
        fields.problems.add(fields.at(key), text, hint)


def names_in(text: str) -> list[str]:
    """What stands in braces, whether it can be the name of a capture or not: to tell of what will not be filled in.
    core.captures.names_in has those alone that will be."""
    return _PLACEHOLDER.findall(text)


def captures_in(rule: Rule, text: str) -> Iterator[tuple[str, Capture]]:
    """Those that are typed; `placeholder_mistakes` tells of the others."""
    for name in names_in(text):
        if (capture := rule.match.captures.get(name)) is not None:
            yield name, capture


def placeholder_mistakes(rule: Rule, text: str, where: str) -> Iterator[Mistake]:
    for name in names_in(text):
        if not _NAME.match(name):
            yield f"`{{{name[:40]}}}` in {where} is no capture", "write {name} of a typed capture"
        elif name not in rule.match.captures:
            yield f"`{{{name}}}` in {where} is no typed capture", give_it_a_type(rule, name)


def untyped(rule: Rule, names: Iterable[str], where: str) -> Iterator[Mistake]:
    """Of the names of captures in `where`."""
    for name in names:
        if name not in rule.match.captures:
            yield f"`{where}` names `{name}`, which is no typed capture", give_it_a_type(rule, name)


def give_it_a_type(rule: Rule, name: str) -> str:
    known = list(rule.match.captures)
    hint = f"give it a type: captures: {{ {name}: word }}"
    return f"{meant(name, known)} else {hint}" if known else hint


def possible(rule: Rule, text: str, *, samples: bool = False) -> Iterator[str]:
    """What becomes of it with each value, or directory, that its captures are bounded by; the first MAX_POSSIBLE.
    `samples`: of a capture without such bounds, with one value that it may have; else nothing is known of the text."""
    names = list(dict.fromkeys(names_in(text)))
    captures = rule.match.captures
    bounds = [
        capture.values or capture.allow or ((_sample(capture),) if samples else ())
        for capture in (captures.get(name) for name in names)
        if capture is not None
    ]
    if len(bounds) == len(names):  # what is not typed was told of
        for values in islice(product(*bounds), MAX_POSSIBLE):
            yield fill(text, dict(zip(names, values, strict=True)))


def sampled(rule: Rule, text: str) -> str:
    """`text` as it may look filled, to check its form. What is not typed stays."""
    return fill(text, {name: _sample(capture) for name, capture in rule.match.captures.items()})


def _sample(capture: Capture) -> str:
    if capture.type is CaptureType.ENUM:
        return next(iter(capture.values), "value")
    return _SAMPLES[capture.type]
