"""Profiles of the property tests: `pytest --hypothesis-profile=deep` looks longer, `quick` is for one more Python. What
they look at differs from run to run."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("usual", max_examples=50, deadline=None)  # a machine with other work is no bug
settings.load_profile("usual")
settings.register_profile("quick", max_examples=15, stateful_step_count=15, deadline=None)
settings.register_profile("deep", max_examples=3000, stateful_step_count=60, deadline=None, print_blob=True)


def pytest_configure() -> None:
    """Where the shell started this in the background, interrupts are ignored, in what it starts as well."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


APART = ("booted", "browser", "faults")
"""They boot a container (`make test-systemd`), look with a real browser (`make test-browser`), and do to a real daemon
what hosts do (`make test-faults`): only where named."""
SLOW_TO_COLLECT = "test_openapi_promises.py"
"""All of it is slow, and schemathesis makes its questions while it is collected."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    name = collection_path.name
    if name == SLOW_TO_COLLECT and "not slow" in config.getoption("markexpr"):
        return True
    return True if name in APART and not any(name in each for each in config.args) else None
