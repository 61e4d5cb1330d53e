"""What a caller of an ASGI application gets when it raises, and what the daemon and the log hear."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.asgi_caller import Caller
from fakes.asked_client import AskedClient, answering
from logmedic.client import requestid
from logmedic.client.answers import State
from logmedic.client.asgi import SelfHealing, on_request_exception
from logmedic.client.breaker import CircuitBreaker
from logmedic.client.retrying import retry

NO_ANSWERS = [State.AWAY, State.UNKNOWN, State.KNOWN, State.HELD, State.NOT_FIXED, State.UNPROVEN, State.LATE]


async def answer(send: Callable[[Any], Awaitable[None]], body: bytes = b"paid", status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


class Shop:
    """Fails until it is mended, and remembers what it was called with."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error or ConnectionError("bank at 10.0.0.7 refused: password hunter2")
        self.broken = True
        self.calls: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.ids: list[str] = []

    def mend(self) -> None:
        self.broken = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls.append({**scope, "state": dict(scope["state"])})
        self.ids.append(requestid.current())
        scope["left"] = "behind"
        scope["state"]["left"] = "behind"
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        if self.broken:
            raise self.error.with_traceback(None)  # as new, however often it was raised
        await answer(send)


def around(app: Any, client: AskedClient, **options: Any) -> SelfHealing:
    return SelfHealing(app, "shop", client=client.real, **options)


def called(app: Any, *, caller: Caller | None = None) -> Caller:
    return asyncio.run((caller or Caller()).call(app))


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.levelno >= logging.ERROR]


def test_an_answer_passes_unchanged_but_for_the_requests_id() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    shop.mend()
    caller = called(around(shop, client))

    assert (caller.status, caller.text) == (200, b"paid")
    assert caller.answered == {"x-request-id": shop.ids[0]}
    assert client.told == []


def test_the_callers_request_id_is_taken_over() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    caller = called(around(shop, client), caller=Caller(headers=((b"x-request-id", b"edge-7"),)))

    assert shop.ids == ["edge-7"]
    assert caller.answered["x-request-id"] == caller.said["request_id"] == client.told[0].request_id == "edge-7"


def test_one_that_could_forge_a_line_of_the_log_is_not() -> None:
    shop = Shop()
    caller = called(around(shop, answering(State.UNKNOWN)), caller=Caller(headers=((b"x-request-id", b"a\nERROR b"),)))

    assert len(caller.said["request_id"]) == 32
    assert shop.ids == [caller.said["request_id"]]


def test_the_header_can_be_another_one() -> None:
    shop = Shop()
    app = around(shop, answering(State.UNKNOWN), header="X-Trace")
    caller = called(app, caller=Caller(headers=((b"x-trace", b"t-1"),)))

    assert shop.ids == ["t-1"]
    assert caller.answered["x-trace"] == "t-1"


@pytest.mark.parametrize("state", NO_ANSWERS)
def test_without_a_fix_the_caller_is_asked_to_come_back(state: State) -> None:
    shop = Shop()
    caller = called(around(shop, answering(state)))

    assert caller.status == 503
    assert caller.answered["content-type"] == "application/json"
    assert 1 <= int(caller.answered["retry-after"]) <= 600
    assert set(caller.said) == {"error", "message", "request_id"}
    assert len(shop.calls) == 1


def test_nothing_of_the_error_is_told_to_the_caller() -> None:
    caller = called(around(Shop(), answering(State.HELD)))
    told = str(caller.got)

    assert not any(word in told for word in ("hunter2", "10.0.0.7", "Connection", "bank", "shop"))


def test_the_report_says_what_happened_and_how_long_we_wait() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    called(around(shop, client, wait=7.0, impact="high", environment="test"), caller=Caller(path="/pay/now"))

    (told,) = client.told
    assert told.error is shop.error
    assert (told.component, told.action, told.impact, told.environment) == ("shop", "GET /pay/now", "high", "test")
    assert told.asked == 7.0


def test_the_log_says_it_once_with_the_traceback_and_the_id(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    called(around(shop, answering(State.UNKNOWN)))

    (record,) = errors(caplog)
    assert record.name == "logmedic.client"
    assert record.exc_info is not None
    assert record.exc_info[1] is shop.error
    assert shop.ids[0] in record.getMessage()


def test_a_path_cannot_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    client = answering(State.UNKNOWN)
    called(around(Shop(), client), caller=Caller(path="/\nERROR forged \x1b[31m" + "x" * 500))

    (record,) = errors(caplog)
    assert record.getMessage().isprintable()
    assert client.told[0].action.isprintable()
    assert len(client.told[0].action) <= 200


def test_head_gets_no_body() -> None:
    caller = called(around(Shop(), answering(State.UNKNOWN)), caller=Caller("HEAD"))
    assert (caller.status, caller.text) == (503, b"")


def test_after_a_verified_fix_the_request_runs_once_more_and_the_caller_sees_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Shop()
    caller = called(around(shop, answering(State.FIXED, mends=shop.mend)))

    assert (caller.status, caller.text) == (200, b"paid")
    assert shop.ids == [caller.answered["x-request-id"]] * 2
    assert len(errors(caplog)) == 1


def test_it_runs_with_what_it_came_with() -> None:
    shop = Shop()
    caller = Caller("GET", body=(b"ab", b"cd"), state={"pool": 1})
    called(around(shop, answering(State.FIXED, mends=shop.mend)), caller=caller)

    assert shop.bodies == [b"abcd", b"abcd"]
    assert all("left" not in each and each["state"]["pool"] == 1 for each in shop.calls)
    assert "left" not in shop.calls[1]["state"]


def test_the_scope_stays_the_same_object_for_what_is_around() -> None:
    shop, scope = Shop(), Caller().scope

    async def scene() -> None:
        caller = Caller()
        await around(shop, answering(State.FIXED, mends=shop.mend))(scope, caller.receive, caller.send)

    state = scope["state"]
    asyncio.run(scene())
    assert scope["left"] == "behind"
    assert scope["state"] is state


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_may_be_repeated(method: str) -> None:
    shop = Shop()
    assert called(around(shop, answering(State.FIXED, mends=shop.mend)), caller=Caller(method)).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "get", "BREW"])
def test_others_are_not_unless_it_is_declared(method: str) -> None:
    shop = Shop()
    caller = called(around(shop, answering(State.FIXED, mends=shop.mend)), caller=Caller(method, body=(b"one",)))
    assert (caller.status, caller.answered["retry-after"], len(shop.calls)) == (503, "1", 1)

    shop = Shop()
    declared = around(shop, answering(State.FIXED, mends=shop.mend), repeat=True)
    assert called(declared, caller=Caller(method, body=(b"one",))).status == 200
    assert shop.bodies == [b"one", b"one"]


@pytest.mark.parametrize(("max_body", "status"), [(6, 200), (5, 503)], ids=["fits", "too long"])
def test_a_body_that_is_too_long_is_not_kept_for_a_repeat(max_body: int, status: int) -> None:
    shop = Shop()
    app = around(shop, answering(State.FIXED, mends=shop.mend), repeat=True, max_body=max_body)
    assert called(app, caller=Caller("POST", body=(b"abc", b"def"))).status == status


def test_what_fails_again_is_reported_and_not_tried_a_third_time(caplog: pytest.LogCaptureFixture) -> None:
    class Ever(Shop):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self.error = ConnectionError(f"try {len(self.calls)}")
            await super().__call__(scope, receive, send)

    shop, client = Ever(), answering(State.FIXED)
    caller = called(around(shop, client))

    assert caller.status == 503
    assert [str(each.error) for each in client.told] == ["try 0", "try 1"]
    assert [str(each.error) for each in client.asked] == ["try 0"]
    assert len(errors(caplog)) == 2


def test_when_the_answer_has_begun_the_error_is_reported_and_raised_on(caplog: pytest.LogCaptureFixture) -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ha", "more_body": True})
        raise ConnectionError("half")

    client = answering(State.FIXED)
    caller = Caller()
    with pytest.raises(ConnectionError, match="half"):
        called(around(half, client), caller=caller)

    assert caller.text == b"ha"
    assert len(client.told) == 1
    assert client.asked == []
    assert [each.exc_info for each in errors(caplog)] == [None]


def test_an_error_that_the_application_answers_itself_is_its_own_matter() -> None:
    async def polite(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"sorry", 500)

    client = answering(State.UNKNOWN)
    caller = called(around(polite, client))
    assert (caller.status, caller.text, client.told) == (500, b"sorry", [])


def test_one_that_is_answered_and_then_raised_is_healed() -> None:
    """As Starlette's ServerErrorMiddleware does, and so every Starlette application as a whole."""
    shop = Shop()

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        try:
            await shop(scope, receive, send)
        except Exception:
            await answer(send, b"Internal Server Error", 500)
            raise

    caller = called(around(outer, answering(State.FIXED, mends=shop.mend)))
    assert (caller.status, caller.text) == (200, b"paid")


@pytest.mark.parametrize("page", [b"sorry", b"x" * 100_000], ids=["short", "too long to hold"])
def test_one_that_a_signal_tells_of_is_healed_while_its_page_is_held(
    page: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop()

    async def framework(scope: Any, receive: Any, send: Any) -> None:
        try:
            await shop(scope, receive, send)
        except ConnectionError:
            await asyncio.to_thread(on_request_exception, exception=shop.error)
            await answer(send, page, 500)

    client = answering(State.FIXED, mends=shop.mend)
    caller = called(around(framework, client))
    healed = len(page) < 1000
    assert caller.text == (b"paid" if healed else page)
    assert [each.error for each in client.told] == [shop.error]
    assert [each.exc_info for each in errors(caplog)] == [None], "the framework has logged it"


def test_an_error_that_became_a_good_answer_is_none() -> None:
    async def framework(scope: Any, receive: Any, send: Any) -> None:
        on_request_exception(exception=ValueError())
        await answer(send)

    client = answering(State.FIXED)
    assert called(around(framework, client)).text == b"paid"
    assert client.told == []


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_passes(end: type[BaseException]) -> None:
    async def ends(scope: Any, receive: Any, send: Any) -> None:
        raise end

    client, caller = answering(State.FIXED), Caller()
    with pytest.raises(end):
        around(ends, client)(caller.scope, caller.receive, caller.send).send(None)
    assert (client.told, caller.got) == ([], [])


async def turns(until: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if until():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not come to that")


def test_when_the_caller_leaves_the_wait_is_over() -> None:
    async def scene() -> None:
        client, caller = answering(State.FIXED, holding=True), Caller()
        request = asyncio.ensure_future(caller.call(around(Shop(), client)))
        await turns(lambda: client.waiting == 1)
        caller.leave()
        await request
        assert (client.taken_back, caller.got) == (1, [])
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scene())


def test_a_cancel_passes_and_takes_the_question_back() -> None:
    async def scene() -> None:
        client, caller = answering(State.FIXED, holding=True), Caller()
        request = asyncio.ensure_future(caller.call(around(Shop(), client)))
        await turns(lambda: client.waiting == 1)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert client.taken_back == 1
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scene())


def test_a_cancelled_application_is_not_reported() -> None:
    async def scene() -> None:
        async def slow(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.Event().wait()

        client, caller = answering(State.FIXED), Caller()
        request = asyncio.ensure_future(caller.call(around(slow, client)))
        await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert client.told == []

    asyncio.run(scene())


def test_a_server_that_cannot_say_who_is_there_does_not_end_the_wait() -> None:
    async def scene() -> None:
        async def receive() -> Any:
            raise RuntimeError("receive is over")

        async def fails(scope: Any, receive: Any, send: Any) -> None:
            raise ValueError

        client, caller = answering(State.UNKNOWN, holding=True), Caller()
        request = asyncio.ensure_future(around(fails, client)(caller.scope, receive, caller.send))
        await turns(lambda: client.waiting == 1)
        client.answer_all()
        await request
        assert caller.status == 503

    asyncio.run(scene())


def test_what_arrives_of_the_body_during_the_wait_is_there_in_the_repeat() -> None:
    async def scene() -> None:
        bodies: list[bytes] = []

        async def hasty(scope: Any, receive: Any, send: Any) -> None:
            if not bodies:
                bodies.append((await receive())["body"])
                raise ConnectionError
            bodies.extend([(await receive())["body"], (await receive())["body"]])
            await answer(send)

        client, caller = answering(State.FIXED, holding=True), Caller(body=(b"ab", b"cd"))
        request = asyncio.ensure_future(caller.call(around(hasty, client)))
        await turns(lambda: client.waiting == 1)
        client.answer_all()
        await request
        assert bodies == [b"ab", b"ab", b"cd"]
        assert caller.status == 200

    asyncio.run(scene())


def test_a_thousand_requests_wait_without_a_thread_of_their_own() -> None:
    async def scene() -> None:
        before = threading.active_count()
        shop = Shop()
        client = answering(State.FIXED, mends=shop.mend, holding=True)
        app = around(shop, client)
        requests = [asyncio.ensure_future(Caller().call(app)) for _ in range(1000)]
        await turns(lambda: client.waiting == 1000)
        assert threading.active_count() <= before
        client.answer_all()
        assert {each.status for each in await asyncio.gather(*requests)} == {200}
        assert len(set(shop.ids)) == 1000

    asyncio.run(scene())


def test_when_too_many_wait_the_next_is_refused_at_once() -> None:
    async def scene() -> None:
        shop = Shop()
        client = answering(State.FIXED, mends=shop.mend, holding=True)
        app = around(shop, client, max_waiting=1)
        first = asyncio.ensure_future(Caller().call(app))
        await turns(lambda: client.waiting == 1)
        assert (await Caller().call(app)).status == 503
        client.answer_all()
        assert (await first).status == 200
        assert (len(client.told), len(client.asked)) == (2, 1)
        shop.broken = True
        assert (await Caller().call(app)).status == 200, "its place is free again"

    asyncio.run(scene())


class ClientDisconnect(Exception):
    """What Starlette raises in an application that reads."""


class WebSocketDisconnect(Exception):
    """What Starlette raises in an application that listens."""


def test_an_application_whose_caller_left_has_no_error() -> None:
    async def reads(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] == "http.request":
            pass
        raise ClientDisconnect

    client, caller = answering(State.UNKNOWN), Caller(leaves=True)
    with pytest.raises(ClientDisconnect):
        called(around(reads, client), caller=caller)
    assert (client.told, caller.got) == ([], [])


def test_one_who_only_seems_to_have_left_does_not_hide_it() -> None:
    async def streams(scope: Any, receive: Any, send: Any) -> None:
        try:
            raise ConnectionError("bank")
        except ConnectionError:
            raise ClientDisconnect  # noqa: B904 - as Starlette does

    client = answering(State.UNKNOWN)
    assert called(around(streams, client)).status == 503
    assert [str(each.error) for each in client.told] == ["bank"]


def test_nor_has_one_whose_answer_nobody_takes() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    shop.mend()
    with pytest.raises(OSError, match="has gone"):
        called(around(shop, client), caller=Caller(leaves=True))
    assert client.told == []


def test_a_retry_comes_before_the_question() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)

    class Slow(Shop):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if len(self.calls) == 2:
                self.mend()
            await super().__call__(scope, receive, send)

    shop = Slow()
    tries = retry(on=ConnectionError, attempts=3, base=0.0, jitter=0.0, client=client.real)
    caller = called(around(shop, client, retry=tries), caller=Caller(body=(b"x", b"y")))
    assert (caller.status, shop.bodies) == (200, [b"xy"] * 3)
    assert client.told == []


def test_one_report_says_how_often_it_was_tried() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    tries = retry(on=ConnectionError, attempts=3, base=0.0, jitter=0.0, client=client.real)
    caller = called(around(shop, client, retry=tries))

    assert caller.status == 503
    (told,) = client.told
    assert told.attempts == 3
    assert told.asked > 0


def test_a_request_that_may_not_be_repeated_is_not_retried() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    tries = retry(on=ConnectionError, attempts=3, base=0.0, jitter=0.0, client=client.real)
    called(around(shop, client, retry=tries), caller=Caller("POST"))
    assert len(shop.calls) == 1


def test_nor_is_one_whose_answer_has_begun() -> None:
    tried: list[int] = []

    async def half(scope: Any, receive: Any, send: Any) -> None:
        tried.append(1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ConnectionError("half")

    client = answering(State.UNKNOWN)
    tries = retry(on=ConnectionError, attempts=3, base=0.0, jitter=0.0, client=client.real)
    with pytest.raises(ConnectionError):
        called(around(half, client, retry=tries))
    assert tried == [1]


def test_an_open_breaker_answers_at_once(caplog: pytest.LogCaptureFixture) -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    breaker = CircuitBreaker("bank", failure_threshold=1, timeout=42.0, client=client.real)
    app = around(shop, client, breaker=breaker)
    called(app)
    told = len(client.told)
    caller = called(app)

    assert caller.status == 503
    assert int(caller.answered["retry-after"]) in (41, 42)
    assert len(shop.calls) == 1
    assert len(client.told) == told
    assert errors(caplog)[-1].exc_info is None


class Broken(AskedClient):
    def _took(self, error: object, facts: object, wait: float) -> str:
        raise RuntimeError("the client is broken")


def test_a_broken_client_costs_the_caller_nothing() -> None:
    assert called(around(Shop(), Broken())).status == 503


def test_without_auto_fix_nobody_is_asked() -> None:
    client = answering(State.FIXED)
    assert called(around(Shop(), client, auto_fix=False)).status == 503
    assert client.asked == []
    assert len(client.told) == 1


def channel(kind: str, *messages: str) -> tuple[dict[str, Any], Callable[[], Awaitable[Any]]]:
    left = list(messages)

    async def receive() -> Any:
        return {"type": left.pop(0)}

    return {"type": kind, "path": "/live", "headers": [(b"x-request-id", b"ws-1")]}, receive


async def ignored(_: Any) -> None:
    return None


def test_an_error_of_a_websocket_is_reported_and_raised_on() -> None:
    async def live(scope: Any, receive: Any, send: Any) -> None:
        assert requestid.current() == "ws-1"
        await receive()
        raise ConnectionError("feed")

    client = answering(State.FIXED)
    scope, receive = channel("websocket", "websocket.connect")
    with pytest.raises(ConnectionError, match="feed"):
        asyncio.run(around(live, client)(scope, receive, ignored))
    (told,) = client.told
    assert (told.action, told.request_id, told.asked) == ("WEBSOCKET /live", "ws-1", 0.0)


def test_a_websocket_whose_caller_left_has_none() -> None:
    async def live(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise WebSocketDisconnect

    client = answering(State.FIXED)
    scope, receive = channel("websocket", "websocket.disconnect")
    with pytest.raises(WebSocketDisconnect):
        asyncio.run(around(live, client)(scope, receive, ignored))
    assert client.told == []


def test_so_is_one_of_the_lifespan() -> None:
    async def starts(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise ConnectionError("no database")

    client = answering(State.FIXED)
    scope, receive = channel("lifespan", "lifespan.startup")
    with pytest.raises(ConnectionError, match="no database"):
        asyncio.run(around(starts, client)(scope, receive, ignored))
    assert [each.action for each in client.told] == ["lifespan"]


def test_an_application_that_knows_no_lifespan_may_say_so() -> None:
    async def http_only(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("only http")

    client = answering(State.FIXED)
    scope, receive = channel("lifespan", "lifespan.startup")
    with pytest.raises(ValueError, match="only http"):
        asyncio.run(around(http_only, client)(scope, receive, ignored))
    assert client.told == []
