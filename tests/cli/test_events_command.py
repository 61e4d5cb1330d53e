"""`logmedic events`, as it is typed: what happened, and with -f what happens."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click
import pytest

import builders as make
import forked
from cli.surroundings import ENVIRONMENT
from fakes.live_daemon import id_of
from fakes.served import serving
from logmedic.adapters.store.duck import DuckStore
from logmedic.cli.cells import width_of
from logmedic.cli.eventlines import line_of
from logmedic.cli.root import INTERRUPTED
from logmedic.core.feed import row_of
from logmedic.core.happenings import happening
from logmedic.model.changeset import Changeset
from logmedic.model.gap import SourceEvent, SourceEventKind
from logmedic.model.issue import Incident, IncidentEvent
from logmedic.model.severity import Severity

NASTY = "db\x1b[31m \u202e is down"
DOWN = Incident(id_of(0x1001), "s1", "db-down", "", NASTY, Severity.CRITICAL, make.START, make.START)
SLOW = Incident(id_of(0x1002), "s2", "web-slow", "", "web is slow", Severity.LOW, make.START, make.START)


def event(number: int, incident: Incident, kind: str, text: str) -> IncidentEvent:
    return IncidentEvent(id_of(number), incident.id, make.START + timedelta(seconds=number), kind, text)


STORY = Changeset(
    incidents=(DOWN, SLOW),
    events=(
        event(1, DOWN, "opened", f"{NASTY} (5 times in 60 s)"),
        event(2, DOWN, "held", "the fix is held (observe)"),
        event(3, SLOW, "opened", "web is slow (once)"),
        event(4, DOWN, "resolved", "fixed"),
    ),
    source_events=(SourceEvent(id_of(5), make.START, "shop", "", SourceEventKind.QUIET, 0, "silent for 1 h"),),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logmedic.sock"


def logmedic(*arguments: str, socket: Path) -> subprocess.CompletedProcess[str]:
    return forked.run(
        [sys.executable, "-m", "logmedic", "events", *arguments, "--socket", str(socket)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
    )


def test_what_happened_is_a_line_each_the_oldest_first(path: Path) -> None:
    with serving(path, STORY):
        lines = logmedic(socket=path).stdout.splitlines()
    assert [line.split()[3] for line in lines[:4]] == ["critical", "critical", "low", "critical"]
    assert "opened" in lines[0]
    assert "db\\x1b[31m \\u202e is down (5 times in 60 s)  [00001001]" in lines[0]
    assert "✗" in lines[4]
    assert "quiet" in lines[4]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["--limit", "2"], [4, 5]),
        (["--severity", "high"], [1, 2, 4]),
        (["--severity", "high", "--limit", "1"], [4]),
        (["--kind", "opened"], [1, 3]),
        (["--kind", "opened", "--kind", "held"], [1, 2, 3]),
        (["--incident", "1002"], [3]),
        (["--since", f"{make.START + timedelta(seconds=3):%Y-%m-%dT%H:%M:%SZ}"], [3, 4]),
    ],
)
def test_only_what_is_asked_for(path: Path, arguments: list[str], numbers: list[int]) -> None:
    with serving(path, STORY):
        ran = logmedic(*arguments, "-o", "json", socket=path)
    assert [row["id"] for row in json.loads(ran.stdout)] == [id_of(number) for number in numbers], ran.stderr


def test_for_programs_a_row_is_as_the_daemon_tells_it(path: Path) -> None:
    with serving(path, STORY):
        ran = logmedic("-o", "jsonl", socket=path)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert rows[2] == row_of(happening(STORY.events[2], SLOW))


def test_an_incident_that_is_not_there_is_told_of(path: Path) -> None:
    with serving(path, STORY):
        ran = logmedic("--incident", "ffffffff", socket=path)
    assert ran.returncode == 5
    assert "no incident" in ran.stderr


def test_where_nothing_happened_that_is_said(path: Path) -> None:
    with serving(path):
        assert logmedic(socket=path).stdout == "nothing of that kind happened\n"


def test_what_has_no_end_is_no_json_document(path: Path) -> None:
    ran = logmedic("-f", "-o", "json", socket=path)
    assert ran.returncode == 2
    assert "jsonl" in ran.stderr


def test_f_goes_on_with_what_happens_over_a_restart_until_it_is_interrupted(path: Path) -> None:
    live, missed = (Changeset(events=(event(number, SLOW, "note", "more"),)) for number in (6, 7))
    with serving(path, STORY) as control:
        following = follow(path, "-o", "jsonl")
        rows = read(following, 5)
        control.happen(live)
        rows += read(following, 1)
    assert following.stderr is not None
    assert "waiting for it" in following.stderr.readline()
    with serving(path, STORY, live, missed):
        rows += read(following, 1)
        assert "answers again" in following.stderr.readline()
        following.send_signal(signal.SIGINT)
        assert following.wait(timeout=30) == INTERRUPTED
    assert [json.loads(row)["id"] for row in rows] == [id_of(number) for number in range(1, 8)]
    assert "".join(following.communicate()).strip() == ""


def test_f_shows_only_what_is_asked_for(path: Path) -> None:
    both = Changeset(events=(event(6, SLOW, "note", "slow"), event(7, DOWN, "note", "down"), event(8, DOWN, "x", "")))
    with serving(path, STORY) as control:
        following = follow(path, "--kind", "note", "--severity", "high", "--incident", "1001", "-o", "jsonl")
        until(lambda: control.feed.listeners == 1)
        control.happen(both)
        assert [json.loads(row)["text"] for row in read(following, 1)] == ["down"]
        end(following)


def test_who_closes_the_pipe_ends_it_without_a_word(path: Path) -> None:
    with serving(path, STORY) as control:
        following = follow(path, "--limit", "1")
        read(following, 1)
        assert following.stdout is not None
        following.stdout.close()
        until(lambda: control.feed.listeners == 1)
        control.happen(Changeset(events=(event(6, SLOW, "note", "for nobody"),)))
        assert following.wait(timeout=30) == 0
        assert following.stderr is not None
        assert following.stderr.read() == ""
        following.stderr.close()


def test_without_a_daemon_the_past_is_shown_and_nothing_can_be_followed(path: Path, tmp_path: Path) -> None:
    stored = tmp_path / "state" / "logmedic.duckdb"

    async def keep() -> None:
        store = DuckStore(stored)
        await store.open()
        await store.commit(STORY)
        await store.close()

    asyncio.run(keep())
    ran = logmedic("-f", "-o", "jsonl", "--store", str(stored), socket=path)
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == [id_of(number) for number in range(1, 6)]
    assert "nothing can be followed" in ran.stderr
    assert ran.returncode == 4


def follow(path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "logmedic", "events", "-f", *arguments, "--socket", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


def read(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def until(condition: Callable[[], bool]) -> None:
    ends, pause = time.monotonic() + 30, threading.Event()
    while not condition():
        assert time.monotonic() < ends
        pause.wait(0.02)


ROW = row_of(happening(STORY.events[0], DOWN))


def test_a_line_fits_into_its_terminal_and_says_so_where_it_is_cut() -> None:
    for width in (60, 80, 200):
        line = line_of(ROW, width=width)
        assert width_of(line) <= width
        assert line.endswith("…") is (width < 80)
    assert "…" not in line_of(ROW)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_on_a_narrow_terminal_there_is_room_for_what_happened(width: int) -> None:
    line = line_of({**ROW, "kind": "would_run", "title": "", "text": "x" * 200}, width=width)
    assert width_of(line) == width
    assert line.count("x") >= width - 41
    assert "would run [" in line


def test_colour_is_never_the_only_sign() -> None:
    for kind, mark in (("opened", "●"), ("resolved", "✓"), ("fix_failed", "✗"), ("fix_started", "▸"), ("what", "·")):
        plain, colored = line_of({**ROW, "kind": kind}), line_of({**ROW, "kind": kind}, color=True)
        assert mark in plain
        assert click.unstyle(colored) == plain
        assert "\x1b" in colored


def test_what_a_title_says_is_said_once() -> None:
    assert line_of(ROW).count("is down") == 1
    held = line_of(row_of(happening(STORY.events[1], DOWN)))
    assert "is down: the fix is held (observe)" in held
    assert line_of(row_of(happening(STORY.source_events[0]))).endswith("shop: silent for 1 h  [source:shop]")
