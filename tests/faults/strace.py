"""System calls that fail: the kernel is asked by strace to refuse the Nth of a kind, in a daemon that runs already, or
in a program from its beginning. Counted in each thread and process for itself."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crash.process import until

STRACE = shutil.which("strace") or ""
ATTACH_S = 20.0
LET_GO_S = 2.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """`calls` as strace names them, separated by commas; `when` as its man page says: N, N+ (from then on), N..M.
    `path`: only calls about this file."""

    calls: str
    error: str
    when: str = "1+"
    path: Path | None = None

    def options(self) -> list[str]:
        about = ["-P", str(self.path)] if self.path is not None else []
        return [*about, "-e", f"trace={self.calls}", "-e", f"inject={self.calls}:error={self.error}:when={self.when}"]

    def __str__(self) -> str:
        return f"{self.error} at call {self.when} of {self.calls}" + (f" about {self.path}" if self.path else "")


class Tracing:
    """What strace wrote."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes

    def refused(self) -> list[str]:
        """The calls that were refused so far."""
        lines = self._notes.read_text(errors="replace").splitlines() if self._notes.exists() else []
        return [line for line in lines if "(INJECTED)" in line]


@contextmanager
def refusing(pid: int, refusal: Refusal, notes: Path) -> Iterator[Tracing]:
    """Inside, calls of the process `pid`, of its threads and of what it starts are refused."""
    notes.unlink(missing_ok=True)
    said = notes.with_suffix(".said")
    with said.open("wb") as err:
        tracer = subprocess.Popen(
            [STRACE, "-f", "-o", str(notes), *refusal.options(), "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=err
        )
    try:
        until(lambda: "attached" in said.read_text() or tracer.poll() is not None, ATTACH_S, said.read_text)
        assert tracer.poll() is None, said.read_text()
        yield Tracing(notes)
    finally:
        _let_go(tracer)


def _let_go(tracer: subprocess.Popen[bytes]) -> None:
    """Asked to, strace waits for a thread in vfork to stop, which waits for its child, which strace itself may hold:
    neither goes on then (strace 6.1, in 43 of 60 tries with two threads that start programs). The kernel lets go of
    all that a tracer held once the tracer is gone."""
    tracer.send_signal(signal.SIGINT)
    try:
        tracer.wait(LET_GO_S)
    except subprocess.TimeoutExpired:
        tracer.kill()
        tracer.wait()


def under(refusal: Refusal, notes: Path, command: Sequence[str]) -> list[str]:
    """`command` with its calls refused from its beginning; its processes as well."""
    return [STRACE, "-f", "--seccomp-bpf", "-qq", "-o", str(notes), *refusal.options(), *command]
