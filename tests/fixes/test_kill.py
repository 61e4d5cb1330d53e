"""`kill`: the processes of a unit by their name, each held while it is looked at, and no other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from logmedic.fixrun.acts.kill import belongs, kill, paths_of
from logmedic.fixrun.acts.words import Unreached

UNIT = "0::/system.slice/app.service"


class Host:
    """Real processes; their cgroups are what we say."""

    def __init__(self, room: Path) -> None:
        self.proc = room / "proc"
        self.proc.mkdir()
        self._room = room
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, cgroup: str, *, stubborn: bool = False) -> subprocess.Popen[bytes]:
        program = self._room / name
        if not program.exists():
            shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
        ignore = (lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)) if stubborn else None
        made = subprocess.Popen([program, "60"], preexec_fn=ignore)
        self.started.append(made)
        comm = Path(f"/proc/{made.pid}/comm")
        while comm.read_text() != f"{name[:15]}\n":  # it has started before it has its name
            os.sched_yield()
        entry = self.proc / str(made.pid)
        entry.mkdir()
        (entry / "comm").symlink_to(comm)
        (entry / "cgroup").write_text(f"{cgroup}\n")
        return made

    def kill(
        self, process: str = "worker", unit: str = "app.service", *, dry: bool = False, grace: float = 5.0
    ) -> None:
        kill({"unit": unit, "process": process, "grace": grace}, dry=dry, proc=self.proc)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    for each in made.started:
        each.kill()
        each.wait()


def test_every_process_of_that_name_in_that_unit_ends_and_no_other(host: Host) -> None:
    meant = [host.start("worker", UNIT) for _ in range(3)]
    others = [
        host.start("master", UNIT),
        host.start("worker", "0::/system.slice/other.service"),
        host.start("worker", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app.service"),
        host.start("worker", "0::/"),
    ]
    host.kill()
    assert [each.wait(5) for each in meant] == [-signal.SIGTERM] * 3
    assert [each.poll() for each in others] == [None] * 4


def test_what_ignores_term_is_killed_after_its_grace(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    stubborn, meek = host.start("worker", UNIT, stubborn=True), host.start("worker", UNIT)
    host.kill(grace=0.2)
    assert (stubborn.wait(5), meek.wait(5)) == (-signal.SIGKILL, -signal.SIGTERM)
    assert "1 did not end within 0.2 s: SIGKILL" in capsys.readouterr().out


def test_the_dry_run_names_them_and_ends_none(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    meant = host.start("worker", UNIT)
    host.kill(dry=True)
    assert capsys.readouterr().out == f"would end {meant.pid} (worker of app.service)\n"
    assert meant.poll() is None


@pytest.mark.parametrize(("unit", "process"), [("app.service", "nothing"), ("other.service", "worker")])
def test_f66_no_such_process_means_none(host: Host, unit: str, process: str) -> None:
    there = host.start("worker", UNIT)
    with pytest.raises(Unreached, match=f"no process of {unit} is called {process}"):
        host.kill(process, unit)
    assert there.poll() is None


@pytest.mark.parametrize(("unit", "process"), [("", "worker"), ("app.service", ""), ("", "")])
def test_f66_no_name_means_nothing(host: Host, unit: str, process: str) -> None:
    there = host.start("worker", UNIT)
    with pytest.raises(Unreached, match="nothing is killed"):
        host.kill(process, unit)
    assert there.poll() is None


def test_a_long_name_is_as_the_kernel_keeps_it(host: Host) -> None:
    meant = host.start("a-very-long-name-of-a-worker", UNIT)
    host.kill("a-very-long-name-of-a-worker")
    assert meant.wait(5) == -signal.SIGTERM


def test_one_that_has_ended_already_is_none(host: Host) -> None:
    ended = host.start("worker", UNIT)
    (host.proc / str(ended.pid) / "comm").unlink()
    (host.proc / str(ended.pid) / "comm").write_text("worker\n")
    ended.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie
    with pytest.raises(Unreached, match="no process"):
        host.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
def test_whom_we_may_not_signal_is_told(host: Host) -> None:
    meant = host.start("worker", UNIT)
    host._room.chmod(0o755)
    for parent in host._room.parents:
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o1000:
            parent.chmod(parent.stat().st_mode | 0o005)
    program = f"""
import sys
sys.path.insert(0, {str(Path(sys.modules["logmedic"].__file__ or "").parents[1])!r})
from pathlib import Path
from logmedic.fixrun.acts.kill import kill
kill({{"unit": "app.service", "process": "worker", "grace": 1.0}}, dry=False, proc=Path({str(host.proc)!r}))
"""
    ran = subprocess.run(
        ["/usr/bin/python3", "-I", "-S", "-c", program],
        user=61999,
        group=61999,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "may not be signalled by this user; see sandbox.user" in ran.stderr
    assert meant.poll() is None


@pytest.mark.parametrize(
    ("path", "unit", "yes"),
    [
        ("/system.slice/app.service", "app.service", True),
        ("/system.slice/app.service/workers/3", "app.service", True),
        ("/system.slice/system-app.slice/app@1.service", "app@1.service", True),
        ("/system.slice/system-app.slice/app@1.service", "system-app.slice", True),
        ("/app.service", "app.service", True),
        ("/system.slice/docker.service/app.service", "app.service", False),
        ("/user.slice/user-1.slice/user@1.service/app.slice/app.service", "app.service", False),
        ("/system.slice/my-app.service", "app.service", False),
        ("/", "app.service", False),
        ("/", "", False),
    ],
)
def test_a_unit_has_what_the_service_manager_put_into_it(path: str, unit: str, yes: bool) -> None:
    assert belongs(path, unit) is yes


def test_only_the_service_managers_tree_counts() -> None:
    text = "12:pids:/a.service\n1:name=systemd:/b.service\n0::/c.service\n"
    assert list(paths_of(text)) == ["/b.service", "/c.service"]
