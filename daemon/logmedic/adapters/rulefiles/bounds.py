"""What a capture may become: bounds that whoever wrote the rule chose, not whoever writes log lines (I7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from logmedic.adapters.rulefiles.placeholders import (
    Mistake,
    captures_in,
    names_in,
    placeholder_mistakes,
    possible,
    sampled,
)
from logmedic.core.captures import accept
from logmedic.core.captures import names_in as filled_names
from logmedic.model.match import Capture, CaptureType
from logmedic.model.rule import Rule

_AIMED = frozenset({CaptureType.HOSTPORT, CaptureType.IP, CaptureType.HOSTNAME, CaptureType.INT, CaptureType.ENUM})
"""Types that may stand in an address."""
_SENT = _AIMED | {CaptureType.WORD}
"""Types without a quote or a backslash, which would end a text inside JSON."""
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f]")


def is_bounded(capture: Capture) -> bool:
    match capture.type:
        case CaptureType.ENUM:
            return True
        case CaptureType.INT:
            return capture.maximum is not None
    return bool(capture.allow)


def how_to_bound(name: str, capture: Capture, example: str) -> str:
    bounds = "min: 1, max: 8" if capture.type is CaptureType.INT else f"allow: [{example}]"
    return f"bound it: {name}: {{ type: {capture.type}, {bounds} }}"


# -- addresses ---------------------------------------------------------------------------------------------------------


def url_mistakes(rule: Rule, url: str, where: str) -> Iterator[Mistake]:
    yield from placeholder_mistakes(rule, url, where)
    yield from _aim(rule, url)
    if not _is_url(sampled(rule, url)):
        yield f"`{url[:80]}` is no http:// or https:// address", "http://127.0.0.1:8080/healthz"


def address_mistakes(rule: Rule, address: str, where: str) -> Iterator[Mistake]:
    yield from placeholder_mistakes(rule, address, where)
    yield from _aim(rule, address)
    if accept(sampled(rule, address), Capture(CaptureType.HOSTPORT)) is None:
        yield f"`{address[:80]}` is no host with its port", "127.0.0.1:5432"


def body_mistakes(rule: Rule, body: str) -> Iterator[Mistake]:
    """Braces that are no names are JSON's."""
    for name in filled_names(body):
        yield from placeholder_mistakes(rule, f"{{{name}}}", "`body`")
    for _, capture in captures_in(rule, body):
        if capture.type not in _SENT and not (capture.type is CaptureType.UNIT and capture.allow):
            yield f"a {capture.type} could end the text around it in `body`", "use word, int, enum, ip or hostname"


def not_filled(rule: Rule, text: str, where: str) -> Iterator[Mistake]:
    """Of texts that stay as they are."""
    for name in filled_names(text):
        if name in rule.match.captures:
            yield f"`{{{name}}}` in {where} is not filled in", f"{where} is fixed: write it out"


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0  # asking for a port that is none raises
    except ValueError:
        return False
    return whole and parts.scheme in ("http", "https") and "@" not in parts.netloc and not _NOT_IN_URLS.search(url)


def _aim(rule: Rule, address: str) -> Iterator[Mistake]:
    """A forged line must not aim it elsewhere."""
    for name, capture in captures_in(rule, address):
        if capture.type not in _AIMED:
            yield f"a {capture.type} cannot stand in an address", "use hostport, ip, hostname, int or enum"
        elif not is_bounded(capture):
            yield f"a forged line could aim it by `{{{name}}}`", how_to_bound(name, capture, "10.0.0.0/8")


# -- units -------------------------------------------------------------------------------------------------------------


def unit_mistakes(rule: Rule, unit: str, where: str = "`unit`") -> Iterator[Mistake]:
    yield from placeholder_mistakes(rule, unit, where)
    for name, capture in captures_in(rule, unit):
        if not is_bounded(capture):
            yield f"the unit `{{{name}}}` could be any", f"bound it: {name}: {{ type: unit, allow: [app.service] }}"
    if unit and accept(_whole(sampled(rule, unit)), Capture(CaptureType.UNIT)) is None:
        yield f"`{unit[:80]}` is no unit", "write its whole name: app.service"


def _whole(text: str) -> str:
    """Without the names that are no captures: those are told of already."""
    for name in names_in(text):
        text = text.replace(f"{{{name}}}", "x.service")
    return text


# -- paths -------------------------------------------------------------------------------------------------------------


def path_mistakes(rule: Rule, path: str, where: str) -> Iterator[Mistake]:
    yield from placeholder_mistakes(rule, path, where)
    if path and not (path.startswith("/") or _begins_with_a_path(rule, path)):
        yield f"`{path[:80]}` is no absolute path", "write it out: /var/cache/app"
    if any(".." in each.split("/") for each in (path, *possible(rule, path))):
        yield f"`{path[:80]}` goes up by `..`", "write the directory out"
    for name, capture in captures_in(rule, path):
        if capture.type is CaptureType.PATH and path.partition(f"{{{name}}}")[2][:1] not in ("", "/"):
            yield f"the path `{{{name}}}` ends in mid-name in {where}", "let `/` follow it, or nothing"
        if not is_bounded(capture):
            yield f"the path `{{{name}}}` could be any", how_to_bound(name, capture, "/var/spool/app")


def _begins_with_a_path(rule: Rule, text: str) -> bool:
    first = next(captures_in(rule, text), None)
    return first is not None and first[1].type is CaptureType.PATH and text.startswith(f"{{{first[0]}}}")
