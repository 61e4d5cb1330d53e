"""One step as a child: limits, output, deadline, and an end that leaves nothing behind."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import ceil
from typing import Any

from logmedic.fixrun import sandbox, seccomp

OUTPUT_KEPT = 64 * 1024
"""Bytes of the first and of the last output."""
_PDEATHSIG, _DUMPABLE, _SUBREAPER, _NO_NEW_PRIVS = 1, 4, 36, 38
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_CPU_SPARE_S = 1
_REASONS: dict[int, str] = {
    signal.SIGXCPU: ": it used more processor time than it may (sandbox.time)",
    signal.SIGXFSZ: ": it wrote a larger file than it may (sandbox.file_size)",
}


class Output:
    """First and last bytes of what was written; counts the rest."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, chunk: bytes) -> None:
        room = OUTPUT_KEPT - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        over = len(self._tail) - OUTPUT_KEPT
        if over > 0:
            del self._tail[:over]
            self._dropped += over

    def text(self) -> str:
        cut = b"\n[... %d bytes left out ...]\n" % self._dropped if self._dropped else b""
        return bytes(self._head + cut + self._tail).decode("utf-8", "replace")


def control(option: int, value: int) -> None:
    """prctl(2)."""
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def follow_parent(parent: int) -> None:
    """End with the daemon, and take everything along: orphans of the step come to us. A SIGKILL here would leave that
    to bubblewrap, which for a moment of its start follows nobody: with a new user namespace the kernel forgets the
    wish."""
    signal.signal(signal.SIGTERM, _abort)
    control(_PDEATHSIG, signal.SIGTERM)
    control(_SUBREAPER, 1)
    if os.getppid() != parent:  # it died before the line above
        sys.exit(1)


def run(job: Mapping[str, Any]) -> dict[str, Any]:
    """`job`: argv, bwrap ("" for none), uid (None: stay who we are), gid and groups (default: of that number, none),
    isolation, network (none, full; default none), write, read, memory, tasks, file, cpu_s (default: timeout_s),
    timeout_s. Answers exit_code, duration_s, output, detail, started: as FixResult has them."""
    started = time.monotonic()
    status_read, status_write = os.pipe()
    output_read, output_write = os.pipe()
    try:
        child = _spawn(job, output_write, status_write)
    except OSError as error:
        return _result(None, started, "", f"cannot start: {error.strerror}", ran=False)
    except subprocess.SubprocessError:  # what failed between fork and exec
        return _result(None, started, "", "cannot start: limits or namespaces are not allowed here", ran=False)
    finally:
        os.close(output_write)
        os.close(status_write)
    output = Output()
    in_time = _watch(child.pid, output_read, output, started + job["timeout_s"])
    _kill_all(child.pid)
    code = child.wait()
    _drain(output_read, output)
    ran = not job["bwrap"] or _was_started(status_read)
    return _judged(job, code, started, output.text(), in_time, ran)


def _judged(job: Mapping[str, Any], code: int, started: float, output: str, in_time: bool, ran: bool) -> dict[str, Any]:
    if not in_time:
        return _result(None, started, output, f"killed after {job['timeout_s']:g} s", ran=True)
    if not ran:
        return _result(None, started, output, f"the sandbox did not start it: {output.strip()[-300:]}", ran=False)
    killed = -code if code < 0 else code - 128 if 128 < code < 160 else 0
    if killed:
        return _result(None, started, output, f"killed by {_signal_name(killed)}{_REASONS.get(killed, '')}", ran=True)
    return _result(code, started, output, "", ran=True)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _result(code: int | None, started: float, output: str, detail: str, *, ran: bool) -> dict[str, Any]:
    took = time.monotonic() - started
    return {"exit_code": code, "duration_s": took, "output": output, "detail": detail, "started": ran}


def _spawn(job: Mapping[str, Any], output: int, status: int) -> subprocess.Popen[bytes]:
    """In a session of its own. Closes nothing of the caller's."""
    passed: tuple[int, ...] = ()
    argv, uid = list(job["argv"]), job["uid"]
    if job["bwrap"]:
        networked = job.get("network", "none") != "none"
        filters = _seccomp_pipe(internet_only=networked)
        passed = (filters, status)
        argv = sandbox.command(
            job["bwrap"],
            argv,
            write=job["write"],
            read=job["read"],
            isolation=job["isolation"],
            networked=networked,
            seccomp=filters,
            status=status,
        )
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={"PATH": sandbox.PATH, "LANG": "C.UTF-8", "HOME": "/tmp"},
            pass_fds=passed,
            start_new_session=True,
            user=uid,
            group=job.get("gid", uid),
            extra_groups=job.get("groups", []) if uid is not None else None,
            umask=0o022,
            preexec_fn=_limits(job, os.getuid() if uid is None else uid),
        )
    finally:
        for descriptor in passed[:1]:
            os.close(descriptor)


def _seccomp_pipe(*, internet_only: bool) -> int:
    reading, writing = os.pipe()
    os.write(writing, seccomp.program(os.uname().machine, internet_only=internet_only))
    os.close(writing)
    return reading


def _limits(job: Mapping[str, Any], uid: int) -> Callable[[], None]:
    """To be called in the child, after it has changed its user. Tasks are counted by the kernel per user, over the
    whole host, so those that run already are added."""
    cpu_s = job.get("cpu_s")
    wanted = {
        resource.RLIMIT_NPROC: job["tasks"] + _tasks_of(uid),
        resource.RLIMIT_AS: job["memory"],
        resource.RLIMIT_FSIZE: job["file"],
        resource.RLIMIT_CPU: ceil(job["timeout_s"]) + _CPU_SPARE_S if cpu_s is None else max(1, ceil(cpu_s)),
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 1024,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    bounded = {kind: _at_most(value, resource.getrlimit(kind)[1]) for kind, value in wanted.items()}
    prctl = ctypes.CDLL(None).prctl

    def apply() -> None:
        for kind, value in bounded.items():
            resource.setrlimit(kind, (value, _hard(kind, value)))
        prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        if job["bwrap"] and "--unshare-net" not in job["isolation"] and job.get("network", "none") == "none":
            _leave_network(uid)

    return apply


def _leave_network(uid: int) -> None:
    """Into an empty network, in a user namespace around bubblewrap's own. Raises OSError."""
    gid = os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DUMPABLE, 1, 0, 0, 0)  # a change of user took /proc/self away from us
    if libc.unshare(_NEW_USER | _NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _hard(kind: int, value: int) -> int:
    """Of processor time the first limit is told by a signal of its own, and the last one kills."""
    return _at_most(value + 1, resource.getrlimit(kind)[1]) if kind == resource.RLIMIT_CPU else value


def _at_most(value: int, hard: int) -> int:
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _tasks_of(uid: int) -> int:
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue  # gone meanwhile
    return count


def _watch(pid: int, output: int, kept: Output, deadline: float) -> bool:
    """Read what the child writes until it ends or the deadline comes. False for the deadline."""
    os.set_blocking(output, False)
    ended = os.pidfd_open(pid)
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        try:
            while (left := deadline - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(left)}
                if output in ready and not _read(output, kept):
                    selector.unregister(output)  # all of its writers are gone; the child itself may go on
                if ended in ready:
                    return True
            return False
        finally:
            os.close(ended)


def _read(descriptor: int, kept: Output) -> bool:
    """One chunk. False at the end."""
    try:
        chunk = os.read(descriptor, 65536)
    except BlockingIOError:
        return True
    kept.add(chunk)
    return bool(chunk)


def _drain(descriptor: int, kept: Output) -> None:
    """What is in the pipe by now. Its end is not waited for: somebody may still hold it (F56)."""
    try:
        while chunk := os.read(descriptor, 65536):
            kept.add(chunk)
    except BlockingIOError:
        pass
    os.close(descriptor)


def _kill_all(pid: int) -> None:
    """The child, its process group, and whatever else of it came to us: a daemonised grandchild as well."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        _kill(pid)
    _kill_children(spared=pid)


def _kill_children(spared: int = 0) -> None:
    """Until none is left: the death of one may bring its own children to us. `spared` is reaped elsewhere."""
    for _ in range(100):
        left = [each for each in _children() if each != spared]
        if not left:
            return
        for each in left:
            _kill(each)
            os.waitpid(each, 0)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _children() -> list[int]:
    me, found = os.getpid(), []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            if parent == me:
                found.append(int(name))
    return found


def _was_started(status: int) -> bool:
    """Bubblewrap tells the exit code of a command that it started, and of no other."""
    with os.fdopen(status, "rb") as file:
        os.set_blocking(file.fileno(), False)
        told = file.read() or b""
    return any("exit-code" in json.loads(line) for line in told.splitlines() if line.strip())


def _abort(*_: object) -> None:
    """The daemon is gone, or does not want the result any more."""
    _kill_children()
    os._exit(1)
