"""For applications: retry, circuit breaker, fallback, reports to the daemon, and a wrapper that waits for its fix.

    from logmedic.client import CircuitBreaker, report, retry, self_healing

Nothing is loaded before it is asked for, and nothing runs before the first report: no thread, no socket, no file. See
docs/client.md."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logmedic.client.answers import Answer as Answer
    from logmedic.client.answers import State as State
    from logmedic.client.breaker import CircuitBreaker as CircuitBreaker
    from logmedic.client.breaker import CircuitOpen as CircuitOpen
    from logmedic.client.client import Client as Client
    from logmedic.client.client import configure as configure
    from logmedic.client.client import default as default
    from logmedic.client.client import report as report
    from logmedic.client.degrading import fallback as fallback
    from logmedic.client.healing import self_healing as self_healing
    from logmedic.client.hooks import install_hooks as install_hooks
    from logmedic.client.loghandler import ReportHandler as ReportHandler
    from logmedic.client.loghandler import RequestIdFilter as RequestIdFilter
    from logmedic.client.loghandler import report_processor as report_processor
    from logmedic.client.retrying import Retry as Retry
    from logmedic.client.retrying import retry as retry

_WHERE = {
    **dict.fromkeys(("Answer", "State"), "answers"),
    **dict.fromkeys(("CircuitBreaker", "CircuitOpen"), "breaker"),
    **dict.fromkeys(("Client", "configure", "default", "report"), "client"),
    "fallback": "degrading",
    "self_healing": "healing",
    "install_hooks": "hooks",
    **dict.fromkeys(("ReportHandler", "RequestIdFilter", "report_processor"), "loghandler"),
    **dict.fromkeys(("Retry", "retry"), "retrying"),
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *__all__]
