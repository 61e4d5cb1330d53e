"""Profiles of the property tests: `pytest --hypothesis-profile=deep` looks longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("deep", max_examples=3000, stateful_step_count=60, deadline=None, print_blob=True)


APART = ("booted", "browser")
"""They boot a container (`make test-systemd`), and look with a real browser (`make test-browser`): only where named."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    name = collection_path.name
    return True if name in APART and not any(name in each for each in config.args) else None
