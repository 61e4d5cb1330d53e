"""Steps that the daemon does itself: an HTTP request, a wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from logmedic.adapters.fixes import httpcall
from logmedic.core.durations import duration_text
from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Rule
from logmedic.model.step import CallHttp, Step, Wait
from logmedic.ports import Clock

NAME = "daemon"


class Inline:
    """Implements ports.FixRunner for CallHttp and Wait. It needs no breaker of its own: the one of the rule's fix and
    target counts these as every other step, and no step runs while that is open."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        return Arming(True, NAME)

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        began = self._clock.now()
        match step.action:
            case CallHttp():
                code, output, detail = await _called(step.action, step.timeout)
            case Wait(time):
                code, output, detail = await self._waited(time, step.timeout)
            case _:
                return _never("this is no step of the daemon's own")
        took = max(0.0, (self._clock.now() - began).total_seconds())
        return FixResult(code, took, output, detail, NAME)

    async def rehearse(self, step: Step) -> FixResult:
        match step.action:
            case CallHttp():
                said = _plan(step.action, step.timeout)
            case Wait(time):
                said = f"would wait {duration_text(time)}\n"
            case _:
                return _never("this is no step of the daemon's own")
        return FixResult(0, 0.0, said, sandbox=NAME)

    async def _waited(self, time: timedelta, timeout: timedelta) -> tuple[int | None, str, str]:
        await self._clock.sleep(min(time, timeout).total_seconds())
        if time > timeout:
            return None, "", f"timed out after {duration_text(timeout)}"
        return 0, "", f"waited {duration_text(time)}"


async def _called(call: CallHttp, timeout: timedelta) -> tuple[int | None, str, str]:
    """Exit code, output, detail. The answer's text is nobody's to trust."""
    try:
        answer = await httpcall.ask(call.method, call.url, call.body, within_s=timeout.total_seconds())
    except httpcall.NoAnswer as error:
        return None if error.late else 1, "", str(error)
    text = answer.body.decode(errors="replace")
    if 200 <= answer.status <= 299 if call.status == 0 else answer.status == call.status:
        return 0, text, f"answered {answer.status}"
    return 1, text, f"answered {answer.status}, wanted {_wanted(call)}"


def _wanted(call: CallHttp) -> str:
    return str(call.status or "200..299")


def _plan(call: CallHttp, timeout: timedelta) -> str:
    body = f" with {len(call.body.encode())} bytes:\n{call.body}" if call.body else ""
    return f"would send {call.method} {call.url}, wants {_wanted(call)} in {duration_text(timeout)}{body}\n"


def _never(detail: str) -> FixResult:
    return FixResult(None, 0.0, detail=detail, sandbox=NAME, started=False)
