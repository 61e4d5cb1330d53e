"""The shipped unit: accepted by systemd's own checks, and hardened as far as its work allows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from logmedic.settings import Settings, load_settings

SHIPPED = Path(__file__).parents[2] / "systemd"
UNIT = SHIPPED / "logmedic.service"
OF_LOGMEDIC = ("logmedic.service", "logmedic-failed.service", "logmedic-fixes.service")
SERVICES = (*OF_LOGMEDIC, "logmedic-fixes-changed.service")
UNITS = (*SERVICES, "logmedic-fixes.path")
MOST_EXPOSED = 1.3


def systemd_analyze(*arguments: str) -> str:
    """Where the tool is missing this fails: the unit would not be checked at all."""
    ran = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    return ran.stdout + ran.stderr


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)


@pytest.mark.parametrize("unit", SERVICES)
def test_the_unit_is_exposed_as_little_as_its_work_allows(unit: str) -> None:
    told = systemd_analyze("security", "--offline=true", "--no-pager", str(SHIPPED / unit))
    found = re.search(rf"exposure level for {re.escape(unit)}: ([\d.]+)", told)
    assert found is not None, told
    assert float(found[1]) <= MOST_EXPOSED


def test_the_units_are_verified_without_a_complaint(tmp_path: Path) -> None:
    """With a program that is there in place of /opt/logmedic/bin/logmedic, which is not installed here."""
    for unit in UNITS:
        text = (SHIPPED / unit).read_text().replace("/opt/logmedic/bin/logmedic", "/usr/bin/true")
        (tmp_path / unit).write_text(text)
    copies = [str(tmp_path / unit) for unit in UNITS]
    assert systemd_analyze("verify", "--recursive-errors=yes", *copies).strip() == ""


def test_the_daemons_unit_names_who_tells_when_it_cannot_run() -> None:
    assert values("OnFailure") == ["logmedic-failed.service"]


def test_its_directories_are_those_that_the_daemon_uses_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"/var/lib/{values('StateDirectory')[0]}")
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"/run/{values('RuntimeDirectory')[0]}")
    settings: Settings = load_settings(None, {})
    assert settings.storage.path == Path("/var/lib/logmedic/logmedic.duckdb")
    assert settings.web.socket == Path("/run/logmedic/logmedic.sock")


def test_a_mistake_of_the_operator_is_not_started_again_and_again() -> None:
    assert values("RestartPreventExitStatus") == ["2 3"]
    assert values("Restart") == ["always"]


def test_restarts_that_people_type_do_not_stop_it_and_one_that_ends_at_once_is_given_up_soon() -> None:
    burst, between_s = (int(values(key)[0].removesuffix("s")) for key in ("StartLimitBurst", "RestartSec"))
    (minutes,) = values("StartLimitIntervalSec")
    assert burst >= 10
    assert burst * between_s < 60 < int(minutes.removesuffix("min")) * 60


def test_a_check_that_fails_before_the_start_does_not_decide_about_the_next_one() -> None:
    """systemd asks RestartPreventExitStatus= of the main process alone (tests/booted tries it)."""
    assert values("ExecStartPre") == ["-/opt/logmedic/bin/logmedic config check"]


def test_secrets_are_given_to_the_daemon_and_to_who_tells_that_it_cannot_run() -> None:
    from logmedic.settings.places import CREDENTIALS_ID, SYSTEM_CREDENTIALS

    for unit in OF_LOGMEDIC:
        assert f"LoadCredential={CREDENTIALS_ID}:{SYSTEM_CREDENTIALS}\n" in (SHIPPED / unit).read_text()
    assert f"d     {SYSTEM_CREDENTIALS} 0700 root root" in (SHIPPED / "logmedic.tmpfiles.conf").read_text()


def test_rules_that_change_are_armed_by_a_unit_of_its_own() -> None:
    names = ("fixes.path", "fixes-changed.service", "fixes.service")
    path, changed, service = ((SHIPPED / f"logmedic-{name}").read_text() for name in names)
    assert "PathChanged=/etc/logmedic/rules.d\n" in path
    assert "Unit=logmedic-fixes-changed.service\n" in path, "nothing is looked at while what it starts runs"
    assert "ExecStart=/usr/bin/systemctl --no-block restart logmedic-fixes.service\n" in changed
    assert "ExecStart=/opt/logmedic/bin/logmedic install fixes\n" in service
    assert "StartLimitIntervalSec=0\n" in service, "a storm of files must not switch it off"


@pytest.mark.parametrize("unit", ["logmedic-failed.service", "logmedic-fixes.service"])
def test_what_is_stopped_while_it_works_has_not_failed(unit: str) -> None:
    """Else it is listed as failed after the package was purged (tests/booted)."""
    assert "Type=oneshot\n" in (SHIPPED / unit).read_text()
    assert "SuccessExitStatus=SIGTERM\n" in (SHIPPED / unit).read_text()


def test_whoever_enables_or_starts_the_daemon_does_not_switch_arming_on_again(tmp_path: Path) -> None:
    """A person may have switched it off, to look first."""
    room = tmp_path / "etc/systemd/system"
    room.mkdir(parents=True)
    for unit in UNITS:
        (room / unit).write_text((SHIPPED / unit).read_text())
    systemctl = ("systemctl", f"--root={tmp_path}")
    subprocess.run([*systemctl, "enable", "logmedic.service"], check=True, capture_output=True)
    assert [link.name for link in room.glob("*.wants/*")] == ["logmedic.service"]
    subprocess.run([*systemctl, "enable", "logmedic-fixes.path"], check=True, capture_output=True)
    assert {link.parent.name for link in room.glob("*.wants/*")} == {"multi-user.target.wants"}


def test_it_has_longer_to_stop_than_the_daemon_takes_to_drain() -> None:
    from logmedic.app import DRAIN_S

    assert float(values("TimeoutStopSec")[0].removesuffix("s")) > DRAIN_S * 2


def test_the_watchdog_waits_longer_than_the_engine() -> None:
    from logmedic.runtime.engine import LOOK_EVERY_S

    assert float(values("WatchdogSec")[0].removesuffix("s")) > LOOK_EVERY_S * 4


def test_it_can_make_no_sandbox_itself_and_needs_none() -> None:
    assert values("RestrictNamespaces") == ["yes"]
    assert values("BindPaths") == []
    assert not any("@mount" in each for each in values("SystemCallFilter") if not each.startswith("~"))


def test_who_is_at_the_other_end_of_its_sockets_is_seen() -> None:
    """In a namespace of users all others are nobody: operators, and whoever reports."""
    assert values("PrivateUsers") == []


def test_the_users_are_made_for_the_daemon_and_for_fixes() -> None:
    lines = (SHIPPED / "logmedic.sysusers.conf").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("u")]
    assert users == ["logmedic", Settings().actions.user]
