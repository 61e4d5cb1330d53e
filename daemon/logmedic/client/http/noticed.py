"""Errors that a framework keeps to itself: Flask and Django answer 500 on their own, and only a signal tells why.

    from flask import got_request_exception            # or: from django.core.signals import got_request_exception
    from logmedic.client.wsgi import on_request_exception

    got_request_exception.connect(on_request_exception)

An answer of 500 or more that such an error led to is then healed (`wsgi.SelfHealing`, `asgi.SelfHealing`) as if the
application had raised it; any other answer is passed on. Reports then say the route, not the path."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Noticed:
    """Filled in by what runs for one request, in threads that inherited its context as well. `environ`: of WSGI; else
    nothing. `route`: the pattern of its path, where the framework says it; with a slash at its begin."""

    environ: Mapping[str, Any]
    error: Exception | None = None
    route: str = ""


_NOTICED: ContextVar[Noticed | None] = ContextVar("logmedic_noticed", default=None)


def on_request_exception(_: object = None, *, exception: object = None, request: object = None, **__: object) -> None:
    """A receiver for the signal: Flask says the exception, Django sends it while it is handled. Does nothing outside
    of a request that is healed; the first error of a request stays."""
    error = exception if exception is not None else sys.exc_info()[1]
    noticed = _NOTICED.get()
    if noticed is not None and noticed.error is None and isinstance(error, Exception):
        noticed.error = error
        noticed.route = _route(request, noticed.environ)


def _route(request: object, environ: Mapping[str, Any]) -> str:
    """Django's request has it; Flask's stands in the environ until the request's context is left."""
    django = getattr(getattr(request, "resolver_match", None), "route", None)
    flask = getattr(getattr(environ.get("werkzeug.request"), "url_rule", None), "rule", None)
    route = django or flask
    return f"/{route.lstrip('/')}" if isinstance(route, str) else ""


@contextmanager
def noticing(environ: Mapping[str, Any] | None = None) -> Iterator[Noticed]:
    noticed = Noticed({} if environ is None else environ)
    token = _NOTICED.set(noticed)
    try:
        yield noticed
    finally:
        with suppress(ValueError):  # as of requestid.bound
            _NOTICED.reset(token)
