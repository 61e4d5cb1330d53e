"""Carries intents out: concurrently, each for itself; what comes of them goes back to the engine as inputs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from logmedic.core.phrases import said
from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.model.changeset import (
    CheckPurpose,
    ChecksFinished,
    Delivered,
    Diagnose,
    Input,
    Intent,
    LastResort,
    ProbesFinished,
    RunChecks,
    RunProbes,
    RunStep,
    Send,
    StepFinished,
    StopSteps,
)
from logmedic.model.diagnosis import Question
from logmedic.model.fix import FixAttempt, FixResult, ProbeResult
from logmedic.model.probe import Probe
from logmedic.ports import FixRunner, Prober, Sender
from logmedic.runtime.supervisor import Failure, guarded_await

log = structlog.get_logger("logmedic.dispatcher")

CONCURRENT_SENDS = 4
"""Sender workers at once, over all receivers (I6): each is a process of about 60 MB."""


_Tasks = dict[asyncio.Task[Any], None]
"""In the order in which they began: what is ended together ends in that order, whatever else happens."""


class Dispatcher:
    """Owner of the tasks under way. Closed by `stop`."""

    def __init__(
        self,
        *,
        runner: FixRunner,
        prober: Prober,
        sender: Sender,
        receivers: Callable[[], Mapping[str, Receiver]],
        diagnose: Callable[[Question], None] = lambda _: None,
    ) -> None:
        """`diagnose` takes a question and answers at once."""
        self._diagnose = diagnose
        self._runner = runner
        self._prober = prober
        self._sender = sender
        self._receivers = receivers
        self._lanes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._workers = asyncio.Semaphore(CONCURRENT_SENDS)
        self._fixes: _Tasks = {}
        self._later: _Tasks = {}
        """Checks that wait for their time; nobody waits for them."""
        self._steps: _Tasks = {}
        """The steps among them."""
        self._sends: _Tasks = {}
        self._report: Callable[[Input], Awaitable[None]] | None = None

    def report_to(self, submit: Callable[[Input], Awaitable[None]]) -> None:
        """Where results go: the engine's `submit`. Called once, before the first intent."""
        self._report = submit

    @property
    def busy(self) -> bool:
        return bool(self._fixes or self._sends)

    def carry_out(self, intent: Intent) -> None:
        """Start it; answers at once."""
        match intent:
            case RunStep():
                step = asyncio.create_task(self._ran(intent))
                _keep(step, self._steps)  # at once: a StopSteps may be the very next intent
                self._begin(self._run_step(intent, step), self._fixes)
            case RunProbes():
                self._begin(self._run_probes(intent), self._fixes)
            case RunChecks():
                self._begin(self._run_checks(intent), self._later if intent.after else self._fixes)
            case StopSteps():
                for step in self._steps:
                    step.cancel()
            case Diagnose(question):
                self._diagnose(question)
            case Send(alert):
                self._begin(self._send(alert), self._sends)
            case LastResort(alert, why):  # the journal is what is left to tell people with (F72)
                log.critical("alert_not_delivered", title=said(alert.title), alert=alert.id, why=said(why))

    def _begin(self, work: Coroutine[Any, Any, None], group: _Tasks) -> None:
        _keep(asyncio.create_task(work), group)

    async def _tell(self, given: Input) -> None:
        assert self._report is not None, "report_to comes before the first intent"  # noqa: S101
        await self._report(given)

    async def _ran(self, intent: RunStep) -> FixResult | Failure:
        return await guarded_await(self._runner.run(intent.step, intent.attempt))

    async def _run_step(self, intent: RunStep, step: asyncio.Task[FixResult | Failure]) -> None:
        """`step` runs it already."""
        began = asyncio.get_running_loop().time()
        try:
            await asyncio.wait({step})
        finally:
            step.cancel()  # of no effect when it is done
            await asyncio.gather(step, return_exceptions=True)
        took = asyncio.get_running_loop().time() - began
        if step.cancelled():
            outcome: FixResult | Failure = FixResult(None, took, detail="ended by hand: fixes were paused with --stop")
        else:
            outcome = step.result()
        if isinstance(outcome, Failure):
            outcome = FixResult(None, took, detail=f"internal error: {outcome.text}")
        _log_step(intent.attempt, outcome, took)
        await self._tell(StepFinished(intent.attempt.id, outcome))

    async def _run_probes(self, intent: RunProbes) -> None:
        await self._tell(ProbesFinished(intent.attempt_id, await self._probed(intent.probes)))

    async def _run_checks(self, intent: RunChecks) -> None:
        """Those of all purposes at once."""
        await asyncio.sleep(intent.after.total_seconds())
        results = await asyncio.gather(*(self._probed(probes) for _, probes in intent.checks))
        purposes: list[CheckPurpose] = [purpose for purpose, _ in intent.checks]
        await self._tell(ChecksFinished(intent.incident_id, tuple(zip(purposes, results, strict=True))))

    async def _probed(self, probes: Sequence[Probe]) -> ProbeResult:
        outcome = await guarded_await(self._prober.probe(probes))
        if isinstance(outcome, Failure):
            return ProbeResult(None, f"internal error: {outcome.text}")
        return outcome

    async def _send(self, alert: Alert) -> None:
        """One at a time a receiver, in order; a slow receiver holds up no other."""
        async with self._lanes[alert.receiver]:
            receiver = self._receivers().get(alert.receiver)
            if receiver is None:
                outcome: Delivery | Failure = Delivery(False, "the configuration has no such receiver", permanent=True)
            else:
                async with self._workers:
                    outcome = await guarded_await(self._sender.send(alert, receiver))
        if isinstance(outcome, Failure):
            outcome = Delivery(False, f"internal error: {outcome.text}")
        _log_delivery(alert, outcome)
        await self._tell(Delivered(alert.id, outcome))

    async def drain(self, timeout_s: float) -> None:
        """Wait for what runs, at most `timeout_s`; then cancel it. A cancelled fix is killed, its intent stays without
        a result and is probed at the next start."""
        running = [*self._fixes, *self._sends]
        if running:
            await asyncio.wait(running, timeout=timeout_s)
        await self.stop()

    async def stop(self) -> None:
        running = [*self._fixes, *self._sends, *self._later, *self._steps]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _keep(task: asyncio.Task[Any], group: _Tasks) -> None:
    """Until it is done."""
    group[task] = None
    task.add_done_callback(lambda done: group.pop(done, None))


def _log_step(attempt: FixAttempt, result: FixResult, took_s: float) -> None:
    about = {"rule": attempt.rule_id, "incident": attempt.incident_id, "step": attempt.step_name, "try": attempt.try_no}
    log.info("step_ended", **about, exit=result.exit_code, took_s=round(took_s, 3), detail=said(result.detail))


def _log_delivery(alert: Alert, outcome: Delivery) -> None:
    about = {"alert": alert.id, "receiver": alert.receiver, "news": alert.event.value, "severity": alert.severity.value}
    if outcome.delivered:
        log.info("alert_sent", **about)
    else:  # it is tried again, or another receiver has it; the last resort is `alert_not_delivered`
        log.warning("alert_failed", **about, why=said(outcome.detail))
