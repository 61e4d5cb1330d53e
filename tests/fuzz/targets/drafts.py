"""A line that somebody asks about: why it is known or not, and the rule that is drafted from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

from fuzz.target import Attempt, Target, claim
from fuzz.targets import by_name, words
from fuzz.targets.lines import NOW, samples, shipped
from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.draftfile import draft_file
from logmedic.core.drafting import draft
from logmedic.core.explain import Explainer, Why
from logmedic.core.explainrows import explained
from logmedic.core.matcher import Matcher
from logmedic.core.ruletest import run_tests
from logmedic.model.record import Block, Checkpoint


@contextmanager
def _drafts(room: Path) -> Iterator[Attempt]:
    """A draft is a file that loads, and its own tests, which are run then, hold."""
    path = room / "draft.yaml"

    def attempt(given: bytes) -> None:
        try:
            rule = draft(given.decode("utf-8", "replace"), source="app")
        except ValueError as error:
            claim(type(error) is ValueError, f"no word for it: {error!r}")
            return
        path.write_text(draft_file(rule))
        ruleset = RuleFileLoader([path], owners=None, prove=run_tests).load(None)
        wrong = [each for each in ruleset.problems if not each.warning]
        claim(not wrong, f"the draft does not load: {wrong}")

    yield attempt


@contextmanager
def _explained(room: Path) -> Iterator[Attempt]:
    """What is told of a record is what the matcher finds in it."""
    rules = shipped()
    matcher = Matcher(rules, zone=UTC, any_source=frozenset({"app"}))
    explainer = Explainer(matcher, rules, UTC)

    def attempt(given: bytes) -> None:
        if not given.strip():
            return
        content = given.replace(b"\n", b" ").strip() + b"\n"
        mark = Checkpoint("app.log", "app", len(content), NOW)
        block = Block("app", "app.log", content, 0, mark, NOW, complete=True)
        told = explainer.explain(block)
        found = {(each.rule_id, each.part) for each in matcher.find(block).matches}
        claim({(each.rule.id, each.part) for each in told.matches} == found, "another rule matches than it is told")
        claim(all(each.text for each in told.verdicts if each.why is not Why.MATCHES), "a verdict without words")
        json.dumps(explained(told, "app", lambda _: None)).encode()

    yield attempt


TARGETS = by_name(
    Target("drafts", _drafts, samples, words("lines"), most_bytes=1500, cpu_s=10.0),
    Target("explained", _explained, samples, words("lines"), most_bytes=1500, cpu_s=10.0),
)
