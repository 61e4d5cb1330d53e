"""Compiles patterns in a process with limits of its own: `python -m logmedic.adapters.rulefiles.compiling`.

A pattern of thirty characters can take seconds and gigabytes to compile (F42). The patterns come as a JSON list
on stdin; for each a line of JSON goes to stdout: the error, or an empty text. Where the lines end, the process died of
that pattern.
"""

from __future__ import annotations

import json
import resource
import sys

import regex

from logmedic.core.scanner import make_scanner

MEMORY_BYTES = 1 << 30
CPU_S = 5


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for pattern in json.load(sys.stdin):
        sys.stdout.write(json.dumps(_compile(pattern)) + "\n")
        sys.stdout.flush()


def _compile(pattern: str) -> str:
    try:
        regex.compile(pattern)
        make_scanner([pattern])
    except regex.error as error:
        return str(error)
    except (MemoryError, RecursionError, OverflowError):
        return "takes too much to compile"
    return ""


if __name__ == "__main__":
    main()
