"""An hour of everything at once, and whether it stays flat: `make soak-long`, or `PYTHONPATH=tests python -m
crash.longsoak [--write]`.

MINUTES=60, SEED=N. Exits 1 when a count differs or something grows, and keeps the directory then. `--write` puts the
figures into docs/performance.md."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import machine
from crash.mixed import Mixed, Story
from crash.sampling import curve, flatness
from crash.storm import table

MARK = "<!-- soak -->"
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def main() -> int:
    seed, minutes = int(os.environ.get("SEED") or random.randrange(1_000_000)), float(os.environ.get("MINUTES") or 60)
    home = Path(tempfile.mkdtemp(prefix="logmedic-soak-"))
    print(f"SEED={seed} MINUTES={minutes:g}, in {home}", flush=True)
    mixed, begun = Mixed(home, seed), time.monotonic()
    for told in mixed.run(minutes * 60):
        print(f"{time.monotonic() - begun:5.0f} s: {told}", flush=True)
    story = mixed.story
    print(text_of(story))
    if "--write" in sys.argv[1:]:
        write(PAGE, text_of(story), f"SEED={seed} MINUTES={minutes:g}")
    if not (story.exact and story.flat):
        print(f"NOT {'FLAT' if story.exact else 'EXACT'}; the logs and a copy of the store are kept in {home}")
        return 1
    shutil.rmtree(home)
    print("exact and flat")
    return 0


def text_of(story: Story) -> str:
    troubles = ", ".join(f"{story.troubles.count(each)} times {each}" for each in sorted({*story.troubles}))
    return "\n".join(
        (
            table(story.rows),
            *(f"passed over: {each}" for each in story.gaps),
            *(f"no answer: {each}" for each in story.failed),
            f"{len(story.lives)} lives with troubles: {troubles}; load {os.getloadavg()[0]:.1f}",
            "",
            f"{'the undisturbed life, medians':40}{'2nd quarter':>12}{'last':>12}",
            *(str(each) for each in flatness(story.calm)),
            "",
            *curve(story.calm),
        )
    )


def write(page: Path, text: str, what: str) -> None:
    """In the place of what stands between the page's two marks."""
    before, _, after = page.read_text().split(MARK)
    told = f"`make soak-long`, {what}: {machine()}\n\n```\n{text}\n```"
    page.write_text(f"{before}{MARK}\n{told}\n{MARK}{after}")


if __name__ == "__main__":
    sys.exit(main())
