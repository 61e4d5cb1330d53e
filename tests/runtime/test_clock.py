"""The host's zone and boot."""

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


def test_the_boot_was_before_now() -> None:
    booted = clock.boot_time()
    assert booted is None or booted <= datetime.now(UTC)
