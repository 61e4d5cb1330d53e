"""One job of a unit: asked for, waited for, judged; and whether it would be allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from logmedic.adapters.fixes.catalogue import HINT
from logmedic.adapters.fixes.systembus import BusError, BusGone, Wire
from logmedic.adapters.fixes.unitstate import UnitState
from logmedic.model.fix import FixResult
from logmedic.model.step import UnitJob, UnitVerb

NAME = "systemd"
SYSTEMD = "org.freedesktop.systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "org.freedesktop.systemd1.Unit"
OBJECT = "/org/freedesktop/systemd1"
_METHODS = {UnitVerb.RESTART: "RestartUnit", UnitVerb.RELOAD: "ReloadUnit", UnitVerb.START: "StartUnit"}

CHECKED_JOBS = 200
"""Of all rules together, at a start and a reload: 8 ms each where polkit refuses, measured."""
TAKE_BACK_S = 2.0

_ASKED = "triggering"
"""A mode of jobs that stops alone may have: with any other verb the manager asks polkit first, and then says that the
mode does not fit. So it tells whether a job would be allowed, and none is ever made. (polkit itself answers only root
when asked about a unit and a verb.)"""

_REFUSED = {
    "org.freedesktop.DBus.Error.AccessDenied",
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
    "org.freedesktop.DBus.Error.AuthFailed",
}
_LOST = {
    "org.freedesktop.DBus.Error.NoReply",
    "org.freedesktop.DBus.Error.Disconnected",
    "org.freedesktop.DBus.Error.Timeout",
    "org.freedesktop.DBus.Error.TimedOut",
}
_WORDS = {
    "org.freedesktop.systemd1.NoSuchUnit": "there is no such unit",
    "org.freedesktop.systemd1.UnitMasked": "it is masked; type: systemctl unmask {unit}",
    "org.freedesktop.systemd1.JobTypeNotApplicable": "it has nothing to {verb} by (ExecReload)",
    "org.freedesktop.systemd1.OnlyByDependency": "it is started by other units only (RefuseManualStart)",
    "org.freedesktop.systemd1.ShuttingDown": "the host is shutting down",
    "org.freedesktop.DBus.Error.ServiceUnknown": "there is no systemd on the system bus",
    "org.freedesktop.DBus.Error.NameHasNoOwner": "there is no systemd on the system bus",
}
_RESULTS = {
    "done": "the job is done",
    "failed": "the job failed",
    "timeout": "the job took longer than the unit allows",
    "canceled": "another job took its place",
    "dependency": "a unit that it needs did not start",
    "skipped": "the job was skipped",
    "invalid": "the unit is not running",
    "assert": "an assertion of the unit does not hold",
    "unsupported": "the unit cannot do that here",
    "once": "the unit can be started only once",
    "collected": "the unit was unloaded",
}


@dataclass(slots=True)
class Job:
    """One job: asked for, heard of. `own_name`: what the manager calls its unit."""

    action: UnitJob
    own_name: str = ""
    asked: bool = False
    path: str = ""
    outcome: str = ""
    ended: dict[str, str] = field(default_factory=dict)
    """By the job's path, its result: the signal may come before the answer that names the path."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def unit(self) -> str:
        return self.action.unit

    def heard(self, body: list[Any]) -> None:
        _, path, _, result = body
        self.ended[path] = result
        self.news.set()

    async def ask(self, wire: Wire) -> None:
        self.asked = True
        method = f"{MANAGER}.{_METHODS[self.action.verb]}"
        # polkit takes its time, and the step has a timeout
        self.path = str((await wire.call(SYSTEMD, OBJECT, method, "ss", self.unit, "replace", within_s=None))[0])

    async def result(self, wire: Wire) -> str:
        """Raises BusGone."""
        while self.path not in self.ended:
            news = asyncio.ensure_future(self.news.wait())
            try:
                await asyncio.wait({news, wire.closed}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                news.cancel()
            if wire.closed.done() and self.path not in self.ended:
                raise BusGone("the connection to the system bus broke")
            self.news.clear()
        return self.ended[self.path]

    async def take_back(self, wire: Wire) -> None:
        """When it has not begun."""
        try:
            async with asyncio.timeout(TAKE_BACK_S):
                state = await wire.property_of(SYSTEMD, self.path, "org.freedesktop.systemd1.Job", "State")
                if state == "waiting":
                    await wire.call(SYSTEMD, self.path, "org.freedesktop.systemd1.Job.Cancel")
                    self.outcome = "it had not begun, and was taken back"
        except (TimeoutError, BusGone, BusError):
            pass  # it goes on, or is over

    def given_up(self, why: str) -> FixResult:
        """`why`: nobody waits for it any more."""
        if not self.asked:
            return never(why)
        goes_on = "the service manager goes on with it" if self.path else "whether it was taken on is not known"
        return FixResult(None, 0.0, detail=f"{why}; {self.outcome or goes_on}")

    def refused(self, error: BusError) -> FixResult:
        if self.asked and not self.path and error.name in _LOST:
            return self.given_up("the service manager went away")
        if error.name in _REFUSED and not self.path:
            return never(_forbidden(self.action.verb, self.unit, self.own_name))
        why = said_of(error, self.action.verb, self.unit)
        return FixResult(None, 0.0, detail=f"how it ended is not known: {why}") if self.path else never(why)


def judged(job: Job, result: str, before: UnitState, after: UnitState) -> FixResult:
    """Done is what is done and runs; what is there for one run alone has run to its end."""
    said = [_RESULTS.get(result, f"the job ended as {result}"), f"{job.unit} is {after.words}"]
    if job.action.verb is UnitVerb.START and before.active == "active":
        said.insert(0, "it was active already, and starting it has no effect")
    told = f"{after.unit} says: {after.told}\n" if after.told else ""
    over = after.oneshot and after.active == "inactive" and after.result == "success"
    ok = result == "done" and (after.active == "active" or over)
    return FixResult(0 if ok else 1, 0.0, told, "; ".join(said))


def never(detail: str) -> FixResult:
    return FixResult(None, 0.0, detail=detail, sandbox=NAME, started=False)


# -- what polkit allows ------------------------------------------------------------------------------------------------


async def refusals(wire: Wire, wanted: Mapping[str, Sequence[tuple[UnitVerb, str]]]) -> dict[str, str]:
    """By rule id. Beyond the first CHECKED_JOBS a refusal shows only when the job is asked for."""
    every = dict.fromkeys(job for jobs in wanted.values() for job in jobs)
    known = {job: await refusal(wire, *job) for job in islice(every, CHECKED_JOBS)}
    refused = {rule_id: next(filter(None, map(known.get, jobs)), "") for rule_id, jobs in wanted.items()}
    return {rule_id: why for rule_id, why in refused.items() if why}


async def refusal(wire: Wire, verb: UnitVerb, unit: str) -> str:
    """Whether polkit forbids the job, and how to change that; nothing: it allows it, or cannot be known. No job is made
    either way."""
    try:
        await wire.call(SYSTEMD, OBJECT, f"{MANAGER}.{_METHODS[verb]}", "ss", unit, _ASKED)
    except BusError as error:
        if error.name in _REFUSED:
            path = str((await wire.call(SYSTEMD, OBJECT, f"{MANAGER}.LoadUnit", "s", unit))[0])
            return _forbidden(verb, unit, str(await wire.property_of(SYSTEMD, path, UNIT, "Id")))
    return ""


def _forbidden(verb: str, unit: str, own_name: str) -> str:
    """polkit hears a unit's own name, never an alias."""
    if own_name and own_name != unit:
        return f"polkit does not allow to {verb} {unit}, whose own name is {own_name}: write that in the rule"
    return f"polkit does not allow to {verb} {unit}, or is not there; type: {HINT}"


def said_of(error: BusError, verb: str, unit: str) -> str:
    words = _WORDS.get(error.name, "").format(verb=verb, unit=unit)
    told = words or f"the service manager refuses: {' '.join(str(error).split())[:300] or error.name}"
    return f"{unit}: {told}" if unit else told
