"""The time in front of a line: fail2ban cuts it out before it looks at a line, a rule sees the line as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from logmedic.core.fail2ban.ini import FilterInvalid
from logmedic.core.fail2ban.samples import samples_of
from logmedic.core.fail2ban.tree import parse

_CLOCK = r"\d\d?:\d\d:\d\d(?:[.,]\d+)?"
_ZONE = r"(?: ?(?:Z|[+-]\d\d:?\d\d))?"
USUAL = (
    rf"(?:[A-Z][a-z]{{2}} ){{1,2}}[ \d]?\d {_CLOCK}(?: \d{{4}})?"
    rf"|\d{{4}}[-/.]\d\d[-/.]\d\d(?:T|  ?){_CLOCK}{_ZONE}"
    rf"|\d\d[-/ ][A-Z][a-z]{{2}}[-/ ]\d{{4}}[: ]{_CLOCK}{_ZONE}"
    rf"|\d{{6}}  ?{_CLOCK}"
    r"|\d{10}(?:\.\d{1,6})?"
)
"""The forms that most logs have."""
SAMPLE, SAMPLE_IN_BRACKETS = "2026-11-23 03:12:41", "23/Nov/2026:03:12:41 +0000"


@dataclass(frozen=True, slots=True)
class Date:
    """`pattern`: what stands at the beginning; empty when the time stands elsewhere in the line. `sample`: such a one.
    `unknown`: a part of the datepattern that is not known."""

    pattern: str = USUAL
    sample: str = SAMPLE
    inside: str = SAMPLE_IN_BRACKETS
    unknown: str = ""


_CODES = {
    "Y": (r"\d{4}", "2026"),
    "ExY": (r"\d{4}", "2026"),
    "y": (r"\d\d", "26"),
    "Exy": (r"\d\d", "26"),
    "m": (r"\d\d", "11"),
    "Exm": (r"\d\d", "11"),
    "d": (r"\d\d?", "23"),
    "Exd": (r"\d\d", "23"),
    "H": (r"\d\d?", "03"),
    "ExH": (r"\d\d", "03"),
    "k": (r" ?\d\d?", "03"),
    "I": (r"\d\d?", "03"),
    "M": (r"\d\d", "12"),
    "ExM": (r"\d\d", "12"),
    "S": (r"\d\d", "41"),
    "ExS": (r"\d\d", "41"),
    "f": (r"\d+", "123"),
    "b": (r"[A-Z][a-z]{2}", "Nov"),
    "B": (r"[A-Z][a-z]+", "November"),
    "a": (r"[A-Z][a-z]{2}", "Mon"),
    "p": (r"[AP]M", "AM"),
    "z": (r"(?:Z|[+-]\d\d:?\d\d)", "+0000"),
    "Exz": (r"(?:Z|[+-]\d\d:?\d\d)", "+0000"),
}
_CODE = re.compile(r"%(Ex[YymdHMSz]|[A-Za-z])")
_ANCHOR = re.compile(r"^(?:\{\^LN-BEG\}|\*\*|\^)*")
_WORDS = {
    "EPOCH": (r"\d{10}(?:\.\d{1,6})?", "1795403561.123"),
    "TAI64N": (r"@[0-9a-f]{24}", "@400000006b03a4e91a2b3c4d"),
}


def date_of(datepattern: Sequence[str]) -> Date:
    """Of several: all of them, the first one as the sample."""
    found = [_date(line) for line in datepattern]
    if not found:
        return Date()
    inside = next((each.inside for each in found if each.inside != SAMPLE_IN_BRACKETS), SAMPLE_IN_BRACKETS)
    unknown = next((each.unknown for each in found if each.unknown), "")
    patterns = list(dict.fromkeys(each.pattern for each in found if each.pattern))
    return Date("|".join(patterns), found[-1].sample, inside, unknown)


def _date(line: str) -> Date:
    anchored = _ANCHOR.match(line)
    rest = line[anchored.end() :] if anchored is not None else line
    if not rest or rest == "{DATE}":
        return Date()
    if rest.startswith(r"[^\[]*"):
        return Date("")
    if rest.upper() in _WORDS:
        pattern, sample = _WORDS[rest.upper()]
        return Date(pattern if line != rest else "", sample, sample)
    if "{" in _CODE.sub("", re.sub(r"\{\d*,?\d*\}|\{DATE\}", "", rest)):
        return Date(unknown=rest)
    text = re.sub(r"\(\?P<\w+>", "(?:", re.sub(r"\(\?P=\w+\)", "[-/.]", rest))
    text = re.sub(r"(?<!\\)\((?!\?)", "(?:", text).replace("{DATE}", f"(?:{USUAL})")
    wrong = next((each for each in _CODE.findall(text) if each not in _CODES), "")
    if wrong:
        return Date(unknown=f"%{wrong}")
    pattern = _CODE.sub(lambda code: _CODES[code[1]][0], text)
    try:
        regex.compile(pattern)
    except regex.error:
        return Date(unknown=rest)
    return Date(pattern, _written(text), SAMPLE_IN_BRACKETS)


def _written(text: str) -> str:
    """A time of such a form, as plainly as its optional parts allow."""
    dated = _CODE.sub(lambda code: re.escape(_CODES[code[1]][1]), text.replace(f"(?:{USUAL})", SAMPLE))
    try:
        return next(samples_of(parse(dated)), SAMPLE)
    except FilterInvalid:
        return SAMPLE
