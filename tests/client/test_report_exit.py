"""The end of a program: what waits is delivered, spooled or logged, and the program ends when it would have."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from fakes.report_client import program
from fakes.report_daemon import ReportDaemon, hanging

HEAD = "from logmedic.client.client import Client, configure, report\nclient = configure(socket=PATH, spool=SPOOL)\n"


def ran(tmp_path: Path, text: str, spool: Path | None = None, code: int = 0) -> str:
    """What it says on standard error."""
    command = program("import os\n" + HEAD + text, PATH=str(tmp_path / "s"), SPOOL="")
    command[2] = command[2].replace("SPOOL = ''", f"SPOOL = {str(spool) if spool else None!r}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def test_the_last_report_of_a_script_is_delivered(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon:
        assert ran(tmp_path, "report('the last words')") == ""
        assert [each["message"] for each in daemon.reports] == ["the last words"]


NO_THREAD = """
import _thread
def none(*given): raise RuntimeError("can't start new thread")
_thread.start_new_thread = none
"""
"""As where a limit of threads is reached, and at the end of Python 3.12."""


def test_a_report_for_which_no_thread_can_be_had_is_delivered_at_the_end(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon:
        assert ran(tmp_path, f"{NO_THREAD}\nreport('one')\nreport('two')") == ""
        assert [each["message"] for each in daemon.reports] == ["one", "two"]


def test_without_a_daemon_and_a_thread_nobody_waits(tmp_path: Path) -> None:
    told = ran(tmp_path, f"{NO_THREAD}\nreport('one')")
    assert told.startswith("1 report was not delivered to the daemon at")
    assert "No such file or directory)" in told


def test_the_first_report_of_a_program_that_is_made_as_it_ends_is_delivered(tmp_path: Path) -> None:
    text = """
import atexit
@atexit.register
def last(): report('the very last words')
"""
    with ReportDaemon(tmp_path / "s") as daemon:
        assert ran(tmp_path, text) == ""
        assert [each["message"] for each in daemon.reports] == ["the very last words"]


def test_an_unhandled_error_keeps_its_exit_code(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon:
        told = ran(tmp_path, "report('first'); raise SystemExit(7)", code=7)
        assert told == ""
        assert len(daemon.reports) == 1


def test_without_a_daemon_the_log_says_what_was_lost(tmp_path: Path) -> None:
    told = ran(tmp_path, "for number in range(3): report('x')")
    assert told.startswith("3 reports were not delivered to the daemon at")
    assert "No such file or directory)" in told


def test_with_a_spool_nothing_is_lost(tmp_path: Path) -> None:
    assert ran(tmp_path, "for number in range(3): report('x')", spool=tmp_path / "spool") == ""
    (left,) = (tmp_path / "spool").iterdir()
    assert left.read_bytes().count(b'"message":"x"') == 3
    with ReportDaemon(tmp_path / "s") as daemon:
        ran(tmp_path, "report('y'); assert client.flush(10.0)", spool=tmp_path / "spool")
        assert sorted(each["message"] for each in daemon.reports) == ["x", "x", "x", "y"]
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_daemon_that_hangs_holds_the_end_for_two_seconds(tmp_path: Path) -> None:
    text = """
import atexit, time
began = []
report('x')
atexit.register(lambda: began.append(time.monotonic()))
import logmedic.client.client as module
atexit.unregister(module._at_exit)
def last():
    module._at_exit()
    print(time.monotonic() - began[0], file=sys.stderr)
atexit._clear()
atexit.register(last)
atexit.register(lambda: began.append(time.monotonic()))
"""
    with ReportDaemon(tmp_path / "s", hanging):
        took = float(ran(tmp_path, text).split()[-1])
    assert 1.9 < took < 10.0


CLOSED = "os.close(2); sys.stderr = None"
BROKEN = "sys.stderr.close()"


@pytest.mark.parametrize("closing", [CLOSED, BROKEN], ids=["closed", "broken"])
def test_without_standard_error_nothing_breaks(tmp_path: Path, closing: str) -> None:
    assert ran(tmp_path, f"{closing}\nfor number in range(3): report('x')") == ""


def test_reports_out_of_the_ruins_of_the_interpreter(tmp_path: Path) -> None:
    text = """
import atexit
class Late:
    def __del__(self): self.report('from a destructor')
late = Late()
late.report = report
late.itself = late
sys.late = late
@atexit.register
def before(): report('from atexit')
"""
    with ReportDaemon(tmp_path / "s") as daemon:
        assert ran(tmp_path, text) == ""
        assert "from atexit" in {each["message"] for each in daemon.reports}


def test_a_daemon_thread_that_reports_to_the_end(tmp_path: Path) -> None:
    text = """
import threading
def forever():
    while True: report('x')
threading.Thread(target=forever, daemon=True).start()
"""
    with ReportDaemon(tmp_path / "s"):
        told = ran(tmp_path, text)
    assert "Traceback" not in told
    assert "Fatal" not in told


def test_an_interrupt_ends_the_program_as_ever(tmp_path: Path) -> None:
    text = HEAD + "report('x')\nprint('up', flush=True)\nclient.ask('y', wait=600.0, known_within=600.0)"
    command = program(text, PATH=str(tmp_path / "s"), SPOOL=str(tmp_path / "spool"))
    with ReportDaemon(tmp_path / "s", hanging) as daemon:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        daemon.wait_for_reports(2)
        began = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=30)
    assert running.returncode == -signal.SIGINT
    assert told.splitlines()[-1] == "KeyboardInterrupt"
    assert time.monotonic() - began < 10.0


def test_a_client_that_nobody_holds_delivers_all_the_same(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon:
        assert ran(tmp_path, "Client(socket=PATH).report('nobody holds its client')") == ""
        assert len(daemon.reports) == 1
