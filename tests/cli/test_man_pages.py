"""The man pages are those of the commands as they are, and no formatter complains about them."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES: Mapping[str, str] = dict(runpy.run_path(str(ROOT / "scripts" / "man-pages"))["pages"]())


def needed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        assert not os.environ.get("CI"), f"{program} is missing: apt-get install {program}"
        pytest.skip(f"{program} is not installed")
    return found


def test_the_pages_are_those_of_the_commands() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "man").glob("*.1")}
    assert kept == PAGES, "make man"


def test_every_command_has_its_page_and_every_subcommand_its_place() -> None:
    assert "logmedic-show.1" in PAGES
    assert '.SS "rules explain"' in PAGES["logmedic-rules.1"]
    assert all("Show this message" not in text for text in PAGES.values())


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_is_sound(name: str, tmp_path: Path) -> None:
    """Of all that mandoc says only the date is wanted so: the same commands give the same page on every day."""
    path = tmp_path / name
    path.write_text(PAGES[name], encoding="utf-8")
    lint = subprocess.run([needed("mandoc"), "-Tlint", "-Wwarning", path], capture_output=True, text=True, check=False)
    complaints = [line for line in lint.stdout.splitlines() if "missing date" not in line]
    assert complaints == []


def test_a_page_reads_as_the_help_does(tmp_path: Path) -> None:
    path = tmp_path / "logmedic-why.1"
    path.write_text(PAGES[path.name], encoding="utf-8")
    shown = subprocess.run([needed("mandoc"), "-Tutf8", path], capture_output=True, text=True, check=True).stdout
    plain = "".join(
        each for number, each in enumerate(shown) if each != "\b" and shown[number + 1 : number + 2] != "\b"
    )
    for told in (
        "logmedic-why",
        "--alerts",
        "Of an incident: why nobody is told of it",
        'why "ERROR shop: cannot connect"',
    ):
        assert told in plain
