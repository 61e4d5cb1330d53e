"""Which addresses log text may be sent to."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from logmedic.core.addresses import is_loopback


def address_problem(url: str) -> str:
    """Why it is no http:// or https:// address, for behind the word for it; or empty. Does not hold the address, which
    may be secret."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no address"
    return "is no http:// or https:// address" if not _is_of_the_web(parts, url) else ""


def _is_of_the_web(parts: SplitResult, url: str) -> bool:
    return parts.scheme in ("https", "http") and bool(parts.hostname) and url.isascii() and _is_visible(url)


def _is_visible(text: str) -> bool:
    return text.isprintable() and " " not in text


def endpoint_problem(url: str, key: str, *, allow_plain: bool) -> str:
    """What is wrong with an endpoint, or empty. Holds neither the address nor the key: both may be secret."""
    if problem := address_problem(url):
        return f"`url` {problem}; write https://HOST/v1"
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment:
        return "`url` has a user, a query or a fragment; what the endpoint asks for goes into `key`"
    if parts.scheme == "http" and not allow_plain and not is_loopback(parts.hostname or ""):
        return "`url` is http:// to another host: log text could be read on the way; use https://, or set allow_plain"
    if not key.isascii() or not _is_visible(key):
        return "`key` has characters that no key has (blanks, line ends, letters beyond ASCII)"
    return ""
