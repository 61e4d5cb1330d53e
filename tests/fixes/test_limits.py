"""A step that runs wild is bounded, and ends with everything that it started."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixes.steps import ATTEMPT, a_rule, open_to_all, python, reachable, run, shell, step
from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.adapters.fixes.runners import Runners, end
from logmedic.model.fix import FixResult
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


async def begun(marker: str, step: asyncio.Task[FixResult]) -> None:
    """Wait until the step runs."""
    while not running(marker):
        assert not step.done(), f"it ended before it began: {step.result()}"
        await asyncio.sleep(0.02)


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


@pytest.fixture(params=list(SandboxKind))
def kind(request: pytest.FixtureRequest) -> dict[str, Any]:
    """With the sandbox, and without."""
    return {"kind": request.param, "runner": BubblewrapRunner(allow_unsandboxed=True)}


def test_f54_what_ignores_term_is_killed_at_its_limit(kind: dict[str, Any]) -> None:
    result = shell("trap '' TERM; while :; do sleep 0.1; done", timeout_s=0.7, **kind)
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


def test_f55_a_fork_bomb_is_capped(kind: dict[str, Any]) -> None:
    result = python(FORK, tasks=20, **kind)
    assert 0 < int(result.output) <= 20


def test_f55_a_fork_bomb_dies_at_its_limit_and_the_next_step_runs_meanwhile() -> None:
    marker = f"35{os.getpid()}"
    bomb = f"bomb() {{ bomb | bomb & sleep {marker}; }}; bomb; wait"

    async def scenario() -> None:
        runner = BubblewrapRunner()
        thrown = asyncio.create_task(runner.run(step("/bin/sh", "-c", bomb, timeout_s=2, tasks=20), ATTEMPT))
        await begun(marker, thrown)
        assert (await runner.run(step("/usr/bin/true"), ATTEMPT)).exit_code == 0
        assert not (await thrown).ok
        assert await gone(marker)

    asyncio.run(scenario())


def test_f56_a_daemonised_grandchild_dies_with_the_step_and_holds_up_nobody(kind: dict[str, Any]) -> None:
    marker = f"31{os.getpid()}"
    started = time.monotonic()
    result = shell(f"(setsid sleep {marker} &) ; echo done", **kind)
    assert result.output == "done\n"
    assert result.sandbox == ("none" if kind["kind"] is SandboxKind.NONE else "bubblewrap")
    assert time.monotonic() - started < 25
    assert asyncio.run(gone(marker))


def test_f57_memory_is_capped() -> None:
    result = python("x = bytearray(1 << 30); print('escaped')", memory_bytes=128 * 1024 * 1024)
    assert "MemoryError" in result.output
    assert result.exit_code == 1


def test_f57_files_are_capped(tmp_path: Path) -> None:
    room = open_to_all(tmp_path)
    result = shell(f"exec head -c 10000000 /dev/zero > {room}/big", write=(str(room),), file_bytes=100_000)
    assert result.detail == "killed by SIGXFSZ: it wrote a larger file than it may (sandbox.file_size)"
    assert (room / "big").stat().st_size <= 100_000


def test_f57_processor_time_is_capped() -> None:
    result = shell("while :; do :; done", cpu=timedelta(seconds=1))
    assert result.detail == "killed by SIGXCPU: it used more processor time than it may (sandbox.time)"
    assert result.duration_s < 8


def test_f57_tmp_is_small_and_gone_afterwards() -> None:
    result = shell("head -c 100000000 /dev/zero > /tmp/big; stat -c %s /tmp/big", file_bytes=200 * 1024 * 1024)
    assert int(result.output.splitlines()[-1]) <= 16 * 1024 * 1024


def test_f58_an_endless_output_is_drained_until_the_limit() -> None:
    result = shell("echo first; exec yes", timeout_s=0.7)
    assert result.detail == "killed after 0.7 s"
    assert result.output.startswith("first\ny\n")
    assert len(result.output) < 2 * 64 * 1024 + 100


def test_f58_the_first_and_the_last_of_an_endless_output_are_kept(kind: dict[str, Any]) -> None:
    result = shell("echo first; yes | head -c 1000000; echo; echo last", **kind)
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


def a_program(room: Path) -> Path:
    program = reachable(room) / "fix"
    program.write_text("#!/bin/sh\necho it ran\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("mode", [0o757, 0o775, 0o777])
def test_f60_a_program_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    program = a_program(tmp_path)
    program.chmod(mode)
    result = run(str(program), read=(str(tmp_path),))
    assert (result.started, result.detail) == (False, f"others can write to {program}: chmod go-w {program}")


@pytest.mark.parametrize("mode", [0o757, 0o775, 0o777])
def test_f60_a_program_in_a_directory_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    room = tmp_path / "room"
    room.mkdir()
    program = a_program(room)
    room.chmod(mode)
    assert f"others can write to {room}" in run(str(program), read=(str(room),)).detail


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_f60_a_program_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    os.chown(program, 61999, 61999)
    result = run(str(program), read=(str(tmp_path),))
    assert (result.started, result.detail) == (False, f"{program} belongs to user id 61999: chown root {program}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_f60_whoever_a_step_runs_as_may_own_its_program(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    os.chown(program, pwd.getpwnam("daemon").pw_uid, -1)
    assert run(str(program), read=(str(tmp_path),), user="daemon").output == "it ran\n"


def test_f60_a_link_is_as_safe_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    program = a_program(tmp_path / "open")
    link = tmp_path / "link"
    link.symlink_to(program)
    assert run(str(link), read=(str(tmp_path),)).output == "it ran\n"
    (tmp_path / "open").chmod(0o777)
    assert "others can write" in run(str(link), read=(str(tmp_path),)).detail


def test_f60_a_program_that_was_replaced_since_it_was_armed_is_refused(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    mended = step(str(program), read=(str(tmp_path),))

    async def scenario() -> None:
        runner = BubblewrapRunner()
        rule = a_rule(mended)
        assert not (await runner.arm([rule])).refused
        program.unlink()
        assert "No such file" in (await runner.run(mended, ATTEMPT)).detail
        program.write_text("#!/bin/sh\necho replaced\n")
        program.chmod(0o777)
        result = await runner.run(mended, ATTEMPT)
        assert (result.started, result.output) == (False, "")
        assert "others can write" in (await runner.arm([rule])).refused["r1"]

    asyncio.run(scenario())


def test_a_program_outside_of_the_sandbox_is_refused_with_the_way_in(tmp_path: Path) -> None:
    program = a_program(tmp_path)
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
        await begun(marker, task)
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
    of_others = set(children())  # what tests before this one in the same process left

    def waiting() -> set[int]:
        return {int(pid) for pid in set(children()) - of_others}

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
