"""Errors that nobody caught, reported before the program, the thread or the task is gone.

    remove = install_hooks(component="shop")

What was there before (a debugger's hook, a crash reporter's, the interpreter's own) is called as well."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from logmedic.client import requestid
from logmedic.client.calls import telling

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

    from logmedic.client.client import Client

Tell = Callable[[BaseException | str, str], None]
"""An error, and what it happened in."""


def install_hooks(
    *,
    excepthook: bool = True,
    threads: bool = True,
    loop: asyncio.AbstractEventLoop | None = None,
    component: str = "",
    client: Client | None = None,
) -> Callable[[], None]:
    """The result takes them out again, once. A hook that somebody has put over ours stays in place, and with it ours,
    which then only hands on. Those of a loop: call both from its thread."""
    active = True

    def tell(error: BaseException | str, action: str) -> None:
        if not active or (isinstance(error, BaseException) and not isinstance(error, Exception)):
            return  # KeyboardInterrupt and its like are no errors
        request_id = requestid.current()
        if isinstance(error, str) or telling.reported(error, request_id) is None:
            facts = {"component": component, "action": action, "impact": "high", "request_id": request_id}
            report_id = telling.report(client, error, **facts)
            if isinstance(error, BaseException):
                telling.mark(error, report_id, request_id)

    removing = ExitStack()
    if excepthook:
        removing.callback(_hook_program(tell))
    if threads:
        removing.callback(_hook_threads(tell))
    if loop is not None:
        removing.callback(_hook_loop(tell, loop))

    def remove() -> None:
        nonlocal active
        active = False
        removing.close()

    return remove


def _hook_program(tell: Tell) -> Callable[[], None]:
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        tell(error, "uncaught")
        before(kind, error, trace)

    def remove() -> None:
        if sys.excepthook is hook:
            sys.excepthook = before

    sys.excepthook = hook
    return remove


def _hook_threads(tell: Tell) -> Callable[[], None]:
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs, /) -> None:
        name = args.thread.name if args.thread is not None else "?"
        tell(args.exc_value if args.exc_value is not None else args.exc_type.__name__, f"thread {name}")
        before(args)

    def remove() -> None:
        if threading.excepthook is hook:
            threading.excepthook = before

    threading.excepthook = hook
    return remove


def _hook_loop(tell: Tell, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    before = loop.get_exception_handler()

    def handler(running: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        tell(context.get("exception") or str(context.get("message", "")), "event loop")
        if before is None:
            running.default_exception_handler(context)
        else:
            before(running, context)

    def remove() -> None:
        if loop.get_exception_handler() is handler:
            loop.set_exception_handler(before)

    loop.set_exception_handler(handler)
    return remove
