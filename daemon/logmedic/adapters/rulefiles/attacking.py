"""Tries slow texts on patterns, in a process with limits of its own: `python -m logmedic.adapters.rulefiles.attacking`.

The suspicions come as a JSON list of [pattern, before, again, after] on stdin. A first line on stdout says READY; then
comes one for each, in JSON: null, or [characters, seconds, text] of the shortest text that is slow.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import regex

from logmedic.adapters.rulefiles.compiling import MEMORY_BYTES, READY

LENGTHS = (25, 50, 100, 250, 500, 1000, 2000)
"""Of the texts that are tried; what is quick with the longest is not tried with the others."""
SLOW_S = 0.1
"""As long as the daemon gives a pattern for one record."""
PATIENCE_S = 1.0
_BREAKS = (("", "\x00"), ("\n", ""), ("\x00", ""))
"""In front of and behind what follows: a pattern hardly takes them, and looks for other ways."""

Slow = tuple[int, float, str]


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _tell(READY)
    slow: set[str] = set()
    for pattern, *texts in json.load(sys.stdin):
        answer = slowest(regex.compile(pattern), *texts) if pattern not in slow else None  # one text is enough
        slow.update([pattern] if answer else [])
        _tell(answer)


def _tell(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def slowest(pattern: regex.Pattern[str], before: str, again: str, after: str) -> Slow | None:
    for broken, rest in _BREAKS:
        end = f"{broken}{after}{rest}"
        if _seconds(pattern, _attack(before, again, end, LENGTHS[-1]), SLOW_S) < SLOW_S:
            continue
        for length in LENGTHS:
            text = _attack(before, again, end, length)
            taken = _seconds(pattern, text, PATIENCE_S)
            if taken >= SLOW_S:
                return len(text), taken, text[:200]
    return None


def _attack(before: str, again: str, end: str, length: int) -> str:
    return before + again * max(1, (length - len(before)) // max(len(again), 1)) + end


def _seconds(pattern: regex.Pattern[str], text: str, patience_s: float) -> float:
    """At most about `patience_s`."""
    began = time.thread_time()
    try:
        pattern.search(text, timeout=patience_s)
    except TimeoutError:
        return patience_s
    return time.thread_time() - began


if __name__ == "__main__":
    main()
