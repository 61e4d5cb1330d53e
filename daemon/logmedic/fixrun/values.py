"""Typed parameters of an installed fix, judged without the daemon's own code (core/captures.py): of two that are asked,
one may be wrong. tests/fixes/test_fixrun_values.py holds both to the same answers. Standard library only."""

from __future__ import annotations

import ipaddress
import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

LONGEST = 255
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_DIGITS = frozenset(string.digits)
_ALNUM = frozenset(string.ascii_letters + string.digits)
_OF_WORDS = _ALNUM | frozenset("_.-")
_OF_UNITS = _ALNUM | frozenset(":_.\\@-")
_UNIT_KINDS = frozenset(
    ("service", "socket", "target", "timer", "mount", "automount", "path", "slice", "scope", "swap", "device")
)
Spec = Mapping[str, Any]
"""Keys: type; allow, values (lists); minimum, maximum (numbers or None)."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def refusal(captures: Mapping[str, Any], params: Mapping[str, Sequence[Spec]]) -> str:
    """Why these are not exactly the parameters that were installed, each of one of its types; or nothing."""
    if missing := sorted(set(params) - set(captures)):
        return f"{missing[0]} is missing"
    if strange := sorted(set(captures) - set(params)):
        return f"{strange[0][:80]!r} is no parameter of it"
    for name, value in captures.items():
        if not isinstance(value, str):
            return f"{name} is no text"
        if not any(accepts(value, spec) for spec in params[name]):
            return f"{name} is not allowed: {shown(value)}"
    return ""


def accepts(value: str, spec: Spec) -> bool:
    kind = spec["type"]
    if not 0 < len(value) <= LONGEST or value[0] == "-" or not value.isprintable():
        return False
    if kind != "path" and not value.isascii():
        return False
    judge = _JUDGES.get(kind)
    return judge is not None and judge(value, spec)


def filled(template: Any, captures: Mapping[str, str]) -> Any:
    """With each `{name}` replaced, once, in every text of it."""
    match template:
        case str():
            return _PLACEHOLDER.sub(lambda found: captures.get(found[1], found[0]), template)
        case dict():
            return {key: filled(each, captures) for key, each in template.items()}
        case list():
            return [filled(each, captures) for each in template]
    return template


def shown(value: str) -> str:
    """For the journal: ASCII, one line, not long."""
    return ascii(value[:100])


def _ip(value: str, spec: Spec) -> bool:
    address = _address(value)
    return address is not None and _inside(address, spec)


def _address(text: str) -> Address | None:
    """One that names no interface."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def _inside(address: Address, spec: Spec) -> bool:
    if not spec.get("allow"):
        return True
    if address.version == 6 and (mapped := ipaddress.IPv6Address(int(address)).ipv4_mapped) is not None:
        address = mapped
    return any(address in network for network in _networks(spec["allow"]))


def _networks(texts: Iterable[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            continue  # a name
    return found


def _hostname(value: str, spec: Spec) -> bool:
    labels = value.removesuffix(".").split(".")
    if len(value.rstrip(".")) > 253 or not all(map(_is_label, labels)) or set(value) <= _DIGITS | {"."}:
        return False
    allow = [each.rstrip(".").lower() for each in spec.get("allow", ())]
    return not allow or any(_names(value.rstrip(".").lower(), each) for each in allow)


def _is_label(text: str) -> bool:
    return 0 < len(text) <= 63 and set(text) <= _ALNUM | {"-"} and text[0] != "-" and text[-1] != "-"


def _names(name: str, allowed: str) -> bool:
    return name.endswith(allowed) if allowed[:1] == "." else name == allowed


def _hostport(value: str, spec: Spec) -> bool:
    host, _, port = value.rpartition(":")
    if not 0 < len(port) <= 5 or not set(port) <= _DIGITS or not 0 < int(port) < 65536:
        return False
    if host[:1] == "[" and host[-1:] == "]":
        six = _address(host[1:-1])
        return six is not None and six.version == 6 and _inside(six, spec)
    if not host or not set(host) <= _ALNUM | {".", "-"}:
        return False
    four = _address(host)
    return _inside(four, spec) if four is not None else _hostname(host, spec)


def _int(value: str, spec: Spec) -> bool:
    if len(value) > 18 or not set(value) <= _DIGITS:
        return False
    low, high = spec.get("minimum"), spec.get("maximum")
    return (low is None or int(value) >= low) and (high is None or int(value) <= high)


def _path(value: str, spec: Spec) -> bool:
    parts = value.split("/")
    if parts[0] or len(parts) < 2 or value[:2] == "//" or ".." in parts:
        return False
    allow = [each.rstrip("/") for each in spec.get("allow", ())]
    return not allow or any(value == each or value[: len(each) + 1] == each + "/" for each in allow)


def _unit(value: str, spec: Spec) -> bool:
    stem, _, kind = value.rpartition(".")
    if not stem or kind not in _UNIT_KINDS or not set(stem) <= _OF_UNITS:
        return False
    return not spec.get("allow") or value in spec["allow"]


def _word(value: str, _: Spec) -> bool:
    return len(value) <= 64 and set(value) <= _OF_WORDS


def _enum(value: str, spec: Spec) -> bool:
    return value in spec.get("values", ())


_JUDGES: dict[str, Callable[[str, Spec], bool]] = {
    "ip": _ip,
    "hostname": _hostname,
    "hostport": _hostport,
    "int": _int,
    "path": _path,
    "unit": _unit,
    "word": _word,
    "enum": _enum,
}
