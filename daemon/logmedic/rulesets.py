"""What loads, reviews and matches rules, from the settings: for the daemon, and for commands that need no more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from types import MappingProxyType

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.adapters.rulefiles.memory import Memory
from logmedic.adapters.rulefiles.review import Reviewer
from logmedic.adapters.rulefiles.surroundings import (
    Surroundings,
    brought_by,
    units_unknown_to_systemd,
    users_without_account,
)
from logmedic.core import reportmatch
from logmedic.core.framing import Framing
from logmedic.core.matcher import Matcher
from logmedic.core.ruletest import run_tests
from logmedic.core.scanner import UNSAVED, Saved
from logmedic.model.rule import RuleSet
from logmedic.runtime.clock import boot_time
from logmedic.runtime.live import MakeMatcher
from logmedic.settings import Settings
from logmedic.settings.places import shipped_rules
from logmedic.settings.sources import usual_sources

ARGUMENT = "argument"
"""The source name of files named on the command line: heard by every rule, as standard input is."""


def make_rule_loader(
    settings: Settings,
    paths: Sequence[Path] = (),
    *,
    prove: bool = True,
    reviewer: Reviewer | None = None,
    memory: Memory | None = None,
) -> RuleFileLoader:
    """The loader of the configured paths; or of `paths`: those may belong to anybody where they are somebody's drafts,
    and no daemon reads them. Without `prove`, the rules' own tests are not run. `memory`: of earlier starts."""
    tests = run_tests if prove else lambda _: []
    owners = settings.rule_owners() if not paths or _are_read(settings, paths) else None
    return RuleFileLoader(
        paths or settings.rule_paths(),
        owners=owners,
        prove=tests,
        reviewer=reviewer,
        memory=memory,
        optional=() if paths else settings.optional_rule_paths,
    )


def _are_read(settings: Settings, paths: Sequence[Path]) -> bool:
    """Whether one of them is what the operator configured, or in it."""
    configured = {path.resolve() for path in settings.rule_paths()} - {shipped_rules()}
    return any(each in configured for path in paths for each in (path.resolve(), *path.resolve().parents))


def make_reviewer(settings: Settings, *, strict: bool = False) -> Reviewer:
    """Of everything that deserves a look, on this host."""
    globs = {name: each.files or () for name, each in settings.sources.items()}
    usual = frozenset({*usual_sources(), "journal", reportmatch.SOURCE})
    routes = frozenset(settings.routes()) if settings.alerts.receivers else None
    here = Surroundings(
        globs,
        lambda: usual | brought_by(shipped_rules()),
        units_unknown_to_systemd,
        routes,
        users_without_account,
    )
    return Reviewer(here, strict=strict)


def make_matcher(
    zone: tzinfo, framings: Mapping[str, Framing] = MappingProxyType({}), saved: Saved = UNSAVED
) -> MakeMatcher:
    def make(ruleset: RuleSet, before: Matcher | None = None) -> Matcher:
        return Matcher(
            ruleset.rules,
            zone=zone,
            any_source=frozenset({"stdin", ARGUMENT}),
            framings=framings,
            boot_at=boot_time(),
            timer=time.perf_counter,
            worked=time.thread_time,
            saved=saved,
            before=before,
        )

    return make
