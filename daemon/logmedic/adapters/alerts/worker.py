"""The disposable process that sends one message, or checks receivers: `python -m logmedic.adapters.alerts.worker`.

A request (JSON) comes on stdin, since argv and the environment of a process can be read by others; the answer (JSON)
goes to stdout.

    {"ask": "send", "lifetime_s": 32, "receiver": RECEIVER, "alert": ALERT, "templates": "" or a directory}
        -> {"delivered": false, "detail": "...", "permanent": true, "retry_after_s": null}
    {"ask": "render", ...as for send}  ->  {"format": "slack", "title": "...", "body": "...", "files": ["evidence.txt"]}
    {"ask": "check", "lifetime_s": 32, "receivers": {"name": RECEIVER}}  ->  {"name": "" or the problem}
    {"ask": "templates", "lifetime_s": 32, "templates": "a directory"}  ->  {"problems": [every field of RuleProblem]}
    where RECEIVER is {"url": "...", "endpoint": "" or "http://..."}
    and ALERT is {"title": "...", "body": "...", "content": "" or a Message as JSON, "type": "failure"}
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import apprise

from logmedic.adapters.alerts.failure import delivery_of
from logmedic.adapters.alerts.formats.plain import Markdown, Plain
from logmedic.adapters.alerts.formats.shape import Shape
from logmedic.adapters.alerts.plugins import Way, way_to
from logmedic.adapters.alerts.text import scrubbed, visible
from logmedic.adapters.alerts.texts import Words, words_of
from logmedic.adapters.alerts.watch import Watch
from logmedic.adapters.alerts.wire import Wire
from logmedic.model.alert import Delivery

_MEMORY_BYTES = 1 << 30
"""Of addresses: a server that answers without end must not eat the host."""


def main() -> None:
    answers = _keep_stdout()
    sys.excepthook = _exit_without_a_trace
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    request = json.load(sys.stdin)
    # The daemon kills this process in time. When the daemon itself died, nobody would.
    signal.setitimer(signal.ITIMER_REAL, request["lifetime_s"])
    wire, watch = Wire(), Watch()
    wire.install()
    watch.install()
    answer = _answer(request, wire, watch)
    with os.fdopen(answers, "w", encoding="utf-8") as out:
        json.dump(answer, out)


def _keep_stdout() -> int:
    """The descriptor for the answer. What plugins print goes where stderr goes."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def _exit_without_a_trace(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A traceback shows values of the lines that it quotes; nobody reads it here anyway."""
    del error, trace
    sys.stderr.write(f"{kind.__name__}\n")


def _answer(request: Mapping[str, Any], wire: Wire, watch: Watch) -> dict[str, Any]:
    match request["ask"]:
        case "send":
            return asdict(_send(request, wire, watch))
        case "render":
            return _render(request, watch)
        case "templates":
            return _check_templates(request["templates"])
        case _:
            return {name: way_to(receiver, watch)[1] for name, receiver in request["receivers"].items()}


def _send(request: Mapping[str, Any], wire: Wire, watch: Watch) -> Delivery:
    way, problem = way_to(request["receiver"], watch)
    if way is None:
        return Delivery(False, problem, permanent=True)
    words = words_of(request["alert"], request["templates"])
    shape = _shape_of(way, words)
    wire.shape, wire.endpoint = shape, way.endpoint
    given = shape.given()
    messenger = apprise.Apprise(asset=way.plugin.asset)
    messenger.add(way.plugin)
    watch.said = ""
    if messenger.notify(given.body, given.title, request["alert"]["type"], body_format=given.markup):
        return Delivery(True, "; ".join(words.problems))
    failed = delivery_of(watch.failures, visible(watch.said)[:200])
    return Delivery(False, scrubbed(failed.detail, request["receiver"]["url"]), failed.permanent, failed.retry_after_s)


def _shape_of(way: Way, words: Words) -> Shape:
    """The service's own format where there is one; for others the user's Markdown, if it takes some; else text."""
    if way.make is not None and (texts := words.texts(way.make.wants)) is not None:
        return way.make(texts)
    wants = {"title", "body", *(("markdown",) if way.takes_markdown else ())}
    plain = words.texts(wants)
    if plain is None:
        return Plain(words.title, words.body, way.scheme, way.room)
    if plain.markdown is None:
        return Plain(plain.title, plain.body, way.scheme, way.room)
    way.plugin.notify_format = apprise.NotifyFormat.MARKDOWN
    return Markdown(plain.title, plain.markdown, way.scheme, way.room)


def _render(request: Mapping[str, Any], watch: Watch) -> dict[str, Any]:
    way, problem = way_to(request["receiver"], watch)
    if way is None:
        return {"format": "", "title": "", "body": problem, "files": []}
    words = words_of(request["alert"], request["templates"])
    shape = _shape_of(way, words)
    body = "\n".join([shape.preview(), *(f"({each})" for each in words.problems)])
    return {"format": shape.name, "title": shape.title, "body": body, "files": list(shape.files)}


def _check_templates(directory: str) -> dict[str, Any]:
    from logmedic.adapters.alerts.customs import check_templates

    return {"problems": [asdict(each) for each in check_templates(Path(directory))]}


if __name__ == "__main__":
    main()
