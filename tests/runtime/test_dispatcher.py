"""Intents are carried out side by side; what comes of each goes back as an input."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from structlog.testing import capture_logs

import builders as make
from fakes.recording_sender import RecordingSender
from fakes.scripted_fixes import ScriptedProber, ScriptedRunner
from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Delivered, Input, LastResort, RunProbes, RunStep, Send, StepFinished, StopSteps
from logmedic.model.fix import FixAttempt, FixResult, ProbeResult
from logmedic.model.probe import Probe
from logmedic.model.severity import Severity
from logmedic.model.step import Step
from logmedic.runtime.dispatcher import Dispatcher

ATTEMPT = FixAttempt("a1", "i1", "web-down", "", "web-down", 0, "restart it", 1, ("/usr/bin/true",), make.START)
ALERT = Alert("m1", "i1", AlertEvent.OPENED, Severity.HIGH, "oncall", "chat", "t", "b", make.START, make.START)


class Inbox:
    """What the engine would be given."""

    def __init__(self) -> None:
        self.given: list[Input] = []
        self._grew = asyncio.Event()

    async def submit(self, given: Input) -> None:
        self.given.append(given)
        self._grew.set()

    async def until(self, n: int) -> list[Input]:
        async with asyncio.timeout(5):
            while len(self.given) < n:
                self._grew.clear()
                await self._grew.wait()
        return self.given


class Gated:
    """A sender that does not answer for `slow` before `gate` opens, and notes the order of its answers."""

    def __init__(self, slow: str) -> None:
        self._slow = slow
        self.gate = asyncio.Event()
        self.order: list[str] = []

    async def send(self, alert: Alert, receiver: Receiver) -> Delivery:
        if receiver.name == self._slow:
            await self.gate.wait()
        self.order.append(alert.id)
        return Delivery(True)


class Exploding:
    """What no port may do."""

    async def send(self, alert: Alert, receiver: Receiver) -> Delivery:
        raise RuntimeError("a bug")

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        raise RuntimeError("a bug")

    async def probe(self, probes: tuple[Probe, ...]) -> ProbeResult:
        raise RuntimeError("a bug")


def dispatcher(inbox: Inbox, **parts: object) -> Dispatcher:
    made = Dispatcher(
        runner=parts.get("runner", ScriptedRunner()),  # type: ignore[arg-type]
        prober=parts.get("prober", ScriptedProber()),  # type: ignore[arg-type]
        sender=parts.get("sender", RecordingSender()),  # type: ignore[arg-type]
        receivers=lambda: {name: Receiver(name, f"json://{name}") for name in ("chat", "mail")},
    )
    made.report_to(inbox.submit)
    return made


def test_the_result_of_a_step_comes_back_with_its_attempt() -> None:
    async def scenario() -> None:
        inbox = Inbox()
        dispatcher(inbox).carry_out(RunStep(ATTEMPT, make.STEP))
        (given,) = await inbox.until(1)
        assert isinstance(given, StepFinished)
        assert given.attempt_id == "a1"

    asyncio.run(scenario())


def test_i2_a_receiver_that_hangs_holds_up_no_other() -> None:
    async def scenario() -> None:
        inbox, sender = Inbox(), Gated("chat")
        outgoing = dispatcher(inbox, sender=sender)
        outgoing.carry_out(Send(ALERT))
        outgoing.carry_out(Send(replace(ALERT, id="m2", receiver="mail")))
        await inbox.until(1)
        assert sender.order == ["m2"]
        sender.gate.set()
        await inbox.until(2)
        assert sender.order == ["m2", "m1"]

    asyncio.run(scenario())


def test_one_receiver_gets_its_messages_in_order() -> None:
    async def scenario() -> None:
        inbox, sender = Inbox(), Gated("nobody")
        outgoing = dispatcher(inbox, sender=sender)
        for n in range(6):
            outgoing.carry_out(Send(replace(ALERT, id=f"m{n}")))
        await inbox.until(6)
        assert sender.order == [f"m{n}" for n in range(6)]

    asyncio.run(scenario())


def test_a_receiver_that_the_configuration_lost_is_a_permanent_failure() -> None:
    async def scenario() -> None:
        inbox = Inbox()
        dispatcher(inbox).carry_out(Send(replace(ALERT, receiver="gone")))
        (given,) = await inbox.until(1)
        assert isinstance(given, Delivered)
        assert given.delivery.permanent

    asyncio.run(scenario())


def test_i2_a_bug_in_a_runner_is_a_failed_result_and_ends_nothing() -> None:
    async def scenario() -> None:
        inbox, bug = Inbox(), Exploding()
        outgoing = dispatcher(inbox, runner=bug, prober=bug, sender=bug)
        outgoing.carry_out(RunStep(ATTEMPT, make.STEP))
        outgoing.carry_out(RunProbes("a1", (make.PROBE,)))
        outgoing.carry_out(Send(ALERT))
        given = await inbox.until(3)
        assert {type(each).__name__ for each in given} == {"StepFinished", "ProbesFinished", "Delivered"}
        assert all("a bug" in str(each) for each in given)

    asyncio.run(scenario())


def test_a_drain_waits_for_what_runs_and_then_cancels_it() -> None:
    async def scenario() -> None:
        inbox, sender = Inbox(), Gated("chat")
        outgoing = dispatcher(inbox, sender=sender)
        outgoing.carry_out(Send(replace(ALERT, receiver="mail")))
        outgoing.carry_out(Send(ALERT))
        await outgoing.drain(0.1)
        assert len(inbox.given) == 1
        assert not outgoing.busy

    asyncio.run(scenario())


def test_a_stop_in_the_same_breath_as_a_step_ends_it() -> None:
    async def scenario() -> None:
        inbox, runner = Inbox(), ScriptedRunner(gate=asyncio.Event())
        outgoing = dispatcher(inbox, runner=runner)
        outgoing.carry_out(RunStep(ATTEMPT, make.STEP))
        outgoing.carry_out(StopSteps())
        (given,) = await inbox.until(1)
        assert isinstance(given, StepFinished)
        assert given.result.detail == "ended by hand: fixes were paused with --stop"

    asyncio.run(scenario())


def test_a_step_that_has_only_just_begun_ends_with_the_daemon() -> None:
    async def scenario() -> None:
        runner = ScriptedRunner(gate=asyncio.Event())
        outgoing = dispatcher(Inbox(), runner=runner)
        outgoing.carry_out(RunStep(ATTEMPT, make.STEP))
        await outgoing.stop()
        assert len(runner.ran) == runner.cancelled
        assert not outgoing.busy

    asyncio.run(scenario())


def test_f72_what_reaches_nobody_is_written_to_the_log_as_critical_without_secrets() -> None:
    async def scenario() -> None:
        inbox = Inbox()
        dispatcher(inbox).carry_out(
            LastResort(replace(ALERT, title="login failed: password=hunter2secret"), "HTTP 503")
        )
        assert inbox.given == []

    with capture_logs() as logs:
        asyncio.run(scenario())
    (entry,) = logs
    assert (entry["log_level"], entry["event"], entry["alert"]) == ("critical", "alert_not_delivered", "m1")
    assert entry["why"] == "HTTP 503"
    assert "hunter2secret" not in str(entry)


def test_each_step_and_each_message_is_logged_once_it_has_ended_a_failed_one_as_a_warning() -> None:
    failing = RecordingSender({"mail": [Delivery(False, "HTTP 503, password=hunter2sesame")]})

    async def carried_out() -> None:
        inbox = Inbox()
        made = dispatcher(inbox, sender=failing)
        made.carry_out(RunStep(ATTEMPT, make.STEP))
        made.carry_out(Send(ALERT))
        made.carry_out(Send(replace(ALERT, id="m2", receiver="mail")))
        await inbox.until(3)
        await made.stop()

    with capture_logs() as logged:
        asyncio.run(carried_out())
    told = {each["event"]: each for each in logged}
    assert (told["step_ended"]["rule"], told["step_ended"]["exit"]) == ("web-down", 0)
    assert (told["alert_sent"]["receiver"], told["alert_sent"]["log_level"]) == ("chat", "info")
    assert (told["alert_failed"]["receiver"], told["alert_failed"]["log_level"]) == ("mail", "warning")
    assert "hunter2sesame" not in str(logged)
