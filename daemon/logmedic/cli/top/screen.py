"""The terminal itself: a screen of its own for as long as it is used, and everything as it was afterwards."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from logmedic.cli.cells import width_of
from logmedic.cli.styled import Piece, is_colored, painted

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[0m\x1b[?25h\x1b[?1049l"
"""xterm's screen beside the one with the history (DECSET 1049), and the cursor hidden (DECTCEM)."""
READ_BYTES = 1024
ENDING = (signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal ends the view. `number`: which one."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Screen:
    """Made by `opened`. `wake` may be called by any thread, also after the end: the pipe stays until the process
    ends."""

    def __init__(self) -> None:
        self._stdin = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._stdin)
        self._woken, self._waker = os.pipe()
        self._stops = False
        for each in (self._woken, self._waker):
            os.set_blocking(each, False)

    def enter(self) -> None:
        tty.setcbreak(self._stdin)
        self._write(_ENTER)

    def leave(self) -> None:
        self._write(_LEAVE)
        termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._before)

    def stop_soon(self, *_: object) -> None:
        """A handler of SIGTSTP: a picture that is half drawn is finished before."""
        self._stops = True

    def _stop(self) -> None:
        self._stops = False
        handler = signal.getsignal(signal.SIGTSTP)
        self.leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)  # it goes on here
        self.enter()

    @property
    def waker(self) -> int:
        return self._waker

    def wake(self) -> None:
        with suppress(BlockingIOError):  # it is woken already
            os.write(self._waker, b"w")

    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now: the variables of the shell are those of its start."""
        try:
            size = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            size = shutil.get_terminal_size()
        return max(size.columns, 1), max(size.lines, 1)

    def draw(self, rows: Sequence[Sequence[Piece]], width: int) -> None:
        """At once, so that nothing flickers; what stood there before goes."""
        colored, told = is_colored(), []
        for number, row in enumerate(rows, start=1):
            rest = "\x1b[K" if sum(width_of(each.text) for each in row) < width else ""
            told.append(f"\x1b[{number};1H{_painted(row, colored)}{rest}")
        self._write("".join(told) + "\x1b[J" if len(rows) < self.size()[1] else "".join(told))

    def wait(self, seconds: float | None) -> bytes:
        """What was typed; nothing when it was woken, or the time is over. Raises EOFError."""
        ready, _, _ = select.select([self._stdin, self._woken], [], [], seconds)
        if self._stops:
            self._stop()
        if self._woken in ready:
            os.read(self._woken, READ_BYTES)
        if self._stdin not in ready:
            return b""
        received = os.read(self._stdin, READ_BYTES)
        if not received:
            raise EOFError
        return received

    @staticmethod
    def _write(told: str) -> None:
        """Past Python's buffer, which a signal in the middle of it would leave half full."""
        left = told.encode("utf-8", "replace")
        while left:
            left = left[os.write(sys.stdout.fileno(), left) :]


def _painted(row: Sequence[Piece], colored: bool) -> str:
    """Without colour what is chosen is still turned around: that is none."""
    if colored:
        return painted(row, colored=True)
    return "".join(painted([each], colored=each.style == "turned") for each in row)


@contextmanager
def opened() -> Iterator[Screen]:
    """Whatever ends it, SIGTERM too (raises Ended), the terminal is as it was; and so it is while it is stopped."""
    screen = Screen()
    before = {each: signal.getsignal(each) for each in (*ENDING, signal.SIGTSTP, signal.SIGWINCH, signal.SIGCONT)}
    fd = signal.set_wakeup_fd(screen.waker, warn_on_full_buffer=False)

    try:
        for each in ENDING:
            signal.signal(each, _ended)
        signal.signal(signal.SIGTSTP, screen.stop_soon)
        signal.signal(signal.SIGWINCH, _nothing)
        signal.signal(signal.SIGCONT, _nothing)
        screen.enter()
        yield screen
    finally:
        for number in (*ENDING, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)  # a second one must not leave the terminal half-way
        screen.leave()
        signal.set_wakeup_fd(fd)
        for number, handler in before.items():
            signal.signal(number, handler)


def _ended(number: int, _: FrameType | None) -> None:
    raise Ended(number)


def _nothing(*_: object) -> None:
    """The wake-up descriptor says it."""
