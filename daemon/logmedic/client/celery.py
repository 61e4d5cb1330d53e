"""Self-healing for Celery's tasks.

    app = Celery("shop", task_cls=healing_task("shop"))

A task that raises is reported, and the daemon is asked whether it mends the cause; the worker's process waits. A task
that may be repeated (`repeat=True` here, or `@app.task(repeat_after_fix=True)`) runs once more after a verified fix;
else the error is raised on, to Celery. `self.retry()` and `autoretry_for` come first: only the last failure counts. A
breaker belongs below `@app.task`, on the function.

The request's id is that of the request that sent the task (a header of the message, which sets itself), or the
task's."""

from __future__ import annotations

import types
from importlib import import_module
from typing import TYPE_CHECKING, Any

from logmedic.client import requestid
from logmedic.client.calls.layers import Layer
from logmedic.client.healing import Healing
from logmedic.client.http import failurelog

if TYPE_CHECKING:
    from logmedic.client.client import Client, Impact

HEADER = "logmedic_request_id"


def healing_task(
    component: str = "",
    *,
    auto_fix: bool = True,
    wait: float = 10.0,
    repeat: bool = False,
    action: str = "",
    impact: Impact = "medium",
    environment: str = "",
    client: Client | None = None,
) -> type[Any]:
    """A base class for one task (`@app.task(base=...)`), or for all of an application. "" of `component` is the name of
    Celery's application, of `action` the task's. Raises ImportError without Celery."""
    task: Any = import_module("celery").Task
    no_failures: type[Exception] = import_module("celery.exceptions").TaskPredicate  # Retry, Ignore, Reject

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:  # as a function, by somebody who has a request of their own
            return task.__call__(self, *args, **kwargs)
        with requestid.bound(_request_id(self.request)) as request_id, Layer():
            try:
                return self.run(*args, **kwargs)
            except no_failures:
                raise
            except Exception as error:
                if not failed(self, error, request_id, asks=auto_fix):
                    raise
            return again(self, request_id, *args, **kwargs)

    def again(self: Any, request_id: str, *args: Any, **kwargs: Any) -> Any:
        try:
            answer = self.run(*args, **kwargs)
        except no_failures:
            raise
        except Exception as error:
            failed(self, error, request_id, asks=False)
            raise
        failurelog.repeated(self.name, request_id)
        return answer

    def failed(self: Any, error: Exception, request_id: str, *, asks: bool) -> bool:
        """Reports it; whether the task may run once more, now that the cause is mended."""
        failurelog.failed(error, self.name, request_id, traceback=False)  # Celery logs it, when it is raised on
        shared: dict[str, Any] = {"impact": impact, "environment": environment, "client": client}
        healing = Healing(component or self.app.main or "celery", auto_fix=asks, wait=wait, **shared)
        named = action or self.name
        return healing.failed(error, action=named, request_id=request_id, may_repeat=self.repeat_after_fix).repeat

    def apply_async(self: Any, *args: Any, headers: dict[str, Any] | None = None, **options: Any) -> Any:
        """Hands the id of the request that runs now on to the task."""
        sent_by = requestid.current()
        handed_on = {HEADER: sent_by, **(headers or {})} if sent_by else headers
        return task.apply_async(self, *args, headers=handed_on, **options)

    members = {"__call__": call, "apply_async": apply_async, "abstract": True, "repeat_after_fix": repeat}
    return types.new_class("HealingTask", (task,), exec_body=lambda namespace: namespace.update(members))


def _request_id(request: Any) -> str:
    """Messages come from outside: what they carry is checked."""
    handed_on = request.get(HEADER) or (request.headers or {}).get(HEADER)
    return requestid.accepted(str(handed_on or request.id or ""))
