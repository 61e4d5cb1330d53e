"""Thousands of stories: python -m simulation --seeds 5000. One of them again, told in full: --seed 123."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable

from simulation.story import STEPS, Outcome, outcome_of

SHOWN = 5
"""So many of the seeds that break something are told with the end of their story."""
TAIL = 25
MOST = 10
"""Of what one seed broke."""
TOLD_EACH = 500
"""Without a terminal."""


def main() -> int:
    """0: every invariant held."""
    asked = _asked()
    if asked.seed is not None:
        outcome = outcome_of(asked.seed)
        print("\n".join((f"seed {outcome.seed}: {outcome.faults or 'no faults'}", *outcome.story, _verdict(outcome))))
        return bool(outcome.broken)
    begun = time.monotonic()
    seeds = range(asked.first, asked.first + asked.seeds)
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
        broken, happened, commits = _gathered(pool.imap_unordered(outcome_of, seeds, chunksize=4), len(seeds))
    took = time.monotonic() - begun
    print(f"{len(seeds)} seeds, {STEPS} steps each, {commits} commits, in {took:.0f} s; broken: {len(broken)}")
    print("  " + ", ".join(f"{n} {what}" for what, n in sorted(happened.items(), key=lambda each: -each[1])))
    return bool(broken)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make simulate", description="The whole engine on simulated edges, with faults."
    )
    parser.add_argument("--seeds", type=int, default=300, help="how many (300)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--seed", type=int, help="only this one, and tell its story")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    return parser.parse_args()


def _gathered(outcomes: Iterable[Outcome], total: int) -> tuple[list[Outcome], Counter[str], int]:
    broken, happened, commits = [], Counter[str](), 0
    for n, each in enumerate(outcomes, 1):
        happened += each.happened
        commits += each.commits
        if each.broken:
            broken.append(each)
            _show(each, tail=TAIL if len(broken) <= SHOWN else 0)
        if sys.stdout.isatty():
            print(f"\r{n} of {total}", end="\r")
        elif n % TOLD_EACH == 0:
            print(f"{n} of {total}, broken: {len(broken)}", flush=True)
    return broken, happened, commits


def _show(outcome: Outcome, tail: int) -> None:
    told = outcome.story[len(outcome.story) - tail :]
    print(f"seed {outcome.seed} ({outcome.faults}):", *told, _verdict(outcome), sep="\n  ", flush=True)


def _verdict(outcome: Outcome) -> str:
    if not outcome.broken:
        return f"all held; digest {outcome.digest}"
    more = [f"and {len(outcome.broken) - MOST} more"] if len(outcome.broken) > MOST else []
    return "\n  ".join(("BROKEN", *outcome.broken[:MOST], *more, f"again: make simulate SEED={outcome.seed}"))


if __name__ == "__main__":
    sys.exit(main())
