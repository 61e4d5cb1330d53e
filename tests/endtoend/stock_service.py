"""What an application depends on: GET /ARTICLE says how many pieces there are, on a socket that it is handed.

SIGUSR1 wedges it: it hangs up on everybody, and only a start of its own mends that."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

wedged = threading.Event()


class Stock(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if wedged.is_set():
            self.close_connection = True
            return
        body = b"7"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def serve(handed: int) -> None:
    signal.signal(signal.SIGUSR1, lambda *_: wedged.set())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stock, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=handed)
    print(f"ready {threading.get_native_id()}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
