"""Jobs and states of units, asked of the service manager over the system bus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from logmedic.adapters.fixes.catalogue import HINT
from logmedic.adapters.fixes.polkit import jobs_of
from logmedic.adapters.fixes.systembus import SYSTEM_BUS, BusError, BusGone, Wire, connected
from logmedic.core.targets import argv_of
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Rule
from logmedic.model.step import Step, UnitJob, UnitVerb

NAME = "systemd"
SYSTEMD = "org.freedesktop.systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "org.freedesktop.systemd1.Unit"
_OBJECT = "/org/freedesktop/systemd1"
_METHODS = {UnitVerb.RESTART: "RestartUnit", UnitVerb.RELOAD: "ReloadUnit", UnitVerb.START: "StartUnit"}

ARM_S = 15.0
CHECKED_JOBS = 200
TAKE_BACK_S = 2.0
STATUS_LIMIT = 2000
"""Characters of what a service says of itself (sd_notify's STATUS)."""
SHOWN_UNITS = 20

_ASKED = "triggering"
"""A mode of jobs that stops alone may have: with any other verb the manager asks polkit first, and then says that the
mode does not fit. So it tells whether a job would be allowed, and none is ever made. (polkit itself answers only root
when asked about a unit and a verb.)"""

_REFUSED = {
    "org.freedesktop.DBus.Error.AccessDenied",
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
    "org.freedesktop.DBus.Error.AuthFailed",
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


@dataclass(frozen=True, slots=True)
class UnitState:
    """`unit`: its own name, which may be another than the one that was asked for. `load`: loaded, not-found, masked,
    error, bad-setting. `active` and `sub`: ActiveState and SubState. `since`: when it became so, by the wall clock;
    `lasted`: for how long, by a clock that nobody sets; None: it never was otherwise. `result`: how its last run
    ended, in systemd's words. `told`: what it says of itself (untrusted). `stops`: units that stop and start with it,
    when they run."""

    unit: str
    load: str
    active: str
    sub: str = ""
    since: datetime | None = None
    lasted: timedelta | None = None
    result: str = ""
    told: str = ""
    stops: tuple[str, ...] = ()
    reloads: bool = True

    @property
    def problem(self) -> str:
        """Why no job of it can be, or nothing."""
        match self.load:
            case "not-found":
                return "there is no such unit"
            case "masked":
                return f"it is masked; type: systemctl unmask {self.unit}"
            case "error" | "bad-setting":
                return f"its unit file is wrong; type: systemd-analyze verify {self.unit}"
        return ""

    @property
    def words(self) -> str:
        """For people."""
        if self.load not in ("loaded", ""):
            return {"not-found": "there is no such unit"}.get(self.load, self.load)
        sub = f" ({self.sub})" if self.sub and self.sub != self.active else ""
        why = f", result {self.result}" if self.result not in ("", "success") else ""
        return f"{self.active}{sub}{why}"


class UnitControl:
    """Implements ports.FixRunner for jobs of units; `address` is the system bus, `monotonic` the seconds of
    CLOCK_MONOTONIC. A connection lasts for one use, so a bus that was restarted needs no care."""

    def __init__(self, address: str = SYSTEM_BUS, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._monotonic = monotonic

    # -- whether it can be done ----------------------------------------------------------------------------------------

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        """Nothing is asked of the bus when no rule has a job of a unit. `refused`: what polkit does not allow."""
        wanted = {rule.id: jobs_of(rule) for rule in rules if rule.enabled and rule.fix is not None}
        wanted = {rule_id: jobs for rule_id, jobs in wanted.items() if jobs}
        if not wanted:
            return Arming(False, NAME)
        try:
            async with asyncio.timeout(ARM_S), connected(self._address) as wire:
                await wire.owner_of(SYSTEMD)
                refused = await _refusals(wire, wanted)
        except TimeoutError:
            return _disarmed(f"the service manager did not answer in {ARM_S:g} s")
        except BusGone as gone:
            return _disarmed(str(gone))
        except BusError as error:
            return _disarmed(_said(error, "", ""))
        return Arming(True, NAME, units=True, refused=refused)

    async def state(self, unit: str) -> UnitState:
        """Now. Raises BusGone, BusError."""
        async with connected(self._address) as wire:
            return await self._state(wire, unit)

    async def _state(self, wire: Wire, unit: str) -> UnitState:
        path = str((await wire.call(SYSTEMD, _OBJECT, f"{MANAGER}.LoadUnit", "s", unit))[0])
        found = await wire.properties_of(SYSTEMD, path, UNIT)
        own = await _of_service(wire, path) if str(found.get("Id", unit)).endswith(".service") else {}
        return state_of(unit, {**found, **own}, self._monotonic())

    # -- jobs ----------------------------------------------------------------------------------------------------------

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        """The job ends with its unit's own limits: of one that has begun, a cancel and the step's timeout end the
        waiting only (half of a restart would leave the unit down). One that has not begun is taken back."""
        if not isinstance(step.action, UnitJob):
            return _never("it is no job of a unit")
        loop = asyncio.get_running_loop()
        began, job = loop.time(), _Job(step.action)
        try:
            async with asyncio.timeout(step.timeout.total_seconds()), connected(self._address) as wire:
                result = await self._done(wire, job)
        except TimeoutError:
            result = job.given_up(f"not done in {step.timeout.total_seconds():g} s")
        except BusGone as gone:
            result = job.given_up(str(gone))
        except BusError as error:
            result = job.refused(error)
        return FixResult(
            result.exit_code, loop.time() - began, result.output, result.detail, NAME, started=result.started
        )

    async def _done(self, wire: Wire, job: _Job) -> FixResult:
        manager = await wire.owner_of(SYSTEMD)
        before = await self._state(wire, job.unit)
        if before.problem:
            return _never(f"{job.unit}: {before.problem}")
        await wire.listen(manager, f"{MANAGER}.JobRemoved", job.heard)
        await wire.call(SYSTEMD, _OBJECT, f"{MANAGER}.Subscribe")
        job.own_name = before.unit
        await job.ask(wire)
        try:
            result = await job.result(wire)
        except asyncio.CancelledError:
            await job.take_back(wire)
            raise
        after = await self._state(wire, job.unit)
        return _judged(job, result, before, after)

    async def rehearse(self, step: Step) -> FixResult:
        if not isinstance(step.action, UnitJob):
            return _never("it is no job of a unit")
        began, action = self._monotonic(), step.action
        try:
            async with connected(self._address) as wire:
                state = await self._state(wire, action.unit)
                refusal = "" if state.problem else await _refusal(wire, action.verb, action.unit)
        except BusGone as gone:
            return _never(str(gone))
        except BusError as error:
            return _never(_said(error, action.verb, action.unit))
        return FixResult(
            exit_code=1 if (why := state.problem or refusal or _idle(action.verb, state)) else 0,
            duration_s=self._monotonic() - began,
            output=_plan(action, state),
            detail=f"{action.unit}: {why}" if why else "",
            sandbox=NAME,
        )


@dataclass(slots=True)
class _Job:
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
        forever = 24 * 3600.0  # polkit takes its time, and the step has a timeout
        self.path = str((await wire.call(SYSTEMD, _OBJECT, method, "ss", self.unit, "replace", within_s=forever))[0])

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
            return _never(why)
        goes_on = "the service manager goes on with it" if self.path else "whether it was taken on is not known"
        return FixResult(None, 0.0, detail=f"{why}; {self.outcome or goes_on}")

    def refused(self, error: BusError) -> FixResult:
        if error.name in _REFUSED and not self.path:
            return _never(_forbidden(self.action.verb, self.unit, self.own_name))
        why = _said(error, self.action.verb, self.unit)
        return FixResult(None, 0.0, detail=f"how it ended is not known: {why}") if self.path else _never(why)


# -- what polkit allows ------------------------------------------------------------------------------------------------


async def _refusals(wire: Wire, wanted: Mapping[str, Sequence[tuple[UnitVerb, str]]]) -> dict[str, str]:
    """By rule id. Beyond the first CHECKED_JOBS a refusal shows only when the job is asked for."""
    every = dict.fromkeys(job for jobs in wanted.values() for job in jobs)
    known = {job: await _refusal(wire, *job) for job in islice(every, CHECKED_JOBS)}
    refused = {rule_id: next(filter(None, map(known.get, jobs)), "") for rule_id, jobs in wanted.items()}
    return {rule_id: why for rule_id, why in refused.items() if why}


async def _refusal(wire: Wire, verb: UnitVerb, unit: str) -> str:
    """Whether polkit forbids the job, and how to change that; nothing: it allows it, or cannot be known. No job is made
    either way."""
    try:
        await wire.call(SYSTEMD, _OBJECT, f"{MANAGER}.{_METHODS[verb]}", "ss", unit, _ASKED)
    except BusError as error:
        if error.name in _REFUSED:
            path = str((await wire.call(SYSTEMD, _OBJECT, f"{MANAGER}.LoadUnit", "s", unit))[0])
            return _forbidden(verb, unit, str(await wire.property_of(SYSTEMD, path, UNIT, "Id")))
    return ""


def _forbidden(verb: str, unit: str, own_name: str) -> str:
    """polkit hears a unit's own name, never an alias."""
    if own_name and own_name != unit:
        return f"polkit does not allow to {verb} {unit}, whose own name is {own_name}: write that in the rule"
    return f"polkit does not allow to {verb} {unit}, or is not there; type: {HINT}"


def _said(error: BusError, verb: str, unit: str) -> str:
    words = _WORDS.get(error.name, "").format(verb=verb, unit=unit)
    told = words or f"the service manager refuses: {' '.join(str(error).split())[:300] or error.name}"
    return f"{unit}: {told}" if unit else told


# -- states ------------------------------------------------------------------------------------------------------------


async def _of_service(wire: Wire, path: str) -> dict[str, Any]:
    """Two of a hundred."""
    interface = "org.freedesktop.systemd1.Service"
    return {
        name: await wire.property_of(SYSTEMD, path, interface, name)
        for name in ("Result", "StatusText")
    }  # fmt: skip


_ENTERED = {
    "active": "ActiveEnterTimestamp",
    "reloading": "ActiveEnterTimestamp",
    "inactive": "InactiveEnterTimestamp",
    "failed": "InactiveEnterTimestamp",
    "activating": "InactiveExitTimestamp",
    "deactivating": "ActiveExitTimestamp",
}
"""When a unit became what its ActiveState is."""


def state_of(unit: str, properties: Mapping[str, Any], monotonic_s: float) -> UnitState:
    """Of what the interfaces Unit and Service tell; times of theirs in microseconds, 0: never."""
    active = str(properties.get("ActiveState", ""))
    entered = _ENTERED.get(active, "StateChangeTimestamp")
    at, ticks = properties.get(entered, 0), properties.get(f"{entered}Monotonic", 0)
    stops = {each for name in ("ConsistsOf", "RequiredBy", "BoundBy") for each in properties.get(name, ())}
    return UnitState(
        unit=str(properties.get("Id", unit)),
        load=str(properties.get("LoadState", "")),
        active=active,
        sub=str(properties.get("SubState", "")),
        since=datetime.fromtimestamp(at / 1e6, UTC) if at else None,
        lasted=timedelta(seconds=max(0.0, monotonic_s - ticks / 1e6)) if ticks else None,
        result=str(properties.get("Result", "")),
        told=str(properties.get("StatusText", ""))[:STATUS_LIMIT],
        stops=tuple(sorted(stops)),
        reloads=bool(properties.get("CanReload", True)),
    )


def _judged(job: _Job, result: str, before: UnitState, after: UnitState) -> FixResult:
    """Done is what is done and runs."""
    said = [_RESULTS.get(result, f"the job ended as {result}"), f"{job.unit} is {after.words}"]
    if job.action.verb is UnitVerb.START and before.active == "active":
        said.insert(0, "it was active already, and starting it has no effect")
    told = f"{after.unit} says: {after.told}\n" if after.told else ""
    ok = result == "done" and after.active == "active"
    return FixResult(0 if ok else 1, 0.0, told, "; ".join(said))


def _idle(verb: UnitVerb, state: UnitState) -> str:
    """Why the job would do nothing, or nothing."""
    match verb:
        case UnitVerb.START if state.active == "active":
            return ""  # what it is for, is so
        case UnitVerb.RELOAD if not state.reloads:
            return "it has nothing to reload by (ExecReload)"
        case UnitVerb.RELOAD if state.active != "active":
            return f"only what runs can be reloaded: it is {state.active}"
    return ""


def _plan(action: UnitJob, state: UnitState) -> str:
    """For people."""
    since = f" since {state.since:%Y-%m-%dT%H:%M:%SZ}" if state.since else ""
    lines = [f"would {' '.join(argv_of(action))}", f"now: {state.words}{since}"]
    if state.unit != action.unit:
        lines.append(f"its own name: {state.unit}")
    if action.verb is UnitVerb.START and state.active == "active":
        lines.append("it is active already: starting it has no effect")
    if action.verb is UnitVerb.RESTART and state.stops:
        more = f" and {len(state.stops) - SHOWN_UNITS} more" if len(state.stops) > SHOWN_UNITS else ""
        lines.append(f"restarted with it, when they run: {', '.join(state.stops[:SHOWN_UNITS])}{more}")
    return "".join(f"{line}\n" for line in lines)


def _disarmed(reason: str) -> Arming:
    return Arming(False, NAME, reason, units=False, units_reason=reason)


def _never(detail: str) -> FixResult:
    return FixResult(None, 0.0, detail=detail, sandbox=NAME, started=False)
