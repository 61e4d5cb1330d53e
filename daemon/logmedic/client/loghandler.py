"""Reports out of an application's log, and the request's id on its records.

    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())                  # on handlers: a logger's filter does not see its children's
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(request_id)s] %(message)s"))
    logging.basicConfig(handlers=[handler, ReportHandler(component="shop")])

    structlog.configure(processors=[report_processor("shop"), structlog.processors.format_exc_info, ...])

An error that was reported in the same request already (by a retry, by `self_healing`) is not reported again."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from logmedic.client import guarded, requestid
from logmedic.client.calls import layers, telling

if TYPE_CHECKING:
    from logmedic.client.client import Client, Impact

OWN = "logmedic.client"
NO_REQUEST = "-"
LONGEST = 4000
ERRORS = frozenset({"error", "exception", "critical", "fatal"})
SAID_ELSEWHERE = frozenset(
    {"event", "exc_info", "stack_info", "request_id", "component", "action", "level", "timestamp"}
)
EventDict = MutableMapping[str, Any]


class RequestIdFilter(logging.Filter):
    """Gives each record a `request_id`, "-" outside of any request. One that the record has already stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not getattr(record, "request_id", ""):
            record.request_id = requestid.current() or NO_REQUEST
        return True


class ReportHandler(logging.Handler):
    """Reports each record of `level` and above. Its `component` and `action` are the record's, where the application
    has put them (`extra={"action": "charge"}`); else the action is the logger's name. Never blocks."""

    def __init__(self, level: int = logging.ERROR, component: str = "", client: Client | None = None) -> None:
        super().__init__(level)
        self._component = component
        self._client = client

    def emit(self, record: logging.LogRecord) -> None:
        guarded.quietly(lambda: self._tell(record), None)  # records can be made of anything

    def _tell(self, record: logging.LogRecord) -> None:
        if record.name == OWN or record.name.startswith(OWN + "."):
            return  # what the client says of its reports would become reports
        _report(
            self._client,
            _raised(record.exc_info),
            _said(record),
            component=_text(record, "component") or self._component,
            action=_text(record, "action") or record.name,
            impact=_impact(record.levelno),
            request_id=_request_id(record),
            context={"logger": record.name, "where": f"{record.module}:{record.lineno}"},
        )


def report_processor(component: str = "", client: Client | None = None) -> Callable[[Any, str, EventDict], EventDict]:
    """For structlog: reports what is logged by `error`, `exception`, `critical` and `fatal`, and gives each event its
    `request_id`. Place it before what renders `exc_info`. Values of the event become the report's context."""

    def process(logger: Any, method: str, event_dict: EventDict) -> EventDict:
        request_id = _words(event_dict.get("request_id")) or requestid.current()
        if request_id:
            event_dict["request_id"] = request_id
        if method in ERRORS:
            _report(
                client,
                _raised(event_dict.get("exc_info")),
                _words(event_dict.get("event")),
                component=_words(event_dict.get("component")) or component,
                action=_words(event_dict.get("action")) or _words(event_dict.get("logger")),
                impact="critical" if method in ("critical", "fatal") else "medium",
                request_id=request_id,
                context={key: value for key, value in event_dict.items() if key not in SAID_ELSEWHERE},
            )
        return event_dict

    return process


def _report(client: Client | None, error: BaseException | None, said: str, **facts: Any) -> None:
    """With an exception, what was logged about it is context."""
    if error is None:
        telling.report(client, said, **facts)
    elif isinstance(error, Exception):
        facts["context"] = {"log": said, **facts["context"]}
        layers.report_once(client, error, **facts)


def _said(record: logging.LogRecord) -> str:
    """Without its arguments where they do not fit: the other handlers say so."""
    return guarded.quietly(record.getMessage, "") or _words(record.msg)


def _words(value: object) -> str:
    return "" if value is None else guarded.text_of(value, LONGEST)


def _raised(exc_info: Any) -> BaseException | None:
    """Out of an exception, of what sys.exc_info() gives, or of True, for what is being handled."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _request_id(record: logging.LogRecord) -> str:
    given = _text(record, "request_id")
    return given if given not in ("", NO_REQUEST) else requestid.current()


def _text(record: logging.LogRecord, name: str) -> str:
    value = getattr(record, name, "")
    return value if isinstance(value, str) else ""


def _impact(level: int) -> Impact:
    if level >= logging.CRITICAL:
        return "critical"
    return "medium" if level >= logging.ERROR else "low"
