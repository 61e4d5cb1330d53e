"""What `make soak-long` calls flat, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crash.sampling import MIB, Sample, curve, flatness

CALM = Sample(0.0, 200 * MIB, 30, 14, 2, 90 * MIB, 20 * MIB, 2 * MIB, MIB, 10 * MIB, 10_000)
MINUTES = 40


def life(**grows: float) -> list[Sample]:
    """A sample a minute; of what is named, so much more each minute."""
    return [
        replace(CALM, at=60.0 * n, **{name: int(getattr(CALM, name) + n * by) for name, by in grows.items()})
        for n in range(MINUTES)
    ]


def growing(samples: list[Sample]) -> list[str]:
    return [each.bound.what for each in flatness(samples) if not each.holds]


def test_a_life_that_stays_as_it_is_is_flat() -> None:
    assert growing(life()) == []


@pytest.mark.parametrize(
    ("name", "by", "what"),
    [
        ("memory_bytes", 3 * MIB, "memory, MiB"),
        ("helpers_bytes", 4 * MIB, "memory of its children, MiB"),
        ("descriptors", 0.5, "descriptors"),
        ("threads", 0.25, "threads"),
        ("children", 0.25, "children"),
        ("wal_bytes", 3 * MIB, "write-ahead log, MiB"),
        ("held_bytes", MIB // 8, "store without its holes, bytes a row"),
    ],
)
def test_what_grows_all_the_time_is_found(name: str, by: float, what: str) -> None:
    assert growing(life(**{name: by})) == [what]


def test_a_store_that_grows_with_its_rows_is_flat() -> None:
    assert growing(life(held_bytes=MIB // 4, rows=250)) == []


def test_a_warm_up_in_the_first_quarter_is_none_of_a_leak() -> None:
    warm = [replace(each, memory_bytes=100 * MIB) if n < MINUTES // 4 else each for n, each in enumerate(life())]
    assert growing(warm) == []


def test_a_peak_is_none_either() -> None:
    samples = life()
    samples[-1] = replace(samples[-1], memory_bytes=900 * MIB, descriptors=200)
    assert growing(samples) == []


def test_what_was_never_asked_is_left_out() -> None:
    unasked = [replace(each, held_bytes=None, rows=None) for each in life()]
    assert "store without its holes, bytes a row" not in [each.bound.what for each in flatness(unasked)]
    assert growing(unasked) == []


def test_the_curve_has_the_first_minute_and_the_last_ones() -> None:
    rows = curve(life())
    assert len(rows) <= 15
    assert float(rows[1].split()[0]) == 0.0
    assert float(rows[-1].split()[0]) >= MINUTES - 4
