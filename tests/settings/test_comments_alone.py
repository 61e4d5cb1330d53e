"""The config as a package brings it: comments, and no line that sets anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logmedic.model.errors import ConfigInvalid
from logmedic.settings import Settings, load_settings

PACKAGED = Path(__file__).parents[2] / "packaging/etc/logmedic/logmedic.yaml"


@pytest.mark.parametrize("text", ["# a\n", "\n  # a\n\n# b", "\ufeff# a\r\n"], ids=["one", "several", "of an editor"])
def test_a_config_of_comments_alone_sets_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "logmedic.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_settings(path, {}) == Settings()


def test_the_config_of_the_package_sets_nothing() -> None:
    assert load_settings(PACKAGED, {}) == Settings()


def test_the_lines_that_it_proposes_load(tmp_path: Path) -> None:
    path = tmp_path / "logmedic.yaml"
    path.write_text("\n".join(re.findall(r"^#( {2,}\S.*|[^ \n].*)$", PACKAGED.read_text(), re.MULTILINE)))
    settings = load_settings(path, {})
    assert (settings.mode.value, sorted(settings.alerts.receivers)) == ("observe", ["mail"])


@pytest.mark.parametrize("text", ["", "\n \n", "null\n", "~ # nothing\n"], ids=["empty", "blank", "null", "a tilde"])
def test_a_config_that_something_emptied_does_not_load(tmp_path: Path, text: str) -> None:
    """A full disk leaves such: with the defaults instead, people would no longer be told, and not know why."""
    path = tmp_path / "logmedic.yaml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid, match="no mapping"):
        load_settings(path, {})
