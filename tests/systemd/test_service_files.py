"""`logmedic install` and `uninstall`: what is written, what systemd is told, and when. Its programs are stand-ins that
write down how they were called."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from logmedic.adapters.service import ground
from logmedic.adapters.service.installing import Done, ServiceFiles
from logmedic.adapters.service.layout import COMMAND, DROP_INS, PLACES, UNITS, Layout, layout, unfit
from logmedic.hostfiles.programs import Programs
from logmedic.model.errors import OrderRefused

SHIPPED = Path(__file__).parents[2] / "systemd"
PROGRAM = "/opt/other/bin/logmedic"
STAND_IN = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "{calls}"
case " {failing} " in *" $(basename "$0") "*) echo "it broke" >&2; exit 1;; esac
case "$*" in
"is-active --quiet "*) [ -e "{room}/running-${{3}}" ];;
"is-enabled --quiet "*) [ -e "{room}/enabled-${{3}}" ];;
"start "*) [ ! -e "{room}/failing-start" ];;
esac
"""


class Host:
    """A directory that becomes one, with systemd's programs."""

    def __init__(self, room: Path, failing: str = "") -> None:
        self.root, self.tools, self.calls = room / "root", room / "tools", room / "calls"
        self.root.mkdir(exist_ok=True)
        self.tools.mkdir(exist_ok=True)
        for name in ("systemctl", "systemd-sysusers", "systemd-tmpfiles"):
            tool = self.tools / name
            tool.write_text(STAND_IN.format(calls=self.calls, failing=failing, room=self.tools))
            tool.chmod(0o755)
        self.service = ServiceFiles(self.root, Programs(f"{self.tools}:/usr/bin:/bin"))

    def said(self) -> list[str]:
        """What the programs were called with since the last time."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return [line.replace(f"--root={self.root} ", "") for line in lines]

    def note(self, what: str, *units: str) -> None:
        for unit in units:
            (self.tools / f"{what}-{unit}").touch()

    def there(self) -> set[str]:
        return {f"/{path.relative_to(self.root)}" for path in self.root.rglob("*") if not path.is_dir()}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def wanted(version: str = "1.0", program: str = PROGRAM) -> Layout:
    return layout(ground.shipped(), program=program, version=version)


# -- what is written ---------------------------------------------------------------------------------------------------


def test_everything_that_is_shipped_has_a_place() -> None:
    assert {path.name for path in SHIPPED.iterdir()} == set(PLACES)


def test_every_unit_starts_the_program_that_was_called_and_no_other() -> None:
    told = "\n".join(wanted().files.values())
    assert f"ExecStart={PROGRAM} run\n" in told
    assert "/opt/logmedic" not in told


def test_what_was_put_there_is_what_is_wanted_and_is_put_there_once(host: Host) -> None:
    done = host.service.put(wanted())
    assert set(done.written) == host.there() == {*PLACES.values(), COMMAND}
    assert host.service.differences(wanted()) == []
    assert host.service.put(wanted()) == Done()
    assert os.readlink(host.root / COMMAND[1:]) == PROGRAM


@pytest.mark.parametrize("mask", [0, 0o077])
def test_everybody_can_read_it_and_only_root_write_whatever_the_umask(host: Host, mask: int) -> None:
    before = os.umask(mask)
    try:
        host.service.put(wanted())
    finally:
        os.umask(before)
    for path in host.root.rglob("*"):
        if not path.is_symlink():
            assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_a_file_that_somebody_changed_is_told_and_put_right(host: Host) -> None:
    host.service.put(wanted())
    unit = host.root / UNITS[1:] / "logmedic.service"
    unit.write_text(unit.read_text().replace("NoNewPrivileges=yes", ""))
    assert host.service.differences(wanted()) == [f"changed {UNITS}/logmedic.service"]
    assert host.service.put(wanted()).written == (f"{UNITS}/logmedic.service",)
    assert host.service.differences(wanted()) == []


def test_a_command_that_is_there_already_is_left_alone(host: Host) -> None:
    command = host.root / COMMAND[1:]
    command.parent.mkdir(parents=True)
    command.symlink_to("/opt/mine/bin/logmedic")
    assert COMMAND not in host.service.put(wanted()).written
    assert COMMAND not in host.service.remove(program=PROGRAM).removed
    assert os.readlink(command) == "/opt/mine/bin/logmedic"


def test_where_the_command_lies_on_the_path_no_link_is_needed() -> None:
    assert wanted(program="/usr/local/bin/logmedic").links == {}


def test_an_image_whose_links_lead_to_the_host_is_refused(host: Host, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (host.root / "etc").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OrderRefused, match="leads out of"):
        host.service.put(wanted())
    assert list((tmp_path / "elsewhere").iterdir()) == []


# -- what systemd is told ----------------------------------------------------------------------------------------------


def test_accounts_come_before_the_directories_that_they_own_and_both_before_the_units_are_enabled(host: Host) -> None:
    assert host.service.put(wanted()).enabled == ("logmedic-fixes.path", "logmedic.service")
    assert host.said() == [
        "systemd-sysusers logmedic.conf",
        "systemd-tmpfiles --create logmedic.conf",
        "systemctl enable logmedic-fixes.path logmedic.service",
    ]


def test_what_people_disabled_stays_disabled_by_an_upgrade(host: Host) -> None:
    host.service.put(wanted())
    host.said()
    assert host.service.put(wanted("1.1")).enabled == ()
    assert not any("enable" in each for each in host.said())


def test_a_first_installation_is_started(host: Host) -> None:
    done = host.service.put(wanted())
    host.note("enabled", *done.enabled)
    assert host.service.start(done) == (done.enabled, ())
    assert host.said()[-1] == "systemctl start logmedic-fixes.path logmedic.service"


def test_a_daemon_that_runs_is_restarted_only_when_something_changed(host: Host) -> None:
    units = host.service.put(wanted()).enabled
    for what in ("enabled", "running"):
        host.note(what, *units)
    assert host.service.start(host.service.put(wanted())) == ((), ())
    assert not any("start " in each for each in host.said())
    assert host.service.start(host.service.put(wanted("1.1"))) == ((), units)
    assert host.said()[-2:] == [
        "systemctl reset-failed logmedic-fixes.path logmedic.service",
        "systemctl restart logmedic-fixes.path logmedic.service",
    ]


def test_a_daemon_that_is_neither_enabled_nor_running_is_left_so(host: Host) -> None:
    host.service.put(wanted())
    assert host.service.start(host.service.put(wanted("1.1"))) == ((), ())


@pytest.mark.parametrize("failing", ["systemd-sysusers", "systemd-tmpfiles", "systemctl"])
def test_a_program_that_fails_is_told_with_what_to_type_and_the_next_time_all_of_it_is_done(
    tmp_path: Path, failing: str
) -> None:
    broken = Host(tmp_path, failing)
    with pytest.raises(OrderRefused, match="it broke") as told:
        broken.service.put(wanted())
    assert told.value.hint.startswith(f"type: {failing} ")
    well = Host(tmp_path)
    done = well.service.put(wanted())
    assert set(PLACES.values()) <= set(done.written), "of the files systemd may know nothing yet"
    assert done.enabled == ("logmedic-fixes.path", "logmedic.service")


def test_without_systemd_nothing_can_make_the_accounts_and_it_says_so(tmp_path: Path) -> None:
    bare = ServiceFiles(tmp_path, Programs(str(tmp_path)))
    with pytest.raises(OrderRefused, match="systemd-sysusers is not installed"):
        bare.put(wanted())


def test_two_do_not_install_at_once(host: Host) -> None:
    (host.root / "etc/logmedic").mkdir(parents=True)
    with open(host.root / "etc/logmedic/.install.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for order in (lambda: host.service.put(wanted()), host.service.remove):
            with pytest.raises(OrderRefused, match="by somebody else"):
                order()


# -- taking it away ----------------------------------------------------------------------------------------------------


def test_all_that_was_written_is_taken_away_and_all_that_is_the_operators_stays(host: Host) -> None:
    host.service.put(wanted())
    host.said()
    kept = {"etc/logmedic/logmedic.yaml", "var/lib/logmedic/logmedic.duckdb", f"{UNITS[1:]}/logmedic.service.d/x.conf"}
    for path in kept:
        (host.root / path).parent.mkdir(parents=True, exist_ok=True)
        (host.root / path).touch()
    assert set(host.service.there(program=PROGRAM)) == {*PLACES.values(), COMMAND}
    assert set(host.service.remove(program=PROGRAM).removed) == {*PLACES.values(), COMMAND}
    assert host.there() == {f"/{path}" for path in kept}
    assert host.said() == ["systemctl disable logmedic-fixes.path logmedic.service"]


def test_a_removal_that_was_interrupted_gets_to_its_end_the_next_time(host: Host) -> None:
    """The units that start with the host were gone already: systemctl takes no empty list of names."""
    host.service.put(wanted())
    for name in ("logmedic.service", "logmedic-fixes.path"):
        (host.root / PLACES[name][1:]).unlink()
    host.said()
    assert set(host.service.remove(program=PROGRAM).removed) < {*PLACES.values(), COMMAND}
    assert host.there() == set()
    assert host.said() == []


def test_a_drop_in_of_each_unit_is_somebodys_own() -> None:
    assert {*DROP_INS} == {f"{place}.d" for name, place in PLACES.items() if name.endswith((".service", ".path"))}


def test_what_is_not_there_can_be_taken_away(host: Host) -> None:
    assert host.service.remove(program=PROGRAM) == Done()
    assert host.said() == []


# -- what may be a service ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("/home/anna/.local/bin/logmedic", "/home is hidden"),
        ("/root/.local/share/pipx/venvs/logmedic/bin/logmedic", "/root is hidden"),
        ("/tmp/venv/bin/logmedic", "/tmp is hidden"),
        ("/opt/a b/bin/logmedic", "cannot be written into a unit"),
        ("/opt/%h/bin/logmedic", "cannot be written into a unit"),
        ("/opt/logmedic/bin/logmedic", ""),
        ("/usr/local/pipx/venvs/logmedic/bin/logmedic", ""),
    ],
)
def test_a_program_that_units_could_not_start_is_told(program: str, why: str) -> None:
    assert why in unfit(program)
    assert bool(unfit(program)) == bool(why)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files that are root's")
@pytest.mark.parametrize(
    ("path", "mode", "owner", "wrong"),
    [
        ("lib/a.py", 0o644, 0, ""),
        ("lib/a.py", 0o666, 0, "others can write to .*a.py: chmod -R go-w"),
        ("lib", 0o775, 0, "others can write to .*lib: chmod -R go-w"),
        ("lib/a.py", 0o644, 12345, "a.py is not root's: chown -R root:root"),
        ("lib/__pycache__", 0o700, 0, ""),
        ("lib/a.py", 0o600, 0, "others cannot read .*a.py: chmod -R a.rX"),
        ("lib", 0o700, 0, "others cannot read .*lib: chmod -R a.rX"),
        ("lib", 0o744, 0, "others cannot read .*lib: chmod -R a.rX"),
        ("bin/logmedic", 0o744, 0, "others cannot read .*logmedic: chmod -R a.rX"),
        ("", 0o700, 0, "others cannot read .*: chmod -R a.rX"),
        ("..", 0o700, 0, "others do not get through /opt/.*: chmod a.x"),
    ],
)
def test_a_program_that_others_could_change_or_not_read_is_no_service(
    tmp_path_factory: pytest.TempPathFactory, path: str, mode: int, owner: int, wrong: str
) -> None:
    room = Path("/opt") / f"logmedic-test-{os.getpid()}"
    prefix = room / "venv"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib/__pycache__").mkdir(parents=True)
    try:
        (prefix / "bin/python").symlink_to("/usr/bin/python3")
        for name, text in (("bin/logmedic", "#!/bin/sh\n"), ("lib/a.py", "")):
            (prefix / name).write_text(text)
            (prefix / name).chmod(0o755 if name.startswith("bin") else 0o644)
        (prefix / path).chmod(mode)
        os.chown(prefix / path, owner, -1)
        if wrong:
            with pytest.raises(OrderRefused, match=wrong):
                ground.check(str(prefix / "bin/logmedic"), prefix)
        else:
            ground.check(str(prefix / "bin/logmedic"), prefix)
    finally:
        shutil.rmtree(room)


def test_a_unit_that_does_not_start_is_told_with_where_its_log_is(tmp_path: Path) -> None:
    well = Host(tmp_path)
    done = well.service.put(wanted())
    well.note("enabled", *done.enabled)
    well.note("failing", "start")
    with pytest.raises(OrderRefused, match="systemctl start failed") as told:
        well.service.start(done)
    assert told.value.hint == "type: systemctl status logmedic; journalctl -u logmedic -n 30"
