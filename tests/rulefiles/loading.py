"""Short ways to rule files that tests are about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from logmedic.adapters.rulefiles.deprecations import DEPRECATED, Deprecated
from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.adapters.rulefiles.review import Reviewer
from logmedic.adapters.rulefiles.surroundings import Surroundings
from logmedic.core.ruletest import run_tests
from logmedic.model.problem import RuleProblem
from logmedic.model.rule import RuleSet
from logmedic.yamldoc import render_problems


def put(room: Path, text: str, name: str = "web.yaml") -> Path:
    path = room / name
    path.write_text(text)
    return path


def load(
    *paths: Path,
    previous: RuleSet | None = None,
    reviewer: Reviewer | None = None,
    deprecated: Sequence[Deprecated] = DEPRECATED,
) -> RuleSet:
    loader = RuleFileLoader(paths, owners=None, prove=run_tests, reviewer=reviewer, deprecated=deprecated)
    return loader.load(previous)


def reviewed(*paths: Path, strict: bool = False, here: Surroundings | None = None) -> RuleSet:
    return load(*paths, reviewer=Reviewer(here or Surroundings({"app": ()}), strict=strict))


def rule(rule_id: str = "one", **keys: str) -> str:
    """A rule that takes `boom HOST`, with more keys or other ones; each value is YAML."""
    given = {
        "title": "boom at {host}",
        "source": "app",
        "match": r"{ pattern: '^boom (?P<host>\S+)', captures: { host: hostname } }",
        **keys,
    }
    return "".join([f"  - id: {rule_id}\n", *(f"    {key}: {value}\n" for key, value in given.items())])


def a_file(*rules: str) -> str:
    return "version: 1\nrules:\n" + "".join(rules)


def ids(loaded: RuleSet) -> list[str]:
    return [rule.id for rule in loaded.rules]


def told(loaded: RuleSet) -> str:
    return render_problems(loaded.problems)


def texts(problems: Sequence[RuleProblem]) -> list[str]:
    return [each.text for each in problems]
