"""Scenario 32: what a command takes to say how it is used, beside a Python that does nothing. CPU seconds of the whole
process: with other work on the machine wall time says more of that."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.table import Row

RUNS = 20
BUDGET_S = 0.150
COMMANDS = (("--help",), ("show", "--help"), ("rules", "--help"))


def helps(_: int) -> Iterator[Row]:
    bare = _cpu_s(["-c", "pass"])
    for command in COMMANDS:
        took = _cpu_s(["-m", "logmedic", *command])
        reach = f"< {BUDGET_S * 1e3:.0f} ms"
        yield Row(
            "34",
            f"logmedic {' '.join(command)}",
            f"{took * 1e3:.0f} ms CPU, median of {RUNS}",
            f"python -c pass: {bare * 1e3:.0f} ms",
            f"{took / bare:.1f}x",
            reach,
            took < BUDGET_S,
        )


def _cpu_s(arguments: list[str]) -> float:
    took = []
    for _ in range(RUNS):
        before = _children_s()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        took.append(_children_s() - before)
    return statistics.median(took)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
