"""Asks for one address, inside a total deadline, in a disposable process: a server that drips, and a name that does not
resolve, hold up nobody (F68)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

from logmedic.adapters.alerts.disposable import WorkerLost, ask, surroundings

WORKER = "logmedic.adapters.alerts.pingworker"
_GRACE_S = 2.0


class Ping:
    """`url` is a secret: nothing here shows it. Of `environment` the worker gets what reaches servers (proxies,
    certificates)."""

    def __init__(
        self,
        url: str,
        *,
        deadline_s: float = 20.0,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._url = url
        self._deadline_s = deadline_s
        self._python = python
        self._environment = surroundings(environment)

    async def __call__(self) -> str:
        """Empty when the server answered with 2xx, else what went wrong. Never raises for what the server does. A
        cancel ends it; the server may have been asked all the same."""
        request = {"url": self._url, "lifetime_s": self._deadline_s + _GRACE_S}
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await ask(WORKER, request, python=self._python, environment=self._environment)
        except TimeoutError:
            return f"no answer within {self._deadline_s:g} s, given up"
        except OSError as error:
            return f"the process that asks does not start: {error.strerror}"
        except WorkerLost as lost:
            return f"the process that asks was lost: {lost}"
        return str(answer.get("problem", ""))
