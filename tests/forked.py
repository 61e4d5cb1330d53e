"""`python -m logmedic` without the half second of imports: one process has done them, and each command is a fork of it.

Everything else is as of a process of its own: arguments, environment, directory, descriptors, exit code. What a command
imports when is not what these runs show; tests about that start Python themselves.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PRELOADED = (
    *("logmedic.app", "logmedic.cli.root", "logmedic.rulesets", "logmedic.settings", "logmedic.backtesting"),
    *("logmedic.lookback", "logmedic.pastlogs", "logmedic.adapters.store.duck", "logmedic.adapters.store.contents"),
    *("rich_click", "rich.console", "rich.table", "rich.progress", "httpx"),
)
_server: subprocess.Popen[bytes] | None = None
_turn = threading.Lock()


def run(
    command: Sequence[str],
    *,
    input: str | bytes | None = None,
    text: bool = False,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    capture_output: bool = True,
    check: bool = False,
) -> subprocess.CompletedProcess[Any]:
    """As subprocess.run of `[sys.executable, "-m", "logmedic", ...]` with `capture_output`. Raises TimeoutExpired."""
    assert command[:3] == [sys.executable, "-m", "logmedic"], command
    assert capture_output
    assert not check
    with tempfile.TemporaryDirectory(prefix="forked-") as room:
        files = [Path(room) / name for name in ("in", "out", "err")]
        given = (input.encode() if isinstance(input, str) else input) or b""
        files[0].write_bytes(given)
        asked = {
            "argv": ["logmedic", *command[3:]],
            "env": dict(os.environ if env is None else env),
            "cwd": str(cwd or Path.cwd()),
            "files": [str(each) for each in files],
            "timeout": timeout,
        }
        with _turn:
            code = _ask(asked)
        if code is None:
            raise subprocess.TimeoutExpired(list(command), timeout)
        out, err = (each.read_bytes() for each in files[1:])
    if text:
        return subprocess.CompletedProcess(list(command), code, out.decode(), err.decode())
    return subprocess.CompletedProcess(list(command), code, out, err)


def _ask(asked: dict[str, Any]) -> int | None:
    global _server
    if _server is not None and _server.poll() is not None:  # a test ended all that its process had started
        _end()
        _server = None
    if _server is None:
        _server = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        atexit.register(_end)
    assert _server.stdin is not None
    assert _server.stdout is not None
    _server.stdin.write(json.dumps(asked).encode() + b"\n")
    _server.stdin.flush()
    answer = _server.stdout.readline()
    assert answer, "the process that forks has ended"
    code: int | None = json.loads(answer)
    return code


def _end() -> None:
    if _server is not None and _server.stdin is not None and _server.stdout is not None:
        with contextlib.suppress(BrokenPipeError):
            _server.stdin.close()
        _server.wait()
        _server.stdout.close()


def serve() -> None:
    """A request a line on standard input; its exit code, or null for one that took too long, on standard output."""
    for each in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(each)
    assert threading.active_count() == 1, "a fork would lose what other threads hold"
    answers = os.dup(1)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os.close(answers)
            _become(asked)
        os.write(answers, json.dumps(_ended(child, asked["timeout"])).encode() + b"\n")


def _ended(child: int, timeout: float) -> int | None:
    watched = os.pidfd_open(child)
    try:
        in_time = bool(select.select([watched], [], [], timeout)[0])
        if not in_time:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) if in_time else None
    finally:
        os.close(watched)


def _become(asked: dict[str, Any]) -> None:
    """The command; never returns."""
    code: object = 1
    try:
        flags = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number, (path, flag) in enumerate(zip(asked["files"], flags, strict=True)):
            opened = os.open(path, flag, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        streams = (os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False))
        sys.stdin, sys.stdout, sys.stderr = streams
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
        os.environ.clear()
        os.environ.update(asked["env"])
        time.tzset()
        os.chdir(asked["cwd"])
        sys.argv = asked["argv"]
        runpy.run_module("logmedic", run_name="__main__", alter_sys=False)
        code = 0
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    serve()
