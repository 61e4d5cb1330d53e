"""The rule files of the simulated host, loaded by the real loader: each of the forms that they take."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from enum import StrEnum
from functools import cache
from pathlib import Path

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.matcher import Matcher
from logmedic.core.ruletest import run_tests
from logmedic.model.rule import RuleSet

RULES = Path(__file__).with_name("rules") / "full.yaml"


class Said(StrEnum):
    """What the files say. BROKEN: they do not load, and what was in force stays."""

    FULL = "full"
    OBSERVING = "observing"
    OTHER_STEPS = "other steps"
    FEWER = "fewer"
    BROKEN = "broken"


_FORMS: Mapping[Said, Callable[[str], str]] = {
    Said.FULL: lambda text: text,
    Said.OBSERVING: lambda text: text.replace("mode: auto", "mode: observe"),
    Said.OTHER_STEPS: lambda text: text.replace("reinstall", "renew"),
    Said.FEWER: lambda text: text[: text.index("  - id: disk-full")],
    Said.BROKEN: lambda text: text.replace("version: 1", "version: 1\nrulez: []"),
}
KEPT = frozenset({"service-down", "queue-slow"})
"""What FEWER has left."""


@cache
def loaded(said: Said) -> RuleSet:
    with tempfile.TemporaryDirectory(prefix="logmedic-") as room:
        path = Path(room) / "rules.yaml"
        path.write_text(_FORMS[said](RULES.read_text()))
        found = RuleFileLoader([path], owners=None, prove=run_tests).load()
    assert bool(found.problems) == (said is Said.BROKEN), found.problems
    return found


@cache
def matcher_of(said: Said) -> Matcher:
    """Of no time: what it finds depends on the lines alone, so that one serves all seeds."""
    return Matcher(loaded(said).rules, zone=UTC)


class Files:
    """Implements ports.RuleFiles. `now`: what the files say."""

    def __init__(self, now: Callable[[], Said]) -> None:
        self._now = now

    def load(self, previous: RuleSet | None = None) -> RuleSet:
        said, found = self._now(), loaded(self._now())
        if said is not Said.BROKEN or previous is None:
            return found
        return replace(previous, problems=found.problems, stale_files=found.files)

    def save(self) -> None:
        """Nothing was found out."""


def make_matcher(ruleset: RuleSet, before: Matcher | None = None) -> Matcher:
    """As runtime.live.MakeMatcher."""
    for said in Said:
        if loaded(said).rules == ruleset.rules:
            return matcher_of(said)
    raise AssertionError("rules that no file says")
