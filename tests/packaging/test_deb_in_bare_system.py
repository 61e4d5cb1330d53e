"""The life of the package on a system that has Python and no systemd: installed, upgraded, not downgraded, removed."""

from __future__ import annotations

import re
import shutil

import pytest
from bareroot import NEWER, NEWER_FORM, Bare, Packages

from logmedic import __version__

pytestmark = pytest.mark.slow
DATA = "var/lib/logmedic"
CONFIG = "etc/logmedic/logmedic.yaml"
RULE = "etc/logmedic/rules.d/mine.yaml"
LINE = "2026-11-26 12:00:00 ERROR boom\n"


@pytest.fixture
def present(packages: Packages) -> str:
    return f"/root/{packages.present.name}"


@pytest.fixture
def newer(packages: Packages) -> str:
    return f"/root/{packages.newer.name}"


def state(bare: Bare) -> str:
    return bare.run("dpkg-query", "-W", "-f", "${Status} ${Version}", "logmedic")


def owner(bare: Bare, path: str) -> str:
    return bare.run("stat", "-c", "%U:%G %a", f"/{path}").strip()


def edit(bare: Bare) -> None:
    with (bare.root / CONFIG).open("a") as file:
        file.write("mode: approve\n")
    (bare.root / RULE).write_text("# nothing yet\n")


def watch(bare: Bare) -> str:
    """A store, and one line in it."""
    return bare.as_daemon("logmedic", "run", "--once", "-", text=LINE)


def test_it_works_once_it_is_installed(installed: Bare) -> None:
    assert installed.run("logmedic", "--version").split() == ["logmedic", __version__]
    assert "all good" in installed.run("logmedic", "config", "check")
    assert "1 line read" in watch(installed)
    assert (owner(installed, DATA), owner(installed, CONFIG)) == ("logmedic:logmedic 700", "root:root 644")
    assert "4(adm)" in installed.run("id", "logmedic")
    assert installed.run("dpkg", "--verify", "logmedic") == ""
    enabled = installed.root / "etc/systemd/system/multi-user.target.wants/logmedic.service"
    assert enabled.is_symlink()


def test_apt_installs_it_as_well(bare: Bare, present: str) -> None:
    bare.run("apt-get", "install", present)
    assert state(bare) == f"install ok installed {__version__}"
    bare.run("apt-get", "check")


def test_running_it_writes_nothing_into_it(installed: Bare) -> None:
    before = {path: told for path, told in installed.files().items() if path.startswith("opt/")}
    watch(installed)
    assert {path: told for path, told in installed.files().items() if path.startswith("opt/")} == before


def test_installing_it_once_more_changes_nothing(installed: Bare, present: str) -> None:
    edit(installed)
    before = installed.files()
    installed.run("dpkg", "-i", present)
    installed.run("/var/lib/dpkg/info/logmedic.postinst", "configure", __version__)
    assert installed.files() == before


def test_an_upgrade_keeps_what_people_wrote_and_what_was_seen(installed: Bare, newer: str) -> None:
    watch(installed)
    edit(installed)
    kept = {path: (installed.root / path).read_bytes() for path in (CONFIG, RULE, f"{DATA}/logmedic.duckdb")}
    installed.run("dpkg", "-i", newer)
    assert installed.run("logmedic", "--version").split()[1] == NEWER
    assert {path: (installed.root / path).read_bytes() for path in kept} == kept
    assert "all good" in installed.run("logmedic", "config", "check")


def test_a_version_that_cannot_read_the_store_is_refused(ahead: Bare, present: str) -> None:
    watch(ahead)
    before = ahead.files()
    ran = ahead.ran("dpkg", "-i", present)
    assert ran.returncode != 0
    assert f"brought /{DATA}/logmedic.duckdb to form {NEWER_FORM}" in ran.stderr
    assert state(ahead) == f"install ok installed {NEWER}"
    assert ahead.files() == before
    assert ahead.run("logmedic", "--version").split()[1] == NEWER


def test_the_store_of_the_config_counts(ahead: Bare, present: str) -> None:
    with (ahead.root / CONFIG).open("a") as file:
        file.write("storage: { path: /srv/kept.duckdb }\n")
    (ahead.root / "srv/kept.duckdb").touch()
    assert "brought /srv/kept.duckdb to form" in ahead.ran("dpkg", "-i", present).stderr


def test_a_removal_in_between_does_not_deceive_it(ahead: Bare, present: str) -> None:
    watch(ahead)
    ahead.run("dpkg", "-r", "logmedic")
    assert f"to form {NEWER_FORM}" in ahead.ran("dpkg", "-i", present).stderr


def test_without_a_store_an_older_version_may_come(ahead: Bare, present: str) -> None:
    ahead.run("dpkg", "-i", present)
    assert state(ahead) == f"install ok installed {__version__}"


def test_what_the_refusal_says_leads_back(installed: Bare, present: str, newer: str) -> None:
    """Every command of it, typed where the package lies; but those of systemd, which is not there."""
    watch(installed)
    shutil.copy(installed.root / DATA / "logmedic.duckdb", installed.root / "root/backup.duckdb")
    installed.run("dpkg", "-i", newer)
    told = installed.ran("dpkg", "-i", present).stderr
    commands = re.findall(r"^  (.+)$", told, re.MULTILINE)
    assert [each.split()[0] for each in commands] == [
        "systemctl", "mkdir", "apt-get", "systemctl", "logmedic", "systemctl",
    ]  # fmt: skip
    for each in commands:
        if not each.startswith("systemctl"):
            installed.run("sh", "-c", f"cd /root && {each.replace('FILE', '/root/backup.duckdb')}")
    assert state(installed) == f"install ok installed {__version__}"
    assert (installed.root / DATA / f"form-{NEWER_FORM}" / "logmedic.duckdb").is_file()
    assert owner(installed, f"{DATA}/logmedic.duckdb") == "logmedic:logmedic 600"
    assert "2 errors" in watch(installed)


def test_a_removal_leaves_the_data_and_says_where(installed: Bare) -> None:
    watch(installed)
    edit(installed)
    (installed.root / "opt/logmedic/lib/python3.11/site-packages/logmedic/__pycache__/own.cpython-311.pyc").touch()
    told = installed.run("dpkg", "-r", "logmedic")
    assert f"its data stays in /{DATA}" in told
    assert (installed.root / DATA / "logmedic.duckdb").is_file()
    assert (installed.root / RULE).is_file()
    assert list((installed.root / "opt").iterdir()) == []
    assert not any("logmedic-fix-" in path for path in installed.files())


def test_a_purge_leaves_the_system_as_it_was(bare: Bare, present: str, newer: str) -> None:
    (bare.root / "etc/polkit-1/rules.d").mkdir(parents=True)  # polkit's own, which is not here
    before = bare.files()
    bare.run("dpkg", "-i", present)
    watch(bare)
    bare.run("dpkg", "-i", newer)
    bare.run("logmedic", "install", "fixes", "--root", "/srv/image")
    bare.run("cp", "-a", "/srv/image/.", "/")
    bare.run("rm", "-r", "/srv/image")
    assert any("logmedic-fix-canary" in path for path in bare.files())
    edit(bare)
    bare.run("dpkg", "-P", "logmedic")
    after = bare.files()
    assert {path: told for path, told in after.items() if before.get(path) != told} == {}
    assert sorted(set(before) - set(after)) == []


def test_the_accounts_stay_when_it_is_purged(installed: Bare) -> None:
    """Else somebody new might get their numbers, and with them a file that was left somewhere."""
    installed.run("dpkg", "-P", "logmedic")
    assert installed.run("id", "-un", "logmedic").strip() == "logmedic"


def test_a_purge_empties_what_a_link_leads_to(bare: Bare, present: str) -> None:
    (bare.root / "srv/big").mkdir()
    (bare.root / DATA).symlink_to("/srv/big")
    bare.run("dpkg", "-i", present)
    bare.run("chown", "logmedic:", "/srv/big")
    watch(bare)
    bare.run("dpkg", "-P", "logmedic")
    assert list((bare.root / "srv/big").iterdir()) == []
    assert not (bare.root / DATA).is_symlink()
