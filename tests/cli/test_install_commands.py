"""`logmedic install` and `logmedic uninstall`, below a directory: with systemd's own programs, which can do that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from logmedic.adapters.service.layout import PLACES
from logmedic.cli.root import main

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="systemd-sysusers makes accounts for root alone")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "image").mkdir()
    return tmp_path / "image"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the host that the command is typed on, whose rules are installed."""
    (tmp_path / "rules").mkdir()
    path = tmp_path / "logmedic.yaml"
    path.write_text(f"rules: {{ paths: [{tmp_path}/rules] }}\n")
    monkeypatch.setenv("LOGMEDIC_CONFIG", str(path))
    return path


def install(image: Path, *options: str, command: str = "install") -> int:
    return main([command, "--root", str(image), *options])


def test_an_image_gets_units_accounts_directories_and_fixes(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(image, "-o", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert set(PLACES.values()) <= set(told["written"])
    assert told["enabled"] == ["logmedic-fixes.path", "logmedic.service"]
    assert (told["fixes"], told["started"], told["restarted"]) == (0, [], [])
    accounts = (image / "etc/passwd").read_text()
    assert "logmedic:" in accounts
    assert "logmedic-fix:" in accounts
    assert (image / "etc/logmedic/credentials").stat().st_mode & 0o777 == 0o700
    assert (image / "etc/logmedic/fixes/canary.json").exists()
    links = [path.name for path in (image / "etc/systemd/system").glob("*.wants/*")]
    assert sorted(links) == [
        "logmedic-fix-canary.socket",
        "logmedic-fixes.path",
        "logmedic.service",
    ]


def test_the_units_of_an_image_are_accepted_by_systemd(image: Path) -> None:
    """With a program that is there in place of ours."""
    install(image)
    room = image / "etc/systemd/system"
    for unit in room.glob("logmedic*"):
        if unit.suffix in (".service", ".path") and "@" not in unit.name:
            lines = unit.read_text().replace("/bin/logmedic ", "/bin/true ").splitlines()
            unit.write_text("\n".join(line.replace(sys.prefix, "/usr") for line in lines) + "\n")
    units = [str(room / name) for name in PLACES if name.endswith((".service", ".path"))]
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=yes", *units], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_the_second_time_nothing_is_written_and_check_finds_nothing(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(image)
    capsys.readouterr()
    assert install(image) == 0
    assert "all files are as they should be" in capsys.readouterr().out
    assert install(image, "--check") == 0
    assert capsys.readouterr().out == "what is installed is what this logmedic installs\n"


def test_check_says_what_differs_and_what_to_type(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install(image, "--check") == 1
    told = capsys.readouterr()
    assert "missing /etc/systemd/system/logmedic.service\n" in told.out
    assert "hint: sudo logmedic install" in told.err
    assert list(image.iterdir()) == []


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_trial_changes_nothing(image: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert install(image, "--dry-run", command=command) == 0
    assert capsys.readouterr().out != ""
    assert list(image.iterdir()) == []


def test_a_trial_prints_each_file(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(image, "--dry-run", "-o", "json")
    told = json.loads(capsys.readouterr().out)
    assert set(PLACES.values()) <= set(told["files"])
    assert "/etc/logmedic/fixes/canary.json" in told["files"]
    assert "ExecStart=" in told["files"]["/etc/systemd/system/logmedic.service"]


def test_rules_that_do_not_load_keep_the_service_from_nothing_but_its_fixes(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules/bad.yaml").write_text("rules: [")
    assert install(image) == 1
    told = capsys.readouterr()
    assert "fixes are not installed: rules do not load" in told.err
    assert "sudo logmedic install fixes" in told.err
    assert (image / "etc/systemd/system/logmedic.service").exists()
    assert not (image / "etc/logmedic/fixes").exists()


def test_it_is_taken_away_and_says_what_stays(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(image)
    (image / "etc/logmedic/rules.d/mine.yaml").touch()
    capsys.readouterr()
    assert install(image, "-o", "json", command="uninstall") == 0
    told = json.loads(capsys.readouterr().out)
    assert set(PLACES.values()) <= set(told["removed"])
    assert told["kept"] == ["/etc/logmedic", "/var/log/logmedic"]
    left = [str(path.relative_to(image)) for path in image.rglob("*logmedic*")]
    assert sorted(left) == ["etc/logmedic", "var/log/logmedic"]
    assert sorted(path.name for path in (image / "etc/logmedic").iterdir()) == ["credentials", "rules.d"]
    assert (image / "etc/logmedic/rules.d/mine.yaml").exists()


def put_package(image: Path) -> None:
    (image / "usr/lib/systemd/system").mkdir(parents=True)
    (image / "usr/lib/systemd/system/logmedic.service").touch()
    (image / "etc/logrotate.d").mkdir(parents=True, exist_ok=True)
    (image / "etc/logrotate.d/logmedic").write_text("# the package's\n")


def test_what_a_wheel_wrote_is_taken_away_also_where_a_package_was_installed_over_it(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(image)
    put_package(image)
    capsys.readouterr()
    assert install(image, command="uninstall") == 0
    told = capsys.readouterr()
    assert "/etc/systemd/system/logmedic.service\n" in told.out
    assert "apt-get remove logmedic; apt-get install ./logmedic_" in told.err
    assert [path.name for path in (image / "etc/systemd/system").glob("logmedic*")] == []
    assert (image / "usr/lib/systemd/system/logmedic.service").exists()
    assert (image / "etc/logrotate.d/logmedic").exists()


@pytest.mark.parametrize(
    ("command", "wanted"), [("install", "apt-get install --reinstall ./logmedic_"), ("uninstall", "apt-get remove")]
)
def test_what_a_package_brought_is_the_packages(
    image: Path, capsys: pytest.CaptureFixture[str], command: str, wanted: str
) -> None:
    put_package(image)
    (image / "etc/systemd/system").mkdir(parents=True)
    (image / "etc/systemd/system/logmedic.service").symlink_to("/dev/null")
    assert install(image, command=command) == 1
    told = capsys.readouterr().err
    assert "installed as a package" in told
    assert wanted in told


@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd runs this host, and it would be installed")
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_host_that_systemd_does_not_run_is_left_alone(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 1
    assert "systemd does not run this host" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["install", "--dry-run", "fixes"], ["install", "--check", "--dry-run"]])
def test_options_that_mean_nothing_together_are_refused(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(given) == 2
    assert "Usage" in capsys.readouterr().err
