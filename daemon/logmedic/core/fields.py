"""Named fields of a record: of a JSON object, or of logfmt pairs; and its level, in one set of words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from logmedic.model.match import Level

MAX_FIELDS = 256
MAX_DEPTH = 8
MAX_CHARS = 64 * 1024
"""Of a record that is looked into: beyond, it has no fields."""
PREFIX_CHARS = 256
"""How far from its start the JSON object may begin: behind a syslog header, a container's name."""

_PAIR = re.compile(r'(?<![^\s])([A-Za-z_@][\w.@/-]{0,63})=("(?:\\.|[^"\\])*"|[^\s"]*)(?=\s|$)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_LEVEL_FIELDS = ("level", "severity", "lvl", "loglevel", "log.level", "levelname", "log_level", "priority", "PRIORITY")
_WORDS: dict[str, Level] = {
    **{level.value: level for level in Level},
    **dict.fromkeys(("finest", "finer", "verbose"), Level.TRACE),
    **dict.fromkeys(("fine", "dbg"), Level.DEBUG),
    **dict.fromkeys(("information", "informational", "log", "config"), Level.INFO),
    **dict.fromkeys(("warn", "wrn"), Level.WARNING),
    **dict.fromkeys(("err", "eror", "failure"), Level.ERROR),
    **dict.fromkeys(("crit", "fatal", "severe", "alert", "emerg", "emergency", "panic", "ftl"), Level.CRITICAL),
}
_SYSLOG = (*(Level.CRITICAL,) * 3, Level.ERROR, Level.WARNING, Level.NOTICE, Level.INFO, Level.DEBUG)
_NUMBERED = dict(
    zip(
        ("10", "20", "30", "40", "50", "60"),
        (Level.TRACE, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.CRITICAL),
        strict=True,
    )
)
"""As pino and bunyan count."""
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ ")
_KLOG_LEVEL = {"I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR, "F": Level.CRITICAL}
_IN_TEXT = re.compile(
    r"(?<![\w.=/-])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|CRIT(?:ICAL)?|FATAL|SEVERE|ALERT|EMERG|PANIC)(?![\w=/-])"
    r"|[\[<](?:[\w.]+:)?(trace|debug|info|notice|warn(?:ing)?|error|err|crit(?:ical)?|fatal|alert|emerg|panic)[\]>]"
)
_TEXT_CHARS = 160
"""A level stands in the head of a line; later it is what the line tells of."""


def fields_of(text: str) -> Mapping[str, str]:
    """The fields of a record: those of its JSON object (nested names and the places in lists joined by dots, every
    value as it is written), else its logfmt pairs when there are at least two. Empty when it has none. Never raises."""
    if len(text) > MAX_CHARS:
        return {}
    return _json_fields(text) or _logfmt_fields(text)


def level_of(fields: Mapping[str, str], text: str) -> Level | None:
    """From the fields, else from the head of the text; None when it tells none."""
    for name in _LEVEL_FIELDS:
        if (value := fields.get(name)) and (level := _level(name, value)):
            return level
    if (klog := _KLOG.match(text)) is not None:
        return _KLOG_LEVEL[klog[1]]
    found = _IN_TEXT.search(text[:_TEXT_CHARS])
    return _WORDS[(found[1] or found[2]).lower()] if found else None


def _level(name: str, value: str) -> Level | None:
    word = value.strip().lower()
    if name.lower() == "priority" and word in "01234567" and len(word) == 1:
        return _SYSLOG[int(word)]
    return _WORDS.get(word) or _NUMBERED.get(word)


def _json_fields(text: str) -> dict[str, str]:
    start = text.find("{", 0, PREFIX_CHARS)
    if start < 0 or not text.rstrip().endswith("}"):
        return {}
    try:
        found = json.loads(text[start:], parse_int=str, parse_float=str)  # as written: scanners look for that text
    except (ValueError, RecursionError):
        return {}
    return dict(islice(_leaves(found, "", 0), MAX_FIELDS)) if isinstance(found, dict) else {}


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Of what is nested deeper than MAX_DEPTH, nothing."""
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in inner if depth < MAX_DEPTH else ():
            yield from _leaves(each, f"{path}.{name}" if path else str(name), depth + 1)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _logfmt_fields(text: str) -> dict[str, str]:
    fields = {}
    for found in _PAIR.finditer(text):
        fields[found[1]] = _unquoted(found[2])
        if len(fields) >= MAX_FIELDS:
            break
    return fields if len(fields) >= 2 else {}


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), value[1:-1])
