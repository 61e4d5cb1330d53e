"""Log text as evidence for people: shown as text, obeyed by nobody (F74)."""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC: titles, links
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]?"
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # controls, bidi, zero-width, line separators
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}
_BACKTICKS = re.compile(r"`+")
_CUT = "..."


def without_colours(text: str) -> str:
    """Without terminal sequences."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def clean(text: str, limit: int = 2000, *, keep: str = "\n\t") -> str:
    """At most `limit` characters (a cut is shown) without terminal sequences and characters that hide or reorder text.
    Control characters in `keep` stay; the others become nothing, a lone CR included."""
    seen = _ANSI.sub("", text[: 8 * limit + 64])  # what is cut off anyway is not worth looking at
    shown = "".join(each for each in seen if (each.isascii() and each.isprintable()) or _is_shown(each, keep))
    if len(shown) <= limit and len(text) <= 8 * limit + 64:
        return shown
    return shown[: max(limit - len(_CUT), 0)] + _CUT[:limit]


def fence(text: str) -> str:
    """As a Markdown code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}\n{text}\n{marks}"


def _is_shown(character: str, keep: str) -> bool:
    if character in keep:
        return True
    return unicodedata.category(character) not in _HIDDEN and character not in _INVISIBLE
