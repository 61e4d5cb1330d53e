"""What the alerts of the demo arrive at: a real SMTP server and a Slack-compatible web hook, both on loopback."""

from __future__ import annotations

import email
import email.policy
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
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


Deliver = Callable[[Arrived], None]


class Mailbox:
    """An SMTP server. Closed by `stop`."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._controller = Controller(self, hostname="127.0.0.1", port=0)
        self._controller.start()

    @property
    def port(self) -> int:
        return int(self._controller.server.sockets[0].getsockname()[1])

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body is not None else ""
        self._deliver(Arrived("email", str(message["Subject"]), text))
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
    """Title and text of a hook's message: in attachments, or plain."""
    for attachment in content.get("attachments", ()):
        return str(attachment.get("title", "")), str(attachment.get("text", ""))
    title, _, text = str(content.get("text", "")).partition("\n")
    return title, text
