"""`actions` of the config: limits, the kill switch's file, maintenance windows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.model.errors import ConfigInvalid
from logmedic.model.policy import MaintenanceWindow
from logmedic.settings import Settings, load_settings
from logmedic.settings.actions import MaintenanceSettings
from logmedic.settings.hours import WEEK as WEEK_DAYS
from logmedic.settings.places import SYSTEM_PAUSE

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
WEEK = frozenset(range(7))


def load(tmp_path: Path, text: str, **env: str) -> Settings:
    path = tmp_path / "logmedic.yaml"
    path.write_text(text)
    return load_settings(path, env)


def windows(tmp_path: Path, written: str) -> tuple[MaintenanceWindow, ...]:
    settings = load(tmp_path, f"actions: {{ maintenance: [{written}] }}\n")
    return settings.policy(hostname="h", started_at=datetime.now(UTC), zone=TOKYO).maintenance


def told(tmp_path: Path, written: str) -> str:
    with pytest.raises(ConfigInvalid) as mistake:
        load(tmp_path, f"mode: observe\nactions:\n  {written}\n")
    return mistake.value.text


def test_limits_and_permissions_reach_the_policy(tmp_path: Path) -> None:
    policy = Settings().policy(hostname="h", started_at=datetime.now(UTC))
    assert (policy.host_max_per_ten_minutes, policy.allow_root, policy.maintenance) == (10, False, ())
    text = "actions: { max_per_ten_minutes: 2, allow_root: true, sandbox: unit }\n"
    settings = load(tmp_path, text)
    policy = settings.policy(hostname="h", started_at=datetime.now(UTC))
    assert (policy.host_max_per_ten_minutes, policy.allow_root) == (2, True)
    assert settings.actions.sandbox == "unit"
    assert Settings().actions.sandbox == "auto"


def test_a_window_is_read_with_its_days_times_zone_and_rules(tmp_path: Path) -> None:
    written = (
        "{ name: backup, days: [mon-wed, sat], from: 02:00, to: '4:30', timezone: Europe/Berlin, "
        "rules: [db-*], tags: [web] }"
    )
    (window,) = windows(tmp_path, written)
    days = frozenset({0, 1, 2, 5})
    assert window == MaintenanceWindow("backup", days, time(2), time(4, 30), BERLIN, ("db-*",), ("web",))


def test_by_default_a_window_is_on_every_day_on_the_clock_of_the_host_and_for_every_rule(tmp_path: Path) -> None:
    (window,) = windows(tmp_path, '{ name: nightly, from: "23:00", to: "01:00" }')
    assert window == MaintenanceWindow("nightly", WEEK, time(23), time(1), TOKYO)


@pytest.mark.parametrize(
    ("days", "read"),
    [
        ("sun", {6}),
        ("fri-mon", {4, 5, 6, 0}),
        ("Monday", {0}),
        ("[tue, tue-wed]", {1, 2}),
        ("sun-sat", set(WEEK)),
        ("wed-wed", {2}),
    ],
)
def test_days_are_names_and_ranges_that_may_go_over_the_weekend(tmp_path: Path, days: str, read: set[int]) -> None:
    (window,) = windows(tmp_path, f"{{ name: w, days: {days}, from: 01:00, to: 02:00 }}")
    assert window.days == read


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ("{ name: w, from: 2, to: 03:00 }", "`2` is no time of day; write hours and minutes"),
        ("{ name: w, from: 02:00, to: '24:00' }", '`24:00` is no time of day; write "00:00"'),
        ("{ name: w, from: 02:60, to: 03:00 }", "`02:60` is no time of day"),
        ("{ name: w, from: 02:00, to: 03:00, tags: x }", "tags` has to be a list"),
        ("{ name: w, from: 02:00:00, to: 03:00 }", "`02:00:00` is no time of day"),
        ("{ name: w, days: [weekdays], from: 02:00, to: 03:00 }", "`weekdays` is no day; write one of mon, tue"),
        ("{ name: w, days: mon-, from: 02:00, to: 03:00 }", "`` is no day"),
        ("{ name: w, days: [], from: 02:00, to: 03:00 }", "`actions.maintenance.0.days`"),
        ("{ name: w, from: 02:00, to: 03:00, timezone: Europe/Berln }", "did you mean `Europe/Berlin`?"),
        ("{ name: w, from: 02:00, to: 03:00, timezone: Europe }", "`Europe` is no time zone that this host knows"),
        ("{ name: w, from: 02:00, to: 03:00, timezone: ../../etc/passwd }", "is no time zone that this host knows"),
        ("{ name: w, from: 02:00 }", "`actions.maintenance.0.to` is missing"),
        ("{ name: w, from: 02:00, to: 03:00, day: sat }", "did you mean `days`?"),
        ("{ name: w, start: 02:00, to: 03:00 }", "unknown key `start`"),
    ],
)
def test_a_window_that_is_none_is_told_with_its_place(tmp_path: Path, window: str, says: str) -> None:
    said = told(tmp_path, f"maintenance:\n    - {window}")
    assert says in said
    assert "/logmedic.yaml:4:" in said


def test_windows_can_be_set_by_a_variable_and_are_shown_as_they_are_written(tmp_path: Path) -> None:
    window = {"name": "w", "days": "sat", "from": "02:00", "to": "03:00"}
    settings = load(tmp_path, "{}\n", LOGMEDIC_ACTIONS__MAINTENANCE=json.dumps([window]))
    (shown,) = settings.model_dump(mode="json")["actions"]["maintenance"]
    assert (shown["from"], shown["to"], shown["days"]) == ("02:00", "03:00", ["sat"])


def test_the_pause_file_is_where_administrators_look_or_in_the_users_own_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert load_settings(None, {}).actions.pause_file == tmp_path / "logmedic" / "paused"
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/of a user's unit")
    assert load_settings(None, {}).actions.pause_file == tmp_path / "of a user's unit" / "paused"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/logmedic")
    assert load_settings(None, {}).actions.pause_file == SYSTEM_PAUSE
    own = load(tmp_path, "actions: { pause_file: /srv/stop }\n")
    assert own.actions.pause_file == Path("/srv/stop")
    assert "no absolute path" in told(tmp_path, "pause_file: paused")


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_range_of_days_has_its_ends_and_goes_over_the_week_at_most_once(first: int, last: int) -> None:
    window = MaintenanceSettings.model_validate(
        {"name": "w", "days": f"{WEEK_DAYS[first]}-{WEEK_DAYS[last]}", "from": "00:00", "to": "00:00"}
    )
    days = window.window(BERLIN).days
    assert {first, last} <= days <= WEEK
    assert len(days) == (last - first) % 7 + 1
