"""`make faults-page`: runs all tests that are named after faults and invariants, and writes docs/faults.md.

`python -m faultbook` writes the page from the results that are there; `--run` runs the tests first, those of some alone
with `--run F40 I6`, only what did not pass with `--rest`, and without those of a booted container with `--no-boot`.
`--read REPORT.xml ...` takes what pytest reported elsewhere (`--junitxml`), of whatever tests."""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

import logmedic
from faultbook import named, results
from faultbook.page import PAGE, written

ROOT = named.TESTS.parent
BOOTED = "booted/"
APART = (BOOTED, "browser/")
"""Not among the others; those of a browser are not run here."""


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m faultbook", description=__doc__)
    asked.add_argument("--run", nargs="*", metavar="NAME", help="run the tests first, of these faults or of all")
    asked.add_argument("--no-boot", action="store_true", help="boot no container")
    asked.add_argument(
        "--rest", action="store_true", help="of those, the ones that did not pass when they were run last"
    )
    asked.add_argument("--read", nargs="+", type=Path, metavar="REPORT", help="take results from there; runs nothing")
    told = asked.parse_args()
    if told.read:
        keep(results.read(told.read))
    if told.run is not None:
        run(set(told.run), boot=not told.no_boot, rest=told.rest)
    known = results.load()
    PAGE.write_text(written(PAGE.read_text(), named.everything(), named.modules(), known))
    failed = [test_id for test_id, result in known.tests.items() if result == results.FAILED]
    for each in failed:
        print(f"failed: {each}")
    return 1 if failed else 0


def run(names: set[str], *, boot: bool, rest: bool) -> None:
    """Those about `names`, all when there are none. What is known is kept as each part ends; of a test that there is no
    more nothing is known."""
    known = results.load()
    passed = {test_id for test_id, each in known.tests.items() if rest and each == results.PASSED}
    tests = [each for each in named.everything() if not names or names.intersection(each.names)]
    tests = [each for each in tests if each.id not in passed]
    whole = [file for file, about in named.modules().items() if not names or names.intersection(about)]
    whole = [file for file in whole if not rest or set(known.of_file(file)) != {results.PASSED}]
    usual = list(dict.fromkeys((*(each.id for each in tests if not each.file.startswith(APART)), *whole)))
    if not names and not rest:
        results.save(results.Results(_on(), {}))
    for marked in ("not slow", "slow"):
        keep(_pytest(usual, "-m", marked, "-n", "2", "--dist", "worksteal"))
    booted = [each.id for each in tests if each.file.startswith(BOOTED)]
    why = _cannot_boot() if boot else "without a container"
    keep(dict.fromkeys(booted, f"{results.NOT_RUN}: {why}") if why else _pytest(booted))


def keep(found: Mapping[str, str]) -> None:
    known, there = results.load(), {each.id for each in named.everything()}
    whole = tuple(f"{file}::" for file in named.modules())
    both = (known.tests | found).items()
    kept = {test_id: each for test_id, each in both if test_id in there or test_id.startswith(whole)}
    results.save(results.Results(_on() if found else known.on, kept))


def _pytest(ids: list[str], *options: str) -> dict[str, str]:
    if not ids:
        return {}
    with tempfile.TemporaryDirectory(prefix="faultbook-") as place:
        report = Path(place) / "report.xml"
        words = [sys.executable, "-m", "pytest", f"--junitxml={report}", f"--basetemp={place}/tests", *options]
        subprocess.run([*words, *(f"tests/{each}" for each in ids)], cwd=ROOT, check=False)
        return results.read([report]) if report.exists() else {}


def _cannot_boot() -> str:
    """Why not; empty when it can."""
    asked = subprocess.run(["bash", "scripts/can-boot"], cwd=ROOT, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        return asked.stdout.strip()
    for made in (["scripts/system-packages", "systemd"], ["scripts/booted-rootfs"]):
        if subprocess.run(["bash", *made], cwd=ROOT, check=False).returncode != 0:
            return f"{made[0]} failed"
    return ""


def _on() -> str:
    kernel = platform.release().split("-")[0]
    versions = f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, Linux {kernel}"
    return f"logmedic {logmedic.__version__} on {datetime.now(UTC):%Y-%m-%d}, {versions}"


if __name__ == "__main__":
    sys.exit(main())
