"""The other side of the model test: logs with their writers and their rotators, in a real directory."""

from __future__ import annotations

import gzip
import os
import shutil
from dataclasses import dataclass
from datetime import timedelta
from io import FileIO
from pathlib import Path

from fakes.virtual_loop import BEGAN, VirtualLoop

TICK_S = 0.05
"""What every move takes: more than the kernel's tick, so that file times tell which came first."""

KINDS = ("plain", "crlf", "nul", "invalid", "empty", "long")


def line_of(number: int, kind: str, max_line: int) -> bytes:
    """Unique by its number, which stands at both ends: also the last bytes before any position are its own."""
    begin, end = b"%06d " % number, b" %06d" % number
    match kind:
        case "crlf":
            return begin + b"carriage return" + end + b"\r\n"
        case "nul":
            return begin + b"nul\0\0\0" + end + b"\n"
        case "invalid":
            return begin + b"\xff\xfe\xc3 \x80" + end + b"\n"
        case "empty":
            return b"\n"
        case "long":
            return begin + b"=" * (max_line - 8 + number % 3 * max_line // 2) + end + b"\n"
        case _:
            return begin + b"x" * (number * 31 % 60) + end + b"\n"


@dataclass(eq=False, slots=True)
class Generation:
    """One file that is or was the log. `path`: where it is by now, None when it is nowhere. `content`: all that was
    written to it. `torn`: what its unfinished line still lacks. `left_at`: when it stopped to be the log. `number`:
    which file of the log it is. `life`: how often it was emptied. `written_at`: the last time."""

    path: Path | None
    writer: FileIO
    content: bytearray
    torn: bytes = b""
    left_at: float | None = None
    number: int = 0
    life: int = 0
    written_at: float = 0.0


class Log:
    """`lines`: all that were written, by number. `lives`: for each, the file and how often that had been emptied.
    `dated`: rotated files are named by date, else numbered. `appends`: the writer uses O_APPEND; one that does not
    leaves a hole after a truncation. All file times are in the loop's virtual time."""

    def __init__(
        self, path: Path, loop: VirtualLoop, *, max_line: int, dated: bool = False, appends: bool = True
    ) -> None:
        self.path = path
        self.generations: list[Generation] = []
        self._loop = loop
        self._max_line = max_line
        self._dated = dated
        self._appends = appends
        self._number = 0
        self._held: list[int] = []
        self.lines: dict[int, bytes] = {}
        self.lives: dict[int, tuple[int, int]] = {}
        self.create()

    @property
    def current(self) -> Generation:
        return self.generations[-1]

    @property
    def is_there(self) -> bool:
        return self.current.left_at is None

    @property
    def now(self) -> float:
        return self._loop.time()

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, kind: str, to: Generation | None = None) -> None:
        to = to or self.current
        self.finish(to)
        self._put(to, self._line(kind, to))

    def tear(self, kind: str, at: int) -> None:
        """The beginning of a line; of a long one, more than the limit."""
        self.finish(self.current)
        line = self._line(kind, self.current)
        cut = max(at, self._max_line + 1) if kind == "long" else at
        cut = min(cut, len(line) - 1)
        self._put(self.current, line[:cut])
        self.current.torn = line[cut:]

    def finish(self, generation: Generation | None = None) -> None:
        generation = generation or self.current
        if generation.torn:
            rest, generation.torn = generation.torn, b""
            self._put(generation, rest)

    def _line(self, kind: str, to: Generation) -> bytes:
        self._number += 1
        self.lives[self._number] = (to.number, to.life)
        line = line_of(self._number, kind, self._max_line)
        self.lines[self._number] = line
        return line

    def _put(self, to: Generation, content: bytes) -> None:
        to.writer.write(content)
        to.content += content
        self._stamp(to.writer.fileno())
        to.written_at = self.now

    def _stamp(self, file: int | Path) -> None:
        self._loop.pass_time(TICK_S)
        now = int((BEGAN + timedelta(seconds=self.now)).timestamp() * 1_000_000_000)
        os.utime(file, ns=(now, now))

    # -- rotating --------------------------------------------------------------------------------------------------

    def create(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._appends else 0)
        writer = FileIO(os.open(self.path, flags, 0o600), "wb")
        self.generations.append(Generation(self.path, writer, bytearray(), number=len(self.generations)))
        self._hold(self.path)
        self._stamp(writer.fileno())

    def _hold(self, path: Path) -> None:
        """Whether the number of a file that is gone is used again is up to the file system: here it never is."""
        self._held.append(os.open(path, os.O_RDONLY))

    def rotate(self) -> None:
        """As logrotate does: the writer still has the old file open. The new one is for `create`."""
        self._loop.pass_time(TICK_S)
        target = self._next_name()
        self.path.rename(target)
        self.current.path = target
        self.current.left_at = self.now

    def copy_and_truncate(self) -> None:
        target = self._next_name()
        shutil.copyfile(self.path, target)
        self._hold(target)
        self._stamp(target)
        self.truncate()

    def truncate(self) -> None:
        os.truncate(self.path, 0)
        self._stamp(self.path)
        self.current.life += 1

    def unlink(self) -> None:
        self.path.unlink()
        self.current.path = None
        self.current.left_at = self.now

    def _next_name(self) -> Path:
        if self._dated:
            return self.path.with_name(f"{self.path.name}-20010101-{978307200000 + int(self.now * 1000)}")
        for path in sorted(self.rotated(), key=lambda path: -_number_of(path)):
            name = f"{self.path.name}.{_number_of(path) + 1}{'.gz' if path.suffix == '.gz' else ''}"
            self._move(path, path.with_name(name))
        return self.path.with_name(f"{self.path.name}.1")

    def _move(self, path: Path, target: Path) -> None:
        path.rename(target)
        for generation in self.generations:
            if generation.path == path:
                generation.path = target

    def rotated(self) -> list[Path]:
        return sorted(path for path in self.path.parent.glob(f"{self.path.name}[.-]*"))

    def plain(self) -> list[Path]:
        return [path for path in self.rotated() if path.suffix != ".gz"]

    def pack(self, plain: Path) -> None:
        """As gzip does: the time of the last write stays."""
        packed = plain.with_name(plain.name + ".gz")
        status = plain.stat()
        packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
        os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
        self._hold(packed)
        plain.unlink()
        self._forget(plain, packed)

    def remove(self, rotated: Path) -> None:
        rotated.unlink()
        self._forget(rotated, None)

    def _forget(self, path: Path, target: Path | None) -> None:
        """Nobody writes to it any more."""
        for generation in self.generations:
            if generation.path == path:
                generation.path = target
                generation.writer.close()

    def close(self) -> None:
        for generation in self.generations:
            generation.writer.close()
        while self._held:
            os.close(self._held.pop())

    # -- what there is ---------------------------------------------------------------------------------------------

    def on_disk(self, since: float) -> set[int]:
        """The lines that some file of the log still holds, of the rotated ones those last written to after `since`."""
        paths = [path for path in self.rotated() if path.stat().st_mtime > since]
        return {number for path in (*paths, self.path) for number in self._numbers_in(path)}

    def _numbers_in(self, path: Path) -> list[int]:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return [int(line.lstrip(b"\0")[:6]) for line in content.splitlines() if line.strip(b"\0")]


def _number_of(path: Path) -> int:
    return int(path.name.removesuffix(".gz").rpartition(".")[2])
