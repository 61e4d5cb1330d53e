"""See what Apprise's plugins see: the answers of HTTP and SMTP servers.

Both libraries are changed for the life of the process, which is the worker's: one message, then it ends.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import requests  # type: ignore[import-untyped,unused-ignore]

from logmedic.adapters.alerts.failure import Failure, of_http_error, of_refused, of_response, of_smtp_error

_HTTP_CALLS = ("send",)
_SMTP_CALLS = ("__init__", "starttls", "login", "sendmail")
_KEPT_FAILURES = 100


class Watch:
    """`failures`, oldest first. `said`: the last complaint in Apprise's log; it may hold secrets."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self.said = ""

    def install(self) -> None:
        for name in _HTTP_CALLS:
            setattr(requests.Session, name, self._over_http(getattr(requests.Session, name)))
        for name in _SMTP_CALLS:
            setattr(smtplib.SMTP, name, self._over_smtp(getattr(smtplib.SMTP, name)))
        logger = logging.getLogger("apprise")
        logger.addHandler(_LastWords(self))
        logger.propagate = False

    def _note(self, failure: Failure | None) -> None:
        if failure is not None:
            self.failures = [*self.failures[-_KEPT_FAILURES + 1 :], failure]

    def _over_http(self, genuine: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
        @wraps(genuine)
        def send(*args: Any, **kwargs: Any) -> requests.Response:
            try:
                response = genuine(*args, **kwargs)
            except requests.RequestException as error:
                self._note(of_http_error(error))
                raise
            body = response.content if not kwargs.get("stream") else b""
            self._note(of_response(response.status_code, response.headers, body, datetime.now(UTC)))
            return response

        return send

    def _over_smtp(self, genuine: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(genuine)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                answer = genuine(*args, **kwargs)
            except OSError as error:  # every error of smtplib is one
                self._note(of_smtp_error(error))
                raise
            if answer and isinstance(answer, dict):  # sendmail: those that were refused while others were not
                self._note(of_refused(answer))
            return answer

        return call


class _LastWords(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        self._watch.said = record.getMessage()
