"""Where commands ask is found as the whole of the settings says, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from logmedic.settings import load_settings
from logmedic.settings.door import door


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """Something at the place of a socket, in a directory that a daemon's manager would name."""
    path = tmp_path / "logmedic.sock"
    path.touch()
    return path


def config(directory: Path, text: str) -> Path:
    path = directory / "logmedic.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "web: { socket: SOCKET }",
        "mode: observe\nweb:\n  dashboard: '127.0.0.1:8632'\n  socket: 'SOCKET'\n",
        "mode: observe\n",
        "web: { dashboard: '127.0.0.1:8632' }",
    ],
    ids=["told", "told beside others", "not told", "no socket in web"],
)
def test_it_is_the_one_of_the_settings(tmp_path: Path, there: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    path = config(tmp_path, text.replace("SOCKET", str(there)))
    assert door(path, {}) == load_settings(path, {}).web.socket == there


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("web: { socket: SOCKET }", {"LOGMEDIC_WEB__SOCKET": "/elsewhere"}),
        ("web: { socket: SOCKET }", {"logmedic_web": '{"socket": "/elsewhere"}'}),
        ("web: { socket: '${env:PLACE}' }", {"PLACE": "SOCKET"}),
        ("web: { socket: 7 }", {}),
        ("web: { socket: '' }", {}),
        ("", {}),
        ("web: none", {}),
        ("- web", {}),
        ("web: { socket: SOCKET", {}),
        ("web: { socket: SOCKET.gone }", {}),
    ],
    ids=[
        "a variable",
        "as JSON",
        "a reference",
        "a number",
        "empty",
        "an empty file",
        "no mapping",
        "a list",
        "no YAML",
        "not there",
    ],
)
def test_what_is_not_plain_is_left_to_the_settings(
    tmp_path: Path, there: Path, text: str, env: Mapping[str, str]
) -> None:
    assert door(config(tmp_path, text.replace("SOCKET", str(there))), env) is None


def test_a_config_that_cannot_be_read_is_left_to_the_settings(tmp_path: Path) -> None:
    assert door(tmp_path / "gone.yaml", {}) is None
