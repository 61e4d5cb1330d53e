"""What the docs show can be typed as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logmedic.app import make_rule_loader
from logmedic.settings import Settings, load_settings

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", (DOCS / "sources.md").read_text(), re.MULTILINE | re.DOTALL)


def of(head: str) -> list[str]:
    found = [each for each in BLOCKS if each.startswith(head)]
    assert found, f"no example in docs/sources.md begins with {head}"
    return found


@pytest.mark.parametrize("example", of("sources:"))
def test_every_config_in_the_docs_of_sources_loads(tmp_path: Path, example: str) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text(example)
    assert load_settings(config, {}).sources


@pytest.mark.parametrize("example", of("version: 1"))
def test_every_rule_in_the_docs_of_sources_loads_and_passes_its_tests(tmp_path: Path, example: str) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(example)
    loaded = make_rule_loader(Settings(), [path]).load()
    assert not loaded.problems
    assert loaded.rules
