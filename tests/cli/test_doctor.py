"""`logmedic doctor`: what is really wrong is found, and what cannot be looked at is said."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket as sockets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest

import forked
from cli.surroundings import ENVIRONMENT
from endtoend.test_daemon import World, daemon
from logmedic.cli.doctor import clock, config, limits, python, receivers, sandbox, service, socket, sources, store
from logmedic.cli.doctor.apart import looked
from logmedic.cli.doctor.command import lines_of
from logmedic.cli.doctor.finding import Check, Finding, Person, State
from logmedic.cli.doctor.host import Daemon, daemon_at, myself, person_of, runs_as
from logmedic.cli.systemdunit import Unit, daemon_user, unit_of
from logmedic.model.errors import OrderRefused
from logmedic.settings.alerts import Alerts
from logmedic.settings.form import Settings
from logmedic.settings.storage import Storage

NOBODY = Person("somebody", 65534, (65534,))
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def of(findings: Iterable[Finding], name: str, state: State) -> list[Finding]:
    return [each for each in findings if each.name == name and each.state is state]


def alone(check: Check) -> list[Finding]:
    (found,) = looked([check])
    return found


# -- each look in a process of its own ---------------------------------------------------------------------------------


def hang() -> Iterator[Finding]:
    signal.pause()
    yield from ()


def crash() -> Iterator[Finding]:
    yield Finding("it", State.WELL, "so far")
    raise ValueError("it is broken")


def die() -> Iterator[Finding]:
    os.kill(os.getpid(), signal.SIGKILL)
    yield from ()


def test_a_look_that_hangs_or_crashes_is_a_finding_and_the_rest_are_looked_at() -> None:
    fine = Finding("fine", State.WELL, "yes")
    began = time.monotonic()
    checks = [Check("a", hang, 0.3), Check("b", crash), Check("c", die), Check("d", lambda: [fine])]
    found = list(looked(checks))
    assert time.monotonic() - began < 20
    assert [each.state for (each,) in found] == [State.WARNING] * 3 + [State.WELL]
    assert "no answer within 0.3 s" in found[0][0].found
    assert "ValueError: it is broken" in found[1][0].found
    assert "SIGKILL" in found[2][0].found
    assert found[3] == [fine]


def test_what_a_look_started_ends_with_it() -> None:
    seconds = f"53.{os.getpid()}"
    run = Check("a", lambda: [Finding("a", State.WELL, str(subprocess.call(["sleep", seconds])))], 0.5)
    assert "no answer" in alone(run)[0].found
    assert subprocess.run(["pgrep", "-f", f"sleep {seconds}"], check=False, capture_output=True).returncode == 1


def test_answers_come_in_order_however_long_each_takes() -> None:
    quick = [Check(str(n), lambda n=n: [Finding(str(n), State.WELL, "")]) for n in range(20)]  # type: ignore[misc]
    slow = Check("slow", lambda: [Finding("slow", State.WELL, str(subprocess.call(["sleep", "0.2"])))])
    assert [each.name for found in looked([slow, *quick]) for each in found] == ["slow", *map(str, range(20))]


@as_root
def test_a_look_can_be_made_as_the_daemons_user() -> None:
    seen = Check("me", lambda: [Finding("me", State.WELL, f"{os.geteuid()} {os.getgroups()}")], to_be=NOBODY)
    assert alone(seen)[0].found == "65534 [65534]"


# -- python and wheels -------------------------------------------------------------------------------------------------


def test_the_wheels_are_those_that_the_distribution_requires() -> None:
    needed = {re.split(r"[ ;<>=!~\[]", each)[0] for each in requires("logmedic") or () if "extra ==" not in each}
    assert set(map(plain, python.WHEELS.values())) == set(map(plain, needed))


def plain(name: str) -> str:
    """As package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, str]:
    """An environment in which one wheel is missing, one is damaged, and one crashes the interpreter."""
    (tmp_path / "duckdb.py").write_text("raise ImportError('libduckdb.so: cannot open shared object file')\n")
    (tmp_path / "hyperscan.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n")
    return {**ENVIRONMENT, "PYTHONPATH": str(tmp_path)}


def test_f41_wheels_that_cannot_be_imported_are_named_with_the_repair(broken: dict[str, str]) -> None:
    found = list(python.look(sys.executable, broken))
    (damaged,) = of(found, "wheel duckdb", State.WRONG)
    assert "libduckdb.so" in damaged.found
    assert damaged.repair == f"{sys.executable} -m pip install --force-reinstall --no-deps duckdb"
    (spare,) = of(found, "wheel hyperscan", State.WARNING)
    assert f"killed by signal {signal.SIGILL:d}" in spare.found
    assert "a plain scanner takes its place" in spare.found
    here = len(python.wheels_here())
    assert of(found, "wheels", State.WELL)[0].found.startswith(f"{here - 2} of {here}")


def test_hyperscan_is_named_with_its_version() -> None:
    (all_well,) = of(python.look(), "wheels", State.WELL)
    assert re.search(r"hyperscan \d+\.\d+", all_well.found)


def test_a_python_that_is_too_old_is_wrong() -> None:
    assert python.of_version((3, 10, 4), "/usr/bin/python3").state is State.WRONG
    assert python.of_version((3, 11, 0), "/usr/bin/python3").state is State.WELL


# -- the config --------------------------------------------------------------------------------------------------------


def test_mistakes_of_the_config_are_told_without_its_text(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.yaml"
    path.write_text(
        "mode: atuo\nalerts:\n  receivers: { mail: 'mailto://hunter2sesame@x' }\n  nonsense: hunter2sesame\n"
    )
    found = list(config.look(path, {}))
    assert {each.state for each in found} == {State.WRONG}
    assert any(f"{path}:1" in each.found for each in found)
    assert "hunter2sesame" not in str(found)


def test_secrets_of_the_unit_that_are_not_ours_to_see_are_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.yaml"
    path.write_text("alerts:\n  receivers:\n    chat: 'json://${credential:chat}'\n")
    assert [each.state for each in config.look(path, {})] == [State.UNKNOWN]
    (tmp_path / "chat").write_text("localhost")
    (fine,) = of(config.look(path, config.environment({}, tmp_path)), "config", State.WELL)
    assert "mode observe" in fine.found


@as_root
@pytest.mark.parametrize(
    ("mode", "owner", "state"),
    [
        (0o400, NOBODY.uid, State.WELL),
        (0o600, NOBODY.uid, State.WELL),
        (0o640, NOBODY.uid, State.WARNING),
        (0o644, 0, State.WARNING),
        (0o600, 0, State.WRONG),
    ],
)
def test_a_file_with_a_secret_has_to_be_the_daemons_alone_and_the_repair_makes_it_so(
    tmp_path: Path, mode: int, owner: int, state: State
) -> None:
    secret, path = tmp_path / "secret", tmp_path / "logmedic.yaml"
    secret.write_text("hunter2sesame")
    secret.chmod(mode)
    os.chown(secret, owner, -1)
    path.write_text(f"alerts:\n  receivers:\n    chat: 'json://x/${{file:{secret}}}'\n    copy: ${{file:{secret}}}\n")
    (found,) = config.of_secret_files(path, {}, NOBODY)
    assert found.state is state
    assert "hunter2sesame" not in str(found)
    if found.repair:
        subprocess.run(found.repair.replace("somebody", str(NOBODY.uid)), shell=True, check=True)
        assert [each.state for each in config.of_secret_files(path, {}, NOBODY)] == [State.WELL]


def test_a_file_with_a_secret_that_is_not_there_for_us_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.yaml"
    path.write_text("alerts: { receivers: { chat: '${file:/no/such/file}' } }\n")
    assert [each.state for each in config.of_secret_files(path, {}, NOBODY)] == [State.UNKNOWN]


def test_a_time_zone_is_named_and_a_broken_one_is_wrong(tmp_path: Path) -> None:
    assert [each.state for each in config.zone(env={})] == [State.WELL]
    broken = tmp_path / "localtime"
    broken.write_text("no zone")
    assert [each.state for each in config.zone(broken, {})] == [State.WRONG]
    assert [each.state for each in config.zone(tmp_path / "none", {})] == [State.WARNING]
    (told,) = config.zone(env={"TZ": ":Mars/Olympus"})
    assert (told.state, told.repair) == (State.WARNING, "unset TZ")


# -- the socket --------------------------------------------------------------------------------------------------------


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "logmedic.sock"
    with sockets.socket(sockets.AF_UNIX) as made:
        made.bind(str(path))
        made.listen()
        yield path


def own_group() -> str:
    return socket.group_name(os.getegid())


@pytest.mark.parametrize(
    ("mode", "state", "says"),
    [(0o660, State.WELL, "0660"), (0o666, State.WRONG, "everybody"), (0o600, State.WRONG, "its group")],
)
def test_the_mode_of_the_socket_decides_who_may_connect(listening: Path, mode: int, state: State, says: str) -> None:
    listening.chmod(mode)
    door = socket.seen(listening)
    assert door is not None
    (found,) = socket.of_door(door, own_group())
    assert found.state is state
    assert says in found.found
    if state is State.WRONG:
        subprocess.run(found.repair, shell=True, check=True)
        assert [each.state for each in socket.of_door(socket.seen(listening) or door, own_group())] == [State.WELL]


def test_a_socket_of_another_group_and_one_that_is_none_are_told(listening: Path, tmp_path: Path) -> None:
    listening.chmod(0o660)
    door = socket.seen(listening)
    assert door is not None
    (found,) = socket.of_door(door, "no-such-group")
    assert (found.state, "groupadd --system no-such-group" in found.repair) == (State.WARNING, True)
    file = tmp_path / "file"
    file.touch()
    no_socket = socket.seen(file)
    assert no_socket is not None
    assert [each.found for each in socket.of_door(no_socket, "x")] == [f"{file} is no socket"]


def test_a_socket_whose_daemon_is_gone_or_mute_is_wrong(tmp_path: Path, listening: Path) -> None:
    mute = daemon_at(listening, 0.2)
    assert mute is not None
    assert (mute.pid, mute.uid, mute.status) == (os.getpid(), os.geteuid(), None)
    assert "does not answer" in of(socket.look(listening, "x", myself(), mute), "daemon", State.WRONG)[0].found
    left = tmp_path / "left.sock"
    with sockets.socket(sockets.AF_UNIX) as made:
        made.bind(str(left))
    assert daemon_at(left) is None
    assert "nobody answers" in of(socket.look(left, "x", myself(), None), "daemon", State.WRONG)[0].found


def test_who_may_not_connect_is_told_which_group_to_join(listening: Path) -> None:
    listening.chmod(0o660)
    door = socket.seen(listening)
    assert door is not None
    found = socket.of_me(door, NOBODY, None, "logmedic")
    assert found.repair == "sudo usermod -aG logmedic somebody"
    assert socket.of_me(door, Person("ann", 4242, (4242, door.gid)), None, "logmedic").state is State.WELL
    seen = socket.of_answer(door, None, may_connect=False)
    assert (seen.state, seen.repair) == (State.UNKNOWN, "sudo logmedic doctor")


# -- the store ---------------------------------------------------------------------------------------------------------


def at(path: Path) -> Settings:
    return Settings(storage=Storage(path=path))


@dataclass(frozen=True, slots=True)
class Holding:
    pid: int
    lock: Path


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Holding]:
    lock = tmp_path / "logmedic.duckdb.lock"
    lock.write_text("1\n")
    program = (
        f"import fcntl, sys\nf = open({str(lock)!r})\nfcntl.flock(f, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield Holding(process.pid, lock)
        process.kill()


def test_a_store_that_somebody_else_holds_names_them_not_whom_the_file_names(held: Holding) -> None:
    found = list(store.look(at(held.lock.with_suffix("")), None))
    (told,) = of(found, "store lock", State.WRONG)
    assert f"process {held.pid} (python" in told.found
    assert told.repair.startswith(f"ps -fp {held.pid}")


def test_a_lock_that_was_left_behind_is_held_by_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "logmedic.duckdb.lock"
    lock.write_text("999999\n")
    assert store.holder(lock) is None
    assert of(store.look(at(lock.with_suffix("")), None), "store lock", State.WELL)


def test_looking_at_the_lock_lets_go_of_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    assert store.holder(lock) is None
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_store_that_is_damaged_is_wrong_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.duckdb"
    path.write_bytes(b"no store" * 1000)
    assert of(store.look(at(path), None), "store", State.WRONG)
    assert path.read_bytes() == b"no store" * 1000


@pytest.mark.parametrize(
    ("free", "inodes", "state"),
    [
        (1 << 40, 10**6, State.WELL),
        (1 << 40, None, State.WELL),
        (1 << 20, None, State.WRONG),
        (1 << 40, 3, State.WRONG),
    ],
)
def test_too_little_room_or_too_few_inodes_are_wrong(free: int, inodes: int | None, state: State) -> None:
    assert store.of_room(Path("/var/lib"), free=free, inodes=inodes).state is state


def test_a_store_near_its_limit_deserves_a_look() -> None:
    assert store.of_size(95, 100).state is State.WARNING
    assert store.of_size(50, 100).state is State.WELL


# -- sources -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def for_all() -> Iterator[Path]:
    """A directory to which every user gets."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@as_root
def test_a_log_that_the_daemons_user_cannot_read_is_wrong_with_the_group_to_join(for_all: Path) -> None:
    log = for_all / "app.log"
    log.touch(0o640)
    os.chown(log, 0, 4)
    found = alone(Check("s", lambda: look_at(log), to_be=NOBODY))
    assert [(each.state, each.repair) for each in found] == [
        (State.WRONG, f"usermod -aG {socket.group_name(4)} somebody; systemctl restart logmedic")
    ]
    log.chmod(0o644)
    assert [each.state for each in alone(Check("s", lambda: look_at(log), to_be=NOBODY))] == [State.WELL]


@as_root
def test_a_directory_on_the_way_that_is_shut_is_named(for_all: Path) -> None:
    room = for_all / "room"
    room.mkdir(0o700)
    (room / "app.log").touch(0o644)

    def look() -> list[Finding]:
        told = sources.shut(str(room / "app.log"))
        return [Finding("x", State.WELL, told.at if told else "", sources.repair_of(told, "me") if told else "")]

    (found,) = alone(Check("s", look, to_be=NOBODY))
    assert (found.found, found.repair) == (str(room), f"setfacl -m u:me:x {room}")
    assert sources.shut(str(room / "app.log")) is None


def look_at(log: Path) -> list[Finding]:
    from logmedic.settings.sources import SourceSettings

    return list(sources.look_at_files("app", SourceSettings(files=(str(log),)), "somebody", ""))


def test_a_glob_that_finds_nothing_deserves_a_look_unless_it_is_optional() -> None:
    needed = list(sources.of_files("app", ["/srv/*.log"], [], [], optional=False, user="me"))
    assert [each.state for each in needed] == [State.WARNING]
    assert [each.state for each in sources.of_files("app", ["/x"], [], [], optional=True, user="me")] == [State.WELL]


def test_what_the_unit_hides_is_wrong_whoever_may_read_it() -> None:
    assert sources.hidden(["/home/ann/app.log", "/var/log/x"], "yes") == ["/home/ann/app.log"]
    assert sources.hidden(["/home/ann/app.log"], "read-only") == []


def test_a_journal_that_may_not_be_read_names_the_group(tmp_path: Path) -> None:
    program = tmp_path / "journalctl"
    program.write_text("#!/bin/sh\necho 'No journal files were opened due to insufficient permissions.' >&2\nexit 1\n")
    program.chmod(0o755)
    found = sources.look_at_journal("journal", "", "logmedic", str(program))
    assert found.state is State.WRONG
    assert found.repair.startswith("usermod -aG systemd-journal logmedic")
    program.write_text("#!/bin/sh\necho 'an entry'\n")
    assert sources.look_at_journal("journal", "", "logmedic", str(program)).state is State.WELL
    assert sources.look_at_journal("journal", "", "logmedic", str(tmp_path / "none")).state is State.WRONG


def test_a_program_that_is_not_there_is_wrong() -> None:
    assert sources.look_at_program("x", "/nonexistent/tail-it", "me").state is State.WRONG
    assert sources.look_at_program("x", "sh", "me").state is State.WELL


@as_root
def test_a_state_directory_that_is_somebody_elses_is_wrong_and_the_repair_repairs_it(for_all: Path) -> None:
    room = for_all / "state"
    room.mkdir(0o755)
    store_file = room / "logmedic.duckdb"
    store_file.touch(0o600)
    check = Check("s", lambda: store.look_as_the_daemon(store_file, "nobody"), to_be=NOBODY)
    (found,) = alone(check)
    assert (found.state, str(room) in found.found) == (State.WRONG, True)
    subprocess.run(found.repair, shell=True, check=True)
    assert [each.state for each in alone(check)] == [State.WELL]


# -- receivers ---------------------------------------------------------------------------------------------------------


def test_a_receiver_that_apprise_cannot_use_is_wrong_and_its_url_is_not_told() -> None:
    alerts = Alerts.model_validate({"receivers": {"ok": "json://localhost", "bad": "nonsense://hunter2sesame"}})
    found = list(receivers.look(Settings(alerts=alerts)))
    assert [each.state for each in found] == [State.WELL, State.WRONG]
    assert "hunter2sesame" not in str(found)


def test_what_the_daemon_says_of_messages_and_sources_counts_as_well() -> None:
    alerts = {"dead": 3, "receivers": [{"name": "chat", "state": "broken"}]}
    told = list(receivers.of_daemon(alerts))
    assert [each.found for each in told] == ["3 were given up", "receiver chat is broken"]
    assert list(receivers.of_daemon({"dead": 0, "receivers": []})) == []
    rows = [{"source": "app", "origin": f"/var/log/{n}.log", "problem": "Permission denied"} for n in range(5)]
    ill = list(sources.of_daemon([*rows, {"source": "ok", "origin": "/x", "problem": ""}]))
    assert len(ill) == sources.SHOWN + 1
    assert ill[-1].found == "and 2 more have problems"


def test_without_receivers_somebody_is_told_that_nobody_will_be() -> None:
    assert [each.state for each in receivers.of_verdicts({})] == [State.WARNING]


# -- limits, clock, unit -----------------------------------------------------------------------------------------------


def test_low_inotify_limits_deserve_a_look_with_the_number_to_set(tmp_path: Path) -> None:
    (tmp_path / "max_user_watches").write_text("4\n")
    (tmp_path / "max_user_instances").write_text("1\n")
    settings = Settings(sources={"app": {"files": [f"{tmp_path}/*.log"]}}, rules={"paths": [str(tmp_path)]})
    found = list(limits.look(settings, user="me", uid=os.geteuid(), pid=0, unit={}, inotify=tmp_path))
    (instances,) = of(found, "inotify instances", State.WARNING)
    assert "sysctl -w fs.inotify.max_user_instances=" in instances.repair
    assert of(found, "open files", State.WELL)


def test_watches_and_instances_in_use_are_counted_by_user() -> None:
    from inotify_simple import INotify, flags

    with INotify() as made:
        made.add_watch("/tmp", flags.MODIFY)
        made.add_watch("/usr", flags.MODIFY)
        before, without, after = (limits.in_use(os.geteuid(), without=each) for each in (0, os.getpid(), 0))
        while before != after:  # other programs of this user have some, and come and go
            before, without, after = (limits.in_use(os.geteuid(), without=each) for each in (0, os.getpid(), 0))
        assert (without.instances < before.instances, without.watches <= before.watches - 2) == (True, True)
    assert limits.in_use(4242) == limits.Inotify(0, 0)


def test_limits_that_cannot_be_read_are_unknown(tmp_path: Path) -> None:
    settings = Settings(sources={"app": {"files": ["/x/*.log"]}}, rules={"paths": [str(tmp_path)]})
    found = limits.look(settings, user="me", uid=1, pid=0, unit={}, inotify=tmp_path / "none")
    assert of(found, "inotify", State.UNKNOWN)


def test_too_few_open_files_are_wrong() -> None:
    assert limits.of_files(1024, 1000, None).state is State.WRONG
    assert limits.of_files(65536, 1000, 60).state is State.WELL
    assert limits.open_files(0, {"LimitNOFILE": "4242"}) == (4242, None)
    assert limits.open_files(os.getpid(), {})[1]


def test_a_clock_that_was_set_back_is_wrong(tmp_path: Path) -> None:
    written = tmp_path / "store"
    written.touch()
    os.utime(written, (time.time() + 7200,) * 2)
    assert of(clock.look([written, tmp_path / "none"]), "clock jump", State.WRONG)
    os.utime(written, (time.time() - 7200,) * 2)
    assert of(clock.look([written]), "clock jump", State.WELL)


@pytest.mark.parametrize(
    ("kernel", "timesyncd", "state"),
    [(True, False, State.WELL), (False, True, State.WELL), (False, False, State.WARNING), (None, False, State.WARNING)],
)
def test_a_clock_that_nobody_keeps_deserves_a_look(kernel: bool | None, timesyncd: bool, state: State) -> None:
    assert clock.of_keeping(clock.Kept(kernel, timesyncd)).state is state


def test_the_kernel_is_asked_and_changes_nothing() -> None:
    assert clock.kept().kernel in (True, False, None)


def unit(**shown: str) -> Unit:
    usual = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}
    return Unit({**usual, **shown}, booted=True)


@pytest.mark.parametrize(
    ("seen", "states"),
    [
        (unit(), [State.WELL]),
        (unit(NRestarts="7"), [State.WARNING]),
        (unit(UnitFileState="disabled"), [State.WELL, State.WARNING]),
        (unit(ActiveState="failed", Result="exit-code", ExecMainStatus="3"), [State.WRONG]),
        (unit(ActiveState="inactive"), [State.WARNING]),
        (unit(LoadState="not-found"), [State.WARNING]),
        (Unit(booted=True), [State.UNKNOWN]),
        (Unit(), [State.UNKNOWN]),
    ],
    ids=["well", "restarts", "disabled", "failed", "stopped", "not installed", "mute", "no systemd"],
)
def test_the_unit_is_judged_by_what_systemd_says(seen: Unit, states: list[State]) -> None:
    assert [each.state for each in service.of_unit(seen, None)] == states


def test_what_systemd_says_is_read_from_systemctl(tmp_path: Path) -> None:
    program = tmp_path / "systemctl"
    program.write_text("#!/bin/sh\necho LoadState=loaded\necho User=nobody\necho ActiveState=failed\n")
    program.chmod(0o755)
    seen = unit_of(program=str(program), booted=tmp_path)
    assert (seen.is_installed, seen.is_active) == (True, False)
    user = runs_as(seen, None)
    assert user is not None
    assert user.name == "nobody"
    assert unit_of(booted=tmp_path / "none") == Unit()
    assert daemon_user(program=str(program), booted=tmp_path) == "nobody"


def systemctl_that_says(said: str, tmp_path: Path) -> str:
    program = tmp_path / "systemctl"
    program.write_text(f"#!/bin/sh\nprintf '{said}'\n")
    program.chmod(0o755)
    return str(program)


def test_fixes_are_installed_for_the_usual_user_where_systemd_knows_no_other(tmp_path: Path) -> None:
    program = systemctl_that_says("LoadState=not-found\nUser=", tmp_path)
    assert daemon_user(program=program, booted=tmp_path) == "logmedic"
    assert daemon_user(program=program, booted=tmp_path / "none") == "logmedic"


def test_fixes_are_installed_for_nobody_while_systemd_does_not_answer(tmp_path: Path) -> None:
    """Or those of another user would be the usual one's."""
    with pytest.raises(OrderRefused, match="does not say") as told:
        daemon_user(program=systemctl_that_says("", tmp_path), booted=tmp_path)
    assert "--user NAME" in told.value.hint


def test_a_user_by_number_is_known_by_name(tmp_path: Path) -> None:
    assert (
        daemon_user(program=systemctl_that_says("LoadState=loaded\nUser=65534", tmp_path), booted=tmp_path) == "nobody"
    )
    assert unit(User="3999999999").user == "3999999999"


def test_who_tells_that_the_daemon_failed_has_to_be_the_same_user() -> None:
    assert list(service.of_teller(unit(User="watcher"), unit(User="watcher"))) == []
    (found,) = service.of_teller(unit(User="logmedic"), unit(User="watcher"))
    assert found.state is State.WARNING
    assert "runs as logmedic, and the daemon as watcher" in found.found
    (found,) = service.of_teller(unit(LoadState="not-found"), unit())
    assert "is not installed" in found.found


def test_without_the_directory_of_credentials_no_unit_starts_and_it_says_what_makes_it(tmp_path: Path) -> None:
    assert list(service.of_credentials(tmp_path)) == []
    (found,) = service.of_credentials(tmp_path / "gone")
    assert (found.state, found.repair) == (State.WRONG, "systemd-tmpfiles --create logmedic.conf")


def test_the_user_is_the_daemons_own_else_the_units_else_ours() -> None:
    assert runs_as(unit(User="no-such-account"), None) is None
    assert runs_as(Unit(), None) == myself()
    other = runs_as(unit(User="no-such-account"), Daemon(1, 65534, None))
    assert other == person_of(65534)


# -- fixes -------------------------------------------------------------------------------------------------------------


def test_a_sandbox_that_does_not_hold_is_wrong_unless_no_fix_may_run_anyway() -> None:
    seen: dict[str, Any] = {"armed": False, "sandbox": "", "refused": {}}
    reason = "bubblewrap is not installed; type: apt-get install bubblewrap"
    (found,) = sandbox.of_arming("sandbox", reason=reason, observes=False, **seen)
    assert (found.state, found.repair) == (State.WRONG, "apt-get install bubblewrap")
    assert [each.state for each in sandbox.of_arming("sandbox", reason=reason, observes=True, **seen)] == [
        State.WARNING
    ]
    assert sandbox.of_unit_tier(installed=False, wanted="unit", booted=True).state is State.WRONG


@pytest.mark.parametrize(
    ("booted", "state", "repair"), [(True, State.WARNING, "sudo logmedic install fixes"), (False, State.WELL, "")]
)
def test_where_systemd_runs_the_host_fixes_have_to_be_installed(booted: bool, state: State, repair: str) -> None:
    """bubblewrap does not start inside the service."""
    found = sandbox.of_unit_tier(installed=False, wanted="auto", booted=booted)
    assert (found.state, found.repair) == (state, repair)


@pytest.mark.parametrize(
    ("path", "arming", "state", "told"),
    [
        ("active", "inactive", State.WELL, "by themselves"),
        ("inactive", "inactive", State.WELL, "sudo logmedic install fixes"),
        ("active", "failed", State.WARNING, "was not installed the last time"),
    ],
)
def test_it_says_whether_rules_that_change_are_armed_by_themselves(
    path: str, arming: str, state: State, told: str
) -> None:
    (found,) = service.of_arming(Unit({"ActiveState": path}), Unit({"ActiveState": arming}))
    assert (found.state, told in found.found) == (state, True)


# -- as it is typed ----------------------------------------------------------------------------------------------------


def doctor(world: World, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return forked.run(
        world.command("doctor", *arguments), text=True, timeout=120, env={**ENVIRONMENT, **environment}, check=False
    )


def named(ran: subprocess.CompletedProcess[str]) -> dict[str, list[dict[str, str]]]:
    rows: dict[str, list[dict[str, str]]] = {}
    for each in json.loads(ran.stdout):
        rows.setdefault(each["name"], []).append(each)
    return rows


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_with_a_daemon_that_runs_all_that_it_does_is_well(world: World) -> None:
    with daemon(world) as process:
        ran = doctor(world, "-o", "json")
        rows = named(ran)
    assert f"process {process.pid}" in rows["daemon"][0]["found"]
    assert rows["store lock"][0]["found"] == "the daemon holds it"
    for name in ("wheels", "config", "rules", "store", "source app", "sandbox", "daemon's fixes", "disk"):
        assert [each["state"] for each in rows[name]] == ["well"], rows[name]
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("width", [60, 80, 200])
def test_what_is_found_is_folded_to_the_terminal_and_what_is_copied_is_not(width: int) -> None:
    repair = "sysctl -w fs.inotify.max_user_watches=65536; echo fs.inotify.max_user_watches=65536 > /etc/sysctl.d/x"
    finding = Finding("inotify watches", State.WARNING, "many words that say what was found " * 8, repair)
    *found, last = lines_of(finding, width)
    assert all(len(line) <= width for line in found)
    assert last.strip() == f"→ {repair}"
    assert len(lines_of(finding)) == 2, "whole where programs read it"
    assert lines_of(Finding("x", State.WELL, "\x1b[2J\n"))[0].endswith("\\x1b[2J\\x0a")


def test_without_one_what_is_broken_is_told_with_its_repair_and_the_exit_code_is_1(world: World) -> None:
    (world.home / "rules" / "bad.yaml").write_text("version: 1\nrules: [{ id: x }]\n")
    ran = doctor(world)
    assert ran.returncode == 1, ran.stdout
    lines = ran.stdout.splitlines()
    assert any(line.startswith("✗ rules ") and "bad.yaml:2" in line for line in lines)
    assert any(line.strip() == "→ logmedic rules check" for line in lines)
    assert any(line.startswith("! daemon ") for line in lines)
    assert f"{sum(line.startswith('✗') for line in lines)} wrong" in lines[-1]


def test_a_config_that_does_not_load_keeps_the_rest_from_nothing_but_what_it_names(world: World) -> None:
    world.config.write_text("nonsense: 1\n")
    ran = doctor(world, "-o", "jsonl")
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    states = {(each["name"], each["state"]) for each in rows}
    assert ran.returncode == 1
    assert {("config", "wrong"), ("python", "well"), ("wheels", "well"), ("rest", "unknown")} <= states


def test_f41_without_a_wheel_the_doctor_itself_still_works(world: World, tmp_path: Path) -> None:
    room = tmp_path / "broken"
    room.mkdir()
    (room / "pydantic.py").write_text("raise ImportError('no pydantic')\n")
    command = world.command("doctor", "-o", "json")
    environment = {**ENVIRONMENT, "PYTHONPATH": str(room)}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    rows = named(ran)
    assert ran.returncode == 1
    assert rows["wheel pydantic"][0]["state"] == "wrong"
    assert rows["config"][0]["state"] == "unknown"
    assert "no pydantic" in rows["config"][0]["found"]


def test_it_is_listed_and_helps_without_importing_what_may_be_missing() -> None:
    program = (
        "import sys\nimport logmedic.cli.doctor\nprint(sorted({'pydantic', 'structlog', 'duckdb'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
