"""The same sources give the same wheel and sdist: `make same-twice`."""

from __future__ import annotations

from pathlib import Path

import pytest

from supply import sametwice


@pytest.mark.slow
def test_two_builds_in_two_places_at_two_times_are_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    assert sametwice.main([]) == 0, capsys.readouterr().err
    names = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
    assert [name.split("-")[0] for name in names] == ["logmedic", "logmedic", "logmedic_client"]


@pytest.mark.slow
def test_a_file_less_in_the_sources_is_another_wheel_and_another_sdist(tmp_path: Path) -> None:
    files = sametwice.sources()
    left_out = max(each for each in files if each.parts[0] == "rules")
    one = sametwice.built(sametwice.WORLDS[0], tmp_path / "a", files)
    other = sametwice.built(sametwice.WORLDS[0], tmp_path / "b", [each for each in files if each != left_out])
    assert [name for name in one if one[name] == other[name]] == [each for each in one if "_client" in each]
