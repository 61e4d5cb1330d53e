"""A really booted systemd: the rootfs of scripts/booted-rootfs in a container, thrown away afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from booted.groups import groups_of_its_own

ROOM = Path(__file__).parents[2] / ".systemd"
ROOTFS = ROOM / "rootfs"
DEBS = ROOM / "debs"
"""/debs in the container."""
BOOT_S = 120.0
RUN_S = 240.0
UNTIL_S = 90.0
"""Far more than anything takes, also where others use the processors."""
LOGMEDIC = "/usr/bin/logmedic"


def why_not() -> str:
    """Why no systemd can be booted here, or nothing."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    if shutil.which("systemd-nspawn") is None:
        return "systemd-nspawn is not installed: apt-get install systemd-container"
    if not (ROOTFS / ".made").exists() or not list(DEBS.glob("present/*.deb")):
        return "no rootfs, or no package: bash scripts/booted-rootfs"
    return ""


def package(which: str = "present") -> str:
    """Where it is in the container. `which`: present or previous."""
    (found,) = (DEBS / which).glob("*.deb")
    return f"/debs/{which}/{found.name}"


_APT = (
    *("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q"),
    *("-o", "Dpkg::Options::=--force-confold"),  # nobody is there to be asked whose config is to stay
)


@dataclass(frozen=True, slots=True)
class Host:
    """`leader`: the process id of its systemd."""

    leader: int

    def run(self, *argv: str, user: str = "", check: bool = True, stdin: str = "", timeout_s: float = RUN_S) -> str:
        """Standard output and error of a command in it. Raises AssertionError when it fails and `check` is set."""
        ran = self.ran(*argv, user=user, stdin=stdin, timeout_s=timeout_s)
        assert ran.returncode == 0 or not check, f"{argv}: exit {ran.returncode}: {ran.stdout}"
        return ran.stdout

    def ran(
        self, *argv: str, user: str = "", stdin: str = "", timeout_s: float = RUN_S
    ) -> subprocess.CompletedProcess[str]:
        become = ["runuser", "-u", user, "--"] if user else []
        return subprocess.run(
            [
                "nsenter",
                "-t",
                str(self.leader),
                "-a",
                "env",
                "-i",
                "PATH=/usr/bin:/usr/sbin",
                "LANG=C.UTF-8",
                *become,
                *argv,
            ],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        self.run("sh", "-c", f'mkdir -p "$(dirname {path})"; cat > {path}; chmod {mode:o} {path}', stdin=text)

    def logmedic(self, *arguments: str, check: bool = True) -> str:
        return self.run(LOGMEDIC, *arguments, check=check)

    def install(self, which: str = "present") -> str:
        """The package, as people do it. What apt and its scripts say."""
        return self.apt("install", package(which))

    def apt(self, *words: str) -> str:
        return self.run(*_APT, *words)

    def start(self) -> None:
        """The daemon. Where that fails, what the journal says."""
        self._brought_up("start")

    def restart(self) -> None:
        """As `start`."""
        self._brought_up("restart")

    def _brought_up(self, verb: str) -> None:
        ran = self.ran("systemctl", verb, "logmedic")
        assert ran.returncode == 0, ran.stdout + self.journal("-n", "80")

    def status(self) -> Any:
        """What the daemon answers, or None while none does."""
        ran = self.ran(LOGMEDIC, "status", "-o", "json")
        with suppress(ValueError):
            return json.loads(ran.stdout)
        return None

    def journal(self, *arguments: str) -> str:
        return self.run("journalctl", "--no-pager", "-q", *arguments)

    def show(self, prop: str, unit: str = "logmedic") -> str:
        return self.run("systemctl", "show", "-P", prop, unit).strip()

    def until(self, claim: str, *argv: str, timeout_s: float = UNTIL_S, user: str = "") -> str:
        """Ask again until what the command prints holds `claim`."""
        end, told = time.monotonic() + timeout_s, ""
        while time.monotonic() < end:
            told = self.run(*argv, check=False, user=user)
            if claim in told:
                return told
            time.sleep(0.1)
        raise AssertionError(f"{argv} never said {claim!r}:\n{told}\n{self.journal('-n', '60')}")


@contextmanager
def ground() -> Iterator[Path]:
    """The root of a container, over the rootfs and in memory: what boots in it finds what the one before left."""
    room = Path(tempfile.mkdtemp(prefix="booted-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", room], check=True)
    root = room / "root"
    try:
        for name in ("upper", "work", "root"):
            (room / name).mkdir()
        layers = f"lowerdir={ROOTFS},upperdir={room}/upper,workdir={room}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", root], check=True)
        yield root
    finally:
        for mounted in (root, room):
            subprocess.run(["umount", "--lazy", mounted], check=False, stderr=subprocess.DEVNULL)
        room.rmdir()


@contextmanager
def booted(root: Path | None = None, *, controllers: tuple[str, ...] = (), hierarchy: str = "1") -> Iterator[Host]:
    """`root`: of `ground`, or one of its own. `controllers`: of version 1 of control groups, which it has to itself.
    `hierarchy`: "1", unified control groups."""
    if root is None:
        with ground() as made, booted(made, controllers=controllers, hierarchy=hierarchy) as host:
            yield host
            return
    name = f"booted-{zlib.crc32(root.parent.name.encode()):08x}"
    with groups_of_its_own(f"logmedic-{name}", controllers) as enter:
        nspawn = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "TERM"),  # killed tests leave nothing that runs
                *enter,
                *("systemd-nspawn", "-q", "-D", str(root), "--boot", "--register=no", "--keep-unit"),
                *("--private-network", f"--machine={name}", "--console=pipe", f"--bind-ro={DEBS}:/debs"),
                *("--capability=CAP_BPF", "--system-call-filter=bpf"),  # for IPAddressDeny=
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": hierarchy},
        )
        try:
            yield Host(_leader(nspawn))
        finally:
            _end(nspawn)


def _end(nspawn: subprocess.Popen[bytes]) -> None:
    """It has time to stop its services, as a host that is switched off."""
    nspawn.send_signal(signal.SIGTERM)
    try:
        nspawn.wait(20)
    except subprocess.TimeoutExpired:
        nspawn.kill()
        nspawn.wait()
    assert nspawn.stderr is not None
    nspawn.stderr.close()


def _leader(nspawn: subprocess.Popen[bytes]) -> int:
    """Once its systemd has started everything."""
    end, state = time.monotonic() + BOOT_S, ""
    while time.monotonic() < end:
        if nspawn.poll() is not None:
            said = nspawn.stderr.read().decode(errors="replace") if nspawn.stderr else ""
            raise AssertionError(f"systemd-nspawn ended: {said}")
        with suppress(OSError, ValueError, IndexError):
            leader = int(Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split()[0])
            state = Host(leader).run("systemctl", "is-system-running", check=False).strip()
            if state == "running":
                return leader
            if state == "degraded":
                print("not started:", Host(leader).run("systemctl", "--failed", "--no-legend", "--plain", check=False))
                Host(leader).run("systemctl", "reset-failed")  # of the system's own units: none of ours is there yet
                return leader
        time.sleep(0.1)
    raise AssertionError(f"systemd did not start in time: {state}")
