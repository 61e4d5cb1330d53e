"""What the fuzzer makes of an input."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fuzz.minimizing import minimized
from fuzz.mutation import Mutator
from fuzz.pool import MOST_BYTES, Pool

TOKENS = (b"rules:", b"match:")
INPUTS = st.one_of(st.binary(max_size=300), st.text("ab1\n -:{}[]\"'", max_size=200).map(str.encode))


def several(seed: int, known: bytes, other: bytes, most_bytes: int = 500) -> list[bytes]:
    mutator = Mutator(Random(seed), TOKENS, most_bytes)
    return [mutator.mutated(known, other) for _ in range(30)]


@given(st.integers(), INPUTS, INPUTS)
def test_the_same_seed_makes_the_same_inputs(seed: int, known: bytes, other: bytes) -> None:
    assert several(seed, known, other) == several(seed, known, other)


@given(st.integers(), INPUTS, INPUTS, st.integers(0, 400))
def test_no_input_is_longer_than_it_may_be(seed: int, known: bytes, other: bytes, most_bytes: int) -> None:
    assert max(map(len, several(seed, known, other, most_bytes))) <= most_bytes


def test_every_kind_of_change_comes_up() -> None:
    known = b'rules:\n  - id: "disk-full"\n    count: 17\n    lines: [a, b]\n'
    mutator = Mutator(Random(7), TOKENS, 4096)
    made = [mutator.mutated(known, b"other: 1\n") for _ in range(3000)]
    assert any(each.count(b"match:") for each in made)  # a word of the language
    assert any(b"9223372036854775808" in each for each in made)  # a large number
    assert any(b"[" * 70 in each for each in made)  # deep nesting
    assert any(b"\xed\xa0\x80" in each for each in made)  # no UTF-8
    assert any(b"\0" in each for each in made)
    assert any(b"\xe2\x80\xae" in each for each in made)  # writing from right to left
    assert any(each and known.startswith(each) and each != known for each in made)  # cut off
    assert any(each.count(b"lines: [a, b]") > 1 for each in made)  # a line twice
    assert any(b"other" in each for each in made)  # two inputs in one
    assert len(set(made)) > 2000


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=4), st.binary(max_size=200))
def test_a_minimized_input_still_fails_and_is_no_longer(front: bytes, word: bytes, back: bytes) -> None:
    found = front + word + back
    smallest = minimized(found, lambda each: word in each)
    assert word in smallest
    assert len(smallest) <= len(found)


@given(st.text("ab\n", max_size=300).map(str.encode))
def test_nothing_is_left_that_could_go(noise: bytes) -> None:
    found = noise + b"\nXX\n" + noise
    assert minimized(found, lambda each: b"XX" in each, tries=3000) == b"XX"


def test_no_more_tries_are_made_than_are_allowed() -> None:
    tries = 0

    def fails(_: bytes) -> bool:
        nonlocal tries
        tries += 1
        return tries % 3 == 0

    minimized(bytes(5000), fails, tries=40)
    assert tries == 40


def test_what_a_run_began_with_is_never_forgotten() -> None:
    pool = Pool(Random(1), [b"first", b"second"])
    for _ in range(40):
        pool.add(bytes(MOST_BYTES // 10))
    assert len(pool) < 15
    assert {pool.any() for _ in range(300)} >= {b"first", b"second"}
