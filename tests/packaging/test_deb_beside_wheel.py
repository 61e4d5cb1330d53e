"""Where a logmedic from a wheel is, the package is not installed over it, and says what to type."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest
from stage import Stage

from logmedic.adapters.service import ground
from logmedic.adapters.service.layout import COMMAND, PLACES, layout

VENV = "opt/logmedic/pyvenv.cfg"
UNIT = "etc/systemd/system/logmedic.service"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "host").set_up()


def put_service(stage: Stage) -> str:
    """As `logmedic install` does it. The program that its units start."""
    program = f"{stage.room}/opt/logmedic/bin/logmedic"
    for path, text in layout(ground.shipped(), program=program, version="1.2").files.items():
        at = stage.room / path.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
    (stage.room / VENV).touch()
    return program


def refusal(stage: Stage) -> list[str]:
    """What is to be typed."""
    ran = stage.ran("preinst", "install")
    assert ran.returncode == 1
    assert "a logmedic from a wheel is here" in ran.stderr
    return [line.strip() for line in ran.stderr.splitlines() if line.startswith("  ")]


def test_nothing_is_refused_where_no_wheel_is(stage: Stage) -> None:
    ran = stage.ran("preinst", "install")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_units_that_start_a_wheel_are_taken_away_by_its_program(stage: Stage) -> None:
    program = put_service(stage)
    assert refusal(stage) == [f"{program} uninstall", f"rm -r {stage.room}/opt/logmedic"]


def test_a_wheel_that_is_no_service_any_more_is_in_the_way_all_the_same(stage: Stage) -> None:
    (stage.room / VENV).touch()
    assert refusal(stage) == [f"rm -r {stage.room}/opt/logmedic"]


def test_where_its_program_is_gone_every_file_that_it_wrote_is_named(stage: Stage) -> None:
    Path(put_service(stage)).unlink()
    (stage.room / VENV).unlink()
    typed = " ".join(refusal(stage)).split()
    for path in (*PLACES.values(), COMMAND):
        assert any(fnmatch.fnmatch(path, each.removeprefix(str(stage.room))) for each in typed), path
    assert typed[-2:] == ["systemctl", "daemon-reload"]


def test_a_package_that_lies_there_already_is_upgraded(stage: Stage) -> None:
    (stage.room / VENV).touch()
    assert stage.ran("preinst", "upgrade", "1.1").returncode == 0


def test_a_unit_that_somebody_wrote_or_masked_is_no_wheel(stage: Stage) -> None:
    (stage.room / UNIT).parent.mkdir(parents=True)
    (stage.room / UNIT).symlink_to("/dev/null")
    assert stage.ran("preinst", "install").returncode == 0
