"""What was measured, as rows that can be read: printed as they come, and written to docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

MARK = "<!-- measured -->"


@dataclass(frozen=True, slots=True)
class Row:
    """`number`: of the scenario. `ratio`: ours to the peer's, or to the limit's, of this run. `met`: whether that
    reaches what was meant; None where nothing was."""

    number: str
    scenario: str
    ours: str
    beside: str
    ratio: str = ""
    reach: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        verdict = {True: "reached", False: "NOT reached", None: ""}[self.met]
        wanted = f" (reach {self.reach}: {verdict})" if self.reach else ""
        return f"{self.number:>3}  {self.scenario:<34} {self.ours:<44} {self.beside:<52} {self.ratio}{wanted}"


def _cpu() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def machine() -> str:
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]) / 1024 / 1024  # type: ignore[index]
    libraries = ", ".join(f"{each} {version(each)}" for each in ("hyperscan", "regex", "duckdb"))
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({_cpu()}), {memory:.0f} GiB, "
        f"Linux {platform.release()}, "
        f"CPython {platform.python_version()}, {libraries}; load before the run {os.getloadavg()[0]:.1f}"
    )


HEAD = ["| # | scenario | ours | beside | ratio | reach | |", "|---|---|---|---|---|---|---|"]


def write(path: Path, rows: list[Row], where: str, *, all_of_them: bool) -> None:
    """Replace the table of `path` between its two marks; or only the rows of the scenarios that ran, which are told to
    be of another run."""
    head, table, tail = path.read_text().split(MARK)
    new = [_line(row) for row in rows]
    if all_of_them:
        path.write_text(f"{head}{MARK}\n{where}\n\n" + "\n".join((*HEAD, *new)) + f"\n{MARK}{tail}")
        return
    numbers = {row.number for row in rows}
    old = [line for line in table.splitlines() if line.startswith("| ") and line not in HEAD]
    kept = [line for line in old if _number(line) not in numbers]
    merged = sorted([*kept, *new], key=lambda line: int(_number(line)))
    which = "Rows " + ", ".join(sorted(numbers, key=int)) + ": "
    told = which + where
    places = [line for line in table.splitlines() if line and not line.startswith(("|", which))]
    path.write_text(
        f"{head}{MARK}\n" + "\n\n".join((*places, told)) + "\n\n" + "\n".join((*HEAD, *merged)) + f"\n{MARK}{tail}"
    )


def _number(line: str) -> str:
    return line.split("|")[1].strip()


def _line(row: Row) -> str:
    verdict = {True: "yes", False: "**no**", None: ""}[row.met]
    cells = (row.number, row.scenario, row.ours, row.beside, row.ratio, row.reach, verdict)
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def version_of(*argv: str) -> str:
    """The first line that a program says of itself; empty where it is not installed."""
    try:
        said = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return (said.stdout or said.stderr).split("\n")[0]
