"""sd_notify: readiness, reloads and the watchdog, told to the service manager."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

_STATUS_LIMIT = 200


class SystemdNotifier:
    """`socket_path` is the value of NOTIFY_SOCKET; None or empty: there is no service manager, and nothing is done.
    Nothing here raises: a daemon does not fail because nobody listens."""

    def __init__(self, socket_path: str | None) -> None:
        path = socket_path or ""
        self._address = "\0" + path[1:] if path.startswith("@") else path

    def ready(self) -> None:
        self._tell("READY=1")

    def reloading(self) -> None:
        """To be followed by `ready` when the reload is through."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def alive(self) -> None:
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        self._tell(f"STATUS={' '.join(text.split())[:_STATUS_LIMIT]}")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        # Never waits: a manager that does not read must not stop the loop that it watches.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
            channel.sendto(message.encode(errors="replace"), self._address)
