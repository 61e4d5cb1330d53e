"""The unit tier as the daemon has it: it names an installed fix on that fix's own socket, and the service manager
starts it. The daemon needs no privilege for that, and has none over what is run."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from logmedic.adapters.fixes.catalogue import (
    CANARY,
    HINT,
    Installable,
    canary_fix,
    entry,
    installables,
    is_sandboxed,
    outdated,
)
from logmedic.adapters.fixes.unitfiles import ENTRIES, SOCKETS
from logmedic.core.fromjson import object_of, value_of
from logmedic.core.targets import step_fingerprint
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Rule
from logmedic.model.step import Step

NAME = "unit"
SPARE_S = 15.0
"""Beside the step's own time: for the service manager to start it, to end it by its own limit, and to tell."""
CANARY_S = 10.0
ANSWER_LIMIT = 1024 * 1024
_FAILURES = {
    "oom-kill": "killed: it used more memory than it may (MemoryMax)",
    "timeout": "killed by the service manager after its time (RuntimeMaxSec)",
    "watchdog": "killed by the service manager",
    "signal": "killed by a signal",
    "core-dump": "killed by a signal",
    "resources": "the service manager could not start it",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What came over a connection: what the runner said, and what the service manager did (its $SERVICE_RESULT,
    $EXIT_CODE and $EXIT_STATUS)."""

    answer: Mapping[str, Any] | None = None
    unit: tuple[str, ...] = ()


class UnitBroker:
    """Implements Sandbox. `python` and `package` as they were installed (unitfiles.Ground). `state`: a directory of the
    daemon's own for what the canary must not read; by default the usual one for temporary files."""

    def __init__(
        self,
        *,
        python: str,
        package: str,
        sockets: Path = Path(SOCKETS),
        entries: Path = Path(ENTRIES),
        runtime: Path = Path("/run/logmedic"),
        state: Path | None = None,
    ) -> None:
        self._python = python
        self._package = package
        self._sockets = sockets
        self._entries = entries
        self._runtime = runtime
        self._state = state
        self._problems: dict[str, str] = {}

    @property
    def installed(self) -> bool:
        """Whether anybody installed anything: then nothing else is used in its place."""
        return not (_is_absent(self._entries / f"{CANARY}.json") and _is_absent(self._sockets))

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        wanted = installables(rules)
        problems = {fix.name: told for fix in wanted if (told := self._problem(fix))}
        said = await self._tried()
        self._problems = problems
        refused = {
            rule_id: told
            for fix in wanted
            for rule_id in fix.uses
            if (told := problems.get(fix.name) or self._outdated(fix, rule_id))
        }
        if said:
            return Arming(armed=False, sandbox="", reason=said, refused=refused)
        return Arming(armed=True, sandbox=NAME, refused=refused)

    def refusal(self, step: Step) -> str:
        written = step.written or step
        if not is_sandboxed(written):
            return "it runs no such steps"
        name = step_fingerprint(written)
        return self._problems.get(name, "") or self._absent(name, step.name)

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        return await self._asked(step, attempt.rule_id, dry=False)

    async def rehearse(self, step: Step) -> FixResult:
        return await self._asked(step, "", dry=True)

    async def close(self) -> None:
        """Nothing is kept between requests."""

    # -- what is installed ---------------------------------------------------------------------------------------------

    def _problem(self, fix: Installable) -> str:
        return fix.problem or self._absent(fix.name, fix.step.name)

    def _absent(self, name: str, step_name: str) -> str:
        if not os.path.exists(self._socket(name)):
            return f"step {step_name!r} is not installed; type: {HINT}"
        return ""

    def _outdated(self, fix: Installable, rule_id: str) -> str:
        expected = entry(fix, python=self._python, package=self._package)
        return outdated(fix, self._entry(fix.name), rule_id, expected)

    def _entry(self, name: str) -> dict[str, Any] | None:
        try:
            return object_of((self._entries / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return None

    def _socket(self, name: str) -> str:
        return str(self._sockets / f"{name}.sock")

    # -- the canary ----------------------------------------------------------------------------------------------------

    async def _tried(self) -> str:
        """Why the sandbox is not to be trusted, or nothing."""
        if told := self._canary_problem():
            return told
        try:
            with bait(self._state, self._runtime) as captures:
                result = await self.ask(CANARY, CANARY, captures, timeout_s=CANARY_S)
        except OSError as error:
            return f"the canary could not be tried: {error.strerror}"
        if result.ok and result.output == f"held {captures['nonce']}\n":
            return ""
        said = " ".join((result.output.strip() or result.detail or f"exit {result.exit_code}").split())[:300]
        return f"the sandbox did not hold the canary: {said}"

    def _canary_problem(self) -> str:
        canary = canary_fix(python=self._python, package=self._package)
        expected = entry(canary, python=self._python, package=self._package)
        if not os.path.exists(self._socket(CANARY)):
            return f"the fixes are not installed; type: {HINT}"
        if outdated(canary, self._entry(CANARY), CANARY, expected):
            return f"what is installed is of another logmedic; type: {HINT}"
        return ""

    # -- requests ------------------------------------------------------------------------------------------------------

    async def _asked(self, step: Step, rule_id: str, *, dry: bool) -> FixResult:
        if told := self.refusal(step):
            return _never(told)
        name, limit_s = step_fingerprint(step.written or step), step.timeout.total_seconds()
        return await self.ask(name, rule_id, dict(step.captures), timeout_s=limit_s, dry=dry)

    async def ask(
        self, name: str, rule_id: str, captures: Mapping[str, str], *, timeout_s: float, dry: bool = False
    ) -> FixResult:
        """Of one installed fix; `rule_id` empty: whichever rule has it so. A cancel ends it, and what it started."""
        request = {"rule": rule_id, "captures": dict(captures), "dry": dry, "timeout_s": timeout_s}
        try:
            async with asyncio.timeout(timeout_s + SPARE_S):
                told = await self._told(name, json.dumps(request).encode() + b"\n")
        except TimeoutError:
            return FixResult(None, timeout_s, detail="it did not answer and was given up", sandbox=NAME)
        except OSError as error:
            return _never(f"the service manager does not start fixes here: {error.strerror}; type: {HINT}")
        return judged(told, name)

    async def _told(self, name: str, request: bytes) -> Told:
        """Raises OSError. Closing the connection is what ends the fix."""
        reader, writer = await asyncio.open_unix_connection(self._socket(name), limit=ANSWER_LIMIT)
        try:
            writer.write(request)
            with suppress(ConnectionError):  # refused at once: what it says is there to be read
                await writer.drain()
            return parsed(await _all(reader))
        finally:
            writer.transport.abort()


def _is_absent(path: Path) -> bool:
    """Not so what cannot be looked at: a directory that somebody closed to us is no reason to use another tier."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


async def _all(reader: asyncio.StreamReader) -> bytes:
    told = bytearray()
    with suppress(ConnectionError):
        while len(told) < ANSWER_LIMIT and (chunk := await reader.read(65536)):
            told += chunk
    return bytes(told)


def parsed(told: bytes) -> Told:
    """The lines of an answer; whatever else is in it counts for nothing."""
    answer: Mapping[str, Any] | None = None
    unit: tuple[str, ...] = ()
    for line in told.splitlines():
        if line.startswith(b"unit "):
            unit = tuple(line.decode("ascii", "replace").split()[1:])
        else:
            with suppress(ValueError):
                answer = object_of(line)
    return Told(answer, unit)


def judged(told: Told, name: str) -> FixResult:
    """The service manager's verdict comes before what the runner says."""
    verdict = told.unit[0] if told.unit else ""
    if told.answer is not None and "refused" in told.answer:
        return _never(f"refused by the installed fix: {told.answer['refused']}")
    if told.answer is None and not verdict:
        return _never(f"the service manager did not start it: journalctl -u 'logmedic-fix-{name}*'")
    result = _result(told.answer)
    if verdict == "success" and result is not None:
        return result
    why = _FAILURES.get(verdict, f"the service manager says {verdict or 'nothing'}: {' '.join(told.unit[1:])}")
    known = result or FixResult(None, 0.0, sandbox=NAME)
    return replace(known, exit_code=None, detail=f"{why}; {known.detail}" if known.detail else why)


def _result(answer: Mapping[str, Any] | None) -> FixResult | None:
    try:
        return replace(value_of(FixResult, answer), sandbox=NAME) if answer is not None else None
    except ValueError:
        return None


def _never(detail: str) -> FixResult:
    return FixResult(None, 0.0, detail=detail, sandbox=NAME, started=False)


@contextmanager
def bait(state: Path | None, runtime: Path) -> Iterator[dict[str, str]]:
    """What the canary must not get at: a secret file, a socket in `runtime`, a port of the loopback. All of it is gone
    at the end. Raises OSError."""
    nonce = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="logmedic-canary-", dir=state) as room:
        secret = Path(room) / "secret"
        secret.touch(0o600)
        secret.write_text(nonce)
        where = runtime if os.access(runtime, os.W_OK) else Path(room)
        address = where / f"canary-{nonce}"
        with socket.socket(socket.AF_UNIX) as unix, socket.socket(socket.AF_INET) as tcp:
            try:
                unix.bind(str(address))
                address.chmod(0o666)  # so that nothing but the sandbox keeps the canary from it
                unix.listen()
                tcp.bind(("127.0.0.1", 0))
                tcp.listen()
                port = str(tcp.getsockname()[1])
                yield {"nonce": nonce, "secret": str(secret), "socket": str(address), "port": port}
            finally:
                address.unlink(missing_ok=True)
