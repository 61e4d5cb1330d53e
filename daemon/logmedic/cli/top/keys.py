"""Bytes from a terminal to keys."""

from __future__ import annotations

import codecs

_SEQUENCES = {
    "[A": "up",
    "[B": "down",
    "[C": "right",
    "[D": "left",
    "OA": "up",
    "OB": "down",
    "OC": "right",
    "OD": "left",
    "[H": "home",
    "[F": "end",
    "OH": "home",
    "OF": "end",
    "[1~": "home",
    "[4~": "end",
    "[5~": "pgup",
    "[6~": "pgdn",
}
"""What terminals send behind ESC, in both cursor modes (ECMA-48 and the VT100's)."""
_SINGLE = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x03": "q"}
_ESC = "\x1b"


class Keys:
    """`feed` what was read, in whatever pieces; `settle` once nothing follows for a moment: then ESC was a key of its
    own. A key is one character, or a name: up, down, left, right, home, end, pgup, pgdn, enter, backspace, esc."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    @property
    def is_waiting(self) -> bool:
        return bool(self._rest)

    def feed(self, received: bytes) -> list[str]:
        self._rest += self._decoder.decode(received)
        found: list[str] = []
        while self._rest and (taken := self._next()) is not None:
            found += [taken] if taken else []
        return found

    def settle(self) -> list[str]:
        rest, self._rest = self._rest, ""
        return ["esc"] if rest == _ESC else []

    def _next(self) -> str | None:
        """Empty: it means nothing here. None: the rest of it has not come yet."""
        first = self._rest[0]
        if first != _ESC:
            self._rest = self._rest[1:]
            return _SINGLE.get(first, first if first.isprintable() else "")
        length = _length(self._rest)
        if length is None:
            return None
        sequence, self._rest = self._rest[1:length], self._rest[length:]
        return _SEQUENCES.get(sequence, "esc" if not sequence else "")


def _length(told: str) -> int | None:
    """Of the sequence that `told` begins with."""
    if len(told) < 2:
        return None
    if told[1] == "O":
        return 3 if len(told) >= 3 else None
    if told[1] != "[":
        return 1 if told[1] == _ESC else 2
    return next((at + 1 for at in range(2, len(told)) if "\x40" <= told[at] <= "\x7e"), None)
