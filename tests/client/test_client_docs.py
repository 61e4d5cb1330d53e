"""docs/client.md and the README are true: each Python block runs, beside a service that is down, and does what the page
says; blocks of examples/ are those files; the rules pass their check."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import forked
from fakes.example_run import EXAMPLES, Scene, scene
from logmedic.client import Client

ROOT = Path(__file__).parents[2]
QUOTED = re.compile(r"# (examples/\w+\.py)\n")
BEFORE = """\
import atexit
import stamina
from logmedic.client import default
stamina.set_testing(True, attempts=3)
atexit.register(lambda: default().flush(20))
"""
"""Retries do not wait, and what is reported arrives on a busy machine as well."""
STUBBORN = """
for _ in range({times}):
    try:
        print("got", count("7"))
    except OSError as error:
        print("raised", type(error).__name__)
"""
LOGGED = """
import logging
try:
    raise OSError("the disk is full")
except OSError:
    logging.getLogger("shop.orders").exception("order lost")
"""


@dataclass(frozen=True, slots=True)
class Does:
    """What is done with a block once it ran (`then`), what is `said` by it (parts of what it prints, in order), which
    `reports` come (what of them matters), and whether the daemon mends the service (`fixes`: of which action)."""

    then: str = ""
    said: Sequence[str] = ()
    reports: Sequence[Mapping[str, Any]] = ()
    fixes: Sequence[str] = ()
    code: int = 0


DONE = {
    "Install": Does(then="\nfrom logmedic.client import default\nassert default().stats().pending == 0\n"),
    "Report": Does(
        then="\nprint(prices())\n",
        said=["{}"],
        reports=[{"component": "shop", "action": "read prices", "impact": "low", "error": "FileNotFoundError"}],
    ),
    "Report 2": Does(
        then=LOGGED,
        said=["ERROR [-] order lost"],
        reports=[{"component": "shop", "action": "shop.orders", "error": "OSError", "message": "the disk is full"}],
    ),
    "Report 3": Does(
        then='\nstructlog.get_logger().error("order lost", article="7")\n',
        said=['"event": "order lost"'],
        reports=[{"component": "shop", "message": "order lost", "context": {"article": "7"}}],
    ),
    "Report 4": Does(
        then='\nraise OSError("nobody caught it")\n',
        said=["OSError: nobody caught it"],
        reports=[{"component": "shop", "action": "uncaught", "message": "nobody caught it"}],
        code=1,
    ),
    "Retry": Does(
        then=STUBBORN.format(times=1),
        said=["raised ConnectionRefusedError"],
        reports=[{"action": "count", "error": "ConnectionRefusedError", "attempts": 3}],
    ),
    "Circuit breaker": Does(
        then=STUBBORN.format(times=6),
        said=["raised ConnectionRefusedError"] * 5 + ["not asked; try again in 60 s", "got None"],
        reports=[{"kind": "circuit_breaker_open", "name": "stock", "impact": "high"}],
    ),
    "Fallback": Does(
        then=STUBBORN.format(times=3),
        said=["got 0", "got 0", "got 0"],
        reports=[{"kind": "graceful_degradation", "name": "stock", "component": "shop"}],
    ),
    "Wait for the fix": Does(
        then=STUBBORN.format(times=1),
        said=["got 12"],
        reports=[{"component": "shop", "action": "count", "attempts": 3}],
        fixes=["count"],
    ),
    "Ask yourself": Does(
        then=STUBBORN.format(times=1),
        said=["got 12"],
        reports=[{"component": "shop", "action": "count"}],
        fixes=["count"],
    ),
    "One id for a request": Does(reports=[{"component": "packer", "action": "pack", "request_id": "order-17"}]),
    "For applications": Does(
        then=STUBBORN.format(times=1),
        said=["got 12"],
        reports=[{"component": "shop", "action": "count", "attempts": 3}],
        fixes=["count"],
    ),
}
"""By the heading above the block; the second one under a heading has its number."""


def blocks(page: str, language: str) -> dict[str, str]:
    """By the heading above; see DONE."""
    found: dict[str, str] = {}
    heading, fence, lines = "", "", []
    for line in page.splitlines(keepends=True):
        if fence and line.startswith("```"):
            if fence == language:
                count = sum(name.startswith(heading) for name in found)
                found[f"{heading} {count + 1}" if count else heading] = "".join(lines)
            fence, lines = "", []
        elif fence:
            lines.append(line)
        elif line.startswith("```"):
            fence = line[3:].strip() or "text"
        elif line.startswith("#"):
            heading = line.strip("# \n")
    return found


PAGE = (ROOT / "docs" / "client.md").read_text()
README = (ROOT / "README.md").read_text()
PYTHON = {**blocks(PAGE, "python"), **blocks(README, "python")}
RUN = [name for name, block in PYTHON.items() if not QUOTED.match(block)]
QUOTES = [name for name, block in PYTHON.items() if QUOTED.match(block)]


def test_every_block_is_run_or_quoted() -> None:
    assert sorted(RUN) == sorted(DONE)
    assert len(QUOTES) >= 4


@pytest.mark.parametrize("name", RUN)
def test_a_block_does_what_the_page_says(name: str, tmp_path: Path) -> None:
    does = DONE[name]
    block = PYTHON[name].replace('"/var/lib/shop/', f'"{tmp_path}/')
    script = tmp_path / "block.py"
    script.write_text(BEFORE + block + does.then)
    with scene(*does.fixes) as played:
        assert run(played, script) == does.code, played.log
        reports = played.daemon.wait_for_reports(len(does.reports))
    assert in_order(does.said, "\n".join(played.log)), played.log
    assert len(reports) == len(does.reports)
    for report, wanted in zip(reports, does.reports, strict=True):
        assert {key: report.get(key) for key in wanted} == wanted


def run(played: Scene, script: Path) -> int:
    """Beside the examples, as the page says."""
    start = f"import runpy, sys; sys.path.insert(0, {str(EXAMPLES)!r}); runpy.run_path({str(script)!r})"
    return played.run("-c", start)


def in_order(parts: Sequence[str], text: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


@pytest.mark.parametrize("name", QUOTES)
def test_what_is_quoted_is_the_example(name: str) -> None:
    quoted = QUOTED.match(PYTHON[name])
    assert quoted is not None
    block = PYTHON[name][quoted.end() :]
    assert block in (ROOT / quoted[1]).read_text()


@pytest.mark.parametrize(("page", "options"), [(PAGE, ["--strict"]), (README, [])], ids=["client.md", "README.md"])
def test_rules_about_reports_pass_the_check(page: str, options: list[str], tmp_path: Path) -> None:
    (rule,) = [each for each in blocks(page, "yaml").values() if "report:" in each]
    file = tmp_path / "shop.yaml"
    file.write_text(rule)
    ran = forked.run([sys.executable, "-m", "logmedic", "rules", "check", *options, str(file)], text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 tests" in ran.stdout


def test_what_is_wrong_with_the_connection_is_said_as_the_page_says(tmp_path: Path) -> None:
    client = Client(socket=tmp_path / "report.sock")
    assert "No such file or directory" in client.ask("a test", wait=1).detail
    assert "| `No such file or directory` there |" in PAGE
    client.close(0)


def test_the_defaults_are_those_of_the_page() -> None:
    from logmedic.client.client import SOCKET
    from logmedic.client.healing import LONGEST_S
    from logmedic.client.http.httppolicy import MAX_BODY
    from logmedic.client.sending.spool import MAX_FILE, MAX_ROOM
    from logmedic.client.sending.wire import MAX_MESSAGE, MAX_TRACEBACK
    from logmedic.settings.reports import Reports

    settings, mib = Reports(), 1024 * 1024
    for words in (
        f"| `socket` | `LOGMEDIC_REPORT_SOCKET` | `{SOCKET}` |",
        f"at most {MAX_FILE // mib} MiB a process, {MAX_ROOM // mib} MiB in all",
        f"{MAX_MESSAGE:,} and {MAX_TRACEBACK:,} characters",
        f"{settings.max_per_second} a second, {settings.burst:,} at once",
        f"| `wait` | {LONGEST_S:.0f} s |",
        f"| {MAX_BODY // 1024} KiB (`max_body`) |",
    ):
        assert words in PAGE, words
