"""What root types about the store: in a directory that is the daemon's, a link of the daemon's leads root nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from threading import Thread
from typing import Protocol

import pytest

from cli.test_storage_commands import NO_SOCKET, ONE, issues, stored
from logmedic.adapters.fixes.fitness import acts_here
from logmedic.hostfiles.owners import Owner, owner_of
from logmedic.model.changeset import Changeset

DAEMON = 61234
HERE = acts_here()
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="others do no more than they may anyway")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """With our packages, and one that the daemon's user can run as well: the system's, where ours is a person's own."""
    version = "import sys; print(*sys.version_info[:2])"
    told = subprocess.run([HERE.python, "-c", version], check=True, capture_output=True, text=True).stdout
    if told.split() != [str(each) for each in sys.version_info[:2]]:
        why = f"{HERE.python}, which others can run, is of another version"
        assert not os.environ.get("CI"), why
        pytest.skip(why)
    room = tmp_path_factory.mktemp("venv")
    for directory in (room, *room.parents[:-2]):
        directory.chmod(directory.stat().st_mode | 0o011)
    subprocess.run([HERE.python, "-m", "venv", "--without-pip", room], check=True)
    (packages,) = room.glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(f"{Path(HERE.package).parent}\n{sysconfig.get_path('purelib')}\n")
    return str(room / "bin" / "python")


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """Root's own, where others may look."""
    for directory in (tmp_path, *tmp_path.parents[:-2]):
        directory.chmod(directory.stat().st_mode | 0o011)
    made = tmp_path / "roots"
    made.mkdir(mode=0o755)
    (made / "precious").write_text("precious")
    return made


@pytest.fixture
def store(tmp_path: Path, roots: Path) -> Path:
    """The daemon's: its directory, and all that is in it."""
    path = stored(tmp_path / "state" / "logmedic.duckdb", Changeset(issues=(ONE,)))
    for each in (path.parent, *path.parent.iterdir()):
        os.chown(each, DAEMON, DAEMON)
    return path


class Typed(Protocol):
    def __call__(self, *arguments: str, socket: Path = NO_SOCKET) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def typed(python: str) -> Typed:
    def run(*arguments: str, socket: Path = NO_SOCKET) -> subprocess.CompletedProcess[str]:
        command = [python, "-m", "logmedic", *arguments, "--socket", str(socket)]
        env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    return run


def untouched(roots: Path) -> bool:
    precious = roots / "precious"
    owners = {roots.stat().st_uid, precious.stat().st_uid}
    return (owners, precious.read_text(), [each.name for each in roots.iterdir()]) == ({0}, "precious", ["precious"])


def test_a_backup_does_not_follow_where_its_directory_leads(typed: Typed, store: Path, roots: Path) -> None:
    (store.parent / "backups").symlink_to(roots)
    ran = typed("backup", "--store", str(store))
    assert (ran.returncode, "Permission denied" in ran.stderr) == (1, True), ran.stderr
    assert untouched(roots)


def test_a_backup_that_root_wants_in_that_directory_is_not_led_elsewhere(
    typed: Typed, store: Path, roots: Path
) -> None:
    (store.parent / "mine").symlink_to(roots)
    ran = typed("backup", str(store.parent / "mine" / "copy.duckdb"), "--store", str(store))
    assert (ran.returncode, "Permission denied" in ran.stderr) == (1, True), ran.stderr
    assert untouched(roots)


@pytest.mark.parametrize("name", ["logmedic.duckdb.lock", "logmedic.duckdb.restored", "logmedic.duckdb.wal"])
def test_a_restore_writes_to_nothing_that_a_link_leads_to(
    typed: Typed, store: Path, roots: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "copy.duckdb"
    assert typed("backup", str(copy), "--store", str(store)).returncode == 0
    (store.parent / name).unlink(missing_ok=True)
    (store.parent / name).symlink_to(roots / "precious")
    typed("restore", str(copy), "--store", str(store))
    assert untouched(roots)


def test_all_that_they_make_there_is_the_daemons_and_what_root_alone_may_read_is_restored(
    typed: Typed, store: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    assert typed("backup", str(copy), "--store", str(store)).returncode == 0
    assert (copy.stat().st_uid, copy.stat().st_mode & 0o777) == (0, 0o600)
    ran = [typed("backup", "--store", str(store)), typed("restore", str(copy), "--store", str(store))]
    assert [each.returncode for each in ran] == [0, 0], [each.stderr for each in ran]
    made = [store.parent, *store.parent.rglob("*")]
    assert {each.stat().st_uid for each in made} == {DAEMON}
    assert {each.stat().st_mode & 0o077 for each in made[1:]} == {0}
    assert issues(store) == 1


class Liar(BaseHTTPRequestHandler):
    """A daemon that somebody took over: it names a file of root's as the copy that it made."""

    named = ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"path": self.named, "contents": {}, "rows": {}, "bytes": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Of no interest."""


@contextmanager
def lying(path: Path, named: Path) -> Iterator[None]:
    with UnixStreamServer(str(path), type("Named", (Liar,), {"named": str(named)})) as server:
        os.chown(path, DAEMON, DAEMON)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_a_daemon_that_lies_has_no_file_of_roots_removed_or_copied(
    typed: Typed, store: Path, roots: Path, tmp_path: Path, mode: int
) -> None:
    (roots / "precious").chmod(mode)
    socket = store.parent / "logmedic.sock"
    with lying(socket, roots / "precious"):
        ran = typed("backup", str(tmp_path / "copy.duckdb"), "--store", str(store), socket=socket)
    assert ran.returncode == 1, ran.stderr
    assert untouched(roots)
    assert not list(tmp_path.glob("copy*"))


PLANT: dict[str, Callable[[Path], object]] = {
    "their directory": lambda room: os.chown(room, DAEMON, DAEMON),
    "their link in a directory that all may write to": lambda room: (
        room.chmod(0o1777),
        (room / "store").symlink_to("/"),
        os.lchown(room / "store", DAEMON, DAEMON),
    ),
    "root's link to their directory": lambda room: (
        (room / "theirs").mkdir(),
        os.chown(room / "theirs", DAEMON, DAEMON),
        (room / "store").symlink_to(room / "theirs"),
    ),
    "their file in a directory in which they may write": lambda room: (
        room.chmod(0o777),
        (room / "store").touch(),
        os.chown(room / "store", DAEMON, DAEMON),
    ),
}


@pytest.mark.parametrize("case", PLANT)
def test_who_could_lead_a_path_elsewhere_is_found(tmp_path: Path, case: str) -> None:
    (tmp_path / "room").mkdir()
    PLANT[case](tmp_path / "room")
    assert owner_of(tmp_path / "room" / "store") == Owner(f"user id {DAEMON}", DAEMON, DAEMON, (DAEMON,))


def test_nobody_leads_a_path_of_roots_elsewhere_whoever_a_file_in_it_belongs_to(tmp_path: Path) -> None:
    (tmp_path / "theirs").touch()
    os.chown(tmp_path / "theirs", DAEMON, DAEMON)
    assert [owner_of(each) for each in (tmp_path / "theirs", tmp_path / "not/there", Path("/"))] == [None] * 3
