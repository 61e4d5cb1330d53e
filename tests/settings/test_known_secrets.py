"""Every secret of the config is known, so that it can be taken out of what leaves the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.settings.known import known_secrets

CONFIG = """\
sources:
  app: {{ command: [/usr/bin/tail-it, "--password=${{env:APP_PASSWORD}}"] }}
alerts:
  receivers:
    chat: "slack://plain-token-A1/${{file:{file}}}/tail"
    mail: {{ url: "mailto://u:mail-pass-7@example.org" }}
    page: "json://${{credential:page}}"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "slack").write_text("from-a-file-9\n")
    (tmp_path / "page").write_text("from-systemd-5")
    path = tmp_path / "logmedic.yaml"
    path.write_text(CONFIG.format(file=tmp_path / "slack"))
    return path


SECRETS = {"from-a-file-9", "from-systemd-5", "of-the-environment", "plain-token-A1", "mail-pass-7"}


def test_what_references_lead_to_and_parts_of_addresses_are_known(config: Path) -> None:
    env = {"APP_PASSWORD": "of-the-environment", "CREDENTIALS_DIRECTORY": str(config.parent)}
    assert known_secrets(config, env) >= SECRETS


@pytest.mark.parametrize("mistake", ["nonsense: 1\n", "mode: atuo\n"])
def test_so_they_are_where_the_config_does_not_load(config: Path, mistake: str) -> None:
    config.write_text(mistake + config.read_text())
    env = {"APP_PASSWORD": "of-the-environment", "CREDENTIALS_DIRECTORY": str(config.parent)}
    assert known_secrets(config, env) >= SECRETS


def test_a_config_that_is_no_yaml_and_one_that_is_not_there_raise_nothing(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.yaml"
    path.write_text("alerts: {receivers: [\n")
    known_secrets(path, {})
    known_secrets(tmp_path / "none", {})


def test_a_receiver_of_the_environment_is_known_too() -> None:
    env = {"LOGMEDIC_ALERTS__RECEIVERS": '{"chat": "slack://in-the-env-3/x/y"}'}
    assert "in-the-env-3" in known_secrets(None, env)
