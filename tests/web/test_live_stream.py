"""Live events over HTTP: what a browser and `logmedic events -f` read, on a real socket."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from fakes.live_daemon import id_of
from fakes.live_served import Served, live_served
from logmedic.adapters.web.stream import RETRY_MS
from logmedic.cli.sse import EventStream, Message
from logmedic.model.live import Topic
from logmedic.runtime.feed import BEGINNING, LISTENERS_MAX

WAITED_FOR = "graceful shutdown exceeded"
"""What uvicorn logs of a stop that waited for somebody."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with live_served(tmp_path / "live.sock") as served:
        yield served


class Reader:
    """One connection. `read` blocks until so many messages are there, and answers them all."""

    def __init__(self, path: Path, last_id: str = "", **query: str) -> None:
        self._connection = HTTPConnection("logmedic")
        self._connection.sock = socket.socket(socket.AF_UNIX)
        self._connection.sock.settimeout(10)
        self._connection.sock.connect(str(path))
        headers = {"Last-Event-ID": last_id} if last_id else {}
        self._connection.request("GET", f"/v1/events/stream?{urlencode(query)}", headers=headers)
        self.response: HTTPResponse = self._connection.getresponse()
        self.stream = EventStream(last_id)
        self.messages: list[Message] = []

    def more(self) -> bool:
        """False at the end."""
        piece = self.response.read1(4096)
        self.messages += self.stream.feed(piece)
        return bool(piece)

    def read(self, count: int = 1) -> list[Message]:
        while len(self.messages) < count and self.more():
            pass
        return self.messages

    def began(self) -> Reader:
        """It listens by now."""
        while not self.stream.last_id and self.more():
            pass
        return self

    def entries_read(self) -> list[Message]:
        return [each for each in self.messages if each.event == "entry"]

    def entries(self) -> list[int]:
        return [int(json.loads(each.data)["text"]) for each in self.entries_read()]

    def close(self) -> None:
        self.response.close()
        self._connection.close()


@contextmanager
def reading(served: Served, last_id: str = "", **query: str) -> Iterator[Reader]:
    reader = Reader(served.path, last_id, **query)
    try:
        yield reader
    finally:
        reader.close()


def until(condition: Any, what: str) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends, what


def test_an_event_is_told_as_it_happens_with_its_id(served: Served) -> None:
    with reading(served) as reader:
        reader.began()
        served.run(served.daemon.commit)
        (message,) = reader.read()
    assert (message.event, reader.stream.last_id) == ("entry", id_of(1))
    assert json.loads(message.data) == served.daemon.rows[0]


def test_it_is_a_stream_that_nobody_keeps_or_holds_back(served: Served) -> None:
    with reading(served) as reader:
        headers = {name.lower(): value for name, value in reader.response.getheaders()}
        first = reader.response.read1(200)
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert f"retry: {RETRY_MS}\nid: {BEGINNING}\n\n".encode() == first


@pytest.mark.parametrize("how", ["header", "address"])
def test_it_resumes_behind_what_was_told_last(served: Served, how: str) -> None:
    served.run(lambda: served.daemon.commit(5))
    given = {"last_id": id_of(2)} if how == "header" else {"after": id_of(2)}
    with reading(served, **given) as reader:
        reader.began()
        served.run(served.daemon.commit)
        reader.read(4)
    assert reader.entries() == [3, 4, 5, 6]


def test_the_header_is_later_than_the_address(served: Served) -> None:
    served.run(lambda: served.daemon.commit(5))
    with reading(served, last_id=id_of(4), after=id_of(1)) as reader:
        reader.read(1)
    assert reader.entries() == [5]


@pytest.mark.parametrize("last_id", ["nonsense", id_of(99), "'; DROP TABLE alerts"])
def test_what_nobody_can_resume_behind_begins_now_and_says_so(served: Served, last_id: str) -> None:
    served.run(lambda: served.daemon.commit(3))
    with reading(served, last_id) as reader:
        (message,) = reader.read()
        served.run(served.daemon.commit)
        reader.read(2)
    assert (message.event, json.loads(message.data)) == ("reset", {"after": id_of(3)})
    assert reader.entries() == [4]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"after": "nonsense"}, "`after`"),
        ({"topic": "incident"}, "`topic`"),
        ({"incident": "abc"}, "`incident`"),
    ],
)
def test_bad_addresses_are_told_what_is_wrong(served: Served, query: dict[str, str], says: str) -> None:
    with reading(served, **query) as reader:
        told = json.loads(reader.response.read())
    assert reader.response.status == 400
    assert says in told["error"]
    assert told["hint"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"kind": "note"}, 2),
        ({"kind": "opened"}, 0),
        ({"kind": "opened,note"}, 2),
        ({"topic": "incidents"}, 2),
        ({"topic": "rules"}, 0),
        ({"incident": "dent:i1"}, 2),
        ({"incident": "dent:i2"}, 0),
    ],
)
def test_only_what_is_wanted_is_told(served: Served, query: dict[str, str], count: int) -> None:
    served.run(lambda: served.daemon.commit(2))
    with reading(served, last_id=BEGINNING, **query) as reader:
        reader.began()
        served.run(lambda: served.daemon.feed.touch(*Topic))
        until(lambda: reader.more() and any(each.event == "changed" for each in reader.messages), "it changed")
    assert len(reader.entries()) == count


def test_it_tells_what_changed_and_only_of_what_is_asked_for(served: Served) -> None:
    with reading(served, topic="rules,alerts") as reader:
        reader.began()
        served.run(lambda: served.daemon.feed.touch(Topic.RULES, Topic.SOURCES))
        (message,) = reader.read()
    assert (message.event, json.loads(message.data)) == ("changed", {"topics": ["rules"]})


def test_text_of_a_log_can_neither_end_a_line_nor_begin_a_message(served: Served) -> None:
    nasty = "a\n\nevent: reset\rdata: x\r\n\u2028\u0000\x1b[31m<script>\U0001f600"
    with reading(served) as reader:
        reader.began()
        served.run(lambda: served.daemon.commit(text=nasty))
        (message,) = reader.read()
    assert message.event == "entry"
    assert json.loads(message.data)["text"] == nasty


def test_64_listen_and_one_more_is_told_to_come_later(served: Served) -> None:
    readers = [Reader(served.path).began() for _ in range(LISTENERS_MAX)]
    with reading(served) as refused:
        assert refused.response.status == 503
        assert "64 listen already" in json.loads(refused.response.read())["error"]
    readers.pop().close()
    until(lambda: served.run(lambda: served.daemon.feed.listeners) == LISTENERS_MAX - 1, "its place is free")
    with reading(served) as reader:
        assert reader.response.status == 200
    for each in readers:
        each.close()
    until(lambda: served.run(lambda: served.daemon.feed.listeners) == 0, "all are gone")


def test_a_look_at_the_head_takes_no_place(served: Served) -> None:
    connection = HTTPConnection("logmedic")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(served.path))
    connection.request("HEAD", "/v1/events/stream")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    connection.close()
    until(lambda: served.run(lambda: served.daemon.feed.listeners) == 0, "it is gone")


def test_who_takes_nothing_loses_the_place_and_disturbs_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with live_served(tmp_path / "live.sock", send_s=0.3) as served:
        asleep = Reader(served.path).began()
        with reading(served) as reader:
            reader.began()
            for _ in range(40):
                served.run(lambda: served.daemon.commit(100, text="x" * 500))
                while len(reader.entries_read()) < len(served.daemon.rows):
                    reader.more()
            until(lambda: served.run(lambda: served.daemon.feed.listeners) == 1, "its place is free")
            assert [json.loads(each.data) for each in reader.entries_read()] == served.daemon.rows
    assert WAITED_FOR not in caplog.text, "nor does a stop wait for it"
    asleep.close()


def test_a_stop_lets_all_listeners_go_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with live_served(tmp_path / "live.sock") as served:
        readers = [Reader(served.path).began() for _ in range(10)]
    for each in readers:
        while each.more():
            pass
        each.close()
    assert WAITED_FOR not in caplog.text


@pytest.mark.slow
def test_connections_that_break_anywhere_and_restarts_lose_nothing_and_tell_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(8)
    told: list[int] = []
    with live_served(tmp_path / "live.sock") as served:
        last = BEGINNING
        for turn in range(60):
            reader = Reader(served.path, last)
            served.run(lambda: served.daemon.commit(chance.choice((0, 1, 3, 250))))
            left = chance.choice((10, 300, 5000, 200_000))
            while left > 0 and len(told) + len(reader.entries()) < len(served.daemon.rows):
                piece = reader.response.read1(min(left, 4096))
                left -= len(piece)
                reader.messages += reader.stream.feed(piece)
            reader.close()
            told += reader.entries()
            last = reader.stream.last_id or last
            if turn % 10 == 9:
                served.stop()
                served.start()
        with reading(served, last) as reader:
            served.run(served.daemon.commit)
            while len(told) + len(reader.entries()) < len(served.daemon.rows):
                reader.more()
            told += reader.entries()
        assert told == list(range(1, len(served.daemon.rows) + 1))
