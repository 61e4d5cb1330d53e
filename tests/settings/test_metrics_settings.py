"""Figures are pushed nowhere unless an endpoint is set, and secrets of it do not go in the clear to another host."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from logmedic.model.errors import ConfigInvalid
from logmedic.runtime.clock import SystemClock
from logmedic.settings import Settings, load_settings
from logmedic.watchers import make_pushing

TOKEN = "token-hunter2canary"
PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
LOCAL = "endpoint: 'http://127.0.0.1:4318/v1/metrics'"
HEADERS = "headers: { Authorization: 'Bearer ${env:OTLP_TOKEN}' }"


def loaded(tmp_path: Path, text: str, token: str = TOKEN) -> Settings:
    config = tmp_path / "logmedic.yaml"
    config.write_text(f"metrics: {{ otlp: {{ {text} }} }}")
    return load_settings(config, {"OTLP_TOKEN": token})


async def nothing() -> tuple[()]:
    return ()


def test_it_is_off_by_default() -> None:
    assert make_pushing(Settings(), host="db1", families=nothing, clock=SystemClock()) is None


@pytest.mark.parametrize(
    "text",
    [
        LOCAL,
        f"{LOCAL}, {HEADERS}",
        f"endpoint: 'https://otel.example/v1/metrics', {HEADERS}",
        "endpoint: 'http://10.0.0.4:4318/v1/metrics'",
        f"endpoint: 'http://10.0.0.4:4318/v1/metrics', {HEADERS}, allow_plain: true",
        f"{LOCAL}, every: 5m, timeout: 30s",
    ],
)
def test_these_can_be_pushed_to(tmp_path: Path, text: str) -> None:
    settings = loaded(tmp_path, text)
    assert make_pushing(settings, host="db1", families=nothing, clock=SystemClock()) is not None
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("endpoint: 'otel.example:4318'", "no http:// or https:// address"),
        ("endpoint: 'https://bob:hunter2canary@otel.example/v1/metrics'", "goes into `headers`"),
        (f"endpoint: 'http://10.0.0.4/v1/metrics', {HEADERS}", "headers could be read on the way"),
        (f"endpoint: 'http://127.0.0.1.example/v1/metrics', {HEADERS}", "headers could be read on the way"),
        (f"{LOCAL}, every: 1s", "too often; write 5s or more"),
        (f"{LOCAL}, timeout: 5m", "too long; write 60s or less"),
        (f"{LOCAL}, headers: {{ Host: other }}", "no name of a header that can be set"),
        (f"{LOCAL}, headers: {{ 'X Y': z }}", "no name of a header that can be set"),
        (f"{LOCAL}, endpont: x", "endpont"),
    ],
)
def test_these_cannot_and_it_says_why_without_a_secret(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=re.escape(said)) as caught:
        loaded(tmp_path, text)
    assert TOKEN not in str(caught.value)


def test_no_line_end_gets_into_a_header(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="line ends") as caught:
        loaded(tmp_path, f"{LOCAL}, {HEADERS}", token=f"{TOKEN}\r\nX-Other: y")
    assert TOKEN not in str(caught.value)


def test_without_the_extra_the_config_says_what_to_install(tmp_path: Path) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text(f"metrics: {{ otlp: {{ {LOCAL} }} }}")
    without = "import sys; sys.modules['opentelemetry'] = None; from logmedic.cli.root import main; sys.exit(main())"
    ran = subprocess.run(
        [sys.executable, "-c", without, "-c", str(config), "config", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 3, ran.stderr
    assert "pip install 'logmedic[otlp]'" in ran.stderr


def test_the_example_of_the_docs_loads(tmp_path: Path) -> None:
    (example,) = (
        block for block in re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.M | re.S) if "otlp" in block
    )
    (tmp_path / "otlp").write_text(f"{TOKEN}\n")
    config = tmp_path / "logmedic.yaml"
    config.write_text(example)
    wanted = load_settings(config, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).metrics.otlp
    assert wanted.headers["Authorization"].get_secret_value() == f"Bearer {TOKEN}"
    assert wanted.every == timedelta(minutes=1)
