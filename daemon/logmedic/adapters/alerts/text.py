"""The text of a message as receivers may see it: hostile characters made visible, secrets taken out.

The words come cleaned from core; this is the second line, for whatever reaches a message another way (F74).
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

TITLE_LIMIT = 200
"""Characters: a mail subject or a chat headline beyond this is cut by most programs that show it."""

_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed; a lone CR ends no line (F19)
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"  # what turns or breaks the direction of reading
    "\ud800-\udfff]"  # lone surrogates: no encoder takes them
)
_MENTION = re.compile(r"(?<=@)(?=everyone|here|channel|all\b)|(?<=<)(?=[@!#&])", re.IGNORECASE)
_ESCAPED_BY_THE_PLUGIN = frozenset({"slack", "mailto", "mailtos"})
"""Schemes that need no defusing: in a mail nothing is obeyed, and the Slack plugin escapes &, < and > (tested)."""
_PUBLIC_HOSTS = frozenset({"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"})
"""Schemes whose host is a server; in others (Slack, Telegram, Discord) it is a token."""
_SECRET_MIN = 4
"""Characters: hiding shorter parts of a URL would blot out ordinary words."""
HIDDEN = "***"


def visible(text: str) -> str:
    """Line ends become LF; what a terminal, a mail header or a reader's eye would obey becomes its escape."""
    return _HOSTILE.sub(lambda hit: _escape(hit[0]), text.replace("\r\n", "\n"))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def one_line(title: str) -> str:
    """Line ends count as blanks, so that no header and no second line can be smuggled in."""
    return visible(" ".join(title.split()))[:TITLE_LIMIT]


def defused(text: str, scheme: str) -> str:
    """For chats that obey plain text: a zero-width space parts `@everyone` and `<@id>`; it looks the same."""
    return text if scheme in _ESCAPED_BY_THE_PLUGIN else _MENTION.sub("\u200b", text)


def fitted(body: str, limit: int) -> str:
    """At most `limit` characters (0: no limit), cut above the last line: the alert's id stands there (F71)."""
    if limit <= 0 or len(body) <= limit:
        return body
    above, _, last = body.rpartition("\n")
    room = limit - len(last) - len("\n...\n")
    return f"{above[:room]}\n...\n{last}" if room > 0 else last[:limit]


def fitted_bytes(body: str, limit: int) -> str:
    """As `fitted`, at most `limit` bytes of UTF-8."""
    size = len(body)
    while len(fitted(body, size).encode("utf-8", "replace")) > limit:
        size = min(size - 1, size * limit // len(fitted(body, size).encode("utf-8", "replace")))
    return fitted(body, size)


def scheme_of(url: str) -> str:
    """Lower case, or empty when `url` has none that could be one: what stands there may be a secret."""
    hit = re.match(r"([a-z][a-z0-9+]{1,19})://", url, re.IGNORECASE)
    return hit[1].lower() if hit else ""


def scrubbed(text: str, url: str) -> str:
    """`text` without the URL and without any part of it that may be a secret, percent-decoded or not."""
    for secret in _secrets_of(url):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets_of(url: str) -> list[str]:
    """Longest first, so that no part hides the rest of a whole."""
    rest = url.partition("://")[2]
    authority, _, path_and_query = rest.partition("/")
    user_part, at, host = authority.rpartition("@")
    parts = {url, rest, *user_part.split(":")} if at else {url, rest}
    if scheme_of(url) not in _PUBLIC_HOSTS:
        parts.add(host)
    parts.update(re.split(r"[/?&=#:;,]", path_and_query))
    parts.update(_split_query(url))
    everything = parts | {unquote(part) for part in parts}
    return sorted((part for part in everything if len(part) >= _SECRET_MIN), key=len, reverse=True)


def _split_query(url: str) -> list[str]:
    """A query may follow the host without a slash (mailto://host?pass=...)."""
    try:
        query = urlsplit(url).query
    except ValueError:  # an unclosed bracket: no address, but its parts were taken above
        return []
    return re.split(r"[&=]", query)
