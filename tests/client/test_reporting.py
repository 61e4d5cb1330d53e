"""What an application reports is what the daemon reads."""

from __future__ import annotations

import re
import traceback
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.report_client import client_of, raised
from fakes.report_daemon import Line, ReportDaemon
from logmedic.client import requestid
from logmedic.client.client import Client


def sent(path: Path, error: BaseException | str, **words: object) -> Line:
    with ReportDaemon(path) as daemon, client_of(path) as client:
        report_id = client.report(error, **words)  # type: ignore[arg-type]
        (line,) = daemon.wait_for_reports(1)
        assert line["id"] == report_id
        return line


def test_everything_that_is_said_arrives(tmp_path: Path) -> None:
    line = sent(
        tmp_path / "s",
        raised(TimeoutError("the gateway did not answer")),
        component="checkout",
        action="charge",
        impact="high",
        environment="production",
        request_id="req-1",
        tags=["payments", "card"],
        context={"order": 17, "shop": "b"},
        attempts=3,
        strategy="exponential, 3 attempts",
    )
    at, trace, _ = datetime.fromisoformat(line.pop("at")), line.pop("traceback"), line.pop("id")
    assert line == {
        "type": "report",
        "kind": "error",
        "component": "checkout",
        "action": "charge",
        "error": "TimeoutError",
        "message": "the gateway did not answer",
        "impact": "high",
        "environment": "production",
        "request_id": "req-1",
        "tags": ["payments", "card"],
        "context": {"order": "17", "shop": "b"},
        "attempts": 3,
        "strategy": "exponential, 3 attempts",
    }
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert trace.endswith("TimeoutError: the gateway did not answer")


def test_a_text_is_a_report_too(tmp_path: Path) -> None:
    line = sent(tmp_path / "s", "the queue is full")
    assert (line["message"], line.get("error"), line.get("traceback")) == ("the queue is full", None, None)


def test_the_request_id_is_the_current_one(tmp_path: Path) -> None:
    with requestid.bound("req-7"):
        assert sent(tmp_path / "s", "text")["request_id"] == "req-7"


def test_who_names_no_component_reports_for_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/srv/my shop/42 orders.py"])
    monkeypatch.setenv("LOGMEDIC_ENVIRONMENT", "staging")
    monkeypatch.setenv("LOGMEDIC_REPORT_SOCKET", str(tmp_path / "s"))
    with ReportDaemon(tmp_path / "s") as daemon:
        client = Client()
        client.report("text")
        (line,) = daemon.wait_for_reports(1)
        client.close()
    assert (line["component"], line["environment"]) == ("app-42_orders", "staging")


def test_an_error_of_a_library_is_named_as_tracebacks_name_it(tmp_path: Path) -> None:
    assert sent(tmp_path / "s", re.error("no pattern"))["error"] == f"re.{re.error.__name__}"


def _chained() -> None:
    try:
        int("x")
    except ValueError as error:
        raise RuntimeError("no number") from error


def _in_context() -> None:
    try:
        int("x")
    except ValueError:
        raise RuntimeError("no number")  # noqa: B904  (a chain by context is what this is about)


def _hidden() -> None:
    try:
        int("x")
    except ValueError:
        raise RuntimeError("no number") from None


def _noted() -> None:
    error = ValueError("two\nlines")
    error.add_note("in the second file")
    raise error


def _grouped() -> None:
    raise ExceptionGroup("several", [raised(ValueError("a")), raised(TypeError("b"))])  # type: ignore[list-item]


def _syntax() -> None:
    compile("a = (", "orders.py", "exec")


def _recursive(depth: int = 0) -> None:
    if depth == 50:
        raise ValueError("deep")
    _recursive(depth + 1)


def _made() -> None:
    exec(compile("def f():\n    raise KeyError('k')\nf()", "<made>", "exec"), {})


def _without_words() -> None:
    raise ValueError


CASES = (_chained, _in_context, _hidden, _noted, _grouped, _syntax, _recursive, _made, _without_words)


@pytest.mark.parametrize("failing", CASES, ids=[each.__name__.strip("_") for each in CASES])
def test_the_traceback_is_the_interpreters_own(tmp_path: Path, failing: object) -> None:
    assert callable(failing)
    with pytest.raises((ValueError, RuntimeError, LookupError, SyntaxError, ExceptionGroup)) as caught:
        failing()
    expected = "".join(traceback.format_exception(caught.value)).rstrip("\n")
    assert sent(tmp_path / "s", caught.value)["traceback"] == expected


def test_a_very_deep_traceback_has_its_two_ends(tmp_path: Path) -> None:
    def sink(depth: int) -> None:
        if depth == 0:
            raise ValueError("at the bottom")
        rise(depth)

    def rise(depth: int) -> None:
        sink(depth - 1)

    try:
        sink(200)
    except ValueError as error:
        trace = sent(tmp_path / "s", error)["traceback"]
    assert "in test_a_very_deep_traceback_has_its_two_ends" in trace
    assert "[322 more calls]" in trace
    assert trace.endswith('raise ValueError("at the bottom")\nValueError: at the bottom')


def test_an_error_that_was_never_raised_has_no_traceback(tmp_path: Path) -> None:
    assert "traceback" not in sent(tmp_path / "s", ValueError("only made"))


def test_a_chain_that_bites_its_tail_ends(tmp_path: Path) -> None:
    first, second = raised(ValueError("first")), raised(ValueError("second"))
    first.__context__, second.__context__ = second, first
    trace = sent(tmp_path / "s", first)["traceback"]
    assert trace.count("Traceback") == 2


class Held:
    """Something large that a function has in hand."""


def test_nothing_that_the_failed_call_had_in_hand_is_kept(tmp_path: Path) -> None:
    def failing() -> weakref.ref[Held]:
        held = Held()
        try:
            raise ValueError("with something in hand")
        except ValueError as error:
            client.report(error)
        return weakref.ref(held)

    with client_of(tmp_path / "nobody") as client:
        held = failing()
        assert held() is None
        assert client.stats().pending == 1
