"""Log text goes nowhere unless an endpoint is set, and not in the clear to another host."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from logmedic.diagnosers import make_diagnosing
from logmedic.model.errors import ConfigInvalid
from logmedic.runtime.clock import SystemClock
from logmedic.settings import Settings, load_settings

KEY = "key-hunter2canary"
PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"


def loaded(tmp_path: Path, text: str, key: str = KEY) -> Settings:
    config = tmp_path / "logmedic.yaml"
    config.write_text(f"diagnosis: {{ model: small, {text} }}")
    return load_settings(config, {"LLM_KEY": key})


async def nobody(*_: object) -> None: ...


def test_it_is_off_by_default() -> None:
    assert make_diagnosing(Settings(), clock=SystemClock(), tell=nobody) is None


@pytest.mark.parametrize(
    "text",
    [
        "url: 'https://llm.example/v1'",
        "url: 'http://127.0.0.1:11434/v1'",
        "url: 'http://[::1]:8000/v1'",
        "url: 'http://localhost/v1/'",
        "url: 'http://10.0.0.4/v1', allow_plain: true",
        "url: 'https://llm.example/v1', key: '${env:LLM_KEY}'",
    ],
)
def test_these_can_be_asked(tmp_path: Path, text: str) -> None:
    assert make_diagnosing(loaded(tmp_path, text), clock=SystemClock(), tell=nobody) is not None


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("url: 'http://10.0.0.4/v1'", KEY, "log text could be read on the way"),
        ("url: 'http://127.0.0.1.example/v1'", KEY, "log text could be read on the way"),
        ("url: 'http://localhost.example/v1'", KEY, "log text could be read on the way"),
        ("url: 'https://bob:hunter2canary@llm.example/v1'", KEY, "goes into `key`"),
        ("url: 'https://llm.example/v1?key=hunter2canary'", KEY, "goes into `key`"),
        ("url: 'ftp://llm.example/v1'", KEY, "no http:// or https:// address"),
        ("url: 'llm.example/v1'", KEY, "no http:// or https:// address"),
        ("url: 'https://llm.example:99999/v1'", KEY, "no address"),
        ("url: 'https://[::1/v1'", KEY, "no address"),
        ("url: 'https://llm.example/v1', key: '${env:LLM_KEY}'", f"{KEY}\nX: y", "no key has"),
        ("url: 'https://llm.example/v1', key: '${env:OTHER}'", KEY, "the variable OTHER is not set"),
        ("url: 'https://llm.example/v1', max_input: 10", KEY, "max_input"),
        ("url: 'https://llm.example/v1', modle: x", KEY, "unknown key `modle`"),
    ],
)
def test_these_are_refused_with_a_reason(tmp_path: Path, text: str, key: str, said: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        loaded(tmp_path, text, key)
    assert said in str(refused.value)
    assert key not in str(refused.value)


def test_a_model_has_to_be_named(tmp_path: Path) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text("diagnosis: { url: 'https://llm.example/v1' }")
    with pytest.raises(ConfigInvalid, match="`model` is missing"):
        load_settings(config, {})


def test_the_key_is_not_shown(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "url: 'https://llm.example/v1/chat/completions', key: '${env:LLM_KEY}'")
    assert KEY not in settings.model_dump_json() + repr(settings)
    assert settings.diagnosis.key.get_secret_value() == KEY
    assert settings.diagnosis.base == "https://llm.example/v1"
    assert settings.diagnosis.timeout == timedelta(minutes=1)


@pytest.mark.parametrize("example", re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.M | re.S))
def test_the_examples_of_the_docs_can_be_asked(tmp_path: Path, example: str) -> None:
    (tmp_path / "llm").write_text(f"{KEY}\n")
    config = tmp_path / "logmedic.yaml"
    config.write_text(example)
    settings = load_settings(config, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert make_diagnosing(settings, clock=SystemClock(), tell=nobody) is not None
