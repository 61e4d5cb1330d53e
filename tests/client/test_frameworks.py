"""Real frameworks with self-healing around or inside of them, as their pages say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

import django
import flask
import pytest
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test.utils import override_settings
from django.urls import clear_url_caches, path
from fastapi import Body, FastAPI
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

import fakes.asgi_caller as asgi_caller
import fakes.wsgi_caller as wsgi_caller
from fakes.asked_client import AskedClient, answering
from logmedic.client import asgi, requestid, wsgi
from logmedic.client.answers import State
from logmedic.client.wsgi import on_request_exception


class Bank:
    """Refuses until it is mended."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.open = False
        self.client: AskedClient = answering(State.FIXED, mends=self.mend)

    def mend(self) -> None:
        self.open = True

    def charge(self, sum_: str) -> str:
        self.ids.append(requestid.current())
        if not self.open:
            raise ConnectionError("bank")
        return f"charged {sum_}"


@pytest.fixture
def bank() -> Bank:
    return Bank()


def starlette_app(bank: Bank) -> Starlette:
    def blocking(request: Request) -> PlainTextResponse:
        return PlainTextResponse(bank.charge(request.path_params["sum"]))

    async def awaited(request: Request) -> PlainTextResponse:
        return PlainTextResponse(bank.charge((await request.body()).decode()))

    inner = [Route("/blocking/{sum}", blocking), Route("/awaited", awaited, methods=["GET", "POST"])]
    return Starlette(routes=[Mount("/pay", routes=inner)])


def fastapi_app(bank: Bank) -> FastAPI:
    app = FastAPI()

    @app.get("/pay/blocking/{sum_}")
    def blocking(sum_: str) -> str:
        return bank.charge(sum_)

    @app.api_route("/pay/awaited", methods=["GET", "POST"])
    async def awaited(sum_: bytes = Body(media_type="text/plain")) -> str:
        return bank.charge(sum_.decode())

    return app


@pytest.mark.parametrize("make", [starlette_app, fastapi_app], ids=["starlette", "fastapi"])
@pytest.mark.parametrize("inside", [True, False], ids=["inside", "around"])
@pytest.mark.parametrize("blocking", [True, False], ids=["in a thread", "on the loop"])
def test_an_application_is_healed_inside_and_from_outside(bank: Bank, make: Any, inside: bool, blocking: bool) -> None:
    app = make(bank)
    if inside:
        app.add_middleware(asgi.SelfHealing, component="shop", client=bank.client.real)
    else:
        app = asgi.SelfHealing(app, "shop", client=bank.client.real)
    headers = ((b"content-type", b"text/plain"), (b"content-length", b"2"))
    caller = asgi_caller.Caller(
        path="/pay/blocking/42" if blocking else "/pay/awaited", body=(b"4", b"2"), headers=headers
    )
    asyncio.run(caller.call(app))

    assert caller.status == 200, caller.text
    assert b"charged 42" in caller.text
    assert bank.ids == [caller.answered["x-request-id"]] * 2
    assert len(bank.client.told) == 1


@pytest.mark.parametrize("outer", [True, False], ids=["outside of ours", "inside of ours"])
def test_middleware_that_streams_answers_does_no_harm(bank: Bank, outer: bool) -> None:
    app = fastapi_app(bank)

    async def timed(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-timed"] = "yes"
        return response

    if not outer:
        app.middleware("http")(timed)
    app.add_middleware(asgi.SelfHealing, component="shop", client=bank.client.real)
    if outer:
        app.middleware("http")(timed)
    caller = asgi_caller.Caller(path="/pay/blocking/42")
    asyncio.run(caller.call(app))

    assert (caller.status, caller.answered["x-timed"]) == (200, "yes")
    assert bank.ids == [caller.answered["x-request-id"]] * 2


def test_a_stream_that_breaks_off_is_reported_and_raised_on(bank: Bank) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError("bank")

    app = Starlette(routes=[Route("/", lambda _: StreamingResponse(half()))])
    caller = asgi_caller.Caller(path="/")
    with pytest.raises(ClientDisconnect):  # so Starlette takes it
        asyncio.run(caller.call(asgi.SelfHealing(app, "shop", client=bank.client.real)))
    assert caller.text == b"half"
    assert [str(each.error) for each in bank.client.told] == ["bank"]
    assert bank.client.asked == []


def test_fastapi_says_the_route_and_not_the_path(bank: Bank) -> None:
    app = fastapi_app(bank)
    app.add_middleware(asgi.SelfHealing, component="shop", client=bank.client.real)
    asyncio.run(asgi_caller.Caller(path="/pay/blocking/42").call(app))
    assert bank.client.told[0].action == "GET /pay/blocking/{sum_}"


def flask_app(bank: Bank) -> flask.Flask:
    app = flask.Flask("shop")

    @app.route("/pay/<sum_>", methods=["GET", "POST"])
    def pay(sum_: str) -> str:
        return bank.charge(flask.request.get_data(as_text=True) or sum_)

    app.wsgi_app = wsgi.SelfHealing(app.wsgi_app, "shop", client=bank.client.real)  # type: ignore[method-assign]
    return app


def test_flask_is_healed_when_it_lets_its_errors_out(bank: Bank) -> None:
    app = flask_app(bank)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    caller = wsgi_caller.Caller(path="/pay/42").call(app)

    assert (caller.status, caller.text) == (200, b"charged 42")
    assert bank.ids == [caller.answered["x-request-id"]] * 2


def test_and_when_its_signal_is_connected(bank: Bank) -> None:
    app = flask_app(bank)
    with flask.got_request_exception.connected_to(on_request_exception):
        caller = wsgi_caller.Caller(path="/pay/-", body=b"42").call(app)
    assert (caller.status, caller.text) == (200, b"charged 42")
    assert bank.client.told[0].action == "GET /pay/<sum_>"


def test_without_either_flask_answers_itself(bank: Bank) -> None:
    caller = wsgi_caller.Caller(path="/pay/42").call(flask_app(bank))
    assert (caller.status, bank.client.told) == (500, [])


URLS = ModuleType("logmedic_test_urls")


@pytest.fixture
def urls(bank: Bank) -> Iterator[None]:
    """Django's routes; its settings are there once a process."""
    if not settings.configured:
        settings.configure(ROOT_URLCONF=URLS, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="for tests", LOGGING_CONFIG=None)
        django.setup()

    def pay(request: Any, sum_: str) -> HttpResponse:
        return HttpResponse(bank.charge(request.body.decode() or sum_))

    URLS.urlpatterns = [path("pay/<sum_>", pay)]  # type: ignore[attr-defined]
    clear_url_caches()
    yield
    signals.got_request_exception.disconnect(on_request_exception)


@pytest.mark.usefixtures("urls")
def test_django_is_healed_when_its_signal_is_connected(bank: Bank) -> None:
    signals.got_request_exception.connect(on_request_exception)
    app = wsgi.SelfHealing(WSGIHandler(), "shop", client=bank.client.real)
    caller = wsgi_caller.Caller(path="/pay/-", body=b"42").call(app)

    assert (caller.status, caller.text) == (200, b"charged 42")
    assert bank.ids == [caller.answered["x-request-id"]] * 2
    assert bank.client.told[0].action == "GET /pay/<sum_>"


@pytest.mark.usefixtures("urls")
def test_and_when_it_lets_its_errors_out(bank: Bank) -> None:
    app = wsgi.SelfHealing(WSGIHandler(), "shop", client=bank.client.real)
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True):
        caller = wsgi_caller.Caller(path="/pay/-", body=b"42").call(app)
    assert (caller.status, caller.text) == (200, b"charged 42")


@pytest.mark.usefixtures("urls")
def test_without_either_django_answers_itself(bank: Bank) -> None:
    caller = wsgi_caller.Caller(path="/pay/42").call(wsgi.SelfHealing(WSGIHandler(), "shop", client=bank.client.real))
    assert (caller.status, bank.client.told) == (500, [])


@pytest.mark.usefixtures("urls")
def test_djangos_asgi_is_healed_as_well(bank: Bank) -> None:
    signals.got_request_exception.connect(on_request_exception)
    app = asgi.SelfHealing(ASGIHandler(), "shop", client=bank.client.real)
    caller = asgi_caller.Caller(path="/pay/-", body=(b"4", b"2"), headers=((b"host", b"127.0.0.1"),))
    asyncio.run(caller.call(app))

    assert (caller.status, caller.text) == (200, b"charged 42")
    assert bank.ids == [caller.answered["x-request-id"]] * 2
    assert bank.client.told[0].action == "GET /pay/<sum_>"
