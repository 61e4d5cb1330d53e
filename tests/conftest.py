"""Profiles of the property tests: `pytest --hypothesis-profile=deep` looks longer."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("deep", max_examples=3000, stateful_step_count=60, deadline=None, print_blob=True)
