"""Runs steps in bubblewrap, as a user who owns nothing. Where that does not hold, nothing runs (fail closed)."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from logmedic.adapters.fixes.canary import SPEC, canary
from logmedic.adapters.fixes.runners import Runners, end
from logmedic.core.targets import argv_of
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Rule
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.step import Command, Step

NAME = "bubblewrap"
FULL = (
    *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    "--disable-userns",
)
REDUCED = ("--unshare-pid",)
"""Inside logmedic.service no more may be made. Of IPC and UTS the daemon has private ones there (PrivateIPC,
ProtectHostname); the network is left by the runner, without the netlink socket that bubblewrap wants for it; further
user namespaces are refused by the filter of system calls."""
FIX_UID = 61999
"""The user of fixes where no account is made for them: outside the ranges that Debian, Red Hat and systemd give out."""
CANARY_S = 10.0
START_SPARE_S = 5.0
"""A loaded host takes this long to start and to report at most; then the runner itself is given up."""
_SEARCHED = "/usr/local/bin:/usr/bin:/bin"
_SEEN = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/")
"""What a step sees of the host without asking for it."""


class BubblewrapRunner:
    """Implements ports.FixRunner. As root, steps run as `user` (or as user id 61999 where there is none); otherwise as
    ourselves, inside a user namespace."""

    def __init__(
        self,
        *,
        user: str = "logmedic-fix",
        allow_unsandboxed: bool = False,
        python: str = sys.executable,
        bwrap: str | None = None,
        ready: bool = False,
    ) -> None:
        """`bwrap`: its path, found by itself when None. `ready`: once armed, a process waits for the next step, until
        `close`."""
        self._user = user
        self._allow_unsandboxed = allow_unsandboxed
        self._runners = Runners(python, ready=ready)
        self._bwrap = bwrap or shutil.which("bwrap", path=_SEARCHED) or ""
        self._isolation: tuple[str, ...] = FULL

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        del rules
        if not self._bwrap:
            return _disarmed("bubblewrap is not installed; type: apt-get install bubblewrap")
        uid = self._uid()
        if uid == 0:
            return _disarmed(f"the user {self._user} of fixes is root; make an account for it, or remove actions.user")
        said = ""
        for isolation in (FULL, REDUCED):
            result, answer = await self._try_canary(isolation)
            if result.exit_code == 0 and result.output == answer:
                self._isolation = isolation  # only now: a reload tries while steps run, in what held before
                self._runners.prepare()
                return Arming(armed=True, sandbox=NAME)
            said = " ".join((result.output.strip() or result.detail or f"exit {result.exit_code}").split())[:300]
            if result.started:
                break  # it ran and got out, or could not tell: less of a sandbox will not do better
        return _disarmed(f"the sandbox did not hold the canary: {said}")

    async def _try_canary(self, isolation: tuple[str, ...]) -> tuple[FixResult, str]:
        """What came of it, and the output that it has when the sandbox held."""
        own = {name for name in ("ipc", "uts") if f"--unshare-{name}" in isolation}
        with canary(SPEC.tasks + 4096, {"user", "mnt", "pid", "net"} | own) as tried:
            step = Step("canary", Command(tried.argv), sandbox=SPEC)
            job = {**self._job(step, CANARY_S), "isolation": list(isolation)}
            return await self._ask(job, CANARY_S), tried.answer

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        del attempt
        refusal = self._refusal(step)
        if refusal:
            return FixResult(None, 0.0, detail=refusal, sandbox=NAME, started=False)
        limit_s = step.timeout.total_seconds()
        result = await self._ask(self._job(step, limit_s), limit_s)
        self._runners.prepare()
        return result

    async def rehearse(self, step: Step) -> FixResult:
        refusal = self._refusal(step)
        return FixResult(
            None if refusal else 0, 0.0, output=" ".join(argv_of(step.action)), detail=refusal, sandbox=NAME
        )

    async def close(self) -> None:
        """Steps under way are their callers' to cancel."""
        await self._runners.close()

    def _uid(self) -> int | None:
        """Whom to become; None: nobody else."""
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam(self._user).pw_uid
        except KeyError:
            return FIX_UID

    def _refusal(self, step: Step) -> str:
        """Why `step` cannot be run at all, or nothing."""
        if not isinstance(step.action, Command):
            return "this sandbox runs commands only"
        if step.sandbox.kind is SandboxKind.NONE:
            if not self._allow_unsandboxed:
                return "it asks to run without a sandbox, and actions.allow_unsandboxed is not set"
        elif not self._bwrap:
            return "bubblewrap is not installed"
        return _unfit(step.action.argv[0], step.sandbox) or _missing(step.sandbox)

    def _job(self, step: Step, limit_s: float) -> dict[str, Any]:
        spec = step.sandbox
        bare = spec.kind is SandboxKind.NONE
        return {
            "argv": list(argv_of(step.action)),
            "bwrap": "" if bare else self._bwrap,
            "uid": self._uid(),
            "isolation": list(self._isolation),
            "write": list(spec.write),
            "read": list(spec.read),
            "memory": spec.memory_bytes,
            "tasks": spec.tasks,
            "file": spec.file_bytes,
            "timeout_s": limit_s,
        }

    async def _ask(self, job: dict[str, Any], limit_s: float) -> FixResult:
        """A runner for this job alone; it is gone on return, on every way, and all of the job with it."""
        label = NAME if job["bwrap"] else "none"
        try:
            runner = await self._runners.take()
        except OSError as error:
            detail = f"the runner does not start: {error.strerror}"
            return FixResult(None, 0.0, detail=detail, sandbox=label, started=False)
        try:
            async with asyncio.timeout(limit_s + START_SPARE_S):
                answer, complaint = await runner.communicate(json.dumps(job).encode())
        except TimeoutError:
            return FixResult(None, limit_s, detail="the runner did not answer and was killed", sandbox=label)
        finally:
            await end(runner)
        return _parsed(answer, complaint, label)


def _parsed(answer: bytes, complaint: bytes, label: str) -> FixResult:
    try:
        return replace(FixResult(**json.loads(answer)), sandbox=label)
    except (ValueError, TypeError):
        said = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return FixResult(None, 0.0, detail=f"the runner failed: {said[0][:300]}", sandbox=label)


def _disarmed(reason: str) -> Arming:
    return Arming(armed=False, sandbox="", reason=reason)


def _unfit(program: str, spec: SandboxSpec) -> str:
    """F60: a program that is missing, or that others could have replaced."""
    try:
        status = os.stat(program)
    except OSError as error:
        return f"{program} cannot be run: {error.strerror}"
    if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o111:
        return f"{program} is no executable file"
    if status.st_mode & stat.S_IWOTH:
        return f"{program} is writable for everybody: chmod o-w {program}"
    visible = (*_SEEN, *(f"{each.rstrip('/')}/" for each in (*spec.read, *spec.write)), *spec.read, *spec.write)
    if spec.kind is SandboxKind.SANDBOX and not program.startswith(visible):
        return f"{program} is not there inside the sandbox: add its directory to sandbox.read"
    return ""


def _missing(spec: SandboxSpec) -> str:
    for path in (*spec.write, *spec.read):
        if not os.path.exists(path):
            return f"{path} of the sandbox does not exist"
    return ""
