"""Who is there beside the logs: applications that report, a switch that speaks syslog, people who look, and the
receivers of messages. Each is a thread or a server, and a context manager."""

from __future__ import annotations

import json
import random
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

from alerts.servers import Answer, HttpServer, SmtpServer
from crash.process import Daemon
from logmedic.client import Client
from logmedic.model.errors import LogmedicError

RULES = """version: 1
rules:
  - id: packer-failed
    title: "the packer cannot pack"
    match: { report: { component: packer } }
    tests:
      - { name: it says so, lines: [{ report: { component: packer, error: OSError } }], expect: { fires: 1 } }
      - { name: another one, lines: [{ report: { component: shop, error: OSError } }], expect: { fires: 0 } }
  - id: port-flaps
    title: "a port of the switch flaps"
    source: switch
    match: { program: ifmgr, pattern: '^port \\d+ changed its state' }
    tests:
      - name: it flaps
        lines: ["Nov 23 03:12:41 sw1 ifmgr[7]: port 12 changed its state"]
        expect: { fires: 1 }
      - { name: it does not, lines: ["Nov 23 03:12:41 sw1 ifmgr[7]: port 12 is up"], expect: { fires: 0 } }
"""
PAUSE_S, LOOKS_S = 0.5, 2.0
HTTP_ANSWERS = (
    *[Answer()] * 9,
    Answer(503),
    *[Answer()] * 7,
    Answer(429, headers={"Retry-After": "2"}),
    *[Answer()] * 5,
    Answer(cut=0),
    *[Answer()] * 4,
    Answer(delay_s=3.0),
)
SMTP_ANSWERS = (*["250 accepted"] * 7, "451 try again", *["250 accepted"] * 4, "421 not now")
ROUNDS = 400
"""Of those answers; behind them everything is accepted."""
ASKED = (
    *(
        "/v1/status",
        "/v1/incidents?all=true",
        "/v1/fixes",
        "/v1/issues",
        "/v1/templates",
        "/v1/learnings",
        "/v1/alerts",
    ),
    *("/v1/rules", "/v1/sources", "/v1/gaps", "/v1/stats", "/v1/trends", "/v1/activity", "/v1/events", "/v1/storage"),
    *("/", "/incidents", "/fixes", "/learned", "/alerts", "/rules", "/metrics", "/v1/rule_stats", "/v1/needs"),
)


class Teller:
    """A thread that says something each `pause_s`; `told` counts. While it is held, it is silent."""

    def __init__(self, name: str, pause_s: float = PAUSE_S) -> None:
        self.told = 0
        self._pause_s = pause_s
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._turn:
            yield

    def _work(self) -> None:
        while not self._over.wait(self._pause_s):
            with self._turn:
                self._tell()

    def _tell(self) -> None:
        raise NotImplementedError


class Applications(Teller):
    """They report errors, over the client that real ones have."""

    def __init__(self, path: Path, spool: Path, chance: random.Random) -> None:
        super().__init__("applications")
        self._client = Client(socket=path, component="packer", spool=spool)
        self._chance = chance

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._client.close(20)

    def _tell(self) -> None:
        error = self._chance.choice((OSError("no box"), TimeoutError("the belt stands"), ValueError("no such size")))
        self._client.report(error, action="pack", request_id=f"order-{self.told}")
        self.told += 1


class Switch(Teller):
    """Sends syslog over TCP. What it cannot send it keeps, and sends when somebody listens."""

    def __init__(self, port: int) -> None:
        super().__init__("switch")
        self._port = port
        self._wire: socket.socket | None = None

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._hang_up()

    def _tell(self) -> None:
        try:
            if self._wire is None:
                self._wire = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            self._wire.sendall(f"<188>Nov 26 12:00:00 sw1 ifmgr[7]: port {self.told % 48} changed its state\n".encode())
            self.told += 1
        except OSError:
            self._hang_up()

    def hang_up(self) -> None:
        """To be called while it is held: whoever comes next is greeted anew."""
        self._hang_up()

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


class Onlooker(Teller):
    """Asks for pages and answers over the socket. `told`: answers; `failed`: those of 500 and more, but 503."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        super().__init__("onlooker", LOOKS_S)
        self.failed: list[str] = []
        self._path, self._chance = path, chance

    def _tell(self) -> None:
        target = self._chance.choice(ASKED)
        with suppress(OSError, HTTPException):
            status = asked(self._path, target)
            self.told += 1
            if status >= 500 and status != 503:
                self.failed.append(f"{target}: {status}")


def asked(path: Path, target: str) -> int:
    """The status of the answer, which is read to its end."""
    connection = HTTPConnection("localhost", timeout=20)
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(20)
        connection.sock.connect(str(path))
        connection.request("GET", target)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


class Receivers:
    """A chat and a mail server that refuse, hang and hang up now and then. `away`: neither is there for a while."""

    def __init__(self) -> None:
        self._chats = [HttpServer({"chat": HTTP_ANSWERS * ROUNDS})]
        self._mails = [SmtpServer(afterwards=SMTP_ANSWERS * ROUNDS)]
        self.chat_port, self.mail_port = self._chats[0].port, self._mails[0].port

    def __enter__(self) -> Self:
        self._chats[-1].__enter__()
        self._mails[-1].__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._chats[-1].__exit__()
        self._mails[-1].__exit__()

    @contextmanager
    def away(self) -> Iterator[None]:
        self.__exit__()
        try:
            yield
        finally:
            self._chats.append(HttpServer({"chat": HTTP_ANSWERS * ROUNDS}, self.chat_port))
            self._mails.append(SmtpServer(afterwards=SMTP_ANSWERS * ROUNDS, port=self.mail_port))
            self.__enter__()

    def posted(self) -> list[str]:
        """Ids of messages that came to the chat, also those that it refused."""
        return [json.loads(each.body)["logmedic"]["id"] for server in self._chats for each in server.posted]

    def letters(self) -> list[str]:
        """The same of the mail server."""
        letters = (each for server in self._mails for each in server.letters)
        return [found[1].decode() for each in letters if (found := re.search(rb"(?im)^Message-ID:\s*<([^@>]+)@", each))]


def occurrences(daemon: Daemon, rule: str) -> int:
    """Of the known issue of a rule, as the daemon says it; -1 when it says nothing."""
    try:
        rows = daemon.ask("issues?limit=1000")
    except LogmedicError:
        return -1
    return sum(row["occurrences"] for row in rows or [] if row["issue_type"] == rule) if rows is not None else -1
