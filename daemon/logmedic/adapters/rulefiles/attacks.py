"""Which patterns some text makes slow, found out where it does no harm."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from logmedic.adapters.rulefiles.compiling import READY
from logmedic.adapters.rulefiles.slowness import Suspicion, suspicions

_CHILD = "logmedic.adapters.rulefiles.attacking"
_WALL_S = 30.0
_WALL_EACH_S = 0.5


@dataclass(frozen=True, slots=True)
class SlowPattern:
    """A text of so many `characters`, which begins with `text`, took `seconds`."""

    reason: str
    characters: int
    seconds: float
    text: str


def slow_patterns(patterns: Sequence[str]) -> dict[str, SlowPattern]:
    """Of `patterns`, which all compile: those that are slow. What could not be tried is not told of."""
    suspected = [(each, suspicion) for each in dict.fromkeys(patterns) for suspicion in suspicions(each)]
    found: dict[str, SlowPattern] = {}
    for (pattern, suspicion), answer in zip(suspected, _tried(suspected), strict=False):
        if answer is not None and pattern not in found:
            found[pattern] = SlowPattern(suspicion.reason, *answer)
    return found


def _tried(suspected: Sequence[tuple[str, Suspicion]]) -> list[tuple[int, float, str] | None]:
    """An answer for each, up to the one that the child died of."""
    if not suspected:
        return []
    asked = json.dumps([(pattern, each.before, each.again, each.after) for pattern, each in suspected])
    command = [sys.executable, "-I", "-X", "utf8", "-m", _CHILD]
    try:
        child = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env={}
        )
    except OSError:
        return []
    try:
        answer, _ = child.communicate(asked.encode(), timeout=_WALL_S + _WALL_EACH_S * len(suspected))
    except subprocess.TimeoutExpired:
        child.kill()
        answer, _ = child.communicate()
    lines = [json.loads(line) for line in answer.splitlines(keepends=True) if line.endswith(b"\n")]
    return lines[1:] if lines[:1] == [READY] else []
