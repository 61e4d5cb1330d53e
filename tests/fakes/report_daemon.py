"""A daemon as the client sees it: a real Unix socket, and for each line that comes what a script says.

with ReportDaemon(path, answering("fixing", "fixed")) as daemon:
    ...
    daemon.wait_until(lambda: len(daemon.reports) == 3)
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

Line = dict[str, Any]
Script = Callable[[Line], Iterable["Line | bytes"]]
"""What is sent back for one line that came; bytes go out as they are."""
HELLO = {"type": "hello", "protocol": 1, "version": "0.1.0"}
PATIENCE = 10.0


def taken(line: Line) -> Line:
    return {"type": "taken", "ids": [line["id"]]}


def answer(line: Line, state: str, **more: Any) -> Line:
    """`final` goes by the state."""
    told = {"type": "answer", "id": line["id"], "state": state, "final": state != "fixing"}
    return told | {"issue": "", "incident": "", "rule": "", "hold": "", "detail": ""} | more


def taking(line: Line) -> Iterable[Line]:
    """Takes each report, and answers none."""
    return [taken(line)] if line.get("type") == "report" else []


def hanging(line: Line) -> Iterable[Line]:
    """Reads everything, and says nothing."""
    return []


def answering(*states: str, **more: Any) -> Script:
    """Takes each report, and tells who asks these states at once."""

    def script(line: Line) -> Iterator[Line]:
        yield from taking(line)
        if line.get("type") == "report" and line.get("wait"):
            yield from (answer(line, state, **more) for state in states)

    return script


def refusing(reason: str, times: int = 1_000_000, retry_after: float | None = None) -> Script:
    """Refuses the first `times` reports, and takes the others."""
    left = [times]

    def script(line: Line) -> Iterator[Line]:
        if line.get("type") != "report" or left[0] <= 0:
            yield from taking(line)
            return
        left[0] -= 1
        told = {"type": "refused", "id": line["id"], "reason": reason, "error": "it is refused", "hint": "wait"}
        yield told if retry_after is None else told | {"retry_after": retry_after}

    return script


class ReportDaemon:
    """Listens from `with` (or `start`) on; `stop` ends it with all its connections, and another one may take its place
    at the same path. `hello`: what is said first; b"": nothing. `reads` False: it accepts, and never reads. `flood`: is
    sent without end to each connection, as long as somebody takes it."""

    def __init__(
        self, path: Path, script: Script = taking, *, hello: bytes | None = None, reads: bool = True, flood: bytes = b""
    ) -> None:
        self.path, self.script, self.reads, self.flood = path, script, reads, flood
        self.hello = encoded(HELLO) if hello is None else hello
        self.lines: list[Line] = []
        self.connections = 0
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def reports(self) -> list[Line]:
        with self._changed:
            return [each for each in self.lines if each.get("type") == "report"]

    @property
    def open(self) -> int:
        """Connections that neither end has closed."""
        with self._changed:
            return len(self._open)

    def start(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self.path))
        self._listening.listen(64)
        self._thread(self._accept, self._listening)

    def stop(self) -> None:
        """Returns when all its threads have ended."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
        self.hang_up()
        for each in self._threads:
            each.join(PATIENCE)
            assert not each.is_alive()
        self._threads.clear()

    def hang_up(self) -> None:
        """Ends all connections, and goes on listening."""
        with self._changed:
            ending = list(self._open)
        for each in ending:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def say(self, *told: Line | bytes) -> None:
        """To all that are connected."""
        with self._changed:
            connected = list(self._open)
        for each in connected:
            self._send(each, told)

    def wait_until(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Asks after each line and connection. Fails the test when it does not come true in time."""
        end = time.monotonic() + seconds
        with self._changed:
            while not holds():
                left = end - time.monotonic()
                assert left > 0, f"{len(self.lines)} lines came, over {self.connections} connections"
                self._changed.wait(min(left, 0.05))

    def wait_for_reports(self, count: int) -> list[Line]:
        self.wait_until(lambda: len(self.reports) >= count)
        return self.reports

    def _thread(self, target: Callable[[socket.socket], None], arg: socket.socket) -> None:
        started = threading.Thread(target=target, args=(arg,), name="report daemon", daemon=True)
        self._threads.append(started)
        started.start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with self._changed:
                self.connections += 1
                self._open.add(connection)
                self._changed.notify_all()
            if self._listening is None:
                connection.shutdown(socket.SHUT_RDWR)
            self._thread(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._send(connection, [self.hello])
            if self.flood:
                with contextlib.suppress(OSError):
                    while True:
                        connection.sendall(self.flood)
            if not self.reads:
                _wait_for_the_end(connection)
                return
            with connection.makefile("rb") as stream:
                for line in stream:
                    self._take(connection, line)
        except (OSError, ValueError):
            return
        finally:
            with self._changed:
                self._open.discard(connection)
                self._changed.notify_all()
            connection.close()

    def _take(self, connection: socket.socket, line: bytes) -> None:
        told = json.loads(line)
        with self._changed:
            self.lines.append(told)
            self._changed.notify_all()
        self._send(connection, self.script(told))

    @staticmethod
    def _send(connection: socket.socket, told: Iterable[Line | bytes]) -> None:
        with contextlib.suppress(OSError):
            for each in told:
                connection.sendall(each if isinstance(each, bytes) else encoded(each))


def encoded(line: Line) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _wait_for_the_end(connection: socket.socket) -> None:
    """Without taking anything out of it."""
    import select

    watched = select.poll()
    watched.register(connection, select.POLLHUP | select.POLLRDHUP)
    watched.poll()
