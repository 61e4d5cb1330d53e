"""One POST to a collector, in a thread of its own: whatever the collector does, the daemon does not wait for it."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from logmedic.model.metric import Pushed

ANSWER_BYTES = 64 * 1024
"""More of an answer is not read."""
WAIT_MAX_S = 3600.0
"""What a Retry-After is heeded for at most."""


class Post:
    """Sends once. `run` is for a thread; `end` may be called from any other, and makes `run` return."""

    def __init__(self, url: str, body: bytes, headers: Mapping[str, str], deadline_s: float) -> None:
        parts = urlsplit(url)
        make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = make(parts.hostname or "", parts.port, timeout=deadline_s)
        self._target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        self._body = body
        self._headers = headers
        self._ended = threading.Event()

    def run(self) -> Pushed:
        """Never raises for what the collector does. Proxies are not asked, redirections not followed."""
        try:
            self._connection.connect()
            if self._ended.is_set():
                return Pushed("it took too long")
            self._connection.request("POST", self._target, gzip.compress(self._body, 5), self._all_headers())
            response = self._connection.getresponse()
            return outcome_of(response, response.read(ANSWER_BYTES), datetime.now(UTC))
        except TimeoutError:
            return Pushed("it took too long")
        except (OSError, HTTPException, ssl.CertificateError) as error:
            return Pushed("it took too long" if self._ended.is_set() else f"{type(error).__name__}: {error}"[:200])
        finally:
            self._connection.close()

    def end(self) -> None:
        self._ended.set()
        if (open_socket := self._connection.sock) is not None:
            with suppress(OSError):  # it is closed already
                open_socket.shutdown(socket.SHUT_RDWR)

    def _all_headers(self) -> dict[str, str]:
        return {
            **self._headers,
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            "User-Agent": "logmedic",
            "Connection": "close",
        }


def outcome_of(response: HTTPResponse, _: bytes, now: datetime) -> Pushed:
    if 200 <= response.status < 300:
        return Pushed()
    return Pushed(f"it answered {response.status}", retry_after_s(response.headers.get("Retry-After", ""), now))


def retry_after_s(text: str, now: datetime) -> float | None:
    """Seconds, or a date; None: it says nothing that can be read."""
    if text.isascii() and text.isdigit():
        return min(WAIT_MAX_S, float(text[:9]))
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return min(WAIT_MAX_S, max(0.0, (at - now).total_seconds()))
    except (ValueError, TypeError, OverflowError):
        return None


async def post(url: str, body: bytes, headers: Mapping[str, str], deadline_s: float) -> Pushed:
    """Takes `deadline_s` at most; a cancel ends it."""
    one, loop = Post(url, body, headers, deadline_s), asyncio.get_running_loop()
    done: asyncio.Future[Pushed] = loop.create_future()

    def settle(outcome: Pushed) -> None:
        if not done.done():
            done.set_result(outcome)

    def work() -> None:
        outcome = one.run()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=work, name="otlp", daemon=True).start()  # a daemon: the exit waits for no collector
    try:
        async with asyncio.timeout(deadline_s):
            return await done
    except TimeoutError:
        return Pushed("it took too long")
    finally:
        one.end()
