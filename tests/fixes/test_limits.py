"""A step that runs wild is bounded, and ends with everything that it started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixes.steps import ATTEMPT, open_to_all, python, run, shell, step
from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.adapters.fixes.runners import Runners, end
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.step import Step, UnitJob, UnitVerb


def running(marker: str) -> list[str]:
    """Command lines on the host that hold `marker`."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                line = Path(f"/proc/{name}/cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if marker in line:
                found.append(line)
    return found


async def gone(marker: str) -> bool:
    """Within a few seconds."""
    for _ in range(100):
        if not running(marker):
            return True
        await asyncio.sleep(0.05)
    return False


def test_the_exit_code_and_the_output_come_back() -> None:
    result = shell("echo out; echo err >&2; exit 3")
    assert (result.exit_code, result.output, result.started, result.sandbox) == (3, "out\nerr\n", True, "bubblewrap")
    assert not result.ok


def test_f54_what_ignores_term_is_killed_at_its_limit() -> None:
    result = shell("trap '' TERM; while :; do sleep 0.1; done", timeout_s=0.7)
    assert result.exit_code is None
    assert result.detail == "killed after 0.7 s"
    assert 0.7 <= result.duration_s < 3


FORK = """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        made += 1
except OSError:
    pass
print(made)
"""


def test_f55_a_fork_bomb_is_capped() -> None:
    result = python(FORK, tasks=20)
    assert 0 < int(result.output) <= 20


def test_f56_a_daemonised_grandchild_dies_with_the_step_and_holds_up_nobody() -> None:
    marker = f"31{os.getpid()}"
    started = time.monotonic()
    result = shell(f"(setsid sleep {marker} &) ; echo done")
    assert result.output == "done\n"
    assert time.monotonic() - started < 5
    assert asyncio.run(gone(marker))


def test_f56_without_a_sandbox_as_well() -> None:
    marker = f"32{os.getpid()}"
    runner = BubblewrapRunner(allow_unsandboxed=True)
    result = shell(f"(setsid sleep {marker} &) ; echo done", runner=runner, kind=SandboxKind.NONE)
    assert (result.output, result.sandbox) == ("done\n", "none")
    assert asyncio.run(gone(marker))


def test_f57_memory_is_capped() -> None:
    result = python("x = bytearray(1 << 30); print('escaped')", memory_bytes=128 * 1024 * 1024)
    assert "MemoryError" in result.output
    assert result.exit_code == 1


def test_f57_files_are_capped(tmp_path: Path) -> None:
    room = open_to_all(tmp_path)
    result = shell(f"head -c 10000000 /dev/zero > {room}/big", write=(str(room),), file_bytes=100_000)
    assert not result.ok
    assert (room / "big").stat().st_size <= 100_000


def test_f57_tmp_is_small_and_gone_afterwards() -> None:
    result = shell("head -c 100000000 /dev/zero > /tmp/big; stat -c %s /tmp/big", file_bytes=200 * 1024 * 1024)
    assert int(result.output.splitlines()[-1]) <= 16 * 1024 * 1024


def test_f58_the_first_and_the_last_of_an_endless_output_are_kept() -> None:
    result = shell("echo first; yes | head -c 1000000; echo; echo last")
    assert result.ok
    assert result.output.startswith("first\n")
    assert result.output.endswith("last\n")
    assert "bytes left out" in result.output
    assert len(result.output) < 2 * 64 * 1024 + 100


def test_output_that_is_no_text_is_no_error() -> None:
    assert run("/usr/bin/printf", r"\377\000a").output == "\ufffd\0a"


def test_a_death_by_signal_is_said() -> None:
    assert shell("kill -SEGV $$").detail == "killed by SIGSEGV"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("/usr/bin/no-such-program", "No such file"),
        ("/usr/share", "no executable file"),
        ("/etc/passwd", "no executable file"),
    ],
)
def test_f60_a_program_that_is_not_there_is_refused(program: str, why: str) -> None:
    result = run(program)
    assert not result.started
    assert why in result.detail


def test_f60_a_program_that_anybody_could_replace_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "fix"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o777)
    result = run(str(program), read=(str(tmp_path),))
    assert not result.started
    assert "chmod o-w" in result.detail


def test_a_program_outside_of_the_sandbox_is_refused_with_the_way_in(tmp_path: Path) -> None:
    program = open_to_all(tmp_path) / "fix"
    program.write_text("#!/bin/sh\necho it ran\n")
    program.chmod(0o755)
    assert "sandbox.read" in run(str(program)).detail
    assert run(str(program), read=(str(tmp_path),)).output == "it ran\n"


def test_a_directory_that_is_gone_is_said() -> None:
    assert "/no/such/directory" in shell("true", write=("/no/such/directory",)).detail


def test_without_permission_nothing_runs_unsandboxed() -> None:
    result = shell("true", kind=SandboxKind.NONE)
    assert not result.started
    assert "allow_unsandboxed" in result.detail


def test_restarting_a_unit_is_not_done_here() -> None:
    unit = Step("x", UnitJob(UnitVerb.RESTART, "app.service"), sandbox=SandboxSpec())
    result = asyncio.run(BubblewrapRunner().run(unit, ATTEMPT))
    assert not result.started


def test_a_cancel_kills_everything() -> None:
    marker = f"33{os.getpid()}"

    async def scenario() -> None:
        task = asyncio.create_task(BubblewrapRunner().run(step("/usr/bin/sleep", marker), ATTEMPT))
        while not running(marker):
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await gone(marker)

    asyncio.run(scenario())


def test_f62_the_step_dies_with_the_daemon() -> None:
    marker = f"34{os.getpid()}"
    program = f"""
import asyncio, sys
sys.path[:0] = {[str(Path(__file__).parents[1])]!r}
from fixes.steps import run
run("/usr/bin/sleep", "{marker}", timeout_s=60)
"""
    daemon = subprocess.Popen([sys.executable, "-c", program])

    async def started() -> bool:
        for _ in range(200):
            if any("bwrap" in each or "sleep" in each for each in running(marker) if "asyncio" not in each):
                return True
            await asyncio.sleep(0.05)
        return False

    assert asyncio.run(started())
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    assert asyncio.run(gone(marker))


def test_a_runner_waits_for_the_next_step_and_none_is_left() -> None:
    def waiting() -> set[int]:
        return {int(pid) for pid in children()}

    async def scenario() -> None:
        runner = BubblewrapRunner(ready=True)
        assert (await runner.arm()).armed
        for _ in range(3):
            result = await runner.run(step("/usr/bin/true"), ATTEMPT)
            assert (result.exit_code, result.started) == (0, True)
        while len(waiting()) != 1:
            await asyncio.sleep(0.01)
        (killed,) = waiting()
        os.kill(killed, signal.SIGKILL)
        while killed in waiting():
            await asyncio.sleep(0.01)
        assert (await runner.run(step("/usr/bin/true"), ATTEMPT)).exit_code == 0, "another one is started"
        await runner.close()
        assert waiting() == set()

    asyncio.run(scenario())


def children() -> list[str]:
    """Live processes that this one started."""
    me = os.getpid()
    return Path(f"/proc/{me}/task/{me}/children").read_text().split()


def test_what_kept_a_runner_from_starting_before_does_not_fail_the_next_step(tmp_path: Path) -> None:
    async def scenario() -> None:
        program = tmp_path / "python"
        runners = Runners(str(program), ready=True)
        runners.prepare()
        await asyncio.sleep(0)
        while asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.sleep(0.01)
        program.symlink_to(sys.executable)
        runner = await runners.take()
        await end(runner)
        await runners.close()

    asyncio.run(scenario())
