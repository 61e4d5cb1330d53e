"""Runs steps in bubblewrap, as a user who owns nothing. Where that does not hold, nothing runs (fail closed)."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from logmedic.adapters.fixes.accounts import Account, account_of
from logmedic.adapters.fixes.acts import argv_for
from logmedic.adapters.fixes.canary import SPEC, canary
from logmedic.adapters.fixes.catalogue import HINT
from logmedic.adapters.fixes.fitness import Acts, acts_here, plan_of, unfit
from logmedic.adapters.fixes.runners import Runners, end
from logmedic.adapters.fixes.tiers import steps_of
from logmedic.core.fromjson import object_of, value_of
from logmedic.core.stepneeds import needs_of
from logmedic.model.errors import SandboxUnavailable
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Rule
from logmedic.model.sandbox import Network, SandboxKind
from logmedic.model.step import Command, KillProcess, Sandboxed, Step

NAME, BARE = "bubblewrap", "none"
FULL = (
    *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    "--disable-userns",
)
REDUCED = ("--unshare-pid",)
"""Where a service manager or a container lets no more be made (IPC and UTS may be private ones there already). The
network is left by the runner, without the netlink socket that bubblewrap wants for it; further user namespaces are
refused by the filter of system calls. logmedic.service lets none be made at all: there it is the unit tier."""
CANARY_S = 10.0
START_SPARE_S = 5.0
"""A loaded host takes this long to start and to report at most; then the runner itself is given up."""
_SEARCHED = "/usr/local/bin:/usr/bin:/bin"
_NAMESPACES = "sysctl kernel.unprivileged_userns_clone=1"
"""Unless a container forbids namespaces of users altogether."""
_UNIT_TIER = f"needs the unit tier; type: {HINT}"


class BubblewrapRunner:
    """Implements Sandbox, and ports.FixRunner for what runs in one. As root, steps run as the user that they name, else
    as `user` (or as user id 61999 where there is none); otherwise as ourselves, inside a user namespace. Also runs what
    asks for no sandbox, when `allow_unsandboxed`."""

    def __init__(
        self,
        *,
        user: str = "logmedic-fix",
        allow_unsandboxed: bool = False,
        python: str = sys.executable,
        bwrap: str | None = None,
        ready: bool = False,
        acts: Acts | None = None,
    ) -> None:
        """`bwrap`: its path, found by itself when None; `acts`: where built-in steps are run from, likewise. `ready`:
        once armed, a process waits for the next step, until `close`."""
        self._user = user
        self._allow_unsandboxed = allow_unsandboxed
        self._runners = Runners(python, ready=ready)
        self._bwrap = bwrap or shutil.which("bwrap", path=_SEARCHED) or ""
        self._acts = acts or acts_here()
        self._isolation: tuple[str, ...] = FULL

    # -- arming --------------------------------------------------------------------------------------------------------

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        arming = await self._tried()
        return replace(arming, refused=dict(self._refused(rules))) if arming.armed else arming

    async def _tried(self) -> Arming:
        if not self._bwrap:
            return _disarmed(_absent())
        if (account := self._account("")) is not None and account.uid == 0:
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
        if not result.started:
            return _disarmed(f"the sandbox does not start here: {said}; type: {_wanted(_NAMESPACES)}")
        return _disarmed(f"the sandbox did not hold the canary: {said}")

    async def _try_canary(self, isolation: tuple[str, ...]) -> tuple[FixResult, str]:
        """What came of it, and the output that it has when the sandbox held."""
        own = {name for name in ("ipc", "uts") if f"--unshare-{name}" in isolation}
        with canary(SPEC.tasks + 4096, {"user", "mnt", "pid", "net"} | own) as tried:
            step = Step("canary", Command(tried.argv), sandbox=SPEC)
            job = {**self._job(step, CANARY_S), "isolation": list(isolation)}
            return await self._ask(job, CANARY_S), tried.answer

    def _refused(self, rules: Sequence[Rule]) -> list[tuple[str, str]]:
        """Ids of rules, and why their fixes cannot run here."""
        found = []
        for rule in rules:
            steps = steps_of(rule.fix) if rule.enabled and rule.fix is not None else ()
            told = ((each, self.refusal(each)) for each in steps if isinstance(each.action, Sandboxed))
            if bad := next((f"step {each.name!r}: {why}" for each, why in told if why), ""):
                found.append((rule.id, bad))
        return found

    def refusal(self, step: Step) -> str:
        """As of Sandbox. What lies on the disk is looked at anew each time (F60)."""
        if not isinstance(step.action, Sandboxed):
            return "this sandbox runs no such step"
        spec = step.sandbox
        if spec.kind is SandboxKind.NONE:
            if not self._allow_unsandboxed:
                return "it asks to run without a sandbox, and actions.allow_unsandboxed is not set"
        elif told := self._beyond_us(step):
            return told
        try:
            account = self._account(spec.user)
        except SandboxUnavailable as refused:
            return refused.text
        if account is not None and account.uid == 0:
            return f"`user: root` {_UNIT_TIER}"
        return unfit(step, account, self._acts)

    def _beyond_us(self, step: Step) -> str:
        if not self._bwrap:
            return _absent()
        if step.sandbox.network is Network.LOOPBACK:
            return f"`network: loopback` {_UNIT_TIER}"
        if isinstance(step.action, KillProcess):
            return f"ending processes of the host {_UNIT_TIER}"
        return ""

    def _account(self, asked: str) -> Account | None:
        """Whom to become; None: nobody else. Raises SandboxUnavailable."""
        return account_of(asked, self._user)

    # -- running -------------------------------------------------------------------------------------------------------

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        del attempt
        return await self._run(step, dry=False)

    async def rehearse(self, step: Step) -> FixResult:
        """A built-in step says itself what it would do; of a command only what it would be given can be told."""
        if isinstance(step.action, Command):
            label = _label(step)
            if told := self.refusal(step):
                return FixResult(None, 0.0, detail=told, sandbox=label, started=False)
            return FixResult(0, 0.0, output=plan_of(step, self._account(step.sandbox.user)), sandbox=label)
        return await self._run(step, dry=True)

    async def _run(self, step: Step, *, dry: bool) -> FixResult:
        if told := self.refusal(step):
            return FixResult(None, 0.0, detail=told, sandbox=_label(step), started=False)
        limit_s = step.timeout.total_seconds()
        result = await self._ask(self._job(step, limit_s, dry=dry), limit_s)
        self._runners.prepare()
        return result

    async def close(self) -> None:
        """Steps under way are their callers' to cancel."""
        await self._runners.close()

    def _job(self, step: Step, limit_s: float, *, dry: bool = False) -> dict[str, Any]:
        """As fixrun/step.py takes it."""
        spec, account = needs_of(step), self._account(step.sandbox.user)
        seen = () if isinstance(step.action, Command) else self._acts.shown
        return {
            "argv": list(argv_for(step, python=self._acts.python, package=self._acts.package, dry=dry)),
            "bwrap": "" if spec.kind is SandboxKind.NONE else self._bwrap,
            "uid": account.uid if account is not None else None,
            "gid": account.gid if account is not None else None,
            "groups": list(account.groups) if account is not None else [],
            "isolation": list(_isolation(self._isolation, spec.network)),
            "network": spec.network.value,
            "write": list(spec.write),
            "read": [*spec.read, *seen],
            "memory": spec.memory_bytes,
            "tasks": spec.tasks,
            "file": spec.file_bytes,
            "cpu_s": spec.cpu.total_seconds() if spec.cpu is not None else None,
            "timeout_s": limit_s,
        }

    async def _ask(self, job: dict[str, Any], limit_s: float) -> FixResult:
        """A runner for this job alone; it is gone on return, on every way, and all of the job with it."""
        label = NAME if job["bwrap"] else BARE
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


def _absent() -> str:
    return f"bubblewrap is not installed; type: {_wanted('apt-get install bubblewrap')}"


def _wanted(otherwise: str) -> str:
    """Where systemd runs the host (sd_booted(3)) its units are the sandbox: inside ours bubblewrap does not start."""
    return HINT if os.path.isdir("/run/systemd/system") else otherwise


def _isolation(held: Sequence[str], network: Network) -> Sequence[str]:
    return held if network is Network.NONE else [each for each in held if each != "--unshare-net"]


def _label(step: Step) -> str:
    return BARE if step.sandbox.kind is SandboxKind.NONE else NAME


def _parsed(answer: bytes, complaint: bytes, label: str) -> FixResult:
    try:
        return replace(value_of(FixResult, object_of(answer)), sandbox=label)
    except ValueError:
        said = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return FixResult(None, 0.0, detail=f"the runner failed: {said[0][:300]}", sandbox=label)


def _disarmed(reason: str) -> Arming:
    return Arming(armed=False, sandbox="", reason=reason)
