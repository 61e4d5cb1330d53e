"""A syslog message, RFC 5424 or RFC 3164, with all that senders get wrong. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock"),
    *(f"local{n}" for n in range(8)),
)
_PRI = re.compile(r"<(\d{1,3})>")
_5424 = re.compile(r"1 (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) (?P<msgid>\S+) (?P<rest>.*)", re.DOTALL)
_3164 = re.compile(
    r"(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) "
    r"(?:(?P<host>[^\s:\[]+) )?(?P<app>[^\s:\[]{1,64})(?:\[(?P<pid>[^\]\s]{1,64})\])?: ?(?P<message>.*)",
    re.DOTALL,
)
_ELEMENT = re.compile(r'\[(?P<id>[^\s="\]]{1,64})(?P<params>(?: [^\s="\]]{1,64}="(?:\\.|[^"\\])*")*)\]', re.DOTALL)
_PARAM = re.compile(r' ([^\s="\]]{1,64})="((?:\\.|[^"\\])*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\\]])')


@dataclass(frozen=True, slots=True)
class SyslogMessage:
    """`text`: the line without its priority, as a log file would have it. `at`: what it says itself, with a zone; None
    when it names no zone or no time, and the line's own time is for others to read. `fields`: severity, facility, host,
    app, pid, msgid, message, and structured data as `ID.NAME`; only those that it has."""

    text: str
    at: datetime | None = None
    fields: dict[str, str] = field(default_factory=dict)


def parse_syslog(datagram: bytes) -> SyslogMessage:
    """Never raises: what is no syslog message is a line all the same."""
    text = datagram.decode("utf-8", "replace").rstrip("\r\n\0")
    fields: dict[str, str] = {}
    if (pri := _PRI.match(text)) is not None and int(pri[1]) < 192:
        text = text[pri.end() :]
        fields["facility"] = _FACILITIES[int(pri[1]) >> 3]
        fields["severity"] = SEVERITIES[int(pri[1]) & 7]
    if (found := _5424.match(text)) is not None:
        return _of_5424(found, fields)
    if (found := _3164.match(text)) is not None:
        fields.update((name, value) for name, value in found.groupdict().items() if value)
    else:
        fields["message"] = text
    return SyslogMessage(text, None, fields)


def _of_5424(found: re.Match[str], fields: dict[str, str]) -> SyslogMessage:
    head = {name: found[name] for name in ("host", "app", "pid", "msgid") if found[name] != "-"}
    data, message = _structured(found["rest"])
    message = message.removeprefix("\ufeff")
    fields.update(head)
    fields.update(data)
    fields["message"] = message
    pid = f"[{head['pid']}]" if "pid" in head else ""
    line = f"{found['time']} {head.get('host', '-')} {head.get('app', '-')}{pid}: {message}"
    return SyslogMessage(line, _time(found["time"]), fields)


def _structured(rest: str) -> tuple[dict[str, str], str]:
    """Structured data, and what follows it."""
    if rest == "-" or rest.startswith("- "):
        return {}, rest[2:]
    fields: dict[str, str] = {}
    at = 0
    while (element := _ELEMENT.match(rest, at)) is not None:
        for name, value in _PARAM.findall(element["params"]):
            fields[f"{element['id']}.{name}"] = _ESCAPE.sub(r"\1", value)
        at = element.end()
    return fields, rest[at:].removeprefix(" ")


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
