"""Which lines of the product an input reaches that none before it reached."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import logmedic

PRODUCT = str(Path(logmedic.__file__).parent)
PATIENCE = 64
"""Calls of a function that are all followed, while some line of it was not reached; later it is one in RARELY. A line
costs about as much as a call, and what was not reached so far will not be soon."""
RARELY = 32
Trace = Callable[[FrameType, str, Any], Any]


class Lines:
    """Follows what runs between `start` and `stop`, in this thread. What is all reached is not followed any more."""

    def __init__(self, below: str = PRODUCT) -> None:
        self._below = below
        self._left: dict[CodeType, set[int]] = {}
        self._calls: dict[CodeType, int] = {}
        self.reached = 0

    def start(self) -> int:
        """What to hand to `stop`."""
        sys.settrace(self._called)
        return self.reached

    def stop(self, before: int) -> bool:
        """Whether a line was reached for the first time."""
        sys.settrace(None)
        return self.reached > before

    def _called(self, frame: FrameType, event: str, argument: Any) -> Trace | None:
        code = frame.f_code
        left = self._left.get(code)
        if left is None:
            left = self._left[code] = self._lines_of(code)
        if not left:
            return None
        calls = self._calls[code] = self._calls.get(code, 0) + 1
        return self._line if calls <= PATIENCE or calls % RARELY == 0 else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Trace:
        if event == "line":
            left = self._left[frame.f_code]
            if frame.f_lineno in left:
                left.discard(frame.f_lineno)
                self.reached += 1
        return self._line

    def _lines_of(self, code: CodeType) -> set[int]:
        if not code.co_filename.startswith(self._below):
            return set()
        return {line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno}
