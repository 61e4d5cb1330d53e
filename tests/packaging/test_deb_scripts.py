"""What the package is made from: plain POSIX scripts, and nothing of systemd/ that has no place."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from bareroot import ROOT, needed
from stage import BUILDER, script

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_plain_sh_and_ends_at_the_first_mistake(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(script(name))
    assert path.read_text().startswith("#!/bin/sh\n")
    assert "\nset -e\n" in path.read_text()
    subprocess.run(["sh", "-n", path], check=True)


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_finds_nothing_in_a_script(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(script(name))
    ran = subprocess.run([needed("shellcheck"), "--shell=sh", path], capture_output=True, text=True, check=False)
    assert ran.stdout == ""


def test_every_file_of_systemd_has_its_place() -> None:
    names = sorted(at.name for at in (ROOT / "systemd").iterdir())
    places = [BUILDER["place_of"](name) for name in names]
    assert "usr/lib/systemd/system/logmedic.service" in places
    assert "usr/lib/sysusers.d/logmedic.conf" in places
    assert len({*places}) == len(names)


def test_a_file_without_a_place_ends_the_build() -> None:
    with pytest.raises(SystemExit, match=r"PLACES"):
        BUILDER["place_of"]("logmedic.unheard-of")


def test_without_systemd_the_same_accounts_are_made() -> None:
    declared = re.findall(r"^u +(\S+) +- +\"(.+)\" +(\S+)", (ROOT / "systemd/logmedic.sysusers.conf").read_text(), re.M)
    made = re.findall(r"--ingroup (\S+) --home (\S+) .*--gecos '(.+)' (\S+)$", script("postinst"), re.M)
    assert [(name, words, home) for name, home, words, _ in made] == declared


def test_without_systemd_the_daemon_is_in_the_same_groups() -> None:
    declared = re.findall(r"^m +logmedic +(\S+)", (ROOT / "systemd/logmedic.sysusers.conf").read_text(), re.M)
    assert f"for group in {' '.join(declared)}; do" in script("postinst")


def test_purge_knows_all_that_an_installation_of_fixes_writes() -> None:
    from logmedic.adapters.fixes.layout import POLKIT, WANTS
    from logmedic.adapters.fixes.unitfiles import ENTRIES, MOUNT, ROOTS, SOCKETS, UNITS

    removed = script("postrm")
    for path in (POLKIT, ENTRIES, ROOTS, SOCKETS, f"{UNITS}/{MOUNT}", f"{WANTS}/logmedic-fix-*.socket",
                 f"{UNITS}/logmedic-fix-*.socket", f"{UNITS}/logmedic-fix-*@.service"):  # fmt: skip
        assert re.search(rf" {re.escape(path)}(\s|$)", removed), path


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0.9.0", "0.10.0"),
        ("1.0.0rc1", "1.0.0"),
        ("1.0.0a2", "1.0.0b1"),
        ("1.0.0.dev3", "1.0.0"),
        ("1.0.0", "1.0.0.post1"),
    ],
)
def test_debian_sorts_versions_as_python_does(older: str, newer: str) -> None:
    words = ["dpkg", "--compare-versions", BUILDER["debian_version"](older), "lt", BUILDER["debian_version"](newer)]
    assert subprocess.run([needed("dpkg"), *words[1:]], check=False).returncode == 0, words


def test_a_point_of_the_changelog_stays_one_over_its_lines() -> None:
    told = BUILDER["items"]("### Changed\n- One\n  thing.\n- Another.\n\n### Fixed\n- A third.\n")
    assert told == "  [ Changed ]\n  * One thing.\n  * Another.\n  [ Fixed ]\n  * A third.\n"
