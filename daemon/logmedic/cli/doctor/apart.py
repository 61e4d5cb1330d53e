"""Each check in a process of its own: one that hangs is ended, one that crashes is told of, and the rest go on.

Forked, not started: what is imported already is there. Whoever calls this has no other thread.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import NoReturn

from logmedic.cli.doctor.finding import Check, Finding, Person, State, unknown, warning

AT_ONCE = 4
ROOT_HINT = "sudo logmedic doctor"
REPORT = "report it, with: logmedic bugreport"
_READ_BYTES = 65536
_ANSWER_BYTES = 4 << 20
"""Of one check; more is no answer."""


@dataclass(slots=True)
class _Running:
    """`answer`: the reading end of its pipe."""

    number: int
    check: Check
    pid: int
    answer: int
    ends_at: float
    told: bytearray = field(default_factory=bytearray)


def looked(checks: Sequence[Check]) -> Iterator[list[Finding]]:
    """What each found, in order, as soon as all before it are done."""
    waiting = list(enumerate(checks))[::-1]
    running: dict[int, _Running] = {}
    done: dict[int, list[Finding]] = {}
    told = 0
    try:
        while told < len(checks):
            while waiting and len(running) < AT_ONCE:
                begun = _begun(*waiting.pop())
                running[begun.answer] = begun
            for each in _ended(running):
                done[each.number] = _close(each)
                del running[each.answer]
            while told in done:
                yield done.pop(told)
                told += 1
    finally:
        for each in running.values():
            _close(each)


def _ended(running: dict[int, _Running]) -> list[_Running]:
    """Waits for the next answer or deadline."""
    if not running:
        return []
    left_s = min(each.ends_at for each in running.values()) - time.monotonic()
    ready, _, _ = select.select(list(running), [], [], max(0.0, left_s))
    over = []
    for each in (running[answer] for answer in ready):
        chunk = os.read(each.answer, _READ_BYTES)
        each.told += chunk
        if not chunk or len(each.told) > _ANSWER_BYTES:
            over.append(each)
    late = [each for each in running.values() if each not in over and time.monotonic() >= each.ends_at]
    for each in late:
        each.told = bytearray(_late(each.check))
    return over + late


def _late(check: Check) -> bytes:
    return json.dumps({"crash": f"no answer within {check.limit_s:g} s"}).encode()


def _close(each: _Running) -> list[Finding]:
    """Ends it, and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(each.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(each.pid, signal.SIGKILL)  # before it could make a group of its own
    os.close(each.answer)
    _, status = os.waitpid(each.pid, 0)
    return _findings(each.check, bytes(each.told), os.waitstatus_to_exitcode(status))


def _findings(check: Check, told: bytes, code: int) -> list[Finding]:
    try:
        read = json.loads(told)
    except ValueError:
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        return [_crashed(check, f"the look at it ended {how}")]
    if "crash" in read:
        return [_crashed(check, str(read["crash"]))]
    if "unseen" in read:
        return [unknown(check.name, str(read["unseen"]), str(read["repair"]))]
    return [Finding(each["name"], State(each["state"]), each["found"], each["repair"]) for each in read["findings"]]


def _crashed(check: Check, why: str) -> Finding:
    return warning(check.name, f"could not be looked at: {why}", REPORT)


def _begun(number: int, check: Check) -> _Running:
    answer, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be(check, writing)
    os.close(writing)
    return _Running(number, check, pid, answer, time.monotonic() + check.limit_s)


def _be(check: Check, writing: int) -> NoReturn:
    """The child. Whatever happens in it is told, and ends here."""
    said: dict[str, object] = {}
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        if why := _become(check.to_be):
            said = {"unseen": why, "repair": ROOT_HINT}
        else:
            said = {"findings": [asdict(each) for each in check.look()]}
    finally:
        if (error := sys.exc_info()[1]) is not None:
            said = _of_error(error)
        with open(writing, "wb") as answer:
            answer.write(json.dumps(said).encode())
        os._exit(0)


def _of_error(error: BaseException) -> dict[str, object]:
    if isinstance(error, ImportError):  # a wheel is missing, and the look at the wheels names it
        return {"unseen": f"it needs what cannot be imported: {error}"[:500], "repair": "repair the wheels first"}
    return {"crash": f"{type(error).__name__}: {error}"[:500]}


def _become(person: Person | None) -> str:
    """Why we cannot look at things as `person` does, or empty."""
    if person is None or person.uid == os.geteuid():
        return ""
    if os.geteuid() != 0:
        return f"only root can look at it as the user {person.name}"
    os.setgroups(person.groups)
    os.setgid(person.groups[0])
    os.setuid(person.uid)
    os.environ["HOME"] = "/nonexistent"
    return ""
