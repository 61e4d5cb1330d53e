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


FROM = [
    pytest.param(block, id=f"{path.stem} {number}")
    for path in sorted(DOCS.glob("from-*.md"))
    for number, block in enumerate(
        re.findall(r"^```yaml\n(version: 1\n.*?)^```", path.read_text(), re.M | re.S), start=1
    )
]


@pytest.mark.parametrize("example", FROM)
def test_every_rule_file_in_the_docs_for_those_who_come_from_elsewhere_loads(tmp_path: Path, example: str) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(example)
    loaded = make_rule_loader(Settings(), [path]).load()
    assert not loaded.problems
    assert loaded.rules
    assert all(rule.tests for rule in loaded.rules)
