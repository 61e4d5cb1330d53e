"""The host's zone and boot, and ids in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logmedic.runtime import clock


def test_the_zone_of_the_host_knows_summer_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "ZONE_FILE", Path("/usr/share/zoneinfo/Europe/Berlin"))
    zone = clock.local_zone()
    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=2)
    assert datetime(2026, 1, 1, tzinfo=zone).utcoffset() == timedelta(hours=1)
    (tmp_path / "odd").write_text("no rules")
    for odd in (tmp_path / "odd", tmp_path / "none", tmp_path):
        monkeypatch.setattr(clock, "ZONE_FILE", odd)
        assert datetime.now(clock.local_zone()).utcoffset() is not None


def test_ids_are_in_order_also_behind_those_of_a_process_whose_clock_was_ahead() -> None:
    mint = clock.Uuid7()
    ids = [mint() for _ in range(10_000)]
    ahead = f"{(1 << 48) - 10**9:012x}"
    later = clock.Uuid7(behind=f"{ahead[:8]}-{ahead[8:]}-7fff-bfff-ffffffffffff")
    ids += [f"{ahead[:8]}-{ahead[8:]}-7fff-bfff-ffffffffffff", *(later() for _ in range(10_000))]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("behind", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_id_of_ours_moves_nothing(behind: str) -> None:
    assert clock.Uuid7(behind)()[:8] == clock.Uuid7()()[:8]


def test_the_boot_was_before_now() -> None:
    booted = clock.boot_time()
    assert booted is None or booted <= datetime.now(UTC)
