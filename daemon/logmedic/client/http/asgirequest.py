"""One HTTP request of an ASGI application: tried, asked about, repeated, or answered with 503."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from logmedic.client import requestid
from logmedic.client.calls.layers import Layer
from logmedic.client.http import failurelog, unavailable
from logmedic.client.http.heldresponse import HeldResponse, Send
from logmedic.client.http.httppolicy import HttpPolicy
from logmedic.client.http.keptbody import KeptBody, Message, Receive
from logmedic.client.http.noticed import Noticed, noticing

if TYPE_CHECKING:
    from logmedic.client.healing import Failure, Healing

Scope = Message
App = Callable[[Scope, Receive, Send], Awaitable[None]]
CALLER_LEFT = frozenset({"ClientDisconnect", "WebSocketDisconnect", "ClientDisconnected"})
"""Names of what Starlette and uvicorn raise inside an application whose caller has gone."""


def caller_left(error: Exception) -> bool:
    return type(error).__name__ in CALLER_LEFT


def _behind(error: Exception) -> Exception:
    """Starlette takes each OSError of an answer in chunks for a caller who has gone, also that of a dependency."""
    return error.__context__ if caller_left(error) and isinstance(error.__context__, Exception) else error


class Request:
    """`run` once. The scope that the application is given stays the same object in all attempts, and so does its state
    (what is around may look into them afterwards), with the content that they came with."""

    def __init__(self, app: App, policy: HttpPolicy, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._policy = policy
        self._scope = scope
        self._came = dict(scope)
        self._state = dict(scope.get("state") or ())
        self._send = send
        self._method = str(scope["method"])
        self._id = policy.request_id(scope["headers"])
        self._body = KeptBody(receive, policy.kept_bytes(self._method))
        self._response = HeldResponse(send, policy.header.encode(), self._id.encode())
        self._tries = 0
        self._noticed = Noticed({})
        self._logged: Exception | None = None
        self._last: Exception | None = None

    async def run(self) -> None:
        with requestid.bound(self._id), Layer():
            error = await self._error_of(self._protected)
            if error is not None:
                await self._heal(error)

    async def _heal(self, error: Exception) -> None:
        action = self._action()
        failurelog.failed(error, action, self._id, traceback=error is not self._logged)
        with self._policy.asked() as healing:
            failure = await self._asked(healing, error, action)
        if failure is None:
            return
        if failure.repeat and self._body.whole:
            again = await self._error_of(self._once)
            if again is None:
                failurelog.repeated(action, self._id)
                return
            failurelog.failed(again, action, self._id, traceback=again is not self._logged)
            self._policy.telling.failed(again, action=action, request_id=self._id, may_repeat=False)
        await self._refuse(failure.retry_after)

    async def _error_of(self, attempt: Callable[[], Awaitable[None]]) -> Exception | None:
        """None: it was answered. Raises on what nothing can be done about: the answer has begun, or nobody wants it."""
        try:
            await attempt()
        except Exception as error:
            if error is self._response.lost or (caller_left(error) and self._gone):
                raise
            if self._response.begun:
                self._policy.tell(_behind(error), self._action(), self._id)
                raise
            return _behind(error)
        return None

    @property
    def _gone(self) -> bool:
        return self._body.gone or self._response.lost is not None

    async def _protected(self) -> None:
        retry = self._policy.retry
        if retry is None or not self._policy.may_repeat(self._method):
            await self._broken()
            return
        await retry.call_async(self._unless_final)
        if self._last is not None:
            raise self._last

    async def _unless_final(self) -> None:
        """Raises what may be tried again, and keeps the other: a retry would run it once more."""
        self._last = None
        try:
            await self._broken()
        except Exception as error:
            if self._body.whole and not self._response.begun and not self._body.gone:
                raise
            self._last = error

    async def _broken(self) -> None:
        breaker = self._policy.breaker
        await (self._once() if breaker is None else breaker.call_async(self._once))

    async def _once(self) -> None:
        if self._tries:
            self._begin_again()
        self._tries += 1
        with noticing() as self._noticed:
            try:
                await self._app(self._scope, self._body.receive, self._response.send)
            except Exception:
                await self._response.settle()
                raise
            finally:
                self._response.stop_timer()
        error = self._noticed.error
        if error is not None and self._response.status >= 500:
            self._logged = error  # by the framework that kept it to itself
            if await self._response.settle():
                raise error
            self._policy.tell(error, self._action(), self._id)
        await self._response.release()

    def _begin_again(self) -> None:
        self._scope.clear()
        self._scope.update(self._came)
        if isinstance(self._scope.get("state"), dict):
            self._scope["state"].clear()
            self._scope["state"].update(self._state)
        self._body.rewind()
        self._response = HeldResponse(self._send, self._policy.header.encode(), self._id.encode())

    async def _asked(self, healing: Healing, error: Exception, action: str) -> Failure | None:
        """None: the caller left in the meantime, and the question was taken back."""
        may_repeat = self._policy.may_repeat(self._method) and self._body.whole and not self._body.gone
        question = healing.failed_async(error, action=action, request_id=self._id, may_repeat=may_repeat)
        asking = asyncio.ensure_future(question)
        leaving = asyncio.ensure_future(self._body.left())
        try:
            await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done() and not self._body.gone:
                await asyncio.wait({asking})  # the server's `receive` does not work: nobody knows who is there
        finally:
            asking.cancel()
            leaving.cancel()
            await asyncio.gather(asking, leaving, return_exceptions=True)
        return None if asking.cancelled() else asking.result()

    async def _refuse(self, retry_after: float) -> None:
        body = unavailable.body(self._id)
        headers = unavailable.headers(self._id, self._policy.header, retry_after, len(body))
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        with suppress(OSError):  # the caller has left
            await self._send({"type": "http.response.start", "status": unavailable.STATUS, "headers": raw})
            await self._send({"type": "http.response.body", "body": b"" if self._method == "HEAD" else body})

    def _action(self) -> str:
        """With the route, not the path, where the framework says it: one name for all requests of a kind."""
        route = self._noticed.route or getattr(self._scope.get("route"), "path", None) or self._scope.get("path", "")
        return self._policy.named(self._method, str(route))
