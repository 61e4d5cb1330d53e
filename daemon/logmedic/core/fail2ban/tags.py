"""The `<tags>` of filters: those that stand for other options, and those that stand for a part of a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from logmedic.core.fail2ban.ini import FilterInvalid

_TAG = re.compile(r"<([^ <>]+)>")
_OPTION = re.compile(r"""\s*([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,\]]*))\s*(?:,|\]\s*\[|\Z)""")
_CALL = re.compile(r"([^\[\s]+)\s*(?:\[(.*)\])?\s*\Z", re.DOTALL)
_MAX_STEPS, _MAX_TEXT = 500, 1_000_000

_V4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_V6 = r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|:)"
_MAPPED = r"(?:::[Ff]{4,6}:)?"


def call_of(text: str) -> tuple[str, dict[str, str]]:
    """The name and the options of `name[option=value, other="value"]`. Raises FilterInvalid."""
    found = _CALL.match(text.strip())
    if found is None:
        raise FilterInvalid(f"`{text[:80]}` is no name of a filter", hint="sshd, or sshd[mode=aggressive]")
    options: dict[str, str] = {}
    written, at = found[2] or "", 0
    while at < len(written):
        option = _OPTION.match(written, at)
        if option is None:
            raise FilterInvalid(f"`{written[at : at + 40]}` is no option", hint="name=value, name='value'")
        options[option[1]] = next((each for each in option.group(2, 3, 4) if each is not None), "").strip()
        at = option.end()
    return found[1], options


def resolved(text: str, value_of: Callable[[str], str | None]) -> str:
    """`text` with each tag replaced that `value_of` knows; inner ones first, so `<a-<b>>` works. Others stay. Raises
    FilterInvalid for a circle."""
    at, steps = 0, 0
    while steps < _MAX_STEPS and len(text) < _MAX_TEXT:
        found = _TAG.search(text, at)
        if found is None:
            return text
        value = value_of(found[1])
        if value is None:
            at = found.end()
        else:
            text = text[: found.start()] + value + text[found.end() :]
            at, steps = 0, steps + 1
    raise FilterInvalid(f"`{text[:80]}` has tags that contain themselves")


def with_patterns(text: str, spared: str = "") -> str:
    """`text` with the tags of fail2ban's own patterns as groups of ours. `spared`: a pattern of addresses that do not
    count. Tags that are none stay as they are."""
    static = _static(spared)
    open_tags: set[str] = set()

    def replace(found: re.Match[str]) -> str:
        tag = found[1]
        if tag in static:
            return static[tag]
        closing, name = tag.startswith("/"), tag.strip("/")
        if not re.fullmatch(r"F-[A-Z0-9_-]+", name):
            return found[0]
        if closing:
            return ")" if name in open_tags else found[0]
        open_tags.add(name)
        return f"(?P<{_GROUPS.get(name[2:], name[2:].lower().replace('-', '_'))}>"

    return re.sub(r"<(/?[A-Z][\w-]*/?)>", replace, text)


_GROUPS: Mapping[str, str] = {"ID": "fid", "PORT": "fport"}


def _static(spared: str) -> dict[str, str]:
    shut = f"(?!{_MAPPED}(?:{spared}))" if spared else ""
    v4, v6 = f"{_MAPPED}{shut}(?P<host>{_V4})", f"{shut}(?P<host>{_V6})"
    either = rf"\[?{_MAPPED}{shut}(?P<host>{_V4}|{_V6})\]?"
    cidr = r"(?P<cidr>\d+)"
    name = r"(?P<name>[\w.^-]*\w)"
    tags = {"IP4": v4, "IP6": v6, "ADDR": either, "DNS": name, "CIDR": cidr}
    tags["SUBNET"] = rf"\[?{_MAPPED}{shut}(?P<host>{_V4}|{_V6})(?:/(?P<cidr>\d+))?\]?"
    closed = {f"F-{tag}/": pattern for tag, pattern in tags.items()}
    return {**tags, **closed, "HOST": either, "F-ID/": r"(?P<fid>\S+)", "F-PORT/": r"(?P<fport>\w+)"}
