"""Asks the running daemon over its Unix socket. Standard library only."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from logmedic.model.errors import DaemonUnreachable, LogmedicError, NotFound, PermanentError, TransientError

WAIT_S = 60.0
"""Longer than the slowest answer, a test of the alerts."""
PIECE = 64 * 1024
"""Bytes of an answer without end that are taken at once, at most."""


class Client:
    """One request at a time, each on a connection of its own."""

    def __init__(self, socket_path: Path, wait_s: float = WAIT_S) -> None:
        self._path = socket_path
        self._wait_s = wait_s

    @property
    def socket_path(self) -> Path:
        return self._path

    def waiting(self, wait_s: float) -> Client:
        """The same, for an answer that takes as long."""
        return Client(self._path, wait_s)

    def get(self, path: str, **parameters: Any) -> Any:
        """Parameters that are None are left out. Raises DaemonUnreachable, NotFound and other LogmedicErrors."""
        return self._ask("GET", _target(path, parameters))

    def post(self, path: str, **body: Any) -> Any:
        return self._ask("POST", f"/v1/{path}", json.dumps(body))

    @contextmanager
    def receiving(self, path: str, headers: Mapping[str, str], **parameters: Any) -> Iterator[Callable[[], bytes]]:
        """An answer without end. What is called gives what came next, as soon as it is there, and nothing at the end;
        a silence is as long as `wait_s`. Both raise as `get`."""
        connection = HTTPConnection("logmedic")
        try:
            with self._breaking_off():
                connection.sock = self._connected()
                connection.request("GET", _target(path, parameters), headers=dict(headers))
                response = connection.getresponse()
                if response.status >= 400:
                    raise _error(response.status, json.loads(response.read()))

            def received() -> bytes:
                with self._breaking_off():
                    return response.read1(PIECE)

            yield received
        finally:
            connection.close()

    def _ask(self, method: str, target: str, body: str | None = None) -> Any:
        connection = HTTPConnection("logmedic")
        try:
            with self._breaking_off():
                connection.sock = self._connected()
                connection.request(method, target, body)
                response = connection.getresponse()
                answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 400:
            raise _error(response.status, answer)
        return answer

    @contextmanager
    def _breaking_off(self) -> Iterator[None]:
        """What goes wrong on the way, in our words."""
        try:
            yield
        except TimeoutError:
            raise TransientError(f"the daemon did not answer within {self._wait_s:g} s", "see its log") from None
        except (OSError, HTTPException, ValueError) as error:
            raise DaemonUnreachable(f"the daemon broke off: {error}", "see its log: journalctl -u logmedic") from None

    def _connected(self) -> socket.socket:
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(self._wait_s)
        try:
            wire.connect(str(self._path))
        except PermissionError:
            wire.close()
            raise DaemonUnreachable(
                f"not allowed to connect to {self._path}", "use sudo, or join the group: usermod -aG logmedic YOU"
            ) from None
        except OSError:
            wire.close()
            raise DaemonUnreachable(
                f"no daemon answers at {self._path}",
                "systemctl start logmedic, or: logmedic run; one that has just been started needs a moment",
            ) from None
        return wire


def _target(path: str, parameters: Mapping[str, Any]) -> str:
    given = {name: _text(value) for name, value in parameters.items() if value is not None}
    return f"/v1/{path}" + (f"?{urlencode(given)}" if given else "")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error(status: int, answer: Any) -> LogmedicError:
    told = answer if isinstance(answer, dict) else {}
    kind = {404: NotFound, 503: TransientError}.get(status, PermanentError)
    return kind(str(told.get("error", f"HTTP {status}")), str(told.get("hint", "")))
