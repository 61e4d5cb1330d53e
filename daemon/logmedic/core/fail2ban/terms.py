"""The terms of a jail in the words of a rule: how often, inside which time, in which logs, whom it spares."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from logmedic.core.fail2ban.definition import Filter, Jail
from logmedic.core.fail2ban.translate import Lost

AUTH_LOGS = ("/var/log/auth.log", "/var/log/secure")
SYSLOGS = (
    "/var/log/syslog",
    "/var/log/messages",
    "/var/log/daemon.log",
    "/var/log/user.log",
    "/var/log/mail.log",
    "/var/log/mail.warn",
    "/var/log/mail.info",
    "/var/log/maillog",
    "/var/log/kern.log",
)
"""What one of them has, /var/log/syslog has as well: a second source would count it twice."""
LONGEST_S = 30 * 86400
"""A rule looks back no further."""
MOST = 10_000
_ENDLESS_S = 1e15
"""Longer than anybody means; a float of more digits may be infinite."""
_NUMBER = re.compile(r"\d{1,9}\Z", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400, "y": 365 * 86400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(mo|[smhdwy])?[a-z]*\s*")
_MAX_SPARED = 64


@dataclass(frozen=True, slots=True)
class Terms:
    """`within_s`: seconds. `files`: logs of the program's own; `sources`: the usual sources that have its lines beside
    them. `spared`: a pattern of addresses that do not count."""

    count: int = 5
    within_s: int = 600
    files: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    spared: str = ""
    lost: tuple[Lost, ...] = ()


def terms_of(given: Filter, jail: Jail | None) -> Terms:
    lost: list[Lost] = []
    if jail is None:
        return Terms(sources=_usual(given, (), lost), lost=tuple(lost))
    journal = jail.backend.startswith("systemd")
    paths = [] if journal else [path for path in jail.logpath if path.startswith("/")]
    if len(paths) < len(jail.logpath) and not journal:
        lost.append(Lost(f"logpath {' '.join(jail.logpath)}", "these are no absolute paths"))
    files = tuple(path for path in paths if path not in (*AUTH_LOGS, *SYSLOGS))
    usual = _usual(given, tuple(paths), lost)
    spared = _spared(jail.ignoreip, lost)
    if jail.ignoreself:
        lost.append(Lost("ignoreself", "the host's own addresses count: name those that shall not in ignoreip"))
    if jail.ignorecommand:
        lost.append(Lost(f"ignorecommand = {jail.ignorecommand}", "a rule asks no program whether a line counts"))
    return Terms(
        count=_count(jail, lost),
        within_s=_within(jail, lost),
        files=files,
        sources=tuple(each for each in usual if not (files and each.startswith("journal"))),
        spared=spared,
        lost=tuple(lost),
    )


def seconds_of(text: str) -> int | None:
    """Of fail2ban's `600`, `10m`, `1d 12h`, `1mo`; None for what is none of them, and for `-1`, which never ends."""
    total, at = 0.0, 0
    text = text.strip().lower()
    while at < len(text):
        found = _SPAN.match(text, at)
        if found is None:
            return None
        total += float(found[1]) * _UNITS[found[2] or "s"]
        at = found.end()
    return int(total) if text and total < _ENDLESS_S else None


def span_text(seconds: int) -> str:
    """As rule files write it."""
    for unit, worth in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % worth == 0 and seconds:
            return f"{seconds // worth}{unit}"
    return f"{seconds}s"


def _count(jail: Jail, lost: list[Lost]) -> int:
    if _NUMBER.match(jail.maxretry) and 1 <= int(jail.maxretry) <= MOST:
        return int(jail.maxretry)
    lost.append(Lost(f"maxretry = {jail.maxretry}", "that is no number of failures; 5 stands in its place"))
    return 5


def _within(jail: Jail, lost: list[Lost]) -> int:
    seconds = seconds_of(jail.findtime)
    if seconds is None or seconds < 1:
        lost.append(Lost(f"findtime = {jail.findtime}", "that is no span of time; 10m stands in its place"))
        return 600
    if seconds > LONGEST_S:
        lost.append(Lost(f"findtime = {jail.findtime}", "a rule looks back 30d at most"))
    return min(seconds, LONGEST_S)


def _usual(given: Filter, paths: tuple[str, ...], lost: list[Lost]) -> tuple[str, ...]:
    """The journal as a whole where the programs are named, else the units of journalmatch. What a program writes to a
    file of its own may stand in the journal too: then it is read from the file alone."""
    found: list[str] = []
    if any(path in SYSLOGS for path in paths) or (given.programs and not paths):
        found.append("syslog")
    if any(path in AUTH_LOGS for path in paths) or (given.programs and not paths):
        found.append("auth")
    units = [each for line in given.journalmatch for each in re.findall(r"_SYSTEMD_UNIT=(\S+)", line)]
    if given.programs:
        found.append("journal")
    else:
        found += [f"journal:{unit}" for unit in dict.fromkeys(units)]
    for line in given.journalmatch:
        other = re.findall(r"\b(?!_SYSTEMD_UNIT|_COMM)([A-Z_]+=\S+)", line)
        if other or not re.search("_SYSTEMD_UNIT|_COMM", line):
            lost.append(Lost(f"journalmatch = {line}", "of the journal, a rule names units and programs only"))
    return tuple(found)


# -- whom it spares ----------------------------------------------------------------------------------------------------


def _spared(ignoreip: Iterable[str], lost: list[Lost]) -> str:
    patterns: list[str] = []
    for each in ignoreip:
        found = _pattern_of(each)
        if found is None:
            lost.append(Lost(f"ignoreip {each}", _why_not(each)))
        else:
            patterns.append(found)
    return "|".join(patterns)


def _why_not(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return "it is no address: names are not looked up"
    return "this network cannot be told by the text of an address"


def _pattern_of(text: str) -> str | None:
    """Of an address, or of an IPv4 network that a few prefixes of the text stand for."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network):
        if network.prefixlen < 128:
            return None
        return rf"(?i:{re.escape(str(network.network_address))})(?![0-9A-Fa-f:.])"
    octets = -(-network.prefixlen // 8)
    if not octets >= 1 or 2 ** (octets * 8 - network.prefixlen) > _MAX_SPARED:
        return None
    heads = list(_heads(network, octets))
    end = r"(?!\d)" if octets == 4 else r"\."
    return heads[0] + end if len(heads) == 1 else f"(?:{'|'.join(heads)}){end}"


def _heads(network: ipaddress.IPv4Network, octets: int) -> Iterator[str]:
    for part in network.subnets(new_prefix=octets * 8):
        yield r"\.".join(str(part.network_address).split(".")[:octets])
