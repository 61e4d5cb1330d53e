"""Variables hold any bytes: what no config file could say is a mistake with a place, and never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.settings import load_settings
from settings.test_loading import mistakes

NO_UTF8 = b"\xff\xfe".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "variables",
    [
        {"LOGMEDIC_STORAGE__PATH": NO_UTF8},
        {"LOGMEDIC_ALERTS__RECEIVERS__OPS": f"mailto://{NO_UTF8}"},
        {"LOGMEDIC_SOURCES" + "__A" * 3000: "x"},
    ],
    ids=["a value", "an address", "a key too deep"],
)
def test_a_variable_that_no_file_could_hold_is_named(tmp_path: Path, variables: dict[str, str]) -> None:
    told = mistakes(tmp_path, "mode: observe\n", **variables)
    assert "environment 'LOGMEDIC_" in told
    assert "no UTF-8 text" in told
    told.encode()


def test_a_name_that_is_no_text_is_no_setting(tmp_path: Path) -> None:
    told = mistakes(tmp_path, "mode: observe\n", **{f"LOGMEDIC_{NO_UTF8}": "x"})
    assert "is no setting" in told
    told.encode()


@pytest.mark.parametrize("depth", [40, 100_000])
def test_json_that_is_nested_too_deep_is_text_and_judged_as_such(tmp_path: Path, depth: int) -> None:
    told = mistakes(tmp_path, "mode: observe\n", LOGMEDIC_SOURCES='{"a":' * depth + "1" + "}" * depth)
    assert "LOGMEDIC_SOURCES" in told


def test_half_a_character_in_json_is_no_value(tmp_path: Path) -> None:
    told = mistakes(tmp_path, "mode: observe\n", LOGMEDIC_RULES__PATHS=r'["\ud800"]')
    assert "LOGMEDIC_RULES__PATHS" in told
    told.encode()


def test_a_secret_that_is_no_text_or_has_no_end_is_a_mistake(tmp_path: Path) -> None:
    text = "alerts:\n  receivers:\n    ops: ${env:URL}\n    oncall: ${file:/dev/zero}\n"
    told = mistakes(tmp_path, text, URL=NO_UTF8)
    assert "the variable URL is no UTF-8 text" in told
    assert "more than 65536 characters" in told


def test_other_variables_may_hold_what_they_like() -> None:
    assert load_settings(None, {"PS1": NO_UTF8, "LOGMEDICAL": NO_UTF8}).sources == {}
