"""Whatever an endpoint does, there is an answer in time, in bounds, and without the key."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from alerts.servers import Answer, Connections, Dripping, HttpServer, closed_port
from diagnosis.asking import KEY, QUESTION, ask, diagnosis_json, said
from logmedic.adapters.diagnosis.chat import POSTING, ChatDiagnoser, Endpoint
from logmedic.model.diagnosis import Diagnosis
from logmedic.runtime.clock import SystemClock

TOO_NEW = json.dumps({"error": {"message": "use max_completion_tokens", "code": "unsupported_parameter"}}).encode()
ANSWERS = {
    "good": said(diagnosis_json()),
    "fenced": said(f"Here it is:\n```json\n{diagnosis_json()}\n```\nGood luck!"),
    "thinking": said(f"<think>maybe {{x}} or {{}}</think>{diagnosis_json()}"),
    "uncounted": said(diagnosis_json(), usage={"prompt_tokens": -4, "completion_tokens": "many"}),
    "key": Answer(401, json.dumps({"error": {"message": f"bad key {KEY}", "code": "invalid_api_key"}}).encode()),
    "keyword": Answer(401, json.dumps({"error": {"code": "hunter2canary"}}).encode()),
    "echo": said(diagnosis_json(likely_cause=f"Your key is {KEY}.")),
    "busy": Answer(429, b"{}", {"Retry-After": "7"}),
    "later": Answer(429, b"{}", {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}),
    "odd-later": Answer(429, b"{}", {"Retry-After": "soon"}),
    "broken": Answer(500, b"oh no"),
    "missing": Answer(404, json.dumps({"error": {"type": "model_not_found"}}).encode()),
    "no-json": Answer(200, b"<html>login</html>"),
    "deep": Answer(200, b"[" * 500_000),
    "list": Answer(200, b"[1]"),
    "no-choice": Answer(200, b'{"choices": []}'),
    "no-text": said(None),
    "prose": said("I would restart it."),
    "wrong-schema": said(json.dumps({"likely_cause": ["x"], "checks": "none"})),
    "deep-text": said('{"likely_cause":' * 5000),
    "empty": said(json.dumps({"likely_cause": " \x1b[0m"})),
    "cut": said('{"likely_cause": "the po', finish="length"),
    "large": Answer(200, b'{"a":"' + b"x" * 10_000_000 + b'"}'),
    "packed": Answer(200, gzip.compress(b"x" * 1000), {"Content-Encoding": "gzip"}),
    "odd-status": Answer(599, b""),
}


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer(ANSWERS) as server:
        yield server


def asked(server: HttpServer, name: str) -> Diagnosis:
    return ask(f"http://127.0.0.1:{server.port}/{name}")


@pytest.mark.parametrize("name", ["good", "fenced", "thinking"])
def test_a_good_answer_becomes_a_diagnosis(server: HttpServer, name: str) -> None:
    got = asked(server, name)
    assert got.ok, got.problem
    assert got.issue_id == QUESTION.issue_id
    assert got.likely_cause == "Connections are not given back."
    assert got.checks == ("count them: ss -s",)
    assert got.suggested_rule.startswith("version: 1\n")
    assert (got.tokens_in, got.tokens_out, got.model, got.problem) == (700, 90, "small", "")


@pytest.mark.parametrize(
    ("name", "problem", "again"),
    [
        ("key", "HTTP 401 Unauthorized (invalid_api_key)", None),
        ("keyword", "HTTP 401 Unauthorized", None),
        ("busy", "HTTP 429 Too Many Requests", 7.0),
        ("later", "HTTP 429 Too Many Requests", 86_400.0),
        ("odd-later", "HTTP 429 Too Many Requests", 60.0),
        ("broken", "HTTP 500 Internal Server Error", 60.0),
        ("missing", "HTTP 404 Not Found (model_not_found)", None),
        ("no-json", "the answer is no JSON", None),
        ("deep", "the answer is no JSON", None),
        ("list", "the answer has no text (choices[0].message.content)", None),
        ("no-choice", "the answer has no text (choices[0].message.content)", None),
        ("no-text", "the answer has no text (choices[0].message.content)", None),
        ("prose", "the answer is not the JSON object that was asked for", None),
        ("wrong-schema", "the answer is not the JSON object that was asked for", None),
        ("deep-text", "the answer is not the JSON object that was asked for", None),
        ("empty", "the answer names no cause", None),
        ("cut", "the answer was cut off at diagnosis.max_tokens", None),
        ("large", "the answer is larger than 1 MiB", None),
        ("packed", "the answer is packed, which was not asked for", None),
        ("odd-status", "HTTP 599", 60.0),
    ],
)
def test_a_bad_answer_is_told_in_words(server: HttpServer, name: str, problem: str, again: float | None) -> None:
    got = asked(server, name)
    assert (got.ok, got.problem, got.retry_after_s) == (False, problem, again)
    assert KEY not in repr(got)
    assert (got.likely_cause, got.checks, got.suggested_rule) == ("", (), "")


def test_an_endpoint_that_repeats_the_key_does_not_get_it_shown(server: HttpServer) -> None:
    got = asked(server, "echo")
    assert got.ok
    assert got.likely_cause == "Your key is [masked]."


def test_where_tokens_are_not_counted_they_are_estimated(server: HttpServer) -> None:
    got = asked(server, "uncounted")
    assert 500 < got.tokens_in < 4000
    assert 50 < got.tokens_out < 500


def test_a_redirect_is_not_followed_and_takes_no_key_along() -> None:
    with HttpServer() as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.port}/v1/chat/completions"
        with HttpServer({"v1": Answer(307, b"", {"Location": target})}) as server:
            got = ask(f"http://127.0.0.1:{server.port}/v1")
        assert not elsewhere.posted
    assert got.problem.startswith("HTTP 307 Temporary Redirect: redirects are not followed")


@pytest.mark.parametrize(
    "line",
    [b"", b"HTTP/1.1 200 OK\r\nX: y\r\n", b"HTTP/1.1 200 OK\r\n\r\n{" + b" " * 1000],
    ids=["hang", "head", "drip"],
)
def test_who_hangs_or_drips_holds_nothing_longer_than_the_deadline(line: bytes) -> None:
    with Dripping(line) as server:
        began = time.monotonic()
        got = ask(f"http://127.0.0.1:{server.port}/v1", deadline_s=0.6)
        assert time.monotonic() - began < 20
    assert (got.ok, got.problem, got.retry_after_s) == (False, "no answer within 0.6 s, given up", 60.0)


def test_a_cancel_ends_a_question_at_once() -> None:
    async def scenario(port: int) -> float:
        endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", "small", KEY, deadline_s=60)
        task = asyncio.create_task(
            ChatDiagnoser(endpoint, clock=SystemClock(), nonce=lambda: "n" * 20).diagnose(QUESTION)
        )
        while not server.seen:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return time.monotonic() - began

    with Dripping() as server:
        assert asyncio.run(scenario(server.port)) < 1


def test_nobody_there_costs_nothing() -> None:
    got = ask(f"http://127.0.0.1:{closed_port()}/v1")
    assert (got.sent, got.tokens_in, got.retry_after_s) == (False, 0, 60.0)
    assert got.problem == "no answer: Connection refused"


class Stranger(Connections):
    """Greets in another protocol, and listens until the other end has gone."""

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.sendall(b"SSH-2.0-x\r\n\r\n")
            while connection.recv(65536):
                pass


def test_a_server_that_speaks_no_http_is_told_so() -> None:
    with Stranger() as server:
        assert ask(f"http://127.0.0.1:{server.port}/v1").problem == "the answer is no HTTP, or was cut off"


def test_what_speaks_no_tls_gets_no_key_in_the_clear() -> None:
    with HttpServer() as server:
        got = ask(f"https://127.0.0.1:{server.port}/v1")
        assert not server.posted
    assert (got.ok, got.sent) == (False, False)
    assert got.problem.startswith("TLS: ")


def test_a_model_that_wants_the_other_name_of_max_tokens_gets_it() -> None:
    with HttpServer({"v1": Answer(400, TOO_NEW)}) as server:
        got = ask(f"http://127.0.0.1:{server.port}/v1", max_tokens=77)
        limits = [{k: v for k, v in json.loads(each.body).items() if k.startswith("max")} for each in server.posted]
    assert limits == [{"max_tokens": 77}, {"max_completion_tokens": 77}]
    assert got.problem == "HTTP 400 Bad Request (unsupported_parameter)"


def test_the_key_goes_into_its_header_and_nowhere_else(
    server: HttpServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    before = len(server.posted)
    for name in ("good", "key", "echo", "broken"):
        assert KEY not in repr(asked(server, name))
    for posted in server.posted[before:]:
        assert posted.headers["Authorization"] == f"Bearer {KEY}"
        assert KEY not in posted.path + posted.body.decode()
    assert KEY not in caplog.text + "".join(capfd.readouterr())
    assert KEY not in repr(Endpoint("https://x", "small", KEY))


def test_without_a_key_none_is_sent(server: HttpServer) -> None:
    ask(f"http://127.0.0.1:{server.port}/good", key="")
    assert "Authorization" not in server.posted[-1].headers


def test_without_the_library_it_says_what_to_install(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, POSTING, None)
    got = asked(server, "good")
    assert (got.ok, got.sent) == (False, False)
    assert got.problem == "httpx is not installed; install logmedic[llm]"
