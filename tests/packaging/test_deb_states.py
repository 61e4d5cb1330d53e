"""What ran before an upgrade runs afterwards, and nothing else: also when an attempt did not get to its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import UNITS, Stage

NOTE = "run/logmedic.units-before"
DAEMON = "logmedic.service"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path / "host").set_up()
    made.set_state("active", *UNITS)
    return made


def fail_once(stage: Stage) -> None:
    """postinst ends at its first step."""
    (stage.room / "no-accounts").touch()
    stage.upgraded()
    (stage.room / "no-accounts").unlink()
    assert stage.states() == dict.fromkeys(UNITS, "inactive")


def test_what_ran_runs_again_after_an_upgrade_and_the_note_of_it_is_gone(stage: Stage) -> None:
    assert stage.upgraded() == ""
    assert stage.states() == dict.fromkeys(UNITS, "active")
    assert list((stage.room / "run").glob("logmedic*")) == []


def test_what_ran_before_a_failed_attempt_runs_again_after_the_next_one(stage: Stage) -> None:
    fail_once(stage)
    fail_once(stage)
    assert stage.upgraded() == ""
    assert stage.states() == dict.fromkeys(UNITS, "active")
    assert not (stage.room / NOTE).exists()


def test_a_unit_that_was_stopped_stays_so_and_it_is_said(stage: Stage) -> None:
    stage.set_state("inactive", DAEMON)
    assert stage.upgraded() == f"logmedic: {DAEMON} was stopped before, and stays so: systemctl start {DAEMON}\n"
    assert stage.states()[DAEMON] == "inactive"


def test_what_was_stopped_before_a_failed_attempt_and_started_after_it_runs(stage: Stage) -> None:
    stage.set_state("inactive", DAEMON)
    fail_once(stage)
    stage.set_state("active", DAEMON)
    assert stage.upgraded() == ""
    assert stage.states()[DAEMON] == "active"
