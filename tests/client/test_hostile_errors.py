"""Errors and contexts whose text raises, hangs or has no end: the application goes on, and they are reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.report_client import client_of, raised, until
from fakes.report_daemon import ReportDaemon
from logmedic.client import guarded

FAR_TOO_LONG_S = 8.0


@pytest.fixture
def end() -> Iterator[threading.Event]:
    """Those that hang are let go at the end of the test."""
    ended = threading.Event()
    yield ended
    ended.set()
    until(lambda: not guarded._hung)


class Raises(Exception):
    def __str__(self) -> str:
        raise ZeroDivisionError("in the text of an error")


class Exits(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


class NoText(Exception):
    def __str__(self) -> str:
        return 17  # type: ignore[return-value]


class Huge(Exception):
    def __str__(self) -> str:
        return "x" * 50_000_000


class Recursive(Exception):
    def __str__(self) -> str:
        return str(self)


class Odd(str):
    def __len__(self) -> int:
        raise OSError("no length")

    def __getitem__(self, key: object) -> str:
        raise OSError("no part")

    __slots__ = ()


class OddText(Exception):
    def __str__(self) -> str:
        return Odd("odd")


SICK = (Raises, Exits, NoText, Huge, Recursive, OddText)


@pytest.mark.parametrize("kind", SICK, ids=[each.__name__ for each in SICK])
def test_an_error_with_a_sick_text_is_reported_with_another(tmp_path: Path, kind: type[Exception]) -> None:
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        assert client.report(raised(kind("the cause")))
        (line,) = daemon.wait_for_reports(1)
        assert line["error"].endswith(kind.__name__)
        assert line["message"]
        assert "Traceback" in line["traceback"]


def test_an_argument_with_a_sick_text(tmp_path: Path) -> None:
    class Argument:
        def __repr__(self) -> str:
            raise OSError("the disk")

    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        client.report(raised(ValueError("a", Argument())))
        (line,) = daemon.wait_for_reports(1)
        assert line["message"] == "(its text could not be made)"


def test_texts_without_end_hold_nobody_up(tmp_path: Path, end: threading.Event) -> None:
    class Hangs(Exception):
        def __str__(self) -> str:
            end.wait()
            return "at last"

    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        began = time.monotonic()
        for _ in range(50):
            assert client.report(raised(Hangs()), context={"also": Hangs()})
        assert time.monotonic() - began < FAR_TOO_LONG_S
        client.report(raised(ValueError("an honest one")))
        first, *_, last = daemon.wait_for_reports(51)
        assert first["message"] == "(its text took too long)"
        assert last["message"] == "an honest one"


def test_after_the_hanging_ones_came_to_their_end_others_are_asked_again(tmp_path: Path, end: threading.Event) -> None:
    class Hangs(Exception):
        def __str__(self) -> str:
            end.wait()
            return ""

    class Custom(Exception):
        def __str__(self) -> str:
            return "its own words"

    assert [guarded.text_of(Hangs(), 99) for _ in range(3)][1:] == [
        "(its text took too long)",
        "(its text is not asked for: others never came to an end)",
    ]
    end.set()
    until(lambda: not guarded._hung)
    assert guarded.text_of(Custom(), 99) == "its own words"


def test_a_lock_that_the_failed_call_holds_is_no_deadlock(tmp_path: Path) -> None:
    lock = threading.Lock()

    class Locked(Exception):
        def __str__(self) -> str:
            with lock:
                return "never while it is held"

    with client_of(tmp_path / "nobody") as client:
        began = time.monotonic()
        with lock:
            assert client.report(raised(Locked()))
        assert time.monotonic() - began < FAR_TOO_LONG_S
    until(lambda: not guarded._hung)


def test_at_the_edge_of_recursion_a_report_does_not_raise(tmp_path: Path) -> None:
    def sink() -> None:
        try:
            sink()
        except RecursionError as error:
            client.report(error)
            raise

    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:
        with pytest.raises(RecursionError):
            sink()
        daemon.wait_for_reports(1)


@pytest.mark.parametrize(
    "value", [10**5000, float("nan"), True, None, b"\xff", 1j], ids=lambda each: type(each).__name__
)
def test_what_is_no_text_becomes_one(value: object) -> None:
    assert 0 < len(guarded.text_of(value, 50)) <= 50
