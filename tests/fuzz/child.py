"""The process that a target is fuzzed in: `python -m fuzz.child ORDER`, with what is wanted as JSON.

It prints one JSON object a line: each find, and at its end the tally."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from fuzz.finding import Find
from fuzz.heartbeat import Heartbeat
from fuzz.judging import Judge, bound_memory, rss
from fuzz.minimizing import minimized
from fuzz.mutation import Mutator
from fuzz.pool import Pool
from fuzz.target import MIB, Target
from fuzz.targets import corpus_of, named
from fuzz.tracing import Lines

ANSWERS = 3
"""The descriptor for what it says: what a target prints goes elsewhere."""
MINIMIZING_S = 20.0
MOST_FINDS = 20
"""After so many the rest of the run would tell nothing new."""
TRACED = 0.7
"""So many of the inputs are followed line by line; the others go faster, and find what needs luck alone."""


@dataclass(slots=True)
class Tally:
    inputs: int = 0
    kept: int = 0
    lines: int = 0
    causes: set[tuple[str, str]] = field(default_factory=set)


class Run:
    """Of one target, in this process."""

    def __init__(self, target: Target, judge: Judge, seed: int) -> None:
        self._target = target
        self._judge = judge
        self._chance = Random(f"{target.name} {seed}")
        self._mutator = Mutator(self._chance, target.tokens, target.most_bytes)
        self._lines = Lines()
        self.tally = Tally()

    def run(self, seconds: float) -> None:
        """Everything that is known first, then what comes of it, until the time is over."""
        begun = time.monotonic()
        known = [*self._target.seeds(), *corpus_of(self._target.name)]
        for given in known:
            self._try(given, traced=True)
        pool = Pool(self._chance, known)
        warm: int | None = None
        while time.monotonic() - begun < seconds and len(self.tally.causes) < MOST_FINDS:
            given = self._mutator.mutated(pool.pick(), pool.any())
            if self._try(given, traced=self._chance.random() < TRACED):
                pool.add(given)
                self.tally.kept += 1
            if warm is None and time.monotonic() - begun > seconds / 4:
                warm = rss()
        self._watch_growth(warm)

    def _try(self, given: bytes, *, traced: bool) -> bool:
        """Whether it reached something new."""
        self.tally.inputs += 1
        before = self._lines.start() if traced else 0
        try:
            found = self._judge.judge(given)
        finally:
            fresh = self._lines.stop(before) if traced else False
        self.tally.lines = self._lines.reached
        if found is not None and found.cause not in self.tally.causes:
            self.tally.causes.add(found.cause)
            say(self._smallest(found).row())
        return fresh and found is None

    def _smallest(self, found: Find) -> Find:
        until = time.monotonic() + MINIMIZING_S
        last = [found]

        def fails(given: bytes) -> bool:
            if time.monotonic() > until:
                return False
            again = self._judge.judge(given)
            if again is None or again.cause != found.cause:
                return False
            last.append(again)
            return True

        minimized(found.input, fails)
        return last[-1]

    def _watch_growth(self, warm: int | None) -> None:
        if warm is not None and (grown := rss() - warm) > self._target.growth:
            say(Find(self._target.name, "growth", "", f"it kept {grown // MIB} MiB more and more", b"").row())


def say(row: dict[str, Any]) -> None:
    os.write(ANSWERS, json.dumps(row).encode() + b"\n")


def main(order: dict[str, Any]) -> None:
    faulthandler.enable()
    os.dup2(1, ANSWERS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    target = named(order["target"])
    heartbeat = Heartbeat(Path(order["heartbeat"]), target.most_bytes)
    with target.open(Path(order["room"])) as attempt:
        bound_memory(target.memory)
        judge = Judge(target, attempt, heartbeat)
        if "input" in order:
            replay(judge, Path(order["input"]).read_bytes())
            return
        run = Run(target, judge, order["seed"])
        run.run(order["seconds"])
    say({"inputs": run.tally.inputs, "kept": run.tally.kept, "lines": run.tally.lines})


def replay(judge: Judge, given: bytes) -> None:
    found = judge.judge(given)
    if found is not None:
        say(found.row())
    say({"inputs": 1, "kept": 0, "lines": 0})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
