"""The head that syslog and the journal put before a message: when, where, which program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_HEAD = re.compile(
    r"(?:<\d{1,3}>)?(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) "
    r"(?!(?:(?i:trace|debug|info|notice|warn|warning|error|err|critical|crit|fatal|severe|alert|emerg|panic)"
    r"|TRC|DBG|INF|WRN|FTL) )"
    r"(?:[^\s:\[]+|(?=\S{0,37}::|(?:[0-9A-Fa-f]{1,4}:){7})[0-9A-Fa-f:.]{2,45}) "
    r"(?P<program>[^\s:\[]{1,64})(?:\[[^\]\s]{0,64}\])?: ?"
)
"""A word for how bad it is where the host should be: the line is a program's own, with the time in front. A host may be
an IPv6 address; a time (03:12:41) or a place in a source (main.go:41) is none."""
_RFC_5424 = re.compile(
    r"<\d{1,3}>1 (?:-|\d{4}-\d\d-\d\dT\S{8,32}) \S{1,255} (?P<program>\S{1,48}) \S{1,128} \S{1,32} "
    r"(?:-|(?:\[(?:[^\"\]]|\"(?:[^\"\\]|\\.)*\")*\])+)(?: \ufeff?|$)"
)
"""Version, time, host, program, process, kind of message, structured data."""
_KERNEL = re.compile(r"(?:<\d{1,3}>)?\[ *\d+\.\d{1,9}\] ?")
"""What the kernel puts before its messages, as `dmesg` shows them; syslog keeps it behind its own head."""
KERNEL = "kernel"


class Head(NamedTuple):
    """`end`: where the message begins."""

    program: str
    end: int


def head_of(text: str) -> Head | None:
    """None when the record has none."""
    found = _HEAD.match(text) or _RFC_5424.match(text)
    if found is None:
        kernel = _KERNEL.match(text)
        return None if kernel is None else Head(KERNEL, kernel.end())
    program, end = found["program"], found.end()
    if program == KERNEL and (clock := _KERNEL.match(text, end)) is not None:
        end = clock.end()
    return Head(program, end)


@lru_cache(maxsize=4096)
def programs(names: Sequence[str]) -> re.Pattern[str]:
    """Takes the whole name of one of `names`, in which `*` stands for any part of it."""
    return re.compile("|".join(map(glob, names)))


def glob(name: str) -> str:
    """For `re`: takes the whole of a text, in which `*` of `name` stands for any part. Between two `*` the first place
    that fits is as good as any other: nothing is tried twice, however many there are."""
    first, *others = map(re.escape, name.split("*"))
    if not others:
        return first
    *middle, last = others
    return f"{first}{''.join(f'(?>.*?{each})' for each in middle)}.*{last}"
