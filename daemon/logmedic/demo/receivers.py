"""What the alerts of the demo arrive at: a real SMTP server and a Slack-compatible web hook, both on loopback."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


@dataclass(frozen=True, slots=True)
class Arrived:
    """`channel`: email or slack."""

    channel: str
    title: str
    text: str


def free_port() -> int:
    """On loopback. Somebody else could take it before it is used; the demo would say so and end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Deliver = Callable[[Arrived], None]


class Mailbox:
    """An SMTP server. Closed by `stop`."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        plain = message.get_body(("plain",))
        letter = plain.get_content().replace("\r\n", "\n") if plain is not None else ""
        title, _, text = letter.partition("\n\n")
        self._deliver(Arrived("email", title, text))
        return "250 accepted"

    def stop(self) -> None:
        self._controller.stop()


class SlackHook:
    """A server that takes what Slack's incoming web hooks take. Closed by `stop`."""

    def __init__(self, deliver: Deliver) -> None:
        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                title, text = _read(content)
                deliver(Arrived("slack", title, text))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _read(content: dict[str, Any]) -> tuple[str, str]:
    """Title and text of a hook's message: its header, and its sections, a line for each."""
    texts: dict[str, list[str]] = {"header": [], "section": []}
    for block in content.get("blocks", ()):
        if block["type"] in texts:
            texts[block["type"]].append(" ".join(unescape(block["text"]["text"]).split()))
    return " ".join(texts["header"]), "\n".join(texts["section"])
