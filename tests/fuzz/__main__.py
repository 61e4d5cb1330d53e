"""`make fuzz`, or `PYTHONPATH=tests python -m fuzz`. README.md beside this file says more.

TARGET=a,b (all), SECONDS=4 a target, SEED=1, INPUT=file (of one TARGET: read that input again). Exits 1 on a find."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz.finding import Find, kept
from fuzz.running import Outcome, fuzzed, replayed
from fuzz.target import Target
from fuzz.targets import NAMES, named

AT_ONCE = 2
FOUND = Path(os.environ.get("FOUND") or "tests/fuzz/found")


def main() -> int:
    wanted = [each for each in (os.environ.get("TARGET") or "").split(",") if each]
    try:
        targets = [named(each) for each in wanted or NAMES]
    except KeyError as unknown:
        print(f"no target {unknown}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    if given := os.environ.get("INPUT"):
        return once(targets, Path(given))
    return run(targets, float(os.environ.get("SECONDS") or 4), int(os.environ.get("SEED") or 1))


def once(targets: Sequence[Target], path: Path) -> int:
    if len(targets) != 1:
        print("INPUT= needs one TARGET=", file=sys.stderr)
        return 2
    found = replayed(targets[0], path)
    print(found.text if found else f"{path}: read, or refused in order")
    return 1 if found else 0


def run(targets: Sequence[Target], seconds: float, seed: int) -> int:
    print(f"{len(targets)} targets, {seconds:g} s each, SEED={seed}", flush=True)
    finds = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for outcome in pool.map(lambda each: fuzzed(each, seconds=seconds, seed=seed), targets):
            print(row(outcome), flush=True)
            for find in outcome.finds:
                tell(find)
            finds += len(outcome.finds)
    return 1 if finds else 0


def tell(find: Find) -> None:
    path = kept(find, FOUND)
    print(f"\n{find.target}: {find.kind} {find.where}\n{find.text}")
    print(f"again: make fuzz TARGET={find.target} INPUT={path}\n", flush=True)


def row(outcome: Outcome) -> str:
    rate = outcome.inputs / outcome.seconds if outcome.seconds else 0.0
    told = f"{outcome.inputs:8,} inputs {rate:7,.0f}/s {outcome.kept:5} kept {outcome.lines:6} lines"
    return f"{outcome.target:12} {told}  {len(outcome.finds) or 'no'} finds"


if __name__ == "__main__":
    sys.exit(main())
