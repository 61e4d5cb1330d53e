"""Starts the child of a target, watches it from outside, and ends what hangs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fuzz.finding import Find
from fuzz.heartbeat import Heartbeat
from fuzz.minimizing import minimized
from fuzz.target import Target

TESTS = Path(__file__).resolve().parents[1]
LOOK_S = 0.2
START_S = 60.0
"""For imports, and for a server to listen."""
OUTSIDE_TRIES = 8
"""To make a find smaller that ends its process: each costs a process."""
QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where rooms are: memory, since a file is written for most inputs."""


@dataclass(slots=True)
class Outcome:
    """Of one target. `seconds`: in which `inputs` were read."""

    target: str
    inputs: int = 0
    kept: int = 0
    lines: int = 0
    seconds: float = 0.0
    finds: list[Find] = field(default_factory=list)


def fuzzed(target: Target, *, seconds: float, seed: int) -> Outcome:
    """Fuzz for `seconds`. A child that hangs or dies is a find, and the next one goes on in the time that is left, with
    another seed."""
    outcome = Outcome(target.name)
    until = time.monotonic() + seconds
    for life in range(5):
        left = until - time.monotonic()
        if life and left < 1:
            break
        found = _one_life(target, {"seconds": left, "seed": seed + 1000 * life}, outcome)
        if found is None:
            break
        begun = bool(found.input) or found.kind == "hang"
        outcome.finds.append(_smaller(target, found) if begun else found)
        if not begun:
            break
    outcome.seconds = time.monotonic() - until + seconds
    return outcome


def replayed(target: Target, path: Path) -> Find | None:
    """What comes of the input in `path`, in a process of its own."""
    outcome = Outcome(target.name)
    ended = _one_life(target, {"input": str(path)}, outcome)
    return ended or next(iter(outcome.finds), None)


def _smaller(target: Target, found: Find) -> Find:
    """Of what ends its process."""
    hurried = replace(target, hang_s=min(target.hang_s, 5.0))

    def fails(given: bytes) -> bool:
        with tempfile.NamedTemporaryFile(prefix="fuzz-") as file:
            file.write(given)
            file.flush()
            again = replayed(hurried, Path(file.name))
        return again is not None and again.kind == found.kind

    return replace(found, input=minimized(found.input, fails, OUTSIDE_TRIES))


def _one_life(target: Target, order: dict[str, Any], outcome: Outcome) -> Find | None:
    """One child, to its end. What it says goes into `outcome`; the find that ended it comes back."""
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=QUICK, ignore_cleanup_errors=True) as room:
        place = Path(room)
        heartbeat = Heartbeat(place / "heartbeat", target.most_bytes)
        (place / "in").mkdir()
        order = {**order, "target": target.name, "heartbeat": str(place / "heartbeat"), "room": str(place / "in")}
        with (place / "said").open("wb") as said, (place / "errors").open("wb") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", "fuzz.child", json.dumps(order)],
                stdout=said,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(TESTS), "PYTHONHASHSEED": "0"},
                start_new_session=True,
            )
            try:
                hung = _watch(child, heartbeat, target)
            finally:
                _end(child)
            begun, last = heartbeat.seen()
            heartbeat.close()
            _take((place / "said").read_bytes(), outcome)
            words = (place / "errors").read_text(errors="replace")[-4000:]
        if hung:
            outcome.inputs += begun
            return Find(target.name, "hang", "", f"no end after {target.hang_s:g} s\n{words}", last)
        if child.returncode:
            outcome.inputs += begun
            return Find(target.name, "death", "", f"the process ended with {child.returncode}\n{words}", last)
    return None


def _watch(child: subprocess.Popen[bytes], heartbeat: Heartbeat, target: Target) -> bool:
    """Until it ends, or hangs; whether it hung. It says by itself where it is then."""
    begun, since = 0, time.monotonic()
    while True:
        try:
            child.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            now = heartbeat.seen()[0]
            if now != begun:
                begun, since = now, time.monotonic()
            if time.monotonic() - since > (target.hang_s if begun else START_S):
                child.send_signal(signal.SIGABRT)
                return True
        else:
            return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """And what it started: they are a session of their own."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(LOOK_S * 5)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _take(said: bytes, outcome: Outcome) -> None:
    """Of a child that was ended, the last line may be torn."""
    for line in said.splitlines(keepends=True):
        row = json.loads(line) if line.endswith(b"\n") else {"inputs": 0, "kept": 0, "lines": 0}
        if "kind" in row:
            outcome.finds.append(Find.of_row(row))
        else:
            outcome.inputs += row["inputs"]
            outcome.kept += row["kept"]
            outcome.lines = max(outcome.lines, row["lines"])
