"""`storage`, `backup` and `restore` as they are typed: beside a daemon that runs, and without one."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import forked
from cli.test_commands import logmedic
from contracts.test_store_contract import EVERYTHING
from endtoend.test_daemon import World, daemon, until
from fakes.served import serving
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.changeset import Changeset

ONE = EVERYTHING.issues[0]
ISSUES = (ONE, replace(ONE, id="0193-two", fingerprint="two"))
NO_SOCKET = Path("/nonexistent/logmedic.sock")


def typed(world: World, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    ran = forked.run(world.command(*arguments), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == code, ran.stderr
    return ran


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One daemon for all that leave it as it was; three lines led to incidents."""
    world = World(tmp_path_factory.mktemp("world"))
    world.write("smoke 1", "smoke 2", "smoke 3")
    with daemon(world):
        until(world.titles, "an incident is open")
        yield world


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return stored(tmp_path / "state" / "logmedic.duckdb", Changeset(issues=ISSUES))


def stored(path: Path, changeset: Changeset) -> Path:
    async def fill() -> None:
        store = DuckStore(path)
        await store.open()
        await store.commit(changeset)
        await store.close()

    asyncio.run(fill())
    return path


def issues(path: Path) -> int:
    ran = logmedic("issues", "-o", "json", "--store", str(path), socket=NO_SOCKET)
    assert ran.returncode == 0, ran.stderr
    return len(json.loads(ran.stdout))


def copies(path: Path) -> list[str]:
    return sorted(each.name for each in path.with_name("backups").glob("backup-*"))


def test_storage_tells_what_is_there_and_how_long_it_stays(running: World) -> None:
    page = typed(running, "storage").stdout
    assert page.startswith(f"{running.home}/state/logmedic.duckdb: ")
    assert " of 1.00 GiB" in page.splitlines()[0]
    table = {line.split()[0]: line.split(maxsplit=2) for line in page.splitlines() if line and line[0] != " "}
    assert [table[name][2] for name in ("incidents", "incident_events", "known_issues", "learning_patterns")] == [
        "90 d", "with its incident", "always", "365 d",
    ]  # fmt: skip
    assert table["known_issues"][1] == "1"
    assert "archive empty" in page


def test_storage_is_for_programs_too(running: World) -> None:
    told = json.loads(typed(running, "storage", "-o", "json").stdout)
    assert told["room"]["max"] == 1 << 30
    assert told["rows"]["known_issues"] == 1
    assert told["keep"]["incidents"] == timedelta(days=90).total_seconds()


def test_storage_says_what_leaves_next(tmp_path: Path) -> None:
    with serving(tmp_path / "logmedic.sock"):
        page = logmedic("storage", socket=tmp_path / "logmedic.sock").stdout
    assert "/var/lib/logmedic/logmedic.duckdb: 5.0 MiB of 1.00 GiB" in page
    assert "archive 2.0 KiB: 2 days, 2026-08-01 to 2026-08-02; kept 400 d" in page
    assert "incidents  1,200  90 d    1 day" in page
    assert "the clock says 2027-12-29 03:00Z, and by the time that the daemon ran it is 2026-11-24 03:00Z" in page
    assert "nothing gets old by it for 22 h more" in page


def test_storage_needs_the_daemon(store: Path) -> None:
    ran = logmedic("storage", "--store", str(store), socket=NO_SOCKET)
    assert (ran.returncode, "no daemon answers" in ran.stderr) == (4, True)


def test_a_backup_is_made_while_the_daemon_runs_and_is_listed(running: World) -> None:
    said = typed(running, "backup").stdout
    path, _, rest = said.partition(": ")
    assert rest.strip().endswith("tables, read through")
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert issues(Path(path)) == 1
    assert path in typed(running, "storage").stdout


def test_a_backup_goes_where_it_is_wanted_and_leaves_no_second_copy(running: World) -> None:
    store, wanted = running.home / "state" / "logmedic.duckdb", running.home / "mine.duckdb"
    before = copies(store)
    told = json.loads(typed(running, "backup", str(wanted), "-o", "json").stdout)
    assert (told["path"], told["rows"]["known_issues"], told["bytes"]) == (str(wanted), 1, wanted.stat().st_size)
    assert issues(wanted) == 1
    assert copies(store) == before


def test_what_is_there_is_overwritten_by_force_alone(running: World) -> None:
    wanted = running.home / "theirs.duckdb"
    wanted.write_text("precious")
    refused = typed(running, "backup", str(wanted), code=2)
    assert "is there already; name another file, or add --force" in refused.stderr
    assert wanted.read_text() == "precious"
    typed(running, "backup", str(wanted), "--force")
    assert issues(wanted) == 1


def test_a_copy_that_cannot_be_delivered_takes_no_room(running: World) -> None:
    """The name of what is half made is taken by a directory."""
    store, wanted = running.home / "state" / "logmedic.duckdb", running.home / "x.duckdb"
    before = copies(store)
    wanted.with_name("x.duckdb.new").mkdir()
    assert "x.duckdb" in typed(running, "backup", str(wanted), code=1).stderr
    assert not wanted.exists()
    assert copies(store) == before


def test_a_restore_is_refused_while_the_daemon_runs(running: World) -> None:
    copy = typed(running, "backup", "-o", "json").stdout
    ran = typed(running, "restore", json.loads(copy)["path"], code=7)
    assert "is in use by process" in ran.stderr
    assert "systemctl stop logmedic" in ran.stderr


def test_a_daemon_that_cannot_copy_says_why(tmp_path: Path) -> None:
    with serving(tmp_path / "logmedic.sock") as control:
        ran = logmedic("backup", str(tmp_path / "x.duckdb"), socket=tmp_path / "logmedic.sock")
    assert control.did == [("backup",)]
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (1, "hint: look at the disk, and try again")
    assert not (tmp_path / "x.duckdb").exists()


def test_without_a_daemon_the_store_is_copied_and_left_as_it_was(store: Path, tmp_path: Path) -> None:
    before = store.read_bytes()
    ran = logmedic("backup", str(tmp_path / "copy.duckdb"), "--store", str(store), socket=NO_SOCKET)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == f"no daemon is running; this is read from {store}\n"
    beside = logmedic("backup", "--store", str(store), socket=NO_SOCKET)
    assert [beside.returncode, len(copies(store))] == [0, 1]
    assert store.read_bytes() == before
    assert issues(tmp_path / "copy.duckdb") == 2


@pytest.mark.parametrize("file", ["there/is/none.duckdb", "."], ids=["in no directory", "a directory"])
def test_a_place_that_cannot_take_a_backup_is_refused_before_the_work(store: Path, tmp_path: Path, file: str) -> None:
    ran = logmedic("backup", str(tmp_path / file), "--store", str(store), socket=NO_SOCKET)
    assert ran.returncode in (1, 2)
    assert "director" in ran.stderr
    assert not (tmp_path / "there").exists()


def test_without_daemon_and_store_there_is_nothing_to_copy(tmp_path: Path) -> None:
    ran = logmedic("backup", "--store", str(tmp_path / "none.duckdb"), socket=NO_SOCKET)
    assert (ran.returncode, "no daemon answers" in ran.stderr) == (4, True)


def test_a_restore_brings_back_the_rows_and_keeps_what_was_there(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    assert logmedic("backup", str(copy), "--store", str(store), socket=NO_SOCKET).returncode == 0
    stored(store, Changeset(issues=(replace(ONE, id="0193-three", fingerprint="three"),)))
    assert issues(store) == 3
    ran = logmedic("restore", str(copy), "--store", str(store), "-o", "json", socket=NO_SOCKET)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["path"], told["from"], issues(store)) == (str(store), str(copy), 2)
    assert issues(Path(told["kept"])) == 3
    assert copy.exists()


def test_a_store_is_restored_where_there_was_none(store: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "logmedic.duckdb"
    ran = logmedic("restore", str(store), "--store", str(other), socket=NO_SOCKET)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"{other} is {store} now\n"
    assert ran.stderr.endswith("systemctl start logmedic\n")
    assert issues(other) == 2


def test_what_is_no_backup_changes_nothing(store: Path, tmp_path: Path) -> None:
    before = store.read_bytes()
    (tmp_path / "notes.txt").write_text("no store")
    ran = [
        logmedic("restore", str(file), "--store", str(store), socket=NO_SOCKET)
        for file in (tmp_path / "notes.txt", tmp_path / "none.duckdb", store)
    ]
    assert [each.returncode for each in ran] == [1, 5, 2]
    assert "cannot be read" in ran[0].stderr
    assert f"backups are below {store.parent}/backups" in ran[1].stderr
    assert "is the store itself" in ran[2].stderr
    assert store.read_bytes() == before
    assert not list(store.parent.glob("*.before-restore-*"))


@pytest.mark.slow
def test_a_daemon_goes_on_with_what_was_restored(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write("smoke 1")
    with daemon(world):
        until(world.titles, "an incident is open")
        copy = json.loads(typed(world, "backup", "-o", "json").stdout)["path"]
        world.drop_rule("fire", "fire")
        typed(world, "reload")
        world.write("fire 1")
        until(lambda: len(world.titles()) == 2, "the copy is older than the store")
    typed(world, "restore", copy)
    (world.home / "log" / "app.log").unlink()
    with daemon(world):
        assert world.titles() == {"smoke was seen"}


@pytest.mark.slow
def test_times_of_copies_are_told(running: World) -> None:
    typed(running, "backup")
    line = next(line for line in typed(running, "storage").stdout.splitlines() if "/backups/backup-" in line)
    assert f"{datetime.now(UTC):%Y-%m-%d}" in line
    assert line.endswith("iB")
