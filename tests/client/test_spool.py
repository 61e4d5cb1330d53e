"""What cannot be delivered is put into files, and comes out of them once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from fakes.report_client import client_of, program, until
from fakes.report_daemon import ReportDaemon, hanging, taking
from logmedic.client.sending import spool as spooling
from logmedic.client.sending.building import draft_of, line_of
from logmedic.client.sending.spool import SUFFIX, Spool


def line(id: str, words: str = "x") -> bytes:
    return line_of(draft_of(words, id, 0.0, {}))


def spooled(room: Path, *ids: str, seed: str = "1") -> Path:
    """A file of a process that ended."""
    spool = Spool(room, seed)
    for each in ids:
        assert spool.put(line(each))
    spool.close()
    return room / f"{seed}-1{SUFFIX}"


def everything(spool: Spool, lines: int = 2) -> list[str]:
    found: list[str] = []
    while batch := spool.batch(lines):
        found += [id for id, _ in batch]
    return found


def test_what_goes_in_comes_out_in_order_and_then_the_file_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "room", "1")
    for number in range(5):
        assert spool.put(line(str(number)))
    assert spool.batch(2) == [("0", line("0")), ("1", line("1"))]
    assert everything(spool) == ["2", "3", "4"]
    assert list((tmp_path / "room").iterdir()) == []
    assert spool.put(line("5"))
    assert everything(spool) == ["5"]
    spool.close()


def test_a_batch_is_bounded_in_bytes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "1")
    for number in range(400):
        assert spool.put(line(str(number), "x" * 4000))
    assert 60 < len(spool.batch(1000)) < 70
    assert len(everything(spool, 1000)) > 330
    assert list(tmp_path.iterdir()) == []


def test_a_file_stays_until_all_of_it_was_taken(tmp_path: Path) -> None:
    path = spooled(tmp_path, "a", "b", "c")
    first = Spool(tmp_path, "2")
    assert len(first.batch(3)) == 3
    first.close()
    assert path.exists()
    second = Spool(tmp_path, "3")
    assert everything(second) == ["a", "b", "c"]
    assert not path.exists()


def test_what_a_living_process_holds_is_left_alone(tmp_path: Path) -> None:
    mine, other = Spool(tmp_path, "1"), Spool(tmp_path, "2")
    assert mine.put(line("a"))
    assert everything(other) == []
    mine.close()
    assert everything(other) == ["a"]


def test_only_one_takes_a_file_over(tmp_path: Path) -> None:
    spooled(tmp_path, "a")
    first, second = Spool(tmp_path, "2"), Spool(tmp_path, "3")
    assert len(first.batch(9)) == 1
    assert second.batch(9) == []
    first.close()
    second.close()


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = spooled(tmp_path / "room", "a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


RUBBISH = {
    "no JSON": b"rubbish\n",
    "binary": b"\xff\x00\n",
    "no report": b'{"type":"breaker","id":"a"}\n',
    "no id": b'{"type":"report","id":"a b"}\n',
    "a list": b"[]\n\n\n",
    "half a line": b'{"type":"report","id":"a","mess',
    "a line without end": b"x" * 200_000,
    "deep": b"[" * 60_000 + b"\n",
}


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=list(RUBBISH))
def test_rubbish_in_a_file_is_passed_over(tmp_path: Path, rubbish: bytes) -> None:
    path = spooled(tmp_path, "a")
    good = path.read_bytes()
    path.write_bytes(good + rubbish)
    spool = Spool(tmp_path, "2")
    assert everything(spool) == ["a"]
    assert not path.exists()


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    room = tmp_path / "room"
    target = spooled(room, "a").rename(tmp_path / "target")
    (room / f"link{SUFFIX}").symlink_to(target)
    os.mkfifo(room / f"pipe{SUFFIX}")
    (room / f"room{SUFFIX}").mkdir()
    assert everything(Spool(room, "2")) == []
    assert target.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file somebody else's")
def test_what_another_user_puts_there_is_not_reported_in_this_ones_name(tmp_path: Path) -> None:
    """A rule goes by who reports, which is the kernel's word; a file in a directory of all is anybody's."""
    forged = spooled(tmp_path, "forged")
    os.chown(forged, 65534, 65534)
    spooled(tmp_path, "own", seed="2")
    assert everything(Spool(tmp_path, "3")) == ["own"]
    assert forged.exists()


def test_a_file_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "MAX_FILE", 1000)
    spool = Spool(tmp_path, "1")
    assert [spool.put(line(str(number), "x" * 300)) for number in range(4)] == [True, True, False, False]
    spool.close()


def test_all_files_together_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spooled(tmp_path, "a", "b")
    monkeypatch.setattr(spooling, "MAX_ROOM", 300)
    spool = Spool(tmp_path, "2")
    assert spool.put(line("c", "x" * 200)) is False
    spool.close()


def test_where_nothing_can_be_written_the_spool_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    spool = Spool(tmp_path / "file", "1")
    assert spool.put(line("a")) is False
    assert spool.batch(1) == []
    spool.close()


def test_a_full_disk_leaves_no_half_lines(tmp_path: Path) -> None:
    """A limit of the process does what a full disk does: the last line is written in part."""
    text = """
import resource, signal
from fakes.report_client import *
from logmedic.client.sending.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
spool = Spool(Path(ROOM), "1")
done = [spool.put(b'{"type":"report","id":"%d","message":"%s"' % (number, b"x" * 300)) for number in range(5)]
sys.exit(0 if done == [True, True, False, False, False] else 1)
"""
    subprocess.run(program(text, ROOM=str(tmp_path)), check=True, timeout=60)
    (path,) = tmp_path.iterdir()
    assert path.read_bytes().endswith(b"}\n")
    assert everything(Spool(tmp_path, "2")) == ["0", "1"]


def test_what_the_buffer_does_not_hold_waits_in_the_spool(tmp_path: Path) -> None:
    with client_of(tmp_path / "s", buffer=10, spool=tmp_path / "room") as client:
        for number in range(50):
            until(lambda: len(client._sender._inbox) == 0)
            client.report(str(number))
        until(lambda: client.stats().spooled == 40)
        assert client.stats().dropped == 0
        with ReportDaemon(tmp_path / "s") as daemon:
            daemon.wait_for_reports(50)
            assert client.flush(10.0)
            assert sorted(int(each["message"]) for each in daemon.reports) == list(range(50))
            until(lambda: not list((tmp_path / "room").iterdir()))


def test_what_a_killed_process_left_is_sent_by_another_one(tmp_path: Path) -> None:
    text = """
from fakes.report_client import *
client = Client(socket=PATH, spool=ROOM, buffer=1)
for number in range(5):
    until(lambda: len(client._sender._inbox) == 0)
    client.report("left behind")
until(lambda: client.stats().spooled == 4)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = program(text, PATH=str(tmp_path / "s"), ROOM=str(tmp_path / "room"))
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s", spool=tmp_path / "room") as client:
        client.report("mine")
        daemon.wait_for_reports(5)
        assert client.flush(10.0)
        assert [each["message"] for each in daemon.reports].count("left behind") == 4
        until(lambda: not list((tmp_path / "room").iterdir()))


def test_a_daemon_that_dies_over_a_spool_is_sent_it_again(tmp_path: Path) -> None:
    spooled(tmp_path / "room", *(str(number) for number in range(20)))
    with client_of(tmp_path / "s", spool=tmp_path / "room") as client:
        with ReportDaemon(tmp_path / "s", hanging) as first:
            client.report("mine")
            first.wait_for_reports(21)
        assert len(list((tmp_path / "room").iterdir())) == 1
        with ReportDaemon(tmp_path / "s", taking) as second:
            assert client.flush(10.0)
            assert len({each["id"] for each in second.reports}) == 21
            until(lambda: not list((tmp_path / "room").iterdir()))


def test_what_is_spooled_and_in_flight_at_the_end_stays_in_its_file(tmp_path: Path) -> None:
    path = spooled(tmp_path / "room", "a", "b")
    with ReportDaemon(tmp_path / "s", hanging) as daemon:
        with client_of(tmp_path / "s", spool=tmp_path / "room") as client:
            client.report("mine")
            daemon.wait_for_reports(3)
            client.close(timeout=0.01)
        assert path.read_bytes().count(b"\n") == 2
        others = [each for each in (tmp_path / "room").iterdir() if each != path]
        assert sum(each.read_bytes().count(b"\n") for each in others) == 1
