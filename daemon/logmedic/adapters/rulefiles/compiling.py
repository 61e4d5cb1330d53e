"""Compiles patterns in a process with limits of its own: `python -m logmedic.adapters.rulefiles.compiling`.

A pattern of thirty characters can take seconds and gigabytes to compile (F42). The patterns come as a JSON list on
stdin. A first line on stdout says READY; then comes one for each pattern, in JSON: the error, or an empty text. Where
the lines end, the process died of that pattern.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time

import regex

from logmedic.core.scanner import make_scanner

MEMORY_BYTES = 1 << 30
CPU_S = 5
"""Of one pattern."""
ERRORS = (regex.error, ValueError, LookupError, TypeError)
"""Beside its own, `regex` lets others through."""
READY = "ready"
"""The first line: without it, no pattern is to blame for the end of this process."""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _tell(READY)
    for pattern in json.load(sys.stdin):
        used = math.ceil(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_S, resource.RLIM_INFINITY))
        _tell(_compile(pattern))


def _tell(line: str) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _compile(pattern: str) -> str:
    try:
        regex.compile(pattern)
        make_scanner([pattern])
    except ERRORS as error:
        return str(error) or type(error).__name__
    except (MemoryError, RecursionError, OverflowError):
        return "takes too much to compile"
    return ""


if __name__ == "__main__":
    main()
