"""One POST of JSON over HTTPS, of which nothing but the answer's first bytes is trusted.

The library comes with the extra `llm`; this module is imported when the first question is asked.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from logmedic.core.addresses import is_loopback

BODY_LIMIT = 1 << 20
"""Bytes. An answer has some kilobytes; one that never ends must not fill the memory."""


class Unanswered(Exception):
    """No answer came. Its text holds nothing of the request. `again`: it may come another time."""

    def __init__(self, text: str, *, again: bool = True, sent: bool = True) -> None:
        super().__init__(text)
        self.again = again
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


async def post(url: str, body: bytes, *, key: str, environment: Mapping[str, str], timeout_s: float) -> Response:
    """Follows no redirect, which would carry key and question elsewhere; verifies certificates by the system's store,
    or by that of SSL_CERT_FILE; goes by the proxy that `environment` names. `timeout_s` is for each wait: a server that
    drips passes it for ever, so that the caller has the deadline. A cancel closes the connection. Raises Unanswered."""
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    try:
        async with (
            httpx.AsyncClient(
                verify=_certificates(environment),
                proxy=proxy_for(url, environment),
                trust_env=False,  # the environment came as an argument; .netrc holds other secrets
                follow_redirects=False,
                timeout=timeout_s,
                headers={"User-Agent": "logmedic"},
            ) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            return Response(response.status_code, dict(response.headers), await _limited(response))
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ImportError, ValueError) as error:
        raise _unanswered(error) from None


async def _limited(response: httpx.Response) -> bytes:
    """Raises Unanswered for what is larger, or packed: a few bytes of that can be a gigabyte."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unanswered("the answer is packed, which was not asked for", again=False)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise Unanswered(f"the answer is larger than {BODY_LIMIT >> 20} MiB", again=False)
    return bytes(body)


def _certificates(environment: Mapping[str, str]) -> ssl.SSLContext:
    file, directory = environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR")
    return ssl.create_default_context(cafile=file or None, capath=directory or None)


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """What HTTPS_PROXY, HTTP_PROXY (or ALL_PROXY) and NO_PROXY say, in small letters before capitals. None for this
    host: a proxy has another loopback."""
    parts = urlsplit(url)
    named = {
        name: environment.get(f"{name}_proxy") or environment.get(f"{name}_PROXY".upper(), "")
        for name in ("https", "http", "all", "no")
    }
    host = parts.hostname or ""
    if is_loopback(host) or _is_excepted(host, parts.port, named["no"]):
        return None
    chosen = named.get(parts.scheme) or named["all"]
    return (chosen if "://" in chosen else f"http://{chosen}") if chosen else None


def _is_excepted(host: str, port: int | None, no_proxy: str) -> bool:
    """By NO_PROXY: `*`, or names that stand for themselves and for all below them."""
    host = host.lower()
    for each in (each.strip().lower().lstrip(".") for each in no_proxy.split(",")):
        name, _, only_port = each.rpartition(":") if each.count(":") == 1 else (each, "", "")
        fits = host == name or host.endswith(f".{name}")
        if each == "*" or (name and fits and only_port in ("", str(port))):
            return True
    return False


def _unanswered(error: Exception) -> Unanswered:
    """The text of `error` is not used: it may quote a header, and one holds the key."""
    cause = _first_cause(error)
    match cause:
        case ssl.SSLCertVerificationError():
            return Unanswered(f"the certificate is not trusted: {cause.verify_message}", again=False, sent=False)
        case ssl.SSLError():
            return Unanswered(f"TLS: {cause.reason or 'failed'}", sent=False)
        case OSError() if cause.errno:
            words = cause.strerror if isinstance(cause, socket.gaierror) else os.strerror(cause.errno)
            sent = not isinstance(error, httpx.ConnectError | httpx.ProxyError)
            return Unanswered(f"no answer: {words}", sent=sent)
        case ImportError():
            return Unanswered("this kind of proxy needs another library (socksio)", again=False, sent=False)
    match error:
        case httpx.ConnectError():
            return Unanswered("no connection", sent=False)
        case httpx.ProxyError():
            return Unanswered("the proxy refuses", sent=False)
        case httpx.RemoteProtocolError():
            return Unanswered("the answer is no HTTP, or was cut off")
    return Unanswered(f"no answer ({type(error).__name__})", again=isinstance(error, httpx.TransportError))


def _first_cause(error: BaseException) -> BaseException:
    """The system's or TLS's own error under layers of wrapping."""
    seen = [error]
    while (inner := seen[-1].__cause__ or seen[-1].__context__) is not None and inner not in seen:
        seen.append(inner)
    telling = [each for each in seen if isinstance(each, ImportError) or (isinstance(each, OSError) and each.args)]
    return telling[-1] if telling else error
