"""Profiles of the property tests: `pytest --hypothesis-profile=deep` looks longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("deep", max_examples=3000, stateful_step_count=60, deadline=None, print_blob=True)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """tests/booted boots a container: only where it is named (`make test-systemd`)."""
    unnamed = collection_path.name == "booted" and not any("booted" in each for each in config.args)
    return True if unnamed else None
