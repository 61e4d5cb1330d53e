"""What every sandbox of steps can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from logmedic.model.fix import Arming, FixAttempt, FixResult
from logmedic.model.rule import Rule
from logmedic.model.step import Step


class Sandbox(Protocol):
    async def arm(self, rules: Sequence[Rule] = ()) -> Arming:
        """Try it with a canary. Never raises."""

    def refusal(self, step: Step) -> str:
        """Why `step` cannot be run in it on this host, whatever its captures; or nothing."""

    async def run(self, step: Step, attempt: FixAttempt) -> FixResult:
        """As ports.FixRunner."""

    async def rehearse(self, step: Step) -> FixResult:
        """As ports.FixRunner."""

    async def close(self) -> None:
        """Steps under way are their callers' to cancel."""
