"""Whether patterns compile, found out where an explosion does no harm."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence

import regex

from logmedic.adapters.rulefiles.compiling import CPU_S, ERRORS, READY
from logmedic.core.widening import LIGHT, weight

WALL_S = CPU_S * 2.0
MAX_LENGTH = 4096
CHILDREN = 3
"""So many in a row must be killed before a pattern is to blame for it: its own limits end a child in other ways."""
_CHILD = "logmedic.adapters.rulefiles.compiling"
_EXPLODES = f"takes more than {CPU_S} s or 1 GiB to compile"
_NOT_TRIED = "could not be tried: the process that compiles patterns does not start"


class PatternTester:
    """Remembers what compiled: a reload asks about what is new only."""

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python
        self._verdicts: dict[str, str] = {}
        self._compiled: dict[str, regex.Pattern[str]] = {}
        """Of the last test."""

    def test(self, patterns: Sequence[str]) -> dict[str, str]:
        """By pattern: empty when it compiles, else why not. What can be seen to be small is compiled here and now: a
        child takes a tenth of a second to come up."""
        wanted = dict.fromkeys(patterns)
        self._compiled = {}
        for each in wanted:
            if each not in self._verdicts and weight(each) <= LIGHT:
                self._verdicts[each] = self._compile(each)
        unknown = [each for each in wanted if each not in self._verdicts]
        while unknown:
            told = self._asked(unknown)
            if told is None:
                break
            if not told:  # only what was tried first is to blame: it had all the time
                told = [_EXPLODES]
            self._verdicts.update(zip(unknown, told, strict=False))
            unknown = unknown[len(told) :]
        self._verdicts = {each: self._verdicts[each] for each in dict.fromkeys(patterns) if each in self._verdicts}
        return {**self._verdicts, **dict.fromkeys(unknown, _NOT_TRIED)}

    def compiled(self, patterns: Sequence[str]) -> dict[str, regex.Pattern[str]]:
        """Those that were found to compile."""
        found = {}
        for each in patterns:
            if self._verdicts.get(each) == "":
                found[each] = self._compiled.get(each) or regex.compile(each, cache_pattern=False)
        return found

    def _compile(self, pattern: str) -> str:
        try:
            self._compiled[pattern] = regex.compile(pattern, cache_pattern=False)
        except ERRORS as error:
            return str(error) or type(error).__name__
        return ""

    def _asked(self, patterns: Sequence[str]) -> list[str] | None:
        """As `_ask`; again when somebody killed the child before it had said anything."""
        for _ in range(CHILDREN):
            told, killed = self._ask(patterns)
            if told or not killed:
                break
        return told

    def _ask(self, patterns: Sequence[str]) -> tuple[list[str] | None, bool]:
        """One verdict a pattern, up to the one that the child died of (None: no child came up); and whether somebody
        else killed it."""
        command = [self._python, "-I", "-X", "utf8", "-m", _CHILD]
        try:
            child = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env={}
            )
        except OSError:
            return None, False
        late = False
        try:
            answer, _ = child.communicate(json.dumps(list(patterns)).encode(), timeout=WALL_S + 0.05 * len(patterns))
        except subprocess.TimeoutExpired:
            late = True
            child.kill()
            answer, _ = child.communicate()
        lines = [json.loads(line) for line in answer.splitlines(keepends=True) if line.endswith(b"\n")]
        return lines[1:] if lines[:1] == [READY] else None, child.returncode == -signal.SIGKILL and not late


def place_in(text: str) -> tuple[str, int | None]:
    """An error text of `regex` without its position, and that position (0-based)."""
    words, _, position = text.rpartition(" at position ")
    return (words, int(position.split()[0])) if words and position.split()[0].isdigit() else (text, None)
