"""A backtest as it is typed, beside grep with the same patterns: wall-clock time, start-up included."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpus import HERE, MB, Corpus, blocks, rule_files, write_patterns
from benchmarks.peers import ENVIRONMENT
from benchmarks.table import Row

RULES = 10
FILES = 10
REPEATS = 2
"""The fastest counts."""


def backtest(megabytes: int) -> Iterator[Row]:
    """Plain files beside grep, packed ones beside zcat | grep."""
    plain = _parts(Corpus(megabytes))
    packed = [_packed(path) for path in plain]
    with tempfile.TemporaryDirectory() as room:
        patterns = write_patterns(Path(room) / "patterns", RULES)
        rules = Path(room) / "rules.yaml"
        rules.write_text(rule_files(RULES)[0])
        yield _row("backtest, plain", rules, plain, f"cat {_quoted(plain)} | grep -cE -f {patterns}", megabytes)
        yield _row("backtest, gzip", rules, packed, f"zcat {_quoted(packed)} | grep -cE -f {patterns}", megabytes)


def _row(name: str, rules: Path, logs: list[Path], peer: str, megabytes: int) -> Row:
    ours, spent, said = min(_timed(_backtest(rules, logs)) for _ in range(REPEATS))
    theirs, theirs_spent, counted = min(_timed(["sh", "-c", peer]) for _ in range(REPEATS))
    told = json.loads(said)
    matches, fires = (sum(rule[key] for rule in told["rules"]) for key in ("matches", "fires"))
    return Row(
        "21",
        name,
        f"{ours:.2f} s ({spent:.1f} s CPU) for {megabytes:,} MB, {matches:,} matches, {fires} incidents",
        f"{peer.split()[0]} | grep -cE: {theirs:.2f} s ({theirs_spent:.1f} s CPU), counts {int(counted):,}",
        f"{theirs / ours:.2f}x",
        "the same count",
        matches == int(counted),
    )


def _backtest(rules: Path, logs: list[Path]) -> list[str]:
    return [sys.executable, "-m", "logmedic", "rules", "backtest", "-o", "json", *map(str, [rules, *logs])]


def _timed(argv: list[str]) -> tuple[float, float, str]:
    """Seconds on the wall and of CPU, and what it printed."""
    begun, before = time.perf_counter(), os.times()
    done = subprocess.run(argv, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    wall, after = time.perf_counter() - begun, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, spent, done.stdout


def _parts(corpus: Corpus) -> list[Path]:
    """The corpus as FILES rotated files; the last lines are in the one without a number."""
    log = corpus.made()
    target = HERE / f"{log.stem}-parts"
    parts = [target / f"app.log.{number}" for number in range(FILES - 1, 0, -1)] + [target / "app.log"]
    if not target.exists():
        target.mkdir()
        size = log.stat().st_size // FILES + MB
        for path, content in zip(parts, blocks(log, size), strict=False):
            path.write_bytes(content)
    for path in parts:
        path.read_bytes()
    return parts


def _packed(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    if not packed.exists():
        packed.write_bytes(gzip.compress(path.read_bytes(), 6))
        status = path.stat()
        os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
    return packed


def _quoted(paths: list[Path]) -> str:
    return " ".join(map(str, paths))
