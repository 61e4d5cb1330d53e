"""One request of a WSGI application (PEP 3333): tried, asked about, repeated, or answered with 503."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from logmedic.client import requestid
from logmedic.client.calls.layers import Layer
from logmedic.client.http import failurelog, unavailable
from logmedic.client.http.httppolicy import HttpPolicy
from logmedic.client.http.keptbody import KeptInput
from logmedic.client.http.noticed import Noticed, noticing
from logmedic.client.http.wsgianswer import Answer, Started, StartResponse, closed

Environ = dict[str, Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


class Request:
    """`run` once. The environ that the application is given stays the same object in all attempts, with the content
    that it came with."""

    def __init__(self, app: App, policy: HttpPolicy, environ: Environ, start_response: StartResponse) -> None:
        self._app = app
        self._policy = policy
        self._environ = environ
        self._start_response = start_response
        self._method = str(environ["REQUEST_METHOD"])
        self._id = requestid.accepted(environ.get("HTTP_" + policy.header.upper().replace("-", "_"), ""))
        self._input = KeptInput(environ["wsgi.input"], policy.kept_bytes(self._method))
        self._came = {**environ, "wsgi.input": self._input}
        self._started = Started(start_response, policy.header, self._id)
        self._noticed = Noticed(environ)
        self._logged: Exception | None = None

    def run(self) -> Iterable[bytes]:
        with requestid.bound(self._id), Layer():
            try:
                return self._protected()
            except Exception as error:
                if self._final(error):
                    raise
                return self._heal(error)

    def _heal(self, error: Exception) -> Iterable[bytes]:
        action = self._action()
        failurelog.failed(error, action, self._id, traceback=error is not self._logged)
        may_repeat = self._policy.may_repeat(self._method) and self._input.whole
        with self._policy.asked() as healing:
            failure = healing.failed(error, action=action, request_id=self._id, may_repeat=may_repeat)
        if not failure.repeat or not self._input.whole:
            return self._refuse(failure.retry_after)
        try:
            answer = self._once()
        except Exception as again:
            if self._final(again):
                raise
            failurelog.failed(again, action, self._id, traceback=again is not self._logged)
            self._policy.telling.failed(again, action=action, request_id=self._id, may_repeat=False)
            return self._refuse(failure.retry_after)
        failurelog.repeated(action, self._id)
        return answer

    def _final(self, error: Exception) -> bool:
        """Whether it is to be raised on: its answer has begun (the daemon is told), or nobody is there to take one."""
        lost = [each for each in (self._started.lost, self._input.lost) if each is not None]
        if any(error is each or error.__cause__ is each for each in lost):
            return True
        if self._started.begun:
            self._policy.tell(error, self._action(), self._id)
        return self._started.begun

    def _protected(self) -> Iterable[bytes]:
        retry = self._policy.retry
        if retry is None or not self._policy.may_repeat(self._method):
            return self._broken()
        answer = retry.call(self._unless_final)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _unless_final(self) -> Iterable[bytes] | Exception:
        """Raises what may be tried again, and hands over the other: a retry would run it once more."""
        try:
            return self._broken()
        except Exception as error:
            if self._input.whole and not self._started.begun:
                raise
            return error

    def _broken(self) -> Iterable[bytes]:
        breaker = self._policy.breaker
        return self._once() if breaker is None else breaker.call(self._once)

    def _once(self) -> Iterable[bytes]:
        self._begin()
        started = self._started
        with noticing(self._environ) as self._noticed:
            result = self._app(self._environ, started)
            answer = Answer(result, self._environ, self._id, self._told)
        self._logged = self._noticed.error  # by the framework that kept it to itself
        error = self._noticed.error or started.error
        if error is not None and started.status >= 500:
            if not started.begun:
                closed(result)
                raise error
            self._told(error)
        started.commit()
        return answer.served()

    def _begin(self) -> None:
        self._environ.clear()
        self._environ.update(self._came)
        self._input.rewind()
        self._started = Started(self._start_response, self._policy.header, self._id)

    def _told(self, error: Exception) -> None:
        self._policy.tell(error, self._action(), self._id)

    def _refuse(self, retry_after: float) -> Iterable[bytes]:
        body = unavailable.body(self._id)
        headers = unavailable.headers(self._id, self._policy.header, retry_after, len(body))
        status = f"{unavailable.STATUS} {unavailable.REASON}"
        if self._started.tried:  # and failed in it: the server wants to hear of the error that this is instead of
            self._start_response(status, headers, sys.exc_info())
        else:
            self._start_response(status, headers)
        return [] if self._method == "HEAD" else [body]

    def _action(self) -> str:
        """With the route where it is known: one name for all requests of a kind."""
        path = f"{self._environ.get('SCRIPT_NAME', '')}{self._environ.get('PATH_INFO', '')}"
        return self._policy.named(self._method, self._noticed.route or path)
