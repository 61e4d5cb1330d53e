"""A really booted systemd: the rootfs of scripts/booted-rootfs in a container, thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOTFS = Path(__file__).parents[2] / ".systemd" / "rootfs"
BOOT_S = 30.0
SHIPPED = "/opt/logmedic/lib/python3.11/site-packages/logmedic/shipped/systemd"


def why_not() -> str:
    """Why no systemd can be booted here, or nothing."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    if shutil.which("systemd-nspawn") is None:
        return "systemd-nspawn is not installed: apt-get install systemd-container"
    if not (ROOTFS / "opt/logmedic/bin/logmedic").exists():
        return "no rootfs: bash scripts/booted-rootfs"
    return ""


@dataclass(frozen=True, slots=True)
class Host:
    """`leader`: the process id of its systemd."""

    leader: int

    def run(self, *argv: str, user: str = "", check: bool = True, stdin: str = "", timeout_s: float = 60) -> str:
        """Standard output and error of a command in it. Raises AssertionError when it fails and `check` is set."""
        ran = self.ran(*argv, user=user, stdin=stdin, timeout_s=timeout_s)
        assert ran.returncode == 0 or not check, f"{argv}: exit {ran.returncode}: {ran.stdout}"
        return ran.stdout

    def ran(
        self, *argv: str, user: str = "", stdin: str = "", timeout_s: float = 60
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
        return self.run("/opt/logmedic/bin/logmedic", *arguments, check=check)

    def journal(self, *arguments: str) -> str:
        return self.run("journalctl", "--no-pager", "-q", *arguments)

    def until(self, claim: str, *argv: str, timeout_s: float = 20, user: str = "") -> str:
        """Ask again until what the command prints holds `claim`."""
        end, told = time.monotonic() + timeout_s, ""
        while time.monotonic() < end:
            told = self.run(*argv, check=False, user=user)
            if claim in told:
                return told
            time.sleep(0.1)
        raise AssertionError(f"{argv} never said {claim!r}:\n{told}\n{self.journal('-n', '60')}")


@contextmanager
def booted(name: str = "logmedic-test") -> Iterator[Host]:
    nspawn = subprocess.Popen(
        [
            *("systemd-nspawn", "-q", "-D", str(ROOTFS), "--boot", "--register=no", "--keep-unit", "--private-network"),
            *(f"--machine={name}-{os.getpid()}", "--console=pipe", "--volatile=overlay"),
            *("--capability=CAP_BPF", "--system-call-filter=bpf"),  # for IPAddressDeny=
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
    )
    try:
        yield Host(_leader(nspawn))
    finally:
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
    end = time.monotonic() + BOOT_S
    while time.monotonic() < end:
        if nspawn.poll() is not None:
            said = nspawn.stderr.read().decode(errors="replace") if nspawn.stderr else ""
            raise AssertionError(f"systemd-nspawn ended: {said}")
        with suppress(OSError, ValueError, IndexError):
            leader = int(Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split()[0])
            if "running" in Host(leader).run("systemctl", "is-system-running", check=False):
                return leader
        time.sleep(0.1)
    raise AssertionError("systemd did not start in time")
