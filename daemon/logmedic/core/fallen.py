"""What is said when the daemon itself cannot run, from what the service manager and the log know of its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from logmedic.core.ownline import is_error
from logmedic.core.ownstories import of_ailing, of_test
from logmedic.core.phrases import said, several
from logmedic.core.stories import evidence_of
from logmedic.model.alertevent import AlertEvent
from logmedic.model.message import Story

PART = "logmedic"
MISTAKES_TOLD = 3
_RESULTS = {
    "core-dump": "it crashed",
    "oom-kill": "the kernel killed it: no memory was left",
    "protocol": "it never said that it is ready",
    "resources": "the service manager lacked what it needs to start it",
    "start-limit-hit": "it ended again and again",
    "timeout": "it took too long to start, or to stop",
    "watchdog": "it hung, and its watchdog ended it",
}
"""systemd.exec(5), $SERVICE_RESULT; what is not here is said by its exit status."""
_STATUSES = {
    "2": "it does not understand its command line",
    "3": "its config is refused",
    "7": "another logmedic has its store open",
    "203": "its program cannot be started",
    "217": "its user does not exist",
    "226": "its protections cannot be set up",
    "238": "its state directory cannot be set up",
    "243": "its credentials cannot be loaded",
}
"""2, 3 and 7 are logmedic's own (docs/cli.md), the others are the service manager's (systemd.exec(5), process exit
codes)."""


@dataclass(frozen=True, slots=True)
class Fall:
    """How a service ended, in the words of systemd.exec(5): $SERVICE_RESULT, $EXIT_CODE (exited, killed, dumped) and
    $EXIT_STATUS (a number, or a signal's name). What is not known is empty. `restarts`: how often it was started again
    before."""

    result: str = ""
    code: str = ""
    status: str = ""
    restarts: int = 0


def cause_of(fall: Fall) -> str:
    """A clause, without a capital and an end."""
    known = _RESULTS.get(fall.result) or (_STATUSES.get(fall.status) if fall.code in ("", "exited") else None)
    told = known or _ending(fall)
    again = f", {several(fall.restarts, 'restart')} did not help" if fall.restarts > 0 else ""
    return f"{told}{_detail(fall) if known else ''}{again}"


def _ending(fall: Fall) -> str:
    match fall.code, fall.status:
        case "killed" | "dumped", signal:
            return f"it was killed by signal {said(signal, 20) or '?'}"
        case _, "0":
            return "it ended by itself"
        case _, status if status:
            return f"it ended with exit code {said(status, 20)}"
    return "it failed, and nobody knows how"


def _detail(fall: Fall) -> str:
    return f" (exit code {said(fall.status, 20)})" if fall.code == "exited" and fall.status not in ("", "0") else ""


def story_of(fall: Fall, *, mistakes: Sequence[str], lines: Sequence[str], now: datetime) -> Story:
    """`mistakes`: of the config, when it does not load. `lines`: the end of its log, oldest first; secrets are taken
    out."""
    if mistakes:
        more = f"; and {len(mistakes) - MISTAKES_TOLD} more" if len(mistakes) > MISTAKES_TOLD else ""
        what = f"its config does not load: {'; '.join(said(each, 160) for each in mistakes[:MISTAKES_TOLD])}{more}"
        to_do, look = "Correct the config, and start it again.", "sudo logmedic config check"
    else:
        what, look = cause_of(fall), "journalctl -u logmedic -n 50"
        to_do = "Find the cause at the end of its log, and start it again."
    start = "sudo systemctl reset-failed logmedic; sudo systemctl restart logmedic"
    story = of_ailing(PART, AlertEvent.DAEMON_FAILED, what, to_do, f"{look}; {start}", now)
    return replace(story, evidence=evidence_of("\n".join(_telling(lines))))


def of_trial(now: datetime) -> Story:
    """It runs: somebody wants to see whether they would be told."""
    tried = "Nothing: somebody tried what tells you when logmedic cannot run. It runs."
    return replace(of_test(now), symptom="you would be told that logmedic does not run", broke=tried)


def _telling(lines: Sequence[str]) -> Sequence[str]:
    """From the last error on; without one, the last three."""
    errors = [at for at, line in enumerate(lines) if is_error(line)]
    return lines[errors[-1] :] if errors else lines[-3:]
