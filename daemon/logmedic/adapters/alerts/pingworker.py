"""The disposable process that asks for one address: `python -m logmedic.adapters.alerts.pingworker`. Standard library
only: it starts every few minutes.

A request (JSON) comes on stdin, since argv and the environment of a process can be read by others; the answer (JSON)
goes to stdout.

    {"url": "https://...", "lifetime_s": 22}  ->  {"problem": "" or what went wrong, without any part of the URL}
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import resource
import signal
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import unquote, urlsplit

_MEMORY_BYTES = 512 << 20
_WAIT_S = 15.0
"""For each answer of the network; the process is ended when all of it takes too long."""
_ADDRESS = "not an http:// or https:// address that can be asked"


def main() -> None:
    request = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # The daemon kills this process in time. When the daemon itself died, nobody would.
    signal.setitimer(signal.ITIMER_REAL, request["lifetime_s"])
    json.dump({"problem": problem_of(request["url"])}, sys.stdout)


def problem_of(url: str) -> str:
    """Asks for `url`. Empty when the server answers with 2xx."""
    try:
        asked = _request(url)
        if asked is None:
            return _ADDRESS
        with _opener().open(asked, timeout=_WAIT_S) as response:
            return "" if 200 <= response.status < 300 else _status(response.status)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _words(error)


class _Final(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer, and no success: a page to log in at answers 200 to everybody."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    """Through the proxies that the environment names; for no scheme but these two (file: would read this host's)."""
    authorities = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE") or None)
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=authorities),
        _Final(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", "logmedic")]
    return opener


def _request(url: str) -> urllib.request.Request | None:
    """None for what is no such address. A user and a password in it become the header that they stand for."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
        return None
    user, at, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(parts._replace(netloc=host, fragment="").geturl())  # noqa: S310 - checked above
    if at:
        request.add_header("Authorization", f"Basic {base64.b64encode(unquote(user).encode()).decode()}")
    return request


def _words(error: OSError | http.client.HTTPException | ValueError) -> str:
    """The text of `error` is used only where it cannot hold the path, which is the secret."""
    match _cause(error):
        case urllib.error.HTTPError() as refusal:
            return _status(refusal.code) + (": write the address that it leads to" if 300 <= refusal.code < 400 else "")
        case ssl.SSLCertVerificationError() as untrusted:
            return f"the certificate is not trusted: {untrusted.verify_message}"
        case ssl.SSLError() as broken:
            return f"TLS: {broken.reason or 'failed'}"
        case TimeoutError():
            return f"no answer within {_WAIT_S:g} s"
        case OSError() as failed if failed.strerror:
            return f"no answer: {failed.strerror}"
        case OSError() as failed if str(failed).startswith("Tunnel"):
            return "the proxy refuses"
        case http.client.InvalidURL() | ValueError():
            return _ADDRESS
    return "the answer is no HTTP, or was cut off"


def _cause(error: BaseException) -> object:
    """What urllib has wrapped: an exception, or words."""
    wrapped = isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError)
    return error.reason if wrapped else error  # type: ignore[attr-defined]


def _status(status: int) -> str:
    return f"HTTP {status} {http.client.responses.get(status, '')}".rstrip()


if __name__ == "__main__":
    main()
