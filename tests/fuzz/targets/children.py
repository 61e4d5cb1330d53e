"""What the daemon is told by processes and servers that it asked; and what the root-owned runner is told by it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fuzz.target import Attempt, Target, claim
from fuzz.targets import by_name, words
from logmedic.adapters.alerts import disposable
from logmedic.adapters.alerts.failure import of_response
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.adapters.diagnosis.chat import _answered, _retry_after, _word
from logmedic.adapters.fixes import bubblewrap, unitbroker
from logmedic.adapters.store import queryroom
from logmedic.core.diagnosing import answer_of
from logmedic.fixrun import serve, values
from logmedic.model.alert import Alert, Receiver
from logmedic.model.alertevent import AlertEvent
from logmedic.model.errors import QueryRefused
from logmedic.model.severity import Severity

NOW = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)


@contextmanager
def _workers(room: Path) -> Iterator[Attempt]:
    """The first byte says whose answer it is."""
    readers: tuple[Callable[[bytes], Any], ...] = (
        *(_delivered, _rendered, _checked, _templates, _sandboxed, _in_a_unit, _asked, _http_answer, _diagnosis),
    )

    def attempt(given: bytes) -> None:
        reader = readers[given[0] % len(readers)] if given else readers[0]
        json.dumps(reader(given[1:]), default=repr).encode()

    yield attempt


_ALERT = Alert("a1", "", AlertEvent.TEST, Severity.HIGH, "oncall", "ops", "title", "body", NOW, NOW)
_OPS = Receiver("ops", "json://localhost")


class _Sender(AppriseSender):
    """Whose worker answers what is given."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(templates="/templates")
        self._answer = answer

    async def _ask(self, request: Any) -> dict[str, Any]:
        return disposable._parsed(self._answer, 0)


def _delivered(given: bytes) -> Any:
    delivery = asyncio.run(_Sender(given).send(_ALERT, _OPS))
    claim(isinstance(delivery.delivered, bool) and isinstance(delivery.detail, str), f"no delivery: {delivery}")
    return delivery


def _rendered(given: bytes) -> Any:
    rendered = asyncio.run(_Sender(given).render(_ALERT, _OPS))
    claim(isinstance(rendered.body, str), f"no message: {rendered}")
    return rendered


def _checked(given: bytes) -> Any:
    return asyncio.run(_Sender(given).check([_OPS]))


def _templates(given: bytes) -> Any:
    return asyncio.run(_Sender(given).check_templates())


def _sandboxed(given: bytes) -> Any:
    result = bubblewrap._parsed(given, b"complaint\n", "bubblewrap")
    _judge_result(result)
    return result


def _in_a_unit(given: bytes) -> Any:
    result = unitbroker.judged(unitbroker.parsed(given), "name")
    _judge_result(result)
    return result


def _judge_result(result: Any) -> None:
    claim(result.exit_code is None or type(result.exit_code) is int, f"no exit code: {result}")
    claim(all(isinstance(each, str) for each in (result.output, result.detail)), f"no words: {result}")
    claim(type(result.duration_s) in (int, float), f"no duration: {result}")


def _asked(given: bytes) -> Any:
    try:
        return queryroom._checked(given, (given[:1] == b"0" and 0) or queryroom.REFUSED).decode("utf-8", "replace")
    except QueryRefused as refused:
        return f"{refused.text} {refused.hint}"


def _http_answer(given: bytes) -> Any:
    head, _, body = given.partition(b"\n\n")
    return of_response(429, {"Retry-After": head.decode("latin-1")}, body, NOW)


def _diagnosis(given: bytes) -> Any:
    head, _, body = given.partition(b"\n\n")
    waits, told = _retry_after(head.decode("latin-1"), NOW), _answered(body, 1000, "secret-key")
    claim(waits >= 0, "it waits for less than nothing")
    claim("secret-key" not in _word(body, "secret-key"), "the key is repeated")
    return answer_of(told.content or body.decode("utf-8", "replace"))


def _answers() -> Iterable[bytes]:
    yield b'\x00{"delivered": false, "detail": "refused", "permanent": true, "retry_after_s": 3.5}'
    yield b'\x01{"format": "slack", "title": "t", "body": "b", "files": ["evidence.txt"]}'
    yield b'\x02{"ops": ""}'
    yield b'\x03{"problems": [{"file": "/t/body.txt.j2", "line": 1, "column": 0, "text": "x", "hint": ""}]}'
    result = b'{"exit_code": 0, "duration_s": 1.5, "output": "done", "detail": "", "started": true}'
    yield b"\x04" + result
    yield b"\x05" + result + b"\nunit success exited 0\n"
    yield b'\x05{"refused": "not allowed"}\nunit oom-kill killed 9\n'
    yield b'\x06{"error": "no view is called `x`", "hint": "look"}'
    yield b'\x07Fri, 27 Nov 2026 03:00:00 +0200\n\n{"ok": false, "error": "no_service"}'
    said = {"likely_cause": "the disk is full", "checks": ["df -h"], "suggested_rule": "version: 1\nrules: []\n"}
    yield (
        b'\x08120\n\n{"choices": [{"message": {"content": '
        + json.dumps(json.dumps(said)).encode()
        + b'}}], "usage": {"prompt_tokens": 3}}'
    )
    yield b'\x08Mon, 01 Jan 0001 00:00:00 +2359\n\n{"error": {"code": "rate_limited", "type": "x"}}'


_TOKENS = (*words("workers"), b"[" * 3000, b'{"a":' * 1500)


# -- the runner that root owns ---------------------------------------------------------------------------------------

_PARAMS: dict[str, list[dict[str, Any]]] = {
    "upstream": [{"type": "hostport", "allow": ["10.0.0.0/8", "db.example"]}],
    "path": [{"type": "path", "allow": ["/var/lib/x"]}],
    "n": [{"type": "int", "minimum": 0, "maximum": 9}, {"type": "word"}],
    "unit": [{"type": "unit", "allow": []}],
    "host": [{"type": "hostname", "allow": [".example"]}],
    "ip": [{"type": "ip", "allow": ["10.0.0.0/8"]}],
}
_ENTRY = {"argv": ["/bin/x", "{upstream}", "--path={path}"], "act": None}


@contextmanager
def _requests(room: Path) -> Iterator[Attempt]:
    """A request is of the form that is known, or refused; what it asks for goes into the journal on one line."""

    def attempt(given: bytes) -> None:
        request = serve.parsed(given)
        written = sys.stderr
        with (room / "journal").open("w") as sys.stderr:
            try:
                serve.audit(5, "name", request, "accepted")
            finally:
                sys.stderr = written
        lines = (room / "journal").read_text().splitlines()
        claim(len(lines) == 1 and lines[0].isascii() and lines[0].isprintable(), f"the journal shows {lines}")
        wrong = values.refusal(request["captures"], _PARAMS)
        if wrong:
            wrong.encode()
            return
        for each in serve.argv_of(request, _ENTRY)[1:]:
            claim(each.isprintable() and "\0" not in each and not each.startswith("-\0"), f"an argument is {each!r}")
        claim(
            "/../" not in request["captures"]["path"] and request["captures"]["path"].startswith("/var/lib/x"),
            "it gets out",
        )
        claim(
            request["captures"]["upstream"].startswith(("10.", "db.example", "DB", "["))
            or "db" in request["captures"]["upstream"].lower(),
            "it aims elsewhere",
        )

    yield attempt


def _wanted() -> Iterable[bytes]:
    captures = {
        "upstream": "10.0.0.1:80",
        "path": "/var/lib/x/y",
        "n": "7",
        "unit": "app.service",
        "host": "a.example",
        "ip": "10.1.2.3",
    }
    yield json.dumps({"rule": "r", "captures": captures, "dry": False, "timeout_s": 30.0}).encode() + b"\n"
    yield (
        json.dumps(
            {"rule": "", "captures": {**captures, "upstream": "[::ffff:10.0.0.1]:80"}, "dry": True, "timeout_s": 1}
        ).encode()
        + b"\n"
    )
    yield json.dumps({"captures": {}, "dry": True, "timeout_s": 1}).encode() + b"\n"


_REQUEST_TOKENS = words("requests")
TARGETS = by_name(
    Target("workers", _workers, _answers, _TOKENS),
    Target("requests", _requests, _wanted, _REQUEST_TOKENS, (serve.Refused,)),
)
