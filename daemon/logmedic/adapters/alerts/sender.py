"""Sends alerts through Apprise, each in a disposable process that a total deadline kills.

The deadlines of the libraries are a read's, and a server that drips a byte a second passes them for ever (F68); a
thread cannot be killed, a process can. The process is also the only one in which Apprise is imported.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from logmedic.adapters.alerts import disposable
from logmedic.adapters.alerts.disposable import WorkerLost
from logmedic.core.fromjson import value_of
from logmedic.model.alert import Alert, Delivery, Receiver
from logmedic.model.alertevent import AlertEvent
from logmedic.model.problem import RuleProblem
from logmedic.model.severity import Severity
from logmedic.ports import Rendered

T = TypeVar("T")

WORKER = "logmedic.adapters.alerts.worker"
AT_ONCE = 2
"""Workers a receiver (I6): one that hangs takes no process from the others (F68)."""
_GRACE_S = 2.0


class AppriseSender:
    """`deadline_s` covers all of a send: the wait for a free worker too. `python` runs the workers; it must be able to
    import this package. Of `environment` they get what reaches servers (proxies, certificates), and nothing else.
    `templates`: the directory of the user's, empty: there are none."""

    def __init__(
        self,
        *,
        deadline_s: float = 30.0,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        templates: str = "",
    ) -> None:
        self._deadline_s = deadline_s
        self._python = python
        self._templates = templates
        self._environment = disposable.surroundings(environment)
        self._free: dict[str, asyncio.Semaphore] = {}

    async def send(self, alert: Alert, receiver: Receiver) -> Delivery:
        """Inside the deadline. Never raises for what the receiver does. A cancel kills the worker; the message may
        have arrived all the same."""
        request = {"ask": "send", **self._told(alert, receiver)}
        free = self._free.setdefault(receiver.name, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(self._deadline_s), free:
                return _made(Delivery, await self._ask(request))
        except TimeoutError:
            return Delivery(False, f"no result within {self._deadline_s:g} s, given up")
        except OSError as error:
            return Delivery(False, f"the sending process does not start: {error.strerror}")
        except WorkerLost as lost:
            return Delivery(False, str(lost))

    async def render(self, alert: Alert, receiver: Receiver) -> Rendered:
        """What `send` would send, made as it makes it. Nothing is sent. What went wrong stands in the body."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return _made(Rendered, await self._ask({"ask": "render", **self._told(alert, receiver)}))
        except TimeoutError:
            return Rendered("", "", f"it could not be made within {self._deadline_s:g} s")
        except OSError as error:
            return Rendered("", "", f"the process that makes it does not start: {error.strerror}")
        except WorkerLost as lost:
            return Rendered("", "", str(lost))

    async def check_templates(self) -> list[RuleProblem]:
        """What is wrong with the user's templates: they are tried with messages of every kind."""
        if not self._templates:
            return []
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await self._ask({"ask": "templates", "templates": self._templates})
                return [_made(RuleProblem, each) for each in _list(answer.get("problems"))]
        except (TimeoutError, OSError, WorkerLost) as error:
            why = str(error) or f"no answer within {self._deadline_s:g} s"
            return [RuleProblem(self._templates, 0, 0, f"the templates could not be checked: {why}")]

    def _told(self, alert: Alert, receiver: Receiver) -> dict[str, Any]:
        told = {"title": alert.title, "body": alert.body, "content": alert.content, "type": _kind(alert)}
        return {"receiver": _receiver_row(receiver), "alert": told, "templates": self._templates}

    async def check(self, receivers: Sequence[Receiver]) -> dict[str, str]:
        """By receiver's name: empty when Apprise can use it, else what is wrong (F70). Nothing is sent."""
        if not receivers:
            return {}
        request = {"ask": "check", "receivers": {each.name: _receiver_row(each) for each in receivers}}
        try:
            async with asyncio.timeout(self._deadline_s):
                return {str(name): str(problem) for name, problem in (await self._ask(request)).items()}
        except TimeoutError:
            problem = f"could not be checked within {self._deadline_s:g} s"
        except OSError as error:
            problem = f"could not be checked: the checking process does not start: {error.strerror}"
        except WorkerLost as lost:
            problem = f"could not be checked: {lost}"
        return {each.name: problem for each in receivers}

    async def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """As `disposable.ask`."""
        told = {**request, "lifetime_s": self._deadline_s + _GRACE_S}
        return await disposable.ask(WORKER, told, python=self._python, environment=self._environment)


def _made(kind: type[T], told: object) -> T:
    """Raises WorkerLost for an answer of another form."""
    try:
        return value_of(kind, told)
    except ValueError as error:
        raise WorkerLost(f"the process answered what is no answer: {error}") from None


def _list(told: object) -> list[Any]:
    """Raises WorkerLost."""
    if not isinstance(told, list):
        raise WorkerLost("the process answered what is no list")
    return told


def _receiver_row(receiver: Receiver) -> dict[str, str]:
    return {"url": receiver.url, "endpoint": receiver.endpoint}


def _kind(alert: Alert) -> str:
    """Apprise's type of message: the colour in a chat."""
    match alert.event, alert.severity:
        case AlertEvent.RECOVERED, _:
            return "success"
        case AlertEvent.TEST, _:
            return "info"
        case _, Severity.HIGH | Severity.CRITICAL:
            return "failure"
        case _:
            return "warning"
