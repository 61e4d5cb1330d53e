"""What a connection sends is cut into the same lines, however it arrives."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from logmedic.adapters.sources.reports.lines import TOO_LONG, Lines

LONGEST = 16
sent = st.lists(st.sampled_from([b"\n", b"a", b"bc", b" ", b"\r\n", b"x" * 15, b"y" * 16, b"z" * 40]), max_size=30)


def cut(sent: bytes) -> list[bytes | None]:
    """The oracle: all at once, and what is behind the last newline is no line."""
    lines = sent.split(b"\n")
    found: list[bytes | None] = [TOO_LONG if len(line) >= LONGEST else line for line in lines[:-1]]
    if len(lines[-1]) >= LONGEST:
        found.append(TOO_LONG)
    return [line for line in found if line is TOO_LONG or line.strip()]


@given(sent, st.lists(st.integers(1, 50), max_size=30))
@example([b"x" * 15, b"\n"], [15])
@example([b"x" * 15, b"x", b"\n", b"a", b"\n"], [15, 1, 1])
@example([b"z" * 40, b"z" * 40, b"\n", b"a", b"\n"], [7] * 20)
def test_the_pieces_in_which_it_comes_do_not_matter(parts: list[bytes], pieces: list[int]) -> None:
    whole = b"".join(parts)
    lines, got, at = Lines(LONGEST), list[bytes | None](), 0
    for size in (*pieces, len(whole)):
        got += lines.take(whole[at : at + size])
        at += size
        assert len(lines._held) < LONGEST
    assert got == cut(whole)
    rest = whole.rsplit(b"\n", 1)[-1]
    assert lines.end() == (rest.strip() if len(rest) < LONGEST else b"")


def test_a_line_without_end_takes_no_room_and_is_told_once() -> None:
    lines = Lines()
    told = [each for _ in range(1000) for each in lines.take(b"x" * 10_000)]
    assert told == [TOO_LONG]
    assert not lines._held
    assert list(lines.take(b"the end\nnext\n")) == [b"next"]
