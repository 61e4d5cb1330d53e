"""The storm for a long time, and the table of what came of it: `make soak`, or `PYTHONPATH=tests python -m crash.soak`.

SEED=N repeats what is written and how long each life is; MINUTES=10 is how long, KILLS=200 how often at least. Exits 1
when anything differs, and keeps the directory then."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from crash.storm import Report, Storm

TOLD_EVERY_S = 15.0
BURST = 600
"""Records at once, now and then: the daemon falls behind, and reads a backlog."""
SLACK_DESCRIPTORS = 2
"""A file may be open a little longer; a leak of a soak would be dozens."""


def main() -> int:
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    minutes, kills = float(os.environ.get("MINUTES") or 10), int(os.environ.get("KILLS") or 200)
    home = Path(tempfile.mkdtemp(prefix="logmedic-soak-"))
    print(f"SEED={seed} MINUTES={minutes:g} KILLS={kills}, in {home}", flush=True)
    storm = Storm(home, seed, burst=BURST)
    begun = told = time.monotonic()
    for report in storm.run(kills=kills, seconds=minutes * 60, longest_s=3.0, calm_s=30.0):
        if time.monotonic() - told >= TOLD_EVERY_S:
            told = time.monotonic()
            print(f"{told - begun:5.0f} s: {progress(report)}", flush=True)
    print(storm.report.text())
    wrong = not storm.report.exact or leaks(storm.report)
    if wrong:
        print(f"NOT EXACT; everything is kept in {home}" if not storm.report.exact else "descriptors leak")
        return 1
    shutil.rmtree(home)
    print("exact: what is stored is what was written")
    return 0


def progress(report: Report) -> str:
    return (
        f"{report.kills} kills, {report.rotations} rotations, {report.lines} lines, {report.bytes / 1e6:.0f} MB, "
        f"largest catch-up {report.largest_lag} lines, largest memory {report.largest_rss_kib / 1024:.0f} MiB"
    )


def leaks(report: Report) -> bool:
    before, after = report.descriptors
    return after > before + SLACK_DESCRIPTORS


if __name__ == "__main__":
    sys.exit(main())
