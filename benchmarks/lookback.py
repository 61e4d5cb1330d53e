"""`logmedic learn` on old logs as it is typed, beside grep that counts the same lines: wall-clock time, start-up
included."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import HERE, MB, WORDS, Corpus
from benchmarks.peers import ENVIRONMENT
from benchmarks.table import Row

ERRORS = r'\b(ERROR|CRITICAL|FATAL|PANIC)\b|\[(error|crit|alert|emerg)\]|"level":"error"|\b[Ee]rror: '
"""What somebody would grep for; in the corpora it finds what the detectors find."""
SHARES = (0.005, 0.02)
DISTINCT = 1_000_000
REPEATS = 2
"""The fastest counts."""


@dataclass(frozen=True, order=True, slots=True)
class _Run:
    wall: float
    spent: float
    peak_mb: float
    said: str


def learn_past(megabytes: int) -> Iterator[Row]:
    """Plain beside grep, packed beside zcat | grep, with all shipped rules; and what it keeps in memory."""
    for share in SHARES:
        log = Corpus(megabytes, flagged=share).made()
        yield _row(f"learn from old logs, {share:.1%} errors", log, f"grep -cE '{ERRORS}' {log}", megabytes)
    packed = _packed(log)
    yield _row("learn from old logs, gzip", packed, f"zcat {packed} | grep -cE '{ERRORS}'", megabytes)
    yield from _memory(log, Corpus(megabytes // 10, flagged=SHARES[-1]).made())


def _row(name: str, log: Path, peer: str, megabytes: int) -> Row:
    ours = min(_run(_learn(log)) for _ in range(REPEATS))
    theirs = min(_run(["sh", "-c", peer]) for _ in range(REPEATS))
    told = json.loads(ours.said)
    return Row(
        "24",
        name,
        f"{ours.wall:.2f} s ({ours.spent:.1f} s CPU) for {megabytes:,} MB, {told['unknown']:,} errors",
        f"{peer.split()[0]}: {theirs.wall:.2f} s ({theirs.spent:.1f} s CPU), counts {int(theirs.said):,}",
        f"{theirs.wall / ours.wall:.2f}x",
        "the same count",
        told["unknown"] == int(theirs.said),
    )


def _packed(log: Path) -> Path:
    """In pieces: a process that is started counts the memory of the one that starts it as its own."""
    packed = log.with_suffix(".log.gz")
    if not packed.exists():
        with log.open("rb") as plain, gzip.open(packed, "wb", 6) as out:
            shutil.copyfileobj(plain, out, MB)
    return packed


def _memory(log: Path, small: Path) -> Iterator[Row]:
    much, little, odd = (_run(_learn(each)) for each in (log, small, _distinct()))
    yield Row(
        "24",
        "learn from old logs, memory",
        f"{much.peak_mb:.0f} MB for {log.stat().st_size // MB:,} MB of log",
        f"{little.peak_mb:.0f} MB for {small.stat().st_size // MB:,} MB",
        f"{much.peak_mb / little.peak_mb:.2f}x",
        "1.2x",
        much.peak_mb / little.peak_mb <= 1.2,
    )
    told = json.loads(odd.said)
    yield Row(
        "24",
        "learn, every error another",
        f"{odd.peak_mb:.0f} MB, {odd.wall:.1f} s for {told['unknown']:,} lines; {told['kinds']:,} kinds",
        f"{little.peak_mb:.0f} MB",
        f"{odd.peak_mb / little.peak_mb:.1f}x",
        "",
    )


def _distinct() -> Path:
    """Lines of four words each, no two the same."""
    path = HERE / f"distinct-{DISTINCT}.log"
    if not path.exists():
        HERE.mkdir(exist_ok=True)
        size = len(WORDS)
        with path.open("w") as out:
            for n in range(DISTINCT):
                words = " ".join(WORDS[n // size**power % size] for power in range(4))
                out.write(f"2026-11-23 03:{n // 60 % 60:02d}:{n % 60:02d},123 ERROR shop.jobs: {words}\n")
    return path


def _learn(log: Path) -> list[str]:
    return [sys.executable, "-m", "logmedic", "learn", "-o", "json", str(log)]


def _run(argv: list[str]) -> _Run:
    """Seconds on the wall and of CPU, the largest process, and what it printed."""
    begun = time.perf_counter()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as running:
        assert running.stdout is not None
        said = running.stdout.read()
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if running.returncode:
        raise RuntimeError(f"{argv[:4]} exited with {running.returncode}")
    return _Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)
