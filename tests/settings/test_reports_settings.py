"""`reports`: the socket is beside that of commands, and nothing else has its place or its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.model.errors import ConfigInvalid
from logmedic.settings import Settings, load_settings

BESIDE = "web: { socket: /run/x/logmedic.sock }\n"


def loaded(tmp_path: Path, text: str, **env: str) -> Settings:
    config = tmp_path / "logmedic.yaml"
    config.write_text(text)
    return load_settings(config, env)


def test_by_default_every_user_reports_beside_the_socket_of_commands(tmp_path: Path) -> None:
    settings = loaded(tmp_path, BESIDE)
    assert settings.report_socket == Path("/run/x/report.sock")
    assert (settings.reports.enabled, settings.reports.group) == (True, "")
    assert (settings.reports.max_per_second, settings.reports.burst) == (100, 1000)


def test_it_can_be_anywhere(tmp_path: Path) -> None:
    assert loaded(tmp_path, "reports: { socket: /run/apps.sock }").report_socket == Path("/run/apps.sock")
    assert loaded(tmp_path, BESIDE, LOGMEDIC_REPORTS__SOCKET="/run/y").report_socket == Path("/run/y")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("reports: { socket: report.sock }", "no absolute path"),
        ("reports: { socket: /run/x/logmedic.sock }\n" + BESIDE, "where commands are answered"),
        ("reports: { group: '@apps' }", "without an @"),
        ("reports: { group: 'a b' }", "no name of a group"),
        ("reports: { max_per_second: 0 }", "max_per_second"),
        ("reports: { burst: 1000000 }", "burst"),
        ("reports: { per_second: 5 }", "unknown key `per_second`"),
        ("sources: { reports: { files: [/var/log/x] } }", "reports: { enabled: false }"),
        (BESIDE + "sources: { net: { syslog: { unix: /run/x/report.sock } } }", "where applications report"),
    ],
)
def test_what_would_be_a_mistake_is_one_and_its_place_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        loaded(tmp_path, text)
    assert says in str(refused.value)
    assert "logmedic.yaml:" in str(refused.value)


def test_without_it_its_name_is_free(tmp_path: Path) -> None:
    text = "reports: { enabled: false }\nsources: { reports: { files: [/var/log/x] } }"
    assert list(loaded(tmp_path, text).sources) == ["reports"]


@pytest.mark.parametrize("group", ["apps", "www-data", "_apps", "web.team"])
def test_a_group_has_the_name_of_one(tmp_path: Path, group: str) -> None:
    assert loaded(tmp_path, f"reports: {{ group: {group} }}").reports.group == group
