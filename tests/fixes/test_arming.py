"""I8: without a sandbox that holds, nothing is armed, and the reason says what to do."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from fixes.steps import ATTEMPT, PYTHON, a_rule, open_to_all, step
from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.core.targets import filled
from logmedic.model.fix import Arming
from logmedic.model.sandbox import Network, SandboxKind, SandboxSpec
from logmedic.model.step import FreeSpace, KillProcess, RenewCertificate, Step, UnitJob, UnitVerb


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


def test_inside_a_unit_that_lets_less_be_made_it_holds_all_the_same(tmp_path: Path) -> None:
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
    go = open_to_all(tmp_path) / "go"
    go.touch()
    script = f"""
import os, sys, time
if "--unshare-net" in sys.argv:
    while not os.path.exists({str(go)!r}):
        time.sleep(0.01)
    sys.exit("bwrap: loopback: Failed to create NETLINK_ROUTE socket: Address family not supported by protocol")
os.execv("/usr/bin/bwrap", ["bwrap", *sys.argv[1:]])
"""

    async def reload_and_run() -> tuple[bool, int | None]:
        runner = BubblewrapRunner(bwrap=fake(tmp_path, script))
        await runner.arm()
        go.unlink()
        again = asyncio.create_task(runner.arm())
        await asyncio.sleep(0)
        result = await runner.run(step("/bin/true"), ATTEMPT)
        assert not again.done()
        go.touch()
        return (await again).armed, result.exit_code

    assert asyncio.run(reload_and_run()) == (True, 0)


def test_f61_where_no_namespace_may_be_made_it_says_what_to_type(tmp_path: Path) -> None:
    """As inside logmedic.service, and in containers."""
    script = 'import sys; sys.exit("bwrap: Creating new namespace failed: Operation not permitted")'
    arming = arm(bwrap=fake(tmp_path, script))
    assert not arming.armed
    assert "does not start here: " in arming.reason
    assert "Operation not permitted; type: " in arming.reason


def test_f61_without_bubblewrap_the_command_to_type_is_told(tmp_path: Path) -> None:
    runner = BubblewrapRunner()
    runner._bwrap = ""
    arming = asyncio.run(runner.arm())
    assert not arming.armed
    assert "apt-get install bubblewrap" in arming.reason


def test_f61_a_sandbox_that_cannot_start_disarms(tmp_path: Path) -> None:
    assert not arm(bwrap=str(tmp_path / "nothing")).armed
    assert not arm(bwrap="/usr/bin/false").armed


def test_f61_a_sandbox_that_does_nothing_disarms() -> None:
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
def test_f61_a_sandbox_that_is_none_is_found_out(tmp_path: Path, script: str) -> None:
    assert not arm(bwrap=fake(tmp_path, script)).armed


def test_f61_a_sandbox_with_a_hole_is_found_out(tmp_path: Path) -> None:
    """The real one, with the host's network let in."""
    script = """
import os, sys
words = [each for each in sys.argv[1:] if each != "--unshare-net"]
os.execv("/usr/bin/bwrap", ["bwrap", *words])
"""
    arming = arm(bwrap=fake(tmp_path, script))
    assert not arming.armed
    assert "net" in arming.reason


KILL = Step("end it", KillProcess("app.service", "worker"))
REFUSED = [
    (step("/usr/bin/true", network=Network.LOOPBACK), "`network: loopback` needs the unit tier"),
    (step("/usr/bin/true", user="root"), "`user: root` needs the unit tier"),
    (step("/usr/bin/true", user="no-such-user"), "there is no account 'no-such-user'"),
    (step("/usr/bin/true", kind=SandboxKind.NONE), "actions.allow_unsandboxed is not set"),
    (step("/usr/bin/true", write=("/",)), "/ of the host is never shown to a fix"),
    (step("/usr/bin/true", read=("/proc/1",)), "/proc/1 of the host is never shown to a fix"),
    (step("/usr/bin/true", read=("//proc/1",)), "//proc/1 of the host is never shown to a fix"),
    (step("/usr/bin/true", read=("/./sys",)), "/./sys of the host is never shown to a fix"),
    (step("/usr/bin/true", read=("/usr/../dev",)), "/usr/../dev of the host is never shown to a fix"),
    (step("/usr/bin/true", read=("/srv/..",)), "/srv/.. of the host is never shown to a fix"),
    (step("/usr/bin/true", write=("/no/such/room",)), "/no/such/room of the sandbox does not exist"),
    (step("/no/such/program"), "No such file or directory"),
    (step("/usr/bin/true", write=("/etc/systemd",)), "/etc/systemd may not be written by any fix"),
    (step("/usr/bin/true", read=("/run/logmedic",)), "/run/logmedic is the daemon's own"),
    (step("/usr/bin/true", read=("/run/logmedic-fix/x.sock",)), "/run/logmedic-fix/x.sock is the daemon's own"),
    (step("/usr/bin/true", write=("/etc",)), "/etc may not be written by any fix"),
    (step("/usr/bin/true", write=("/run",)), "/run may not be written by any fix"),
    (KILL, "ending processes of the host needs the unit tier"),
    (Step("free", FreeSpace(("/no/such/cache",), percent=5)), "/no/such/cache of the sandbox does not exist"),
    (Step("renew", RenewCertificate("/etc/hosts", ("/no/such/program",))), "No such file or directory"),
]


@pytest.mark.parametrize(("refused", "why"), REFUSED)
@pytest.mark.skipif(os.geteuid() != 0, reason="not root, it is refused for another reason")
def test_a_fix_that_cannot_run_here_is_refused_when_it_is_armed_and_when_it_is_run(refused: Step, why: str) -> None:
    async def scenario() -> None:
        runner = BubblewrapRunner()
        arming = await runner.arm([a_rule(step("/usr/bin/true"), refused)])
        assert arming.armed
        assert arming.refused["r1"].startswith(f"step {refused.name!r}: ")
        assert why in arming.refused["r1"]
        result = await runner.run(refused, ATTEMPT)
        assert (result.exit_code, result.started) == (None, False)
        assert why in result.detail

    asyncio.run(scenario())


def test_what_is_of_another_tier_is_not_refused_by_this_one() -> None:
    rule = a_rule(Step("restart", UnitJob(UnitVerb.RESTART, "app.service")), step("/usr/bin/true"))
    assert asyncio.run(BubblewrapRunner().arm([rule])).refused == {}


def test_a_path_that_a_log_line_names_has_to_lie_in_what_the_rule_opened(tmp_path: Path) -> None:
    rule_says = Step("free", FreeSpace(("{path}",), percent=1), sandbox=SandboxSpec(write=(str(tmp_path / "cache"),)))
    for name in ("cache", "other"):
        (tmp_path / name).mkdir()
    inside, outside = (filled(rule_says, {"path": str(tmp_path / name)}) for name in ("cache", "other"))
    runner = BubblewrapRunner()
    assert runner.refusal(inside) == ""
    assert f"{tmp_path / 'other'} may not be written by this step" in runner.refusal(outside)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_step_runs_as_the_account_that_it_names() -> None:
    runner = BubblewrapRunner()
    result = asyncio.run(runner.run(step("/usr/bin/id", "-un", user="daemon"), ATTEMPT))
    assert result.output == "daemon\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_somebody_else_could_lead_elsewhere_is_not_written_in_anybodys_name(tmp_path: Path) -> None:
    """Whoever owns the directory above makes a link of it to what the user of the step may write to."""
    room = tmp_path / "shop/cache"
    room.mkdir(parents=True)
    os.chown(tmp_path / "shop", 65123, 0)
    for asked in (
        step("/usr/bin/true", user="daemon", write=(str(room),)),
        Step("free", FreeSpace((str(room),), percent=1), sandbox=SandboxSpec(user="daemon")),
    ):
        assert f"{room} could be led elsewhere: {room.parent} belongs to" in BubblewrapRunner().refusal(asked)
    assert BubblewrapRunner().refusal(step("/usr/bin/true", write=(str(room),))) == ""


def test_the_dry_run_of_a_command_says_what_it_would_be_given(tmp_path: Path) -> None:
    asked = step("/usr/bin/touch", f"{tmp_path}/made", write=(str(tmp_path),), cpu=timedelta(seconds=5))
    result = asyncio.run(BubblewrapRunner().rehearse(asked))
    assert result.ok
    assert f"would run: /usr/bin/touch {tmp_path}/made\n" in result.output
    assert f"may write: {tmp_path}\n" in result.output
    assert "network: none\n" in result.output
    assert "10s, 5s of processor time, 256 MiB a process, 64 tasks" in result.output
    assert not (tmp_path / "made").exists()


def test_the_dry_run_of_a_command_that_cannot_run_says_why() -> None:
    result = asyncio.run(BubblewrapRunner().rehearse(step("/no/such/program")))
    assert (result.ok, result.started) == (False, False)
    assert "No such file" in result.detail


@pytest.mark.parametrize("between", ["", "/", "/./"])
def test_what_lies_deeper_decides_whether_it_can_be_written(tmp_path: Path, between: str) -> None:
    """However the other one is written."""
    inner = tmp_path / "room" / "fixed"
    inner.mkdir(parents=True)
    for each in (inner.parent, inner):
        open_to_all(each)
    script = f"echo x > {inner}/x; echo x > {inner.parent}/x"
    written = f"{between.replace('.', '')}{tmp_path}{between}/room"
    asyncio.run(BubblewrapRunner().run(step("/bin/sh", "-c", script, write=(written,), read=(str(inner),)), ATTEMPT))
    assert not (inner / "x").exists()
    assert (inner.parent / "x").exists()


def test_fixes_never_run_as_root() -> None:
    if os.geteuid() == 0:
        assert "is root" in arm(user="root").reason
    else:
        assert arm().armed
