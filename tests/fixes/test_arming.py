"""I8: without a sandbox that holds, nothing is armed, and the reason says what to do."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from fixes.steps import ATTEMPT, PYTHON, step
from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.model.fix import Arming


def arm(**options: object) -> Arming:
    return asyncio.run(BubblewrapRunner(**options).arm())  # type: ignore[arg-type]


def fake(room: Path, script: str) -> str:
    path = room / "bwrap"
    path.write_text(f"#!{PYTHON} -I\n{script}")  # the fix user can reach it, unlike a virtual environment
    path.chmod(0o755)
    for parent in (room, *room.parents):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o005)
    return str(path)


def test_the_real_sandbox_holds_the_canary() -> None:
    assert arm() == Arming(armed=True, sandbox="bubblewrap")


def test_inside_the_hardened_unit_less_may_be_made_and_it_holds_all_the_same(tmp_path: Path) -> None:
    """There no netlink socket, and no namespace of IPC or UTS, may be made: bubblewrap as a whole does not start."""
    script = """
import os, sys
if "--unshare-net" in sys.argv:
    sys.exit("bwrap: loopback: Failed to create NETLINK_ROUTE socket: Address family not supported by protocol")
os.execv("/usr/bin/bwrap", ["bwrap", *sys.argv[1:]])
"""
    runner = BubblewrapRunner(bwrap=fake(tmp_path, script))
    assert asyncio.run(runner.arm()).armed
    result = asyncio.run(runner.run(step("/bin/cat", "/proc/net/dev"), ATTEMPT))
    assert result.output.count(":") == 1  # lo, and nobody on it


def test_a_step_that_starts_while_a_reload_tries_the_sandbox_runs_in_the_one_that_held(tmp_path: Path) -> None:
    """The whole sandbox is tried first, takes its time, and does not start here."""
    script = """
import os, sys, time
if "--unshare-net" in sys.argv:
    time.sleep(1)
    sys.exit("bwrap: loopback: Failed to create NETLINK_ROUTE socket: Address family not supported by protocol")
os.execv("/usr/bin/bwrap", ["bwrap", *sys.argv[1:]])
"""

    async def reload_and_run() -> tuple[bool, int | None]:
        runner = BubblewrapRunner(bwrap=fake(tmp_path, script))
        await runner.arm()
        again = asyncio.create_task(runner.arm())
        await asyncio.sleep(0)
        result = await runner.run(step("/bin/true"), ATTEMPT)
        assert not again.done()
        return (await again).armed, result.exit_code

    assert asyncio.run(reload_and_run()) == (True, 0)


def test_f61_without_bubblewrap_the_command_to_type_is_told(tmp_path: Path) -> None:
    runner = BubblewrapRunner()
    runner._bwrap = ""
    arming = asyncio.run(runner.arm())
    assert not arming.armed
    assert "apt-get install bubblewrap" in arming.reason


def test_a_sandbox_that_cannot_start_disarms(tmp_path: Path) -> None:
    assert not arm(bwrap=str(tmp_path / "nothing")).armed
    assert not arm(bwrap="/usr/bin/false").armed


def test_a_sandbox_that_does_nothing_disarms() -> None:
    assert not arm(bwrap="/usr/bin/true").armed


JUST_RUN = """
import os, sys
words = sys.argv[1:]
os.execv(words[words.index("--") + 1], words[words.index("--") + 1:])
"""
TELL_AND_RUN = """
import os, subprocess, sys
words = sys.argv[1:]
status = int(words[words.index("--json-status-fd") + 1])
code = subprocess.call(words[words.index("--") + 1:])
os.write(status, b'{"exit-code": %d}' % code)
sys.exit(code)
"""


@pytest.mark.parametrize("script", [JUST_RUN, TELL_AND_RUN], ids=["just runs", "tells what bubblewrap tells"])
def test_a_sandbox_that_is_none_is_found_out(tmp_path: Path, script: str) -> None:
    assert not arm(bwrap=fake(tmp_path, script)).armed


def test_a_sandbox_with_a_hole_is_found_out(tmp_path: Path) -> None:
    """The real one, with the host's network let in."""
    script = """
import os, sys
words = [each for each in sys.argv[1:] if each != "--unshare-net"]
os.execv("/usr/bin/bwrap", ["bwrap", *words])
"""
    arming = arm(bwrap=fake(tmp_path, script))
    assert not arming.armed
    assert "net" in arming.reason


def test_fixes_never_run_as_root() -> None:
    if os.geteuid() == 0:
        assert "is root" in arm(user="root").reason
    else:
        assert arm().armed
