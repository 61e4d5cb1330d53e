"""Self-healing for ASGI applications: Starlette, FastAPI, Django's, and any other, served on asyncio.

    app.add_middleware(SelfHealing, component="shop")     # Starlette, FastAPI
    application = SelfHealing(application, "shop")        # around the whole of any

When the application raises before its answer has begun, the error is logged and reported, and the daemon is asked
whether it mends the cause. A request that may be repeated (GET, HEAD, OPTIONS; any with `repeat=True`) runs once more
after a verified fix; else its caller gets 503 with Retry-After. Who waits is a task, not a thread. When the answer has
begun, and for websockets and the lifespan, the error is reported and raised on.

Django answers its errors itself; its signal says which they were:

    from django.core.signals import got_request_exception
    from logmedic.client.asgi import on_request_exception

    got_request_exception.connect(on_request_exception)"""

from __future__ import annotations

from logmedic.client import requestid
from logmedic.client.calls.layers import Layer
from logmedic.client.http.asgirequest import App, Request, Scope, caller_left
from logmedic.client.http.heldresponse import Send
from logmedic.client.http.httppolicy import Around
from logmedic.client.http.keptbody import Message, Receive
from logmedic.client.http.noticed import on_request_exception as on_request_exception


class SelfHealing(Around[App]):
    """Its options are those of `httppolicy.Around`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Request(self.app, self.policy, scope, receive, send).run()
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._lifespan(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self.policy.request_id(scope.get("headers", ()))
        with requestid.bound(request_id), Layer():
            try:
                await self.app(scope, receive, send)
            except Exception as error:
                if not caller_left(error):
                    self.policy.tell(error, f"WEBSOCKET {scope.get('path', '')}", request_id)
                raise

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An application that knows no lifespan says so by raising before it has received anything: no error."""
        begun = False

        async def noted() -> Message:
            nonlocal begun
            message = await receive()
            begun = True
            return message

        try:
            await self.app(scope, noted, send)
        except Exception as error:
            if begun:
                self.policy.tell(error, str(scope["type"]), requestid.new())
            raise
