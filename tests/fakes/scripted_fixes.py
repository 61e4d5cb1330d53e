"""Fixes and probes that do what a test says, with the timing of real ones: asked, then answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from logmedic.core.targets import argv_of
from logmedic.model.fix import Arming, FixAttempt, FixResult, ProbeResult
from logmedic.model.probe import Probe
from logmedic.model.rule import Rule
from logmedic.model.step import Step


class ScriptedRunner:
    """Implements ports.FixRunner. `results`: by step name, used up in order, the last one for ever; exit 0 where there
    is none. With `gate`, a run waits until it is set."""

    def __init__(self, results: dict[str, list[FixResult]] | None = None, *, gate: asyncio.Event | None = None) -> None:
        self.arming = Arming(True, "scripted")
        self.ran: list[tuple[str, ...]] = []
        self.cancelled = 0
        self._results = {name: list(each) for name, each in (results or {}).items()}
        self._gate = gate

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        return self.arming

    async def rehearse(self, step: Step) -> FixResult:
        return FixResult(0, 0.0, " ".join(argv_of(step.action)), sandbox="scripted")

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        self.ran.append(argv_of(step.action))
        if self._gate is not None:
            try:
                await self._gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return self._next(step.name)

    def _next(self, name: str) -> FixResult:
        left = self._results.get(name, [])
        if not left:
            return FixResult(0, 0.01, sandbox="scripted")
        return left.pop(0) if len(left) > 1 else left[0]


class ScriptedProber:
    """Implements ports.Prober: `results` in order, the last one for ever."""

    def __init__(self, *results: ProbeResult) -> None:
        self.asked: list[tuple[Probe, ...]] = []
        self._results = list(results) or [ProbeResult(True, "scripted")]

    async def probe(self, probes: Sequence[Probe]) -> ProbeResult:
        self.asked.append(tuple(probes))
        return self._results.pop(0) if len(self._results) > 1 else self._results[0]
