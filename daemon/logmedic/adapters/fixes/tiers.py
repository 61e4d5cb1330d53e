"""Which tier a step belongs to, and whether the tiers hold here. Implements ports.FixRunner over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from logmedic.adapters.fixes.catalogue import HINT, as_step, command_probes
from logmedic.adapters.fixes.tier import Sandbox
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Fix, Rule
from logmedic.model.sandbox import SandboxKind
from logmedic.model.step import CallHttp, Step, UnitJob, Wait
from logmedic.ports import FixRunner

AUTO, UNIT, BUBBLEWRAP = "auto", "unit", "bubblewrap"


class UnitTier(Sandbox, Protocol):
    @property
    def installed(self) -> bool:
        """Whether root installed fixes on this host."""


class Tiers:
    """Units' jobs go to `jobs`, what needs no sandbox to `inline`, the rest into one: `choice` is unit, bubblewrap, or
    auto: unit where that is installed. What is installed and does not hold is never replaced by another tier: nothing
    runs then (fail closed), the commands of checks and dry runs as little as fixes. `bubblewrap` also runs what asks
    for no sandbox, when that is allowed."""

    def __init__(
        self,
        *,
        unit: UnitTier,
        bubblewrap: Sandbox,
        jobs: FixRunner,
        inline: FixRunner,
        choice: str = AUTO,
        allow_unsandboxed: bool = False,
        allow_root: bool = False,
    ) -> None:
        self._unit = unit
        self._bubblewrap = bubblewrap
        self._jobs = jobs
        self._inline = inline
        self._choice = choice
        self._allow_unsandboxed = allow_unsandboxed
        self._allow_root = allow_root
        self._sandbox: Sandbox = bubblewrap
        self._disarmed = "the sandbox was not tried yet"

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        chosen = self._chosen()
        arming = await chosen.arm(rules)
        jobs = await self._jobs.arm(rules)
        # only now: a reload tries while steps run, in what held before
        self._sandbox, self._disarmed = chosen, "" if arming.armed else arming.reason or "it does not hold"
        refused = {**self._refused(rules, arming.refused, chosen), **jobs.refused}
        if self._choice == UNIT and not arming.armed and HINT not in arming.reason:
            arming = replace(arming, reason=f"{arming.reason}; actions.sandbox is `unit`, and nothing replaces it")
        return replace(arming, units=jobs.units, units_reason=jobs.units_reason, refused=refused)

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        return self._never(step) or await self._of(step).run(step, attempt)

    async def rehearse(self, step: Step) -> FixResult:
        return self._never(step) or await self._of(step).rehearse(step)

    async def close(self) -> None:
        """Steps under way are their callers' to cancel."""
        await self._unit.close()
        await self._bubblewrap.close()

    def _chosen(self) -> Sandbox:
        if self._choice == UNIT or (self._choice == AUTO and self._unit.installed):
            return self._unit
        return self._bubblewrap

    def _never(self, step: Step) -> FixResult | None:
        """Whoever asks: nothing is started in a sandbox that did not hold."""
        if not self._disarmed or self._of(step) is not self._sandbox or step.sandbox.kind is SandboxKind.NONE:
            return None
        return FixResult(None, 0.0, detail=f"fixes are disarmed: {self._disarmed}", started=False)

    def _of(self, step: Step) -> Sandbox | FixRunner:
        match step.action:
            case UnitJob():
                return self._jobs
            case CallHttp() | Wait():
                return self._inline
        return self._bubblewrap if step.sandbox.kind is SandboxKind.NONE else self._sandbox

    def _refused(self, rules: Sequence[Rule], told: Mapping[str, str], chosen: Sandbox) -> dict[str, str]:
        """By rule id; `told`: what the tier itself found."""
        found = dict(told)
        for rule in rules:
            if rule.enabled and rule.fix is not None and rule.id not in found:
                reasons = (self._refusal(step, chosen) for step in steps_of(rule.fix))
                if reason := next((each for each in reasons if each), ""):
                    found[rule.id] = reason
        return found

    def _refusal(self, step: Step, chosen: Sandbox) -> str:
        if isinstance(step.action, UnitJob | CallHttp | Wait):
            return ""  # they have no sandbox; what is wrong with a unit, `jobs` knows
        if step.sandbox.kind is SandboxKind.NONE:
            if not self._allow_unsandboxed:
                return f"step {step.name!r} asks for no sandbox, and actions.allow_unsandboxed is not set"
            return self._bubblewrap.refusal(step)
        if step.sandbox.user == "root" and not self._allow_root:
            return f"step {step.name!r} asks for `user: root`, and actions.allow_root is not set"
        return chosen.refusal(step)


def steps_of(fix: Fix) -> Iterator[Step]:
    """Everything of it that is run: steps, their rollbacks, and the commands of its checks."""
    for step in fix.steps:
        yield step
        if step.rollback is not None:
            yield step.rollback
    probes = (*fix.verify.probes, *fix.guard, *(each for step in fix.steps for each in step.expect))
    yield from map(as_step, command_probes(probes))
