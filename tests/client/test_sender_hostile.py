"""What speaks at the other end is not the daemon, or is out of its mind."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.report_client import client_of, until
from fakes.report_daemon import HELLO, Line, ReportDaemon, answer, encoded, taken, taking
from logmedic.client.sending.wire import MAX_LINE, Lines, Told, message_of

NONSENSE = {
    "no JSON": b"{this is no JSON\n",
    "no text": b"\xff\xfe\x00\n",
    "no object": b'["taken"]\n17\nnull\n"x"\n',
    "nothing": b"\n\n\n",
    "deep": b"[" * 30_000 + b"\n",
    "a number without end": b'{"type": "hello", "protocol": ' + b"9" * 10_000 + b"}\n",
    "a huge line": b'{"type": "taken", "ids": ["' + b"x" * (5 * MAX_LINE) + b'"]}\n',
    "a kind from the future": b'{"type": "wish", "of": "a newer daemon"}\n',
    "ids that are none": b'{"type": "taken", "ids": [1, null, {}, "no such id", ""]}\n{"type": "taken", "ids": "x"}\n',
    "a wrong state": b'{"type": "answer", "id": "x", "state": "away", "final": true}\n',
    "no state": b'{"type": "answer", "id": "x", "state": ["fixed"]}\n',
    "somebody else's answer": b'{"type": "answer", "id": "x", "state": "fixed", "final": true}\n',
    "a refusal of nothing": b'{"type": "refused", "id": "", "reason": "form", "error": "x"}\n{"type": "refused"}\n',
    "a pause without end": b'{"type": "refused", "id": "", "reason": "rate", "retry_after": NaN}\n',
    "a breaker of nobody": b'{"type": "breaker", "name": "x", "state": "open", "open_for": -1}\n',
    "hello again": encoded(HELLO),
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=list(NONSENSE))
def test_nonsense_is_passed_over(tmp_path: Path, nonsense: bytes) -> None:
    def script(line: Line) -> list[Line | bytes]:
        return [nonsense, taken(line)]

    with ReportDaemon(tmp_path / "s", script) as daemon, client_of(tmp_path / "s") as client:
        client.report("x")
        assert client.flush(10.0)
        client.report("y")
        assert client.flush(10.0)
        assert daemon.connections == 1


@pytest.mark.parametrize(
    "hello",
    [
        encoded(HELLO | {"protocol": 2}),
        encoded(HELLO | {"protocol": 2**80}),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"x" * (3 * MAX_LINE),
    ],
    ids=["newer", "huge", "http", "endless"],
)
def test_what_does_not_greet_as_the_daemon_is_told_nothing(tmp_path: Path, hello: bytes) -> None:
    with ReportDaemon(tmp_path / "s", hello=hello) as daemon, client_of(tmp_path / "s") as client:
        assert client.ask("a secret", wait=30.0).state == "away"
        assert daemon.lines == []


@pytest.mark.parametrize("flood", [b"x" * 65_536, b"{}\n" * 20_000, b"\n" * 65_536], ids=["no line", "lines", "empty"])
def test_who_floods_is_left(tmp_path: Path, flood: bytes) -> None:
    with ReportDaemon(tmp_path / "s", flood=flood) as daemon, client_of(tmp_path / "s") as client:
        client.report("x")
        daemon.wait_until(lambda: daemon.connections >= 1)
        until(lambda: client._sender.talk.away)
        began = time.thread_time()
        assert client.ask("y", wait=30.0).state == "away"
        assert time.thread_time() - began < 1.0
        daemon.flood = b""
        assert client.flush(20.0)


def huge_words(line: Line) -> list[Line]:
    return [taken(line), answer(line, "fixed", detail="x" * 50_000, rule="\x1b[31mred\n", incident=7, issue=None)]


def test_words_of_an_answer_are_short_and_harmless(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s", huge_words), client_of(tmp_path / "s") as client:
        told = client.ask("x", wait=10.0)
    assert told.fixed
    assert len(told.detail) == 1000
    assert told.rule == " [31mred "
    assert (told.incident, told.issue) == ("", "")


def dying(daemon: ReportDaemon) -> Callable[[Line], list[Line]]:
    def script(line: Line) -> list[Line]:
        daemon.hang_up()
        return []

    return script


def test_a_daemon_that_dies_of_a_question(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        daemon.script = dying(daemon)
        assert client.ask("x", wait=30.0, known_within=30.0).state == "away"
        daemon.script = taking
        assert client.flush(20.0)


@given(st.binary(max_size=300))
def test_no_line_is_too_strange_to_be_read(line: bytes) -> None:
    message_of(line)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["open", "fixed"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
)
KEYS = (
    "id",
    "ids",
    "protocol",
    "state",
    "final",
    "reason",
    "error",
    "retry_after",
    "name",
    "open_for",
    "detail",
    "rule",
)


@given(
    st.sampled_from(["hello", "taken", "refused", "answer", "breaker", "", None]),
    st.dictionaries(st.sampled_from(KEYS), JSON),
)
def test_what_a_line_says_is_of_the_right_types(kind: object, told: dict[str, object]) -> None:
    message = message_of(json.dumps({"type": kind} | told).encode())
    if isinstance(message, Told):
        assert all(isinstance(getattr(message.answer, key), str) for key in message.answer.__slots__)
    hash(message)  # nothing of what it holds can be changed


@given(st.binary(max_size=400), st.lists(st.integers(0, 400)))
def test_lines_are_the_same_however_they_come(stream: bytes, cuts: list[int]) -> None:
    ends = sorted({0, len(stream), *(min(each, len(stream)) for each in cuts)})
    lines = Lines()
    parts = [stream[start:end] for start, end in itertools.pairwise(ends)]
    assert [line for part in parts for line in lines.take(part)] == stream.split(b"\n")[:-1]


@pytest.mark.parametrize("extra", [-1, 0, 1, 70_000])
def test_a_line_that_is_too_long_takes_no_memory_and_no_other_line_along(extra: int) -> None:
    lines = Lines()
    long = b"x" * (MAX_LINE - 1 + extra)
    came = []
    for part in (b"a\n", long[:7], long[7:], b"\nb\n"):
        came += lines.take(part)
        assert len(lines._held) < MAX_LINE
    assert came == ([b"a", long, b"b"] if extra <= 0 else [b"a", b"b"])
