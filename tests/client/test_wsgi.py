"""What a caller of a WSGI application gets when it raises, and what the daemon and the log hear."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from fakes.asked_client import AskedClient, answering
from fakes.wsgi_caller import Caller, Environ
from logmedic.client import requestid
from logmedic.client.answers import State
from logmedic.client.breaker import CircuitBreaker
from logmedic.client.retrying import retry
from logmedic.client.wsgi import SelfHealing, on_request_exception

NO_ANSWERS = [State.AWAY, State.UNKNOWN, State.KNOWN, State.HELD, State.NOT_FIXED, State.UNPROVEN, State.LATE]
PLAIN = [("Content-Type", "text/plain")]


class Shop:
    """Fails until it is mended, and remembers what it was called with."""

    def __init__(self) -> None:
        self.error: Exception = ConnectionError("bank at 10.0.0.7 refused: password hunter2")
        self.broken = True
        self.calls: list[Environ] = []
        self.bodies: list[bytes] = []
        self.ids: list[str] = []

    def mend(self) -> None:
        self.broken = False

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        self.calls.append(dict(environ))
        self.ids.append(requestid.current())
        environ["left"] = "behind"
        self.bodies.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        if self.broken:
            raise self.error
        start_response("200 OK", PLAIN)
        return [b"paid"]


def around(app: Any, client: AskedClient, **options: Any) -> SelfHealing:
    return SelfHealing(validator(app), "shop", client=client.real, **options)


def bare(app: Any, client: AskedClient, **options: Any) -> SelfHealing:
    """For applications that do what the validator does not allow."""
    return SelfHealing(app, "shop", client=client.real, **options)


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.levelno >= logging.ERROR]


class Stream:
    """An answer in chunks: `fails` after so many."""

    def __init__(self, *chunks: bytes, fails: int = -1) -> None:
        self.chunks = chunks
        self.fails = fails
        self.closed = 0
        self.ids: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        for n, chunk in enumerate(self.chunks):
            self.ids.append(requestid.current())
            if n == self.fails:
                raise ConnectionError(f"chunk {n}")
            yield chunk

    def close(self) -> None:
        self.closed += 1

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        return self


def test_an_answer_passes_unchanged_but_for_the_requests_id() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    shop.mend()
    caller = Caller().call(around(shop, client))

    assert (caller.status, caller.text) == (200, b"paid")
    assert caller.answered == {"Content-Type": "text/plain", "x-request-id": shop.ids[0]}
    assert client.told == []
    assert requestid.current() == ""


def test_a_list_is_handed_to_the_server_as_it_is() -> None:
    """Servers tell the length of an answer of one chunk."""
    chunks = [b"paid"]

    def plain(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", PLAIN)
        return chunks

    caller = Caller()
    assert bare(plain, answering(State.UNKNOWN))(caller.environ, caller.start_response) is chunks


def test_so_is_the_servers_own_file_wrapper() -> None:
    """Servers send its file by the kernel."""
    wrapped = FileWrapper(BytesIO(b"paid"))

    def sends(environ: Environ, start_response: Any) -> FileWrapper:
        start_response("200 OK", PLAIN)
        return wrapped

    caller = Caller(environ={"wsgi.file_wrapper": FileWrapper})
    assert bare(sends, answering(State.UNKNOWN))(caller.environ, caller.start_response) is wrapped


def test_the_callers_request_id_is_taken_over() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    caller = Caller(headers={"X-Request-ID": "edge-7"}).call(around(shop, client))

    assert shop.ids == ["edge-7"]
    assert caller.answered["x-request-id"] == caller.said["request_id"] == client.told[0].request_id == "edge-7"


def test_one_that_could_forge_a_line_of_the_log_is_not() -> None:
    shop = Shop()
    caller = Caller(headers={"X-Request-ID": "a\nERROR b"}).call(around(shop, answering(State.UNKNOWN)))
    assert len(caller.said["request_id"]) == 32


def test_the_applications_own_id_stays() -> None:
    def own(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [*PLAIN, ("X-Request-Id", "mine")])
        return [b""]

    assert Caller().call(around(own, answering(State.UNKNOWN))).answered["X-Request-Id"] == "mine"


@pytest.mark.parametrize("state", NO_ANSWERS)
def test_without_a_fix_the_caller_is_asked_to_come_back(state: State) -> None:
    shop = Shop()
    caller = Caller().call(around(shop, answering(state)))

    assert caller.status == 503
    assert caller.answered["content-type"] == "application/json"
    assert 1 <= int(caller.answered["retry-after"]) <= 600
    assert set(caller.said) == {"error", "message", "request_id"}
    assert len(shop.calls) == 1


def test_nothing_of_the_error_is_told_to_the_caller() -> None:
    caller = Caller().call(around(Shop(), answering(State.HELD)))
    told = str((caller.started, caller.chunks))
    assert not any(word in told for word in ("hunter2", "10.0.0.7", "Connection", "bank", "shop"))


def test_the_report_says_what_happened_and_how_long_we_wait() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    Caller(path="/now").call(around(shop, client, wait=7.0, impact="high", environment="test"))

    (told,) = client.told
    assert told.error is shop.error
    assert (told.component, told.action, told.impact, told.environment) == ("shop", "GET /now", "high", "test")
    assert told.asked == 7.0


def test_the_log_says_it_once_with_the_traceback_and_the_id(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    Caller().call(around(shop, answering(State.UNKNOWN)))

    (record,) = errors(caplog)
    assert record.name == "logmedic.client"
    assert record.exc_info is not None
    assert record.exc_info[1] is shop.error
    assert shop.ids[0] in record.getMessage()


def test_head_gets_no_body() -> None:
    caller = Caller("HEAD").call(around(Shop(), answering(State.UNKNOWN)))
    assert (caller.status, caller.text) == (503, b"")


def test_after_a_verified_fix_the_request_runs_once_more_and_the_caller_sees_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Shop()
    caller = Caller(body=b"abc").call(around(shop, answering(State.FIXED, mends=shop.mend)))

    assert (caller.status, caller.text) == (200, b"paid")
    assert shop.ids == [caller.answered["x-request-id"]] * 2
    assert shop.bodies == [b"abc", b"abc"]
    assert all("left" not in each for each in shop.calls)
    assert caller.environ["left"] == "behind"
    assert len(errors(caplog)) == 1


def test_other_methods_are_not_repeated_unless_it_is_declared() -> None:
    shop = Shop()
    caller = Caller("POST", body=b"one").call(around(shop, answering(State.FIXED, mends=shop.mend)))
    assert (caller.status, caller.answered["retry-after"], len(shop.calls)) == (503, "1", 1)

    shop = Shop()
    declared = around(shop, answering(State.FIXED, mends=shop.mend), repeat=True)
    assert Caller("POST", body=b"one").call(declared).status == 200
    assert shop.bodies == [b"one", b"one"]


@pytest.mark.parametrize(("max_body", "status"), [(6, 200), (5, 503)], ids=["fits", "too long"])
def test_a_body_that_is_too_long_is_not_kept_for_a_repeat(max_body: int, status: int) -> None:
    shop = Shop()
    app = around(shop, answering(State.FIXED, mends=shop.mend), repeat=True, max_body=max_body)
    assert Caller("POST", body=b"abcdef").call(app).status == status


def test_what_fails_again_is_reported_and_not_tried_a_third_time(caplog: pytest.LogCaptureFixture) -> None:
    class Ever(Shop):
        def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
            self.error = ConnectionError(f"try {len(self.calls)}")
            return super().__call__(environ, start_response)

    client = answering(State.FIXED)
    assert Caller().call(around(Ever(), client)).status == 503
    assert [str(each.error) for each in client.told] == ["try 0", "try 1"]
    assert [str(each.error) for each in client.asked] == ["try 0"]
    assert len(errors(caplog)) == 2


def test_an_answer_in_chunks_passes_and_is_closed_once() -> None:
    stream, client = Stream(b"", b"a", b"b"), answering(State.UNKNOWN)
    caller = Caller().call(around(stream, client))

    assert (caller.status, caller.text, stream.closed) == (200, b"ab", 1)
    assert stream.ids == [caller.answered["x-request-id"]] * 3


def test_an_error_in_the_first_chunk_is_healed_and_what_failed_is_closed() -> None:
    bad, good = Stream(b"a", fails=0), Stream(b"a", b"b")
    streams = [bad, good]

    def app(environ: Environ, start_response: Any) -> Iterable[bytes]:
        return streams.pop(0)(environ, start_response)

    caller = Caller().call(around(app, answering(State.FIXED)))
    assert (caller.status, caller.text, bad.closed, good.closed) == (200, b"ab", 1, 1)


def test_so_is_one_of_a_generator_that_starts_late() -> None:
    tries: list[int] = []

    def app(environ: Environ, start_response: Any) -> Iterator[bytes]:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError
        start_response("200 OK", PLAIN)
        yield b"late"

    assert Caller().call(around(app, answering(State.FIXED))).text == b"late"


def test_in_a_later_chunk_it_is_reported_and_raised_on(caplog: pytest.LogCaptureFixture) -> None:
    stream, client = Stream(b"a", b"b", fails=1), answering(State.FIXED)
    caller = Caller()
    with pytest.raises(ConnectionError, match="chunk 1"):
        caller.call(around(stream, client))

    assert (caller.text, stream.closed) == (b"a", 1)
    assert len(client.told) == 1
    assert client.told[0].request_id == stream.ids[0]
    assert client.asked == []
    assert [each.exc_info for each in errors(caplog)] == [None]


def test_an_error_when_it_is_closed_is_reported_and_raised_on() -> None:
    class Unclosable(Stream):
        def close(self) -> None:
            raise ConnectionError("close")

    client = answering(State.FIXED)
    with pytest.raises(ConnectionError, match="close"):
        Caller().call(around(Unclosable(b"a"), client))
    assert len(client.told) == 1


def test_what_was_written_cannot_be_taken_back() -> None:
    def writes(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", PLAIN)(b"half")
        raise ConnectionError("half")

    client = answering(State.FIXED)
    caller = Caller()
    with pytest.raises(ConnectionError, match="half"):
        caller.call(around(writes, client))
    assert (caller.text, len(client.told), client.asked) == (b"half", 1, [])


def test_what_is_written_comes_before_what_is_returned() -> None:
    def writes(environ: Environ, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"a")
        write(b"b")
        return [b"c"]

    assert Caller().call(around(writes, answering(State.UNKNOWN))).text == b"abc"


def test_an_answer_may_be_replaced_before_it_has_begun() -> None:
    def replaces(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", PLAIN)
        try:
            raise ValueError("no such order")
        except ValueError:
            start_response("404 Not Found", PLAIN, sys.exc_info())
        return [b"no"]

    client = answering(State.UNKNOWN)
    caller = Caller().call(around(replaces, client))
    assert (caller.status, caller.text, client.told) == (404, b"no", [])


def test_an_error_page_that_says_its_error_is_healed() -> None:
    shop = Shop()

    def pages(environ: Environ, start_response: Any) -> Iterable[bytes]:
        try:
            return shop(environ, start_response)
        except ConnectionError:
            start_response("500 Oops", PLAIN, sys.exc_info())
            return [b"page"]

    client = answering(State.FIXED, mends=shop.mend)
    assert Caller().call(around(pages, client)).text == b"paid"
    assert [each.error for each in client.told] == [shop.error]


def test_one_that_does_not_is_the_applications_own_matter() -> None:
    def polite(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("500 Oops", PLAIN)
        return [b"sorry"]

    client = answering(State.UNKNOWN)
    caller = Caller().call(around(polite, client))
    assert (caller.status, caller.text, client.told) == (500, b"sorry", [])


def test_one_that_a_signal_tells_of_is_healed(caplog: pytest.LogCaptureFixture) -> None:
    shop, page = Shop(), Stream(b"page")

    def framework(environ: Environ, start_response: Any) -> Iterable[bytes]:
        try:
            return shop(environ, start_response)
        except ConnectionError:
            on_request_exception(None, request=None)
            start_response("500 Oops", PLAIN)
            return page

    client = answering(State.FIXED, mends=shop.mend)
    assert Caller().call(around(framework, client)).text == b"paid"
    assert page.closed == 1
    assert [each.exc_info for each in errors(caplog)] == [None], "the framework has logged it"


def test_an_error_that_became_a_good_answer_is_none() -> None:
    def framework(environ: Environ, start_response: Any) -> list[bytes]:
        on_request_exception(exception=ValueError())
        start_response("200 OK", PLAIN)
        return [b"fine"]

    client = answering(State.FIXED)
    assert Caller().call(around(framework, client)).text == b"fine"
    assert client.told == []


def test_to_start_twice_is_an_error_of_the_application() -> None:
    def twice(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", PLAIN)
        start_response("200 OK", PLAIN)
        return []

    client = answering(State.UNKNOWN)
    assert Caller().call(bare(twice, client)).status == 503
    assert "PEP 3333" in str(client.told[0].error)


def test_and_so_is_never_to_start() -> None:
    client = answering(State.UNKNOWN)
    assert Caller().call(bare(lambda environ, start: [b"x"], client)).status == 503
    assert "PEP 3333" in str(client.told[0].error)


def test_headers_that_the_server_refuses_are_an_error_of_the_application() -> None:
    def refuses(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Connection", "close")])
        return [b"x"]

    client = answering(State.UNKNOWN)
    caller = Caller(valid=False)

    def strict(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        caller.start_response(status, headers, exc_info)
        assert "Connection" not in dict(headers)

    caller.chunks.extend(bare(refuses, client)(caller.environ, strict))
    assert caller.status == 503
    assert len(client.told) == 1


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_passes(end: type[BaseException]) -> None:
    def ends(environ: Environ, start_response: Any) -> list[bytes]:
        raise end

    client = answering(State.FIXED)
    with pytest.raises(end):
        Caller(valid=False).call(bare(ends, client))
    assert client.told == []


def test_when_too_many_wait_the_next_is_refused_at_once() -> None:
    shop = Shop()
    meanwhile: list[int] = []

    def mend() -> None:
        meanwhile.append(Caller().call(app).status)
        shop.mend()

    client = answering(State.FIXED, mends=mend)
    app = around(shop, client, max_waiting=1)
    assert Caller().call(app).status == 200
    assert meanwhile == [503]
    assert (len(client.told), len(client.asked)) == (2, 1)


class Left:
    """The input of a caller who has gone."""

    def read(self, size: int = -1, /) -> bytes:
        raise ConnectionResetError("gone")

    readline = read


@pytest.mark.parametrize("wraps", [False, True], ids=["itself", "as Django does"])
def test_an_application_whose_caller_left_has_no_error(wraps: bool) -> None:
    def reads(environ: Environ, start_response: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read(1)
        except OSError as error:
            if wraps:
                raise ValueError("unreadable") from error
            raise
        return []

    caller, client = Caller(valid=False), answering(State.UNKNOWN)
    caller.environ["wsgi.input"] = Left()
    with pytest.raises((OSError, ValueError)):
        caller.call(bare(reads, client))
    assert client.told == []


def test_nor_has_one_whose_writing_nobody_takes() -> None:
    def gone(chunk: bytes) -> None:
        raise BrokenPipeError

    def writes(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", PLAIN)(b"x")
        return []

    client = answering(State.UNKNOWN)
    with pytest.raises(BrokenPipeError):
        bare(writes, client)(Caller().environ, lambda *_: gone)
    assert client.told == []


def test_a_retry_comes_before_the_question() -> None:
    class Slow(Shop):
        def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
            if len(self.calls) == 2:
                self.mend()
            return super().__call__(environ, start_response)

    shop, client = Slow(), answering(State.UNKNOWN)
    tries = retry(on=ConnectionError, attempts=3, base=0.0, jitter=0.0, client=client.real)
    caller = Caller(body=b"xy").call(around(shop, client, retry=tries))
    assert (caller.status, shop.bodies, client.told) == (200, [b"xy"] * 3, [])


def test_one_report_says_how_often_it_was_tried() -> None:
    client = answering(State.UNKNOWN)
    tries = retry(on=ConnectionError, attempts=3, base=0.0, jitter=0.0, client=client.real)
    assert Caller().call(around(Shop(), client, retry=tries)).status == 503
    assert [each.attempts for each in client.told] == [3]


def test_a_request_that_may_not_be_repeated_is_not_retried() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    tries = retry(on=ConnectionError, attempts=3, base=0.0, jitter=0.0, client=client.real)
    Caller("POST").call(around(shop, client, retry=tries))
    assert len(shop.calls) == 1


def test_an_open_breaker_answers_at_once() -> None:
    shop, client = Shop(), answering(State.UNKNOWN)
    breaker = CircuitBreaker("bank", failure_threshold=1, timeout=42.0, client=client.real)
    app = around(shop, client, breaker=breaker)
    Caller().call(app)
    told = len(client.told)
    caller = Caller().call(app)

    assert caller.status == 503
    assert int(caller.answered["retry-after"]) in (41, 42)
    assert (len(shop.calls), len(client.told)) == (1, told)


class Broken(AskedClient):
    def _took(self, error: object, facts: object, wait: float) -> str:
        raise RuntimeError("the client is broken")


def test_a_broken_client_costs_the_caller_nothing() -> None:
    assert Caller().call(around(Shop(), Broken())).status == 503


def test_without_auto_fix_nobody_is_asked() -> None:
    client = answering(State.FIXED)
    assert Caller().call(around(Shop(), client, auto_fix=False)).status == 503
    assert (client.asked, len(client.told)) == ([], 1)


def test_a_signal_outside_of_any_request_is_nothing() -> None:
    on_request_exception(exception=ValueError())
    on_request_exception()
