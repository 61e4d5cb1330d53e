"""The package of an older commit runs, a newer one is installed over it while three logs are written; and not back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from booted.host import DEBS, LOGMEDIC, Host, booted, ground, package
from booted.witness import Witness

BACKUPS = "/var/lib/logmedic"


@dataclass(frozen=True, slots=True)
class Told:
    version: str
    form: int


def told(which: str) -> Told:
    """Of a package."""
    (deb,) = (DEBS / which).glob("*.deb")
    said = [subprocess.check_output(["dpkg-deb", "-f", deb, name], text=True).strip()
            for name in ("Version", "Logmedic-Store-Form")]  # fmt: skip
    return Told(said[0], int(said[1]))


def away_s(host: Host) -> float:
    """From the end of the last daemon to the next one's READY, as the service manager has it."""
    left, ready = (int(host.show(f"{name}TimestampMonotonic")) for name in ("InactiveEnter", "ActiveEnter"))
    return (ready - left) / 1e6


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with ground() as made:
        yield made


@pytest.fixture(scope="module")
def host(root: Path) -> Iterator[Host]:
    with booted(root) as made:
        made.install("previous")
        yield made


def test_an_upgrade_while_lines_are_written_loses_none_and_counts_none_twice(host: Host, root: Path) -> None:
    old, new = told("previous"), told("present")
    witness = Witness(root)
    (root / "etc/logmedic/rules.d/storm.yaml").chmod(0o644)
    host.logmedic("install", "fixes")
    witness.met(host)
    with witness:
        witness.passed(host)
        before = json.loads(host.logmedic("incidents", "--all", "--limit", "10000", "-o", "json"))
        written = witness.wrote.lines
        host.install()
        host.until("armed (unit)", LOGMEDIC, "status")
        meanwhile = witness.wrote.lines - written
        away = away_s(host)
        witness.passed(host)
    after = json.loads(host.logmedic("incidents", "--all", "--limit", "10000", "-o", "json"))
    assert {each["id"] for each in before} <= {each["id"] for each in after}
    assert new.version in host.logmedic("--version")
    assert host.show("NRestarts") == "0"
    print(f"from {old.version} (form {old.form} of the store) to {new.version} (form {new.form}): ", end="")
    print(f"away for {away:.1f} s, {meanwhile} lines meanwhile; {witness.exact(host)}")
    host.start()


def test_a_downgrade_to_an_older_store_is_refused_with_what_to_type_and_the_newer_one_runs_on(host: Host) -> None:
    old, new = told("previous"), told("present")
    if old.form == new.form:
        pytest.skip("NOT SHOWN HERE: the history has no commit with an older form of the store")
    ran = host.ran("apt-get", "-y", "-q", "--allow-downgrades", "install", package("previous"))
    assert ran.returncode != 0
    assert f"it knows stores up to form {old.form}, and version {new.version} brought" in ran.stdout
    assert "apt-get install --allow-downgrades" in ran.stdout
    host.until("armed (unit)", LOGMEDIC, "status")
    assert new.version in host.logmedic("--version")
    assert "ok installed" in host.run("dpkg-query", "-W", "-f", "${Status}", "logmedic")
