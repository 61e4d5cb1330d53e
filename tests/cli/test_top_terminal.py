"""`logmedic top` in a real terminal: it shows, resizes, acts, and leaves the terminal as it was."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.terminal import Terminal, running
from cli.test_commands import logmedic
from contracts.test_store_contract import ATTEMPT, EVERYTHING, INCIDENT
from fakes.canned_control import CannedControl
from fakes.served import serving
from logmedic.model.changeset import Changeset
from logmedic.model.issue import HoldReason, IncidentStatus

WAITING = replace(
    INCIDENT, status=IncidentStatus.OPEN, hold=HoldReason.AWAITING_APPROVAL, hold_detail="", title="the shop is down"
)
LEFT = b"\x1b[?25h\x1b[?1049l"
"""The cursor is seen, and so is the screen that was there before."""


@pytest.fixture
def control(tmp_path: Path) -> Iterator[CannedControl]:
    with serving(tmp_path / "s", EVERYTHING, Changeset(incidents=(WAITING,), attempts=(ATTEMPT,))) as control:
        yield control


@pytest.fixture
def top(control: CannedControl, tmp_path: Path) -> Iterator[Terminal]:
    with running("top", "--socket", str(tmp_path / "s"), columns=100) as terminal:
        terminal.shows("the shop is down")
        yield terminal


def left_as_it_was(terminal: Terminal) -> bool:
    return terminal.raw.rstrip().endswith(LEFT) and terminal.has_its_settings


def test_it_shows_the_host_and_q_leaves(top: Terminal) -> None:
    assert top.lines[0].startswith("logmedic db1  mode auto, fixes DISARMED")
    assert "running" in top.text
    assert "shop /var/log/shop.log" in top.text
    assert "\\x1b[31mgone" in top.text, "text of logs steers no terminal"
    assert not top.has_its_settings
    top.type("q")
    assert top.ended() == 0
    assert left_as_it_was(top)


def test_it_fits_the_terminal_again_when_that_is_resized(top: Terminal) -> None:
    for columns, rows in ((60, 15), (200, 50), (100, 20)):
        top.resize(columns, rows)
        top.until(lambda: len(top.lines[0]) == columns, "the first row is as wide as the terminal")  # noqa: B023
        top.until(lambda: top.lines[-1].endswith("q quit"), "the keys stand in the last row")
        assert top.lines[0].endswith(("Z each second", "Z live"))


def test_keys_act_on_the_daemon(top: Terminal, control: CannedControl) -> None:
    top.type("a")
    top.shows("takes care of it until it is over")
    top.type("y")
    top.shows("run the fix of 0193-i1 the shop is down? y: yes")
    top.type("y")
    top.shows("approve: 0193-i1 is open")
    top.type("s")
    top.shows("silence 0193-i1 for 1h: why?")
    top.type("a new disk\r")
    top.shows("because: a new disk? y: yes")
    top.type("y")
    top.shows("nobody is told for 1h")
    top.type("py")
    top.shows("PAUSED by")
    did = [each[0] for each in control.did]
    assert did == ["ack", "approve", "silence", "pause"]
    assert control.did[2][2] == "a new disk"


def test_enter_tells_the_story_and_q_comes_back(top: Terminal) -> None:
    top.type("\r")
    top.shows("what happened")
    assert "▸ seen" in top.text
    top.type("q")
    top.until(lambda: "what happened" not in top.text, "the list is back")


def test_what_is_refused_is_said_and_the_view_goes_on(top: Terminal) -> None:
    top.type("py")
    top.shows("PAUSED by")
    top.type("py")
    top.shows("fixes run again")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(top: Terminal, number: signal.Signals) -> None:
    top.signal(number)
    assert top.ended() == 128 + number
    assert left_as_it_was(top)


def test_while_it_is_stopped_the_terminal_is_as_it_was(top: Terminal) -> None:
    top.signal(signal.SIGTSTP)
    top.until(lambda: LEFT in top.raw, "it left the screen")
    top.until(lambda: top.has_its_settings, "the terminal is as it was")
    top.resize(70, 20)
    top.signal(signal.SIGCONT)
    top.until(lambda: top.lines[-1].endswith("q quit"), "it goes on")
    top.type("q")
    assert top.ended() == 0
    assert left_as_it_was(top)


def test_a_daemon_that_goes_away_is_told_and_the_view_stays(tmp_path: Path) -> None:
    with running("top", "--socket", str(tmp_path / "s")) as terminal:
        assert terminal.ended() == 4
    with serving(tmp_path / "s", EVERYTHING):
        started = running("top", "--socket", str(tmp_path / "s"))
        terminal = started.__enter__()
        terminal.shows("open incident")
    try:
        terminal.shows("STALE since")
        with serving(tmp_path / "s", EVERYTHING):
            terminal.until(lambda: "STALE" not in terminal.text, "it is asked again")
    finally:
        started.__exit__(None, None, None)


def test_no_color_leaves_only_the_chosen_row_turned(control: CannedControl, tmp_path: Path) -> None:
    with running("top", "--socket", str(tmp_path / "s"), NO_COLOR="1") as terminal:
        terminal.shows("the shop is down")
        terminal.type("q")
        assert terminal.ended() == 0
    for colour in (b"\x1b[31m", b"\x1b[32m", b"\x1b[33m", b"\x1b[1;31m", b"\x1b[2m", b"\x1b[1m"):
        assert colour not in terminal.raw
    assert b"\x1b[7m> " in terminal.raw


def test_without_a_terminal_it_says_what_to_type(control: CannedControl, tmp_path: Path) -> None:
    ran = logmedic("top", socket=tmp_path / "s")
    assert ran.returncode == 1
    assert "logmedic top --once" in ran.stderr
    once = logmedic("top", "--once", socket=tmp_path / "s")
    assert once.returncode == 0, once.stderr
    assert "the shop is down" in once.stdout
    assert "\x1b" not in once.stdout
