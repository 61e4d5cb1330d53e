"""Errors that no rule knows: which lines look like one, who logged it, and what it says."""

from __future__ import annotations

import re

MAX_MESSAGE = 500
"""Characters of a message that count for its template."""
_HEAD = 120
"""Characters in which a line declares its level."""

_LOUD = ("error", "crit", "critical", "alert", "emerg", "fatal", "panic", "severe")

# Each is a scanner pattern and its own confirmation. One word a pattern: the scanner is faster with literals. (?a)
# makes \b exact for bytes.
ERROR_DETECTORS: tuple[str, ...] = (
    *(
        rf"(?a)(?:\b|\x1b\[[0-9;]{{1,12}}m){word}\b(?![=/.\w-]|: 0\b)"
        for word in ("ERROR", "CRITICAL", "FATAL", "PANIC", "SEVERE", "CRIT", "EMERG")
    ),
    *(rf"\[{word}\]" for word in ("error", "crit", "alert", "emerg", "fatal", "critical", "ALERT")),
    *(rf"(?a)\w:{word}\]" for word in ("error", "crit", "alert", "emerg")),
    rf"(?a)(?:level|severity|lvl|LEVEL)[\"']?\s?[=:]\s?[\"']?(?:{'|'.join(_LOUD)}|err|Error|Critical|Fatal)\b",
    r"(?a)\x1b\[[0-9;]{1,12}m\[?(?:[Ee]rror|[Ff]atal|panic)\b",
    r"Traceback \(most recent call last\):",
    r"Exception in thread ",
    r"(?a)(?<=\w)Error: (?=\S)",
    r"(?a)\b[Ee]rror: (?!0\b|none|null|nil|None|\"\")",
    r"(?a)\b[Ff]atal: (?=\S)",
    r"(?a)Exception: (?=\S)",
    r"(?a)\b[Ff]atal error",
    r"(?a)\bpanic: (?=\S)",
    r"Kernel panic - ",
    r"\bsegfault at ",
    r"[Ss]egmentation fault",
    r"Out of memory: Kill",
    r"\(core dumped\)|dumped core",
    r"(?am)^[EF]\d{4} \d\d:\d\d:\d\d",
)

_TRACE = re.compile(
    r"Traceback \(most recent call last\):|\n\s*at [\w$.<>/@]+\(|\nCaused by: |\n\s+File \"|^Exception in thread "
)
_PYTHON_TRACE = "Traceback (most recent call last):"
_LEVEL = re.compile(
    r"(?a:\b)(?:(?P<calm>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING)|ERROR|CRITICAL|FATAL|PANIC|SEVERE|CRIT|ALERT|EMERG)(?a:\b)"
    r"|\[(?:\w+:)?(?:(?P<calm2>trace\d?|debug|info|notice|warn|warning)|error|crit|alert|emerg)\]"
    r"|(?:level|severity|lvl)[\"']?\s?[=:]\s?[\"']?(?:(?P<calm3>(?i:trace|debug|info|notice|warn|warning))(?a:\b)|\w)"
    r"|(?a:\b)(?:[Ee]rror|[Ff]atal|panic): "
)
_CRITICAL = re.compile(
    r"(?a:\b)(?:CRITICAL|FATAL|PANIC|EMERG)(?a:\b)|\[(?:\w+:)?(?:emerg|alert|ALERT)\]|(?a:\b)panic: |Kernel panic - "
    r"|(?:level|severity|lvl)[\"']?\s?[=:]\s?[\"']?(?i:critical|fatal|panic|emerg|alert)(?a:\b)"
)

_STAMP = (
    r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z(?![A-Za-z])|[+-]\d\d:?\d\d))?)?"
    r"|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d "
    r"\d\d:\d\d:\d\d(?:[.,]\d+)?(?: \d{4})?"
    r"|\d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d(?:[.,]\d+)?"
)
_ZONE = r"(?: (?:UTC|GMT|BST|IST|JST|MSK|WES?T|CES?T|EES?T|[ECMP][SD]T)(?= ))?"
_SYSLOG = re.compile(
    rf"(?:<\d{{1,3}}>)?(?:\d )?(?:{_STAMP}) (?P<host>[\w.:-]+) (?P<tag>[A-Za-z][\w./@-]*)(?:\([\w-]+\))?(?:\[\d+\])?: ",
    re.ASCII,
)
_WORD_LEVEL = (
    r"(?:(?:TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|CRIT|FATAL|PANIC|SEVERE|ALERT|EMERG)(?![\w.]))"
)
_LOGGER = r"(?P<logger>[A-Za-z_][\w.$-]*)"
_LOGGERS = (
    re.compile(rf" - {_LOGGER} - {_WORD_LEVEL} - ", re.ASCII),
    re.compile(rf"^{_WORD_LEVEL}:{_LOGGER}:", re.ASCII),
    re.compile(rf"{_WORD_LEVEL}\s+(?:\d+ )?(?:---\s+)?(?:\[[^\]]*\]\s+)?{_LOGGER}\s?: ", re.ASCII),
    re.compile(rf"[\"'](?:logger|service|component|app)[\"']\s?:\s?[\"']{_LOGGER}[\"']", re.ASCII),
    re.compile(rf"(?:^|\s)(?:logger|service|component|app)={_LOGGER}(?:\s|$)", re.ASCII),
)
_NGINX = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w+\] \d+#\d+: ", re.ASCII)
_PREFIXES = tuple(
    re.compile(each, re.ASCII)
    for each in (
        rf"(?:\d+:[A-Z] )?\[?(?:{_STAMP}){_ZONE}\]?[ :,*#-]*",
        r"\[?\d{10}(?:\d{3}|\.\d+)?\]?[ :,-]+",
        r"\[ *\d+\.\d+\] ",
        rf"[\[(<]?(?:\w+:)?(?:{_WORD_LEVEL}|(?i:{_WORD_LEVEL})(?= *[\])>]))(?:/[\w-]+)?(?: *[\])>])?"
        r"(?::(?P<logger>[\w.-]+):)?[ :|-]*",
        rf"[\w.-]+ +\[\d+\]: (?={_WORD_LEVEL} )",
        r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.-]+:\d+\] ",
        r"\[(?:pid |tid )?\d+(?::tid \d+)?\][ :-]*",
        r"(?:pid=|#)?\d+(?:#\d+)?: (?:\*\d+ )?",
    )
)
_NAMED_LEVEL = re.compile(rf"[\w.$-]+ - {_WORD_LEVEL} - ", re.ASCII)
_FIELD = re.compile(
    r"[\"'](?:msg|message|error|err)[\"']\s?:\s?\"((?:[^\"\\]|\\.)*)\"|(?:^|\s)msg=\"((?:[^\"\\]|\\.)*)\""
)

_SANITIZED = re.compile(r"[^A-Za-z0-9_.-]+")


def component_of(text: str, source: str) -> str:
    """Who logged it: the syslog tag, the logger's name, nginx, else the name of the source; [A-Za-z0-9_.-] only."""
    head = text.split("\n", 1)[0][:300]
    if (tagged := _SYSLOG.match(head)) is not None:
        name = tagged["tag"]
    elif _NGINX.match(head):
        name = "nginx"
    else:
        name = next((found["logger"] for each in _LOGGERS if (found := each.search(head)) is not None), source)
    return _SANITIZED.sub("_", name).strip("_.-")[:64] or "unknown"


def message_of(text: str) -> str:
    """What it says: the first line without its time, level and tag; of a Python trace its last line too, unless the
    first says it already."""
    first, _, rest = text.partition("\n")
    bare = _without_prefix(first[: 2 * MAX_MESSAGE])
    message = _field(first) or _field(bare) or bare
    if _PYTHON_TRACE in text:
        exception = _exception_of(rest)
        first_words = message.replace(_PYTHON_TRACE, "").strip(" :-")
        new = exception not in first_words
        message = f"{first_words}: {exception}" if first_words and new else first_words or exception or message
    return message[:MAX_MESSAGE]


def has_trace(text: str) -> bool:
    return _TRACE.search(text) is not None


def is_critical(text: str) -> bool:
    """The line itself says that it is more than an error."""
    return _CRITICAL.search(text[:_HEAD]) is not None


def declares_calm(text: str) -> bool:
    """The line gives itself a level below error: an `error:` in it is only told of."""
    found = _LEVEL.search(text[:_HEAD])
    return found is not None and (found["calm"] or found["calm2"] or found["calm3"]) is not None


def _field(line: str) -> str:
    if not line.startswith("{") and "msg=" not in line:
        return ""
    found = _FIELD.search(line)
    return (found[1] or found[2] or "") if found else ""


def _without_prefix(line: str) -> str:
    if (tagged := _SYSLOG.match(line)) is not None:
        line = line[tagged.end() :]
    for _ in range(6):
        stripped = _strip_once(line)
        if stripped == line:
            break
        line = stripped
    return line.strip()


def _strip_once(line: str) -> str:
    for pattern in (_NAMED_LEVEL, *_PREFIXES):
        found = pattern.match(line)
        if found is not None and found.end() and found.end() < len(line):
            return line[found.end() :]
    return line


def _exception_of(rest: str) -> str:
    """The last line of a trace that is not indented."""
    lines = [line for line in rest.split("\n") if line.strip() and not line[0].isspace() and _PYTHON_TRACE not in line]
    return lines[-1].strip() if lines else ""
