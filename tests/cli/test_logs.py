"""What the daemon logs: entries with fields in the journal (F72: their priority too), JSON lines elsewhere."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pty
import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from logmedic.adapters.rulefiles.ownlog import EVENTS
from logmedic.cli.journald import MAX_VALUE_BYTES, PATIENCE_S, PRIORITIES, entry, field_name, send, serialised
from logmedic.cli.logs import (
    LEFT_ALONE_S,
    REMEMBERED,
    REPEATED_S,
    Libraries,
    ToJournal,
    configure,
    is_journal,
    with_priority,
)
from logmedic.core.ownline import MAX_CHARS, MAX_FIELDS, is_error, own_line, told
from store.disks import FileLimit

SECRET = "xoxb-123456789012-abcdefABCDEF123456"


class Journald:
    """The other end: a real datagram socket at `path`."""

    def __init__(self, path: Path) -> None:
        self.wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.wire.bind(str(path))
        self.wire.settimeout(5)
        self.by_descriptor = 0

    def entry(self) -> dict[str, bytes]:
        content, descriptors, _, _ = socket.recv_fds(self.wire, 1 << 20, 1)
        if descriptors:
            assert content == b""
            self.by_descriptor += 1
            seals = fcntl.fcntl(descriptors[0], fcntl.F_GET_SEALS)
            assert seals == fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
            with open(descriptors[0], "rb") as file:
                file.seek(0)
                content = file.read()
        return parsed(content)


def parsed(content: bytes) -> dict[str, bytes]:
    """As journald reads it: name=value to the line's end, or a name, a length and so many bytes."""
    fields: dict[str, bytes] = {}
    while content:
        line, _, rest = content.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack_from("<Q", rest)
            value, content = rest[8 : 8 + length], rest[8 + length :]
            assert content[:1] == b"\n"
            content = content[1:]
        else:
            content = rest
        assert name.decode() not in fields
        fields[name.decode()] = value
    return fields


@contextmanager
def logging_to(out: TextIO, path: Path, monkeypatch: pytest.MonkeyPatch, *, as_journal: bool = True) -> Iterator[None]:
    seen = os.fstat(out.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{seen.st_dev}:{seen.st_ino}" if as_journal else "1:1")
    root = logging.getLogger()
    before = root.handlers[:]
    try:
        configure(verbose=0, quiet=False, stream=out, journal=path)
        yield
    finally:
        structlog.reset_defaults()
        root.handlers[:] = before


@pytest.fixture
def out(tmp_path: Path) -> Iterator[TextIO]:
    with (tmp_path / "stderr").open("w+") as file:
        yield file


def written(out: TextIO) -> list[str]:
    out.flush()
    out.seek(0)
    return out.read().splitlines()


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    made = Journald(tmp_path / "socket")
    with made.wire:
        yield made


# -- the journal -------------------------------------------------------------------------------------------------------


def test_an_entry_has_the_event_as_json_and_its_fields_to_ask_for(
    journald: Journald, out: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logging_to(out, tmp_path / "socket", monkeypatch):
        structlog.get_logger().info("started", pid=611, socket="/run/logmedic/logmedic.sock")
        told = journald.entry()
    message = json.loads(told.pop("MESSAGE"))
    assert message == {"level": "info", "event": "started", "pid": 611, "socket": "/run/logmedic/logmedic.sock"}
    assert told == {
        "PRIORITY": b"6",
        "SYSLOG_IDENTIFIER": b"logmedic",
        "LOGMEDIC_EVENT": b"started",
        "LOGMEDIC_LEVEL": b"info",
        "LOGMEDIC_PID": b"611",
        "LOGMEDIC_SOCKET": b"/run/logmedic/logmedic.sock",
    }
    assert written(out) == []


def test_what_no_datagram_holds_goes_by_a_sealed_file_in_memory(journald: Journald, tmp_path: Path) -> None:
    content = serialised(entry("error", "x" * 20_000_000, {"event": "unexpected_error"}))
    send(content, tmp_path / "socket")
    told = journald.entry()
    assert (len(told["MESSAGE"]), told["PRIORITY"], journald.by_descriptor) == (20_000_000, b"3", 1)


def test_without_journald_the_line_goes_to_the_standard_error_with_its_priority(
    out: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logging_to(out, tmp_path / "nobody", monkeypatch):
        structlog.get_logger().critical("alert_not_delivered", why="HTTP 503")
    (line,) = written(out)
    assert line.startswith('<2>{"level": "critical", "event": "alert_not_delivered"')


def test_a_journald_that_is_started_again_gets_what_comes_then(
    out: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "socket"
    with logging_to(out, path, monkeypatch):
        log = structlog.get_logger()
        log.info("started")
        again = Journald(path)
        log.info("stopping")
        assert again.entry()["LOGMEDIC_EVENT"] == b"stopping"
        again.wire.close()
    assert len(written(out)) == 1


def test_a_journald_that_hangs_is_waited_for_once_and_tried_again_later(journald: Journald, tmp_path: Path) -> None:
    now = [100.0]
    to_journal = ToJournal(tmp_path / "socket", clock=lambda: now[0])

    def goes_to_stderr() -> bool:
        try:
            return to_journal(None, "info", {"event": "started"}).startswith("<6>")
        except structlog.DropEvent:
            return False

    until_full = 0
    while not goes_to_stderr():
        until_full += 1
        assert until_full < 10_000
    began = time.monotonic()
    assert all(goes_to_stderr() for _ in range(50))
    assert time.monotonic() - began < 10 * PATIENCE_S
    for _ in range(until_full):
        journald.entry()
    assert goes_to_stderr()
    now[0] += LEFT_ALONE_S
    assert not goes_to_stderr()


@given(st.dictionaries(st.text(min_size=1, max_size=80), st.text(max_size=50) | st.integers(), max_size=5))
def test_no_value_and_no_name_can_pretend_to_be_another_field(fields: dict[str, object]) -> None:
    read = parsed(serialised(entry("info", own_line(fields), fields)))
    assert set(read) == {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", *map(field_name, fields)}
    assert (read["PRIORITY"], read["SYSLOG_IDENTIFIER"]) == (b"6", b"logmedic")


@given(st.text(max_size=200))
def test_a_name_is_one_that_the_journal_takes(name: str) -> None:
    made = field_name(name)
    assert made.startswith("LOGMEDIC_")
    assert len(made) <= 64
    assert all(each.isascii() and (each.isdigit() or each.isupper() or each == "_") for each in made)


def test_a_field_is_bounded_and_the_message_has_the_whole() -> None:
    long = "x" * 10_000
    made = entry("info", own_line({"event": "e", "why": long}), {"why": long})
    assert len(made["LOGMEDIC_WHY"]) == MAX_VALUE_BYTES
    assert json.loads(made["MESSAGE"])["why"] == long


@pytest.mark.parametrize(
    ("level", "priority"), [("critical", 2), ("error", 3), ("warning", 4), ("info", 6), ("debug", 7)]
)
def test_a_line_begins_with_its_priority(level: str, priority: int) -> None:
    assert with_priority(level, "{}") == f"<{priority}>{{}}"


def test_only_what_goes_to_the_journal_has_one(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        at = os.fstat(stream.fileno())
        assert is_journal(stream.fileno(), {"JOURNAL_STREAM": f"{at.st_dev}:{at.st_ino}"})
        assert not is_journal(stream.fileno(), {"JOURNAL_STREAM": f"{at.st_dev}:{at.st_ino + 1}"})
        assert not is_journal(stream.fileno(), {})


# -- elsewhere ---------------------------------------------------------------------------------------------------------


def test_elsewhere_each_event_is_a_line_of_json_with_its_time(
    out: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logging_to(out, tmp_path / "none", monkeypatch, as_journal=False):
        structlog.get_logger().warning("file_trouble", origin="/var/log/\x1b[31mapp\u202e\nx.log", problem="no")
        structlog.get_logger().debug("nobody_asked")
    (line,) = written(out)
    read = json.loads(line)
    assert list(read) == ["timestamp", "level", "event", "origin", "problem"]
    assert line.isprintable()
    assert read["origin"] == "/var/log/\x1b[31mapp\u202e\nx.log"


def test_f48_a_log_that_takes_nothing_stops_nobody_and_what_is_missing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe that is full stands for a disk that is."""
    reader, writer = os.pipe2(os.O_NONBLOCK)
    with open(reader, "rb", buffering=0) as given, open(writer, "w") as out:
        with logging_to(out, tmp_path / "none", monkeypatch, as_journal=False):
            room = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
            os.write(writer, b"x" * (room - 1) + b"\n")
            for _ in range(3):
                structlog.get_logger().warning("commit_failed", tries=1)
            assert given.read(room) == b"x" * (room - 1) + b"\n"
            structlog.get_logger().info("started")
        told = [json.loads(line) for line in given.read(room).decode().splitlines()]
    assert [each["event"] for each in told] == ["started", "own_lines_lost"]
    assert told[1]["lines"] == 3


def test_a_line_that_was_torn_spoils_none_that_comes_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FileLimit(tmp_path)
    with (tmp_path / "log").open("w+") as out:
        try:
            with logging_to(out, tmp_path / "none", monkeypatch, as_journal=False):
                disk.fill(20)
                structlog.get_logger().warning("commit_failed", tries=1)
                disk.free()
                structlog.get_logger().info("started")
        finally:
            disk.close()
        torn, *whole = written(out)
    assert len(torn) == 20
    assert [json.loads(line)["event"] for line in whole] == ["started", "own_lines_lost"]


def test_no_secret_is_logged_in_any_form(
    journald: Journald, out: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for as_journal in (True, False):
        with logging_to(out, tmp_path / "socket", monkeypatch, as_journal=as_journal):
            structlog.get_logger().error("receiver_unusable", problem=f"token={SECRET}", all=[f"password: {SECRET}"])
    told = journald.entry()
    assert told["LOGMEDIC_EVENT"] == b"receiver_unusable"
    assert SECRET.encode() not in b"".join(told.values())
    assert SECRET not in (text := "".join(written(out)))
    assert "receiver_unusable" in text


def test_what_libraries_say_has_the_same_form(out: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with logging_to(out, tmp_path / "none", monkeypatch, as_journal=False):
        try:
            raise OSError("it broke")
        except OSError:
            logging.getLogger("asyncio").exception("a task failed")
        logging.getLogger("watchdog").info("nothing to be told")
    (line,) = written(out)
    read = json.loads(line)
    assert (read["level"], read["event"], read["library"]) == ("error", "library_said", "asyncio")
    assert "Traceback" in read["said"]


def test_on_a_terminal_it_is_readable_and_quoted_text_steers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    ours, theirs = pty.openpty()
    with open(theirs, "w") as terminal, logging_to(terminal, tmp_path / "none", monkeypatch, as_journal=False):
        structlog.get_logger().warning("file_trouble", origin="\x1b]0;owned\x07\u202e.log")
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "file_trouble" in shown
    assert "\\x1b]0;owned\\x07\\u202e.log" in shown
    assert "\x1b" not in shown


# -- the line itself ---------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_a_line_is_printable_and_reads_back(fields: dict[str, object]) -> None:
    line = own_line(fields)
    assert line.isprintable()
    assert json.loads(line) == fields


def test_values_are_bounded_in_size_and_in_number() -> None:
    made = told({f"f{n}": "x" * 100_000 for n in range(100)})
    assert len(made) == MAX_FIELDS
    assert all(len(str(each)) < MAX_CHARS + 100 for each in made.values())
    assert "characters are left out" in str(made["f0"])


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ('{"level": "error", "event": "x"}', True),
        ('{"level": "critical", "event": "x"}', True),
        ("Traceback (most recent call last):", True),
        ('{"level": "info", "event": "level=error"}', False),
        ('{"level": ', False),
        ("[1]", False),
        ("error: the store is locked", False),
    ],
)
def test_an_error_is_known_from_the_line(line: str, is_one: bool) -> None:
    assert is_error(line) is is_one


# -- docs/logs.md ------------------------------------------------------------------------------------------------------

DOCS = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()


def test_the_line_in_the_docs_is_one_that_the_daemon_writes() -> None:
    (line,) = [each for each in DOCS.splitlines() if each.startswith("{")]
    read = json.loads(line)
    level, fields = EVENTS[read["event"]]
    assert line == own_line({"timestamp": read["timestamp"], "level": level, "event": read["event"], **fields})


def test_what_the_docs_ask_the_journal_for_is_there() -> None:
    asked = re.findall(r"LOGMEDIC_([A-Z]+)(?:=(\S+))?", DOCS)
    known = {name.upper() for _, fields in EVENTS.values() for name in fields} | {"EVENT", "LEVEL"}
    assert {name for name, _ in asked} <= known
    assert {value for name, value in asked if name == "EVENT" and value} <= set(EVENTS)
    origin = re.findall(r"jq -r '\.(\w+) \+ \": \" \+ \.(\w+)'", DOCS)
    assert origin == [tuple(EVENTS["file_trouble"][1])]


def test_the_levels_and_bounds_in_the_docs_are_those_of_the_log() -> None:
    assert {name: int(number) for name, number in re.findall(r"\| `(\w+)` \| (\d) \|", DOCS)} == PRIORITIES
    for bound in (f"{MAX_CHARS:,} characters", f"{MAX_FIELDS} fields", f"{MAX_VALUE_BYTES} bytes"):
        assert bound in " ".join(DOCS.split())


def test_f40_what_libraries_say_again_and_again_is_told_once_with_how_often(
    out: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    heard = Libraries(logging.WARNING, lambda: now[0])

    def said(words: str, at: float) -> None:
        now[0] = at
        heard.emit(logging.LogRecord("asyncio", logging.ERROR, __file__, 1, words, None, None))

    with logging_to(out, tmp_path / "none", monkeypatch, as_journal=False):
        for _ in range(1000):
            said("no descriptors\nsocket: 7", 0.0)
        said("something else", 1.0)
        said("no descriptors\nsocket: 8", REPEATED_S - 0.1)
        said("no descriptors\nsocket: 9", REPEATED_S)
    read = [json.loads(line) for line in written(out)]
    assert [(each["said"].partition("\n")[0], each.get("times")) for each in read] == [
        ("no descriptors", None),
        ("something else", None),
        ("no descriptors", 1001),
    ]


def test_i6_what_libraries_said_is_not_remembered_without_bound(
    out: TextIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Libraries(logging.WARNING, lambda: 0.0)
    with logging_to(out, tmp_path / "none", monkeypatch, as_journal=False):
        for number in range(3 * REMEMBERED):
            heard.emit(logging.LogRecord("asyncio", logging.ERROR, __file__, 1, f"word {number}", None, None))
    assert len(written(out)) == 3 * REMEMBERED, "nothing that differs is left out"
    assert len(heard._next) <= REMEMBERED
