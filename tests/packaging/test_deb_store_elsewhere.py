"""A store that the config put elsewhere stays when the package is removed or purged, and is named: by then no program
is there to be asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage

NOTE = "etc/logmedic/.store-elsewhere"
SAYS = """#!/bin/sh
case "$*" in "config show -o json") cat "{room}/config.json" ;; esac
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path / "host").set_up()
    made.program("opt/logmedic/bin/logmedic", SAYS.format(room=made.room))
    return made


def removed(stage: Stage, store: str) -> str:
    """What is said of it."""
    (stage.room / "config.json").write_text(f'{{\n  "storage": {{\n    "path": "{store}",\n    "keep": 1\n  }}\n}}\n')
    assert stage.ran("prerm", "remove").returncode == 0
    ran = stage.ran("postrm", "remove")
    assert ran.returncode == 0
    return ran.stdout


def test_a_store_elsewhere_is_named_by_a_removal_and_by_a_later_purge(stage: Stage) -> None:
    assert "its store stays in /srv/moved/logmedic.duckdb\n" in removed(stage, "/srv/moved/logmedic.duckdb")
    assert "its store is left in /srv/moved/logmedic.duckdb:" in stage.ran("postrm", "purge").stdout
    assert not (stage.room / "etc/logmedic").exists()


def test_where_it_is_in_its_usual_place_nothing_more_is_said(stage: Stage) -> None:
    told = removed(stage, f"{stage.room}/var/lib/logmedic/logmedic.duckdb")
    assert "store" not in told
    assert "its data stays in" in told
    assert stage.ran("postrm", "purge").stdout == ""


def test_a_program_that_cannot_say_it_keeps_nobody_from_removing_it(stage: Stage) -> None:
    stage.program("opt/logmedic/bin/logmedic", "#!/bin/sh\nexit 3\n")
    assert stage.ran("prerm", "remove").returncode == 0
    assert not (stage.room / NOTE).exists()


def test_an_installation_forgets_where_it_was(stage: Stage) -> None:
    removed(stage, "/srv/moved/logmedic.duckdb")
    stage.ran("postinst", "configure")
    assert not (stage.room / NOTE).exists()


def test_what_failed_is_not_listed_after_a_removal(stage: Stage) -> None:
    removed(stage, "/srv/moved/logmedic.duckdb")
    assert "systemctl reset-failed logmedic*" in (stage.room / "said").read_text()
