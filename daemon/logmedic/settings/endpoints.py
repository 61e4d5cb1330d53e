"""Which addresses log text may be sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

from logmedic.core.addresses import is_loopback


def endpoint_problem(url: str, key: str, *, allow_plain: bool) -> str:
    """What is wrong with an endpoint, or empty. Holds neither the address nor the key: both may be secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "`url` is no address; write https://HOST/v1"
    if parts.scheme not in ("https", "http") or not host or not url.isascii() or not url.isprintable() or " " in url:
        return "`url` is no http:// or https:// address; write https://HOST/v1"
    if parts.username is not None or parts.query or parts.fragment:
        return "`url` has a user, a query or a fragment; what the endpoint asks for goes into `key`"
    if parts.scheme == "http" and not allow_plain and not is_loopback(host):
        return "`url` is http:// to another host: log text could be read on the way; use https://, or set allow_plain"
    if not key.isascii() or not key.isprintable() or " " in key:
        return "`key` has characters that no key has (blanks, line ends, letters beyond ASCII)"
    return ""
