"""An example as its user runs it: a process of its own, beside a stock service that is down, and a daemon that mends
it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Self

from fakes.report_daemon import Line, ReportDaemon, answer, taking

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE_S = 60
WSGI = """\
import importlib, sys
from wsgiref.simple_server import make_server
module, name = sys.argv[1:]
server = make_server("127.0.0.1", 0, getattr(importlib.import_module(module), name))
print(f"serving at http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""


class Stock(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"12"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class StockService:
    """Its port is its own from the beginning, and refuses connections until `mend`."""

    def __init__(self) -> None:
        self._server = HTTPServer(("127.0.0.1", 0), Stock, bind_and_activate=False)
        self._server.server_bind()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def mend(self) -> None:
        if self._thread is None:
            self._server.server_activate()
            self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
            self._thread.start()


@dataclass
class Scene:
    """`fixes`: begins of the actions whose cause the daemon mends; of others it holds the fix."""

    stock: StockService
    daemon: ReportDaemon
    fixes: tuple[str, ...]
    log: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        ours = {"LOGMEDIC_REPORT_SOCKET": str(self.daemon.path), "STOCK_SERVICE": self.stock.address}
        return {**os.environ, **ours, "PYTHONUNBUFFERED": "1"}

    def lines(self, *words: str) -> list[str]:
        """Of the example's log, with all of these in them."""
        return [each for each in self.log if all(word in each for word in words)]

    def run(self, *command: str, given: str = "") -> int:
        """Runs `python COMMAND` to its end; its exit code."""
        argv = [sys.executable, *command]
        ran = subprocess.run(
            argv, cwd=EXAMPLES, env=self.environment, input=given, capture_output=True, text=True, timeout=PATIENCE_S
        )
        self.log += (ran.stdout + ran.stderr).splitlines()
        return ran.returncode

    @contextmanager
    def served(self, *command: str) -> Iterator[int]:
        """`python COMMAND` while it serves; its port, which is the first that it names."""
        argv = [sys.executable, *command]
        merged: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen(argv, cwd=EXAMPLES, env=self.environment, **merged) as process:
            assert process.stdout is not None
            reading = threading.Thread(target=self.log.extend, args=(process.stdout,))
            try:
                yield self._port(process.stdout)
            finally:
                process.terminate()
                if not reading.is_alive():
                    reading.start()
                reading.join(PATIENCE_S)

    def _port(self, out: Iterable[str]) -> int:
        for line in out:
            self.log.append(line)
            if (named := re.search(r"http://127\.0\.0\.1:(\d+)", line)) is not None:
                return int(named[1])
        raise AssertionError("it does not serve: " + "".join(self.log))

    def _script(self, line: Line) -> Iterator[Line]:
        yield from taking(line)
        if line.get("type") != "report" or not line.get("wait"):
            return
        if not line["action"].startswith(self.fixes):
            yield answer(line, "held", hold="awaiting_approval", rule="stock-down")
            return
        yield answer(line, "fixing", incident="INC-1", rule="stock-down")
        self.stock.mend()
        yield answer(line, "fixed", incident="INC-1", rule="stock-down")


@contextmanager
def scene(*fixes: str) -> Iterator[Scene]:
    with (
        tempfile.TemporaryDirectory() as directory,
        StockService() as stock,
        ReportDaemon(Path(directory) / "report.sock") as daemon,
    ):
        played = Scene(stock, daemon, fixes)
        daemon.script = played._script
        yield played


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


def asked(port: int, method: str, path: str, request_id: str) -> Reply:
    wire = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        wire.request(method, path, headers={"X-Request-ID": request_id})
        reply = wire.getresponse()
        return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        wire.close()
