"""What the tests of refused calls do it with: strace lets go of what it held, also of what is starting programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crash.process import until
from faults.strace import STRACE, Refusal, refusing

STARTS_PROGRAMS = """
import pathlib, subprocess, sys, threading
ran = pathlib.Path(sys.argv[1])
def start():
    while True:
        subprocess.run(["/bin/true"])
        with ran.open("ab") as file:
            file.write(b".")
for _ in range(2):
    threading.Thread(target=start, daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.skipif(not STRACE and not os.environ.get("CI"), reason="strace is not installed")
def test_what_starts_programs_goes_on_after_its_calls_were_refused(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    starter = subprocess.Popen([sys.executable, "-c", STARTS_PROGRAMS, str(ran)])
    try:
        for _ in range(3):
            _ran_more(ran, starter)
            with refusing(starter.pid, Refusal("sync", "EIO"), tmp_path / "notes"):
                _ran_more(ran, starter)
        _ran_more(ran, starter)
    finally:
        starter.kill()
        starter.wait()


def _ran_more(ran: Path, starter: subprocess.Popen[bytes]) -> None:
    before = _size(ran)
    until(lambda: _size(ran) > before + 2 or starter.poll() is not None, 20, lambda: f"{_size(ran)} programs ran")
    assert starter.poll() is None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
