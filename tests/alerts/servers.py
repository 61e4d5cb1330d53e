"""Receivers on loopback as bad as real ones: they refuse, hang, drip, hold off, lie."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from aiosmtpd.smtp import SMTP

DRIP_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """`cut`: the connection is closed after so many bytes of it (None: after all of them). It comes after `delay_s`, or
    when the server is closed."""

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Posted:
    """`at`: seconds of time.monotonic."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float = 0.0


class HttpServer:
    """`answers` by the first part of the path: one, or some in their order, of which the last stands for all that
    follow; other paths are answered 200. `posted`: every request, in order. `port` 0: any."""

    def __init__(self, answers: Mapping[str, Answer | Sequence[Answer]] | None = None, port: int = 0) -> None:
        self.posted: list[Posted] = []
        told = {name: [each] if isinstance(each, Answer) else [*each] for name, each in (answers or {}).items()}
        self._over = threading.Event()
        posted, over = self.posted, self._over

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                posted.append(Posted(self.path, dict(self.headers), body, time.monotonic()))
                known = told.get(self.path.split("/")[1], [Answer()])
                answer = known.pop(0) if len(known) > 1 else known[0]
                if over.wait(answer.delay_s) or answer.cut is not None:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"[: answer.cut or 0])
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_PUT = do_POST

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Connections:
    """Serves every connection in a thread of its own, until closed. `seen`: connections so far."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self.seen = 0

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.seen += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        """Closes `connection`, at the latest when `_over` is set."""
        connection.close()


class Dripping(Connections):
    """Sends `line` for ever, a byte each 0.1 s; nothing at all when it is empty: a black hole."""

    def __init__(self, line: bytes = b"") -> None:
        super().__init__()
        self._line = line

    def _serve(self, connection: socket.socket) -> None:
        position = 0
        with connection, suppress(OSError):
            while not self._over.wait(DRIP_EVERY_S):
                connection.send(self._line[position : position + 1])
                position = (position + 1) % max(len(self._line), 1)


class Greeting(Connections):
    """Turns everybody away with `line`."""

    def __init__(self, line: bytes) -> None:
        super().__init__()
        self._line = line

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.sendall(self._line)


@dataclass
class Letters:
    """What aiosmtpd calls. `refusals`: answers by recipient's local part. `afterwards`: answers to whole letters, in
    their order, before they are accepted again. `letters`: those that came whole, with their recipients."""

    refusals: Mapping[str, str] = field(default_factory=dict)
    afterwards: list[str] = field(default_factory=list)
    letters: list[tuple[list[str], bytes]] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if refusal := self.refusals.get(address.partition("@")[0]):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append((envelope.rcpt_tos, envelope.content))
        return self.afterwards.pop(0) if self.afterwards else "250 accepted"


class SmtpServer:
    """`refusals`, `afterwards`: as of Letters. `port` 0: any. In a loop of its own: aiosmtpd's controller does not know
    the port that it was given."""

    def __init__(
        self, refusals: Mapping[str, str] | None = None, afterwards: Sequence[str] = (), port: int = 0
    ) -> None:
        self._box = Letters(refusals or {}, [*afterwards])
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._loop.run_forever)

    def _session(self) -> SMTP:
        return SMTP(self._box, hostname="mail.example", loop=self._loop)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def recipients(self) -> list[str]:
        return [each for to, _ in self._box.letters for each in to]

    @property
    def letters(self) -> list[bytes]:
        """Each that came whole, as it came, in order."""
        return [content for _, content in self._box.letters]

    @property
    def plain(self) -> list[str]:
        """The plain text of each letter that came whole, in order."""
        letters = (_parsed(content).get_body(("plain",)) for _, content in self._box.letters)
        return [str(each.get_content()) for each in letters if each is not None]

    def letter_to(self, recipient: str) -> EmailMessage:
        """The last one that was accepted for `recipient`, with the line ends of the wire made LF."""
        content = next(content for to, content in reversed(self._box.letters) if recipient in to)
        return _parsed(content)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = self._loop.create_server(self._session, sock=self._listener)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


def _parsed(content: bytes) -> EmailMessage:
    letter = email.message_from_bytes(content.replace(b"\r\n", b"\n"), policy=email.policy.default)
    assert isinstance(letter, EmailMessage)
    return letter


def closed_port() -> int:
    """Where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
