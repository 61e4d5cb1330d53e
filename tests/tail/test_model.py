"""Writers and rotators that do anything at random, and the real follower beside a model of what it owes."""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fakes.virtual_loop import BEGAN, VirtualLoop
from logmedic.model.gap import Gap, SourceEventKind
from logmedic.model.record import Block
from tail.readers import RECONCILE_S, Reader, open_in
from tail.writers import KINDS, Generation, Log

GRACE_S = 2.0
DELETED_S = 55.0
MAX_LINE = 120

WHICH = st.integers(0, 1)
SOME_KINDS = st.lists(st.sampled_from(KINDS), min_size=1, max_size=8)
WHILES = st.sampled_from([0.0, 0.3, 1.0, 2.5, 4.0, 10.0, 70.0])


class Tailing(RuleBasedStateMachine):
    """The moves that lose nothing. `tears_lines`: an unfinished line may leave before the rest of it."""

    kinds = KINDS
    tears_lines = True

    def __init__(self) -> None:
        super().__init__()
        self.room = Path(tempfile.mkdtemp(prefix="logmedic-"))
        self.loop = VirtualLoop()
        self.logs: list[Log] = []

    @initialize(dated=st.booleans(), wide=st.booleans(), patient=st.booleans(), appends=st.booleans())
    def begin(self, dated: bool, wide: bool, patient: bool, appends: bool) -> None:
        self.dated = dated
        self.appends = appends
        self.logs.append(self.new_log("app.log"))
        pattern = self.room / ("*" if wide else "*.log")
        partial_timeout_s = 100_000.0 if patient or not self.tears_lines else 5.0
        self.reader = Reader(self.loop, pattern, max_line=MAX_LINE, partial_timeout_s=partial_timeout_s)
        self.meet()

    def new_log(self, name: str) -> Log:
        return Log(self.room / name, self.loop, max_line=MAX_LINE, dated=self.dated, appends=self.appends)

    def meet(self) -> None:
        """A log is followed once a position in it is durable: one that is rotated away before was never met."""
        self.reader.ring()
        self.reader.run(2 * RECONCILE_S)
        self.reader.commit()

    def log(self, which: int) -> Log:
        return self.logs[which % len(self.logs)]

    # -- writing ---------------------------------------------------------------------------------------------------

    @rule(which=WHICH, kinds=SOME_KINDS)
    def write(self, which: int, kinds: list[str]) -> None:
        log = self.log(which)
        for kind in kinds:
            if self.is_heard(log, log.current):
                log.write(kind if kind in self.kinds else "plain")

    @rule(which=WHICH, kind=st.sampled_from(KINDS), at=st.integers(8, 40))
    def tear(self, which: int, kind: str, at: int) -> None:
        log = self.log(which)
        if self.is_heard(log, log.current) and (self.tears_lines or log.is_there):
            log.tear(kind if kind in self.kinds else "plain", at)

    @rule(which=WHICH)
    def finish(self, which: int) -> None:
        self.log(which).finish()

    @precondition(lambda self: len(self.logs) < 2)
    @rule()
    def another_log(self) -> None:
        self.logs.append(self.new_log("web.log"))
        self.meet()

    # -- rotating --------------------------------------------------------------------------------------------------

    @rule(which=WHICH, late=st.integers(0, 2), create=st.booleans())
    def rotate(self, which: int, late: int, create: bool) -> None:
        log = self.log(which)
        if not log.is_there:
            self.create(log)
            return
        if not self.tears_lines:
            log.finish()
        log.rotate()
        for _ in range(late):
            log.write("plain")
        if create:
            self.create(log)

    def create(self, log: Log) -> None:
        """Beside a file that is deleted and still read, a new one is found if it is not rotated at once."""
        deleted = log.current.path is None
        log.create()
        if deleted:
            self.reader.ring()
            self.reader.run(0.1)

    @rule(which=WHICH, count=st.integers(1, 3))
    def write_late(self, which: int, count: int) -> None:
        log = self.log(which)
        for generation in log.generations[-3:-1]:
            for _ in range(count):
                if self.is_heard(log, generation):
                    log.write("plain", generation)

    def is_heard(self, log: Log, generation: Generation) -> bool:
        """Whether the follower owes what is written to this file now. Not for ever, when it is not the log any more."""
        if generation.left_at is None:
            return True
        if generation.writer.closed:
            return False
        if generation is log.current:  # there is no new one yet
            return generation.path is not None or log.now - max(generation.left_at, generation.written_at) < DELETED_S
        if generation.path is None:  # deleted, and there is a new one
            return False
        return log.now - generation.left_at < (GRACE_S - 0.1 if self.dated else 0.9)

    @rule(which=WHICH, index=st.integers(0, 9))
    def pack(self, which: int, index: int) -> None:
        log = self.log(which)
        if plain := [path for path in log.plain() if log.is_there]:
            log.pack(plain[index % len(plain)])

    # -- reading ---------------------------------------------------------------------------------------------------

    @rule(seconds=WHILES)
    def pause(self, seconds: float) -> None:
        self.loop.pass_time(seconds)

    @rule(seconds=WHILES, heard=st.booleans())
    def read(self, seconds: float, heard: bool) -> None:
        if heard:
            self.reader.ring()
        self.reader.run(seconds)

    @rule(count=st.integers(1, 12))
    def read_a_little(self, count: int) -> None:
        self.reader.ring()
        self.reader.turns(count)

    @rule()
    def commit(self) -> None:
        self.reader.commit()

    @rule()
    def restart(self) -> None:
        self.reader.restart()

    @rule(losing=st.integers(1, 6))
    def kill(self, losing: int) -> None:
        self.reader.kill(losing)

    @rule()
    def settle(self) -> None:
        """A log that was rotated without a new one is read on when there is one."""
        for log in self.logs:
            log.finish()
            if not log.is_there:
                self.create(log)
        self.reader.ring()
        files = len(list(self.room.iterdir()))  # each of them may be given its grace
        self.reader.run(4 * RECONCILE_S + files * (GRACE_S + 1))
        self.check_settled()

    def check_settled(self) -> None:
        raise NotImplementedError

    def teardown(self) -> None:
        """The last word, unless the moves have ended with a failure of their own."""
        ended_well = sys.exception() is None
        try:
            if self.logs and ended_well:
                self.settle()
        finally:
            if self.logs:
                self.reader.stop()
                for log in self.logs:
                    log.close()
            left_open = open_in(self.room)
            self.loop.close()
            shutil.rmtree(self.room)
        assert not ended_well or left_open == []


class WithoutTruncation(Tailing):
    """However it is rotated, packed, paused, restarted and killed: what is read of a log is what was written to it,
    byte for byte and in order, save the rest of lines over the limit, which is counted."""

    @invariant()
    def nothing_else_was_read(self) -> None:
        for log in self.logs:
            assert b"".join(map(as_read, log.generations)).startswith(self.reader.text(log.path))

    def check_settled(self) -> None:
        for log in self.logs:
            assert self.reader.lag(log.path) == 0
            assert self.reader.text(log.path) == b"".join(map(as_read, log.generations))
            gaps = [gap for gap in self.reader.gaps(log.path) if not is_of_nothing(gap)]
            assert {gap.kind for gap in gaps} <= {SourceEventKind.LONG_LINE}
            assert sum(gap.lost_bytes for gap in gaps) == sum(map(cut_off, log.generations))


def is_of_nothing(gap: Gap) -> bool:
    """An empty file has no content to be known by once it is packed."""
    return gap.kind is SourceEventKind.VANISHED and "read up to byte 0 " in gap.detail


def lines_of(generation: Generation) -> list[bytes]:
    """With their newlines; the last may have none."""
    lines = bytes(generation.content).split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]


def as_read(generation: Generation) -> bytes:
    """What is to be read of it: lines over the limit are cut, without their newline."""
    return b"".join(line if len(line) <= MAX_LINE else line[:MAX_LINE] for line in lines_of(generation))


def cut_off(generation: Generation) -> int:
    """How many bytes of it are to be counted as lost: newlines are not."""
    return sum(len(line.removesuffix(b"\n")) - MAX_LINE for line in lines_of(generation) if len(line) > MAX_LINE)


class WithTruncation(Tailing):
    """Emptied, copied and emptied, unlinked, and old files removed, all at random. What holds:

    - Only what was written is read, in order, and never twice.
    - Every line that is in some file of the log is read. Where the file of the last position was removed, that goes
      for the files that were written to since then.
    - Of what was written to one file between two times that it was emptied, the beginning is read, and the rest only
      then not when it left the disk unread. If anything of it was read, a gap tells the loss.
    - A gap never counts more bytes than were lost.

    Outside of it: a log that is copied and emptied between two looks, when nothing of it had been read (`unmet`)."""

    kinds = tuple(kind for kind in KINDS if kind != "empty")
    tears_lines = False

    def __init__(self) -> None:
        super().__init__()
        self.unmet: set[tuple[Path, int]] = set()

    # -- moves -----------------------------------------------------------------------------------------------------

    @rule(which=WHICH, more=SOME_KINDS)
    def copy_and_truncate(self, which: int, more: list[str]) -> None:
        log = self.log(which)
        if not log.is_there:
            return
        log.finish()
        of_this_life = self.life(log, (log.current.number, log.current.life))
        if not of_this_life & set(self.read_lines(log)):
            self.unmet |= {(log.path, number) for number in of_this_life}
        log.copy_and_truncate()
        self.write(which, more[1:])

    @rule(which=WHICH, more=SOME_KINDS)
    def truncate(self, which: int, more: list[str]) -> None:
        log = self.log(which)
        if not log.is_there:
            return
        log.finish()
        log.truncate()
        self.write(which, more[1:])

    @rule(which=WHICH, more=SOME_KINDS, create=st.booleans())
    def unlink(self, which: int, more: list[str], create: bool) -> None:
        log = self.log(which)
        if not log.is_there:
            return
        log.finish()
        log.unlink()
        self.write(which, more[1:])
        if create:
            self.create(log)

    @rule(which=WHICH, index=st.integers(0, 9))
    def remove(self, which: int, index: int) -> None:
        log = self.log(which)
        if rotated := log.rotated() if log.is_there else []:
            log.remove(rotated[index % len(rotated)])

    # -- claims ----------------------------------------------------------------------------------------------------

    def life(self, log: Log, life: tuple[int, int]) -> set[int]:
        return {number for number, its in log.lives.items() if its == life}

    def read_lines(self, log: Log) -> list[int]:
        return [number for block in self.reader.blocks(log.path) for number in numbers_in(log, block)]

    @invariant()
    def only_what_was_written_in_order_and_once(self) -> None:
        for log in self.logs:
            order = [(log.lives[number], number) for number in self.read_lines(log)]
            assert order == sorted(set(order))

    def check_settled(self) -> None:
        for log in self.logs:
            read = set(self.read_lines(log))
            unmet = {number for path, number in self.unmet if path == log.path}
            assert log.on_disk(since=self.passed_until(log)) - read <= unmet
            for life in set(log.lives.values()):
                self.check_life(log, sorted(self.life(log, life)), read)
            lost = sum(len(line) for number, line in log.lines.items() if number not in read)
            cut = sum(max(0, len(line) - MAX_LINE) for number, line in log.lines.items() if number in read)
            told = [gap for gap in self.reader.gaps(log.path) if gap.kind in LOSSES]
            assert sum(gap.lost_bytes for gap in told) <= lost + cut

    def passed_until(self, log: Log) -> float:
        """When the last position was taken whose file was removed: what was written before that may be passed over."""
        blocks = self.reader.blocks(log.path)
        lost = [
            before.checkpoint.at
            for before, block in itertools.pairwise(blocks)
            if any(gap.kind is SourceEventKind.VANISHED for gap in block.gaps)
        ]
        return max(lost, default=BEGAN).timestamp()

    def check_life(self, log: Log, life: list[int], read: set[int]) -> None:
        begun = [number for number in life if number in read]
        assert begun == life[: len(begun)]
        if begun and begun != life:
            assert any(gap.kind in LOSSES for gap in self.gaps_behind(log, begun[-1]))

    def gaps_behind(self, log: Log, number: int) -> list[Gap]:
        """What is told until the next line is read."""
        blocks = self.reader.blocks(log.path)
        last = max(index for index, block in enumerate(blocks) if number in numbers_in(log, block))
        gaps: list[Gap] = []
        for block in blocks[last + 1 :]:
            gaps += block.gaps
            if block.data:
                break
        return gaps


LOSSES = {SourceEventKind.TRUNCATED, SourceEventKind.VANISHED}


def numbers_in(log: Log, block: Block) -> list[int]:
    """Which lines these are. Fails for what was never written."""
    found = []
    for piece in block.data.removesuffix(b"\n").split(b"\n") if block.data else []:
        number = int(piece[:6])
        line = log.lines[number]
        assert piece in (line[:-1], line[:MAX_LINE])
        found.append(number)
    return found


SETTINGS = settings(settings.default, deadline=None, print_blob=True)

TestWithoutTruncation = WithoutTruncation.TestCase
TestWithoutTruncation.settings = SETTINGS

TestWithTruncation = WithTruncation.TestCase
TestWithTruncation.settings = SETTINGS
