"""Jobs and states of units, asked of the service manager over the system bus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from logmedic.adapters.fixes.polkit import jobs_of
from logmedic.adapters.fixes.systembus import SYSTEM_BUS, BusError, BusGone, Wire, connected
from logmedic.adapters.fixes.unitjob import (
    MANAGER,
    NAME,
    OBJECT,
    SYSTEMD,
    UNIT,
    Job,
    judged,
    never,
    refusal,
    refusals,
    said_of,
)
from logmedic.adapters.fixes.unitstate import UnitState, state_of
from logmedic.core.targets import argv_of
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Rule
from logmedic.model.step import Step, UnitJob, UnitVerb

ARM_S = 15.0
SHOWN_UNITS = 20


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
                refused = await refusals(wire, wanted)
        except TimeoutError:
            return _disarmed(f"the service manager did not answer in {ARM_S:g} s")
        except BusGone as gone:
            return _disarmed(str(gone))
        except BusError as error:
            return _disarmed(said_of(error, "", ""))
        return Arming(True, NAME, units=True, refused=refused)

    async def state(self, unit: str) -> UnitState:
        """Now. Raises BusGone, BusError."""
        async with connected(self._address) as wire:
            return await self._state(wire, unit)

    async def _state(self, wire: Wire, unit: str) -> UnitState:
        path = str((await wire.call(SYSTEMD, OBJECT, f"{MANAGER}.LoadUnit", "s", unit))[0])
        found = await wire.properties_of(SYSTEMD, path, UNIT)
        own = await _of_service(wire, path) if str(found.get("Id", unit)).endswith(".service") else {}
        return state_of(unit, {**found, **own}, self._monotonic())

    # -- jobs ----------------------------------------------------------------------------------------------------------

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        """The job ends with its unit's own limits: of one that has begun, a cancel and the step's timeout end the
        waiting only (half of a restart would leave the unit down). One that has not begun is taken back."""
        if not isinstance(step.action, UnitJob):
            return never("it is no job of a unit")
        loop = asyncio.get_running_loop()
        began, job = loop.time(), Job(step.action)
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

    async def _done(self, wire: Wire, job: Job) -> FixResult:
        manager = await wire.owner_of(SYSTEMD)
        before = await self._state(wire, job.unit)
        if before.problem:
            return never(f"{job.unit}: {before.problem}")
        await wire.listen(manager, f"{MANAGER}.JobRemoved", job.heard)
        await wire.call(SYSTEMD, OBJECT, f"{MANAGER}.Subscribe")
        job.own_name = before.unit
        await job.ask(wire)
        try:
            result = await job.result(wire)
        except asyncio.CancelledError:
            await job.take_back(wire)
            raise
        after = await self._state(wire, job.unit)
        return judged(job, result, before, after)

    async def rehearse(self, step: Step) -> FixResult:
        if not isinstance(step.action, UnitJob):
            return never("it is no job of a unit")
        began, action = self._monotonic(), step.action
        try:
            async with connected(self._address) as wire:
                state = await self._state(wire, action.unit)
                refused = "" if state.problem else await refusal(wire, action.verb, action.unit)
        except BusGone as gone:
            return never(str(gone))
        except BusError as error:
            return never(said_of(error, action.verb, action.unit))
        return FixResult(
            exit_code=1 if (why := state.problem or refused or _unfit(action.verb, state)) else 0,
            duration_s=self._monotonic() - began,
            output=_plan(action, state),
            detail=f"{action.unit}: {why}" if why else "",
            sandbox=NAME,
        )


async def _of_service(wire: Wire, path: str) -> dict[str, Any]:
    """Three of a hundred."""
    interface = "org.freedesktop.systemd1.Service"
    wanted = ("Type", "Result", "StatusText")
    return {name: await wire.property_of(SYSTEMD, path, interface, name) for name in wanted}


def _unfit(verb: UnitVerb, state: UnitState) -> str:
    """Why the unit as it is cannot have the job, or nothing."""
    if verb is UnitVerb.RELOAD and not state.reloads:
        return "it has nothing to reload by (ExecReload)"
    if verb is UnitVerb.RELOAD and state.active != "active":
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
