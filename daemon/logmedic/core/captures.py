"""Typed captures: the only way for a byte of a log line into a command, an address or a group key (I7).

Every accepted value is printable (ASCII, save for paths), at most 255 characters long, and never looks like an option.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping

from logmedic.model.match import Capture, CaptureType

MAX_LENGTH = 255

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_HOSTPORT = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})", re.ASCII)
_INT = re.compile(r"[0-9]{1,18}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,63}", re.ASCII)
_UNIT = re.compile(
    r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*\.(?:service|socket|target|timer|mount|automount|path|slice|scope|swap|device)",
    re.ASCII,
)
_DOTTED = re.compile(r"[0-9.]+", re.ASCII)
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")


def accept(value: str, capture: Capture) -> str | None:
    """`value` itself when it is wholly of the type and allowed, else None."""
    usual = _USUAL.get(capture.type)
    if usual is not None and not _is_bounded(capture) and usual.fullmatch(value):
        return value
    if not value or len(value) > MAX_LENGTH or value.startswith("-") or not value.isprintable():
        return None
    if not value.isascii() and capture.type is not CaptureType.PATH:
        return None
    return value if _CHECKS[capture.type](value, capture) else None


def _is_bounded(capture: Capture) -> bool:
    return bool(capture.allow) or capture.minimum is not None or capture.maximum is not None


def fill(template: str, captures: Mapping[str, str]) -> str:
    """`template` with each `{name}` replaced, once (a value that holds braces stays as it is). Names without a capture
    are left standing: the loader refuses them."""
    return _PLACEHOLDER.sub(lambda found: captures.get(found[1], found[0]), template)


def names_in(template: str) -> list[str]:
    """Of the captures that `fill` would put in."""
    return [found[1] for found in _PLACEHOLDER.finditer(template)]


def fill_title(template: str, captures: Mapping[str, str]) -> str:
    """For people: a name without a capture becomes `?`."""
    return _PLACEHOLDER.sub(lambda found: captures.get(found[1], "?"), template)


def _address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if "%" in value:  # a scope names an interface, with any characters
        return None
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None


def _in_networks(address: ipaddress.IPv4Address | ipaddress.IPv6Address, allow: Iterable[str]) -> bool:
    """An IPv4 address written as IPv6 counts as the IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in map(_network, allow) if network is not None)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """None when `text` is a name."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _is_ip(value: str, capture: Capture) -> bool:
    address = _address(value)
    return address is not None and (not capture.allow or _in_networks(address, capture.allow))


def _is_hostname(value: str, capture: Capture) -> bool:
    if not _HOSTNAME.fullmatch(value) or _DOTTED.fullmatch(value) or len(value.rstrip(".")) > 253:
        return False
    return not capture.allow or _is_allowed_name(value, capture.allow)


def _is_allowed_name(value: str, allow: Iterable[str]) -> bool:
    name = value.rstrip(".").lower()
    return any(
        name.endswith(each) if each.startswith(".") else name == each
        for each in (entry.rstrip(".").lower() for entry in allow)
    )


def _is_hostport(value: str, capture: Capture) -> bool:
    found = _HOSTPORT.fullmatch(value)
    if found is None or not 1 <= int(found["port"]) <= 65535:
        return False
    host = found["v6"] or found["host"]
    address = _address(host)
    if found["v6"] and (address is None or address.version != 6):
        return False
    if address is not None:
        return not capture.allow or _in_networks(address, capture.allow)
    return _is_hostname(host, capture)


def _is_int(value: str, capture: Capture) -> bool:
    if not _INT.fullmatch(value):
        return False
    number = int(value)
    low = capture.minimum is None or number >= capture.minimum
    return low and (capture.maximum is None or number <= capture.maximum)


def _is_path(value: str, capture: Capture) -> bool:
    if not value.startswith("/") or value.startswith("//") or ".." in value.split("/"):
        return False
    return not capture.allow or any(_is_below(value, each) for each in capture.allow)


def _is_below(path: str, directory: str) -> bool:
    root = directory.rstrip("/")
    return path == root or path.startswith(root + "/")


def _is_unit(value: str, capture: Capture) -> bool:
    return _UNIT.fullmatch(value) is not None and (not capture.allow or value in capture.allow)


def _is_word(value: str, _capture: Capture) -> bool:
    return _WORD.fullmatch(value) is not None


def _is_enum(value: str, capture: Capture) -> bool:
    return value in capture.values


_USUAL = {CaptureType.IP: _IPV4, CaptureType.INT: _INT, CaptureType.WORD: _WORD}
"""What most values are: then, without bounds, no check below has more to say. All of it is short, ASCII, and begins
with no `-`."""
_CHECKS: dict[CaptureType, Callable[[str, Capture], bool]] = {
    CaptureType.IP: _is_ip,
    CaptureType.HOSTPORT: _is_hostport,
    CaptureType.HOSTNAME: _is_hostname,
    CaptureType.INT: _is_int,
    CaptureType.PATH: _is_path,
    CaptureType.UNIT: _is_unit,
    CaptureType.WORD: _is_word,
    CaptureType.ENUM: _is_enum,
}
