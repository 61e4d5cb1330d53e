"""The shipped rules: every one fires where it should, and stays silent where somebody tries to make it fire."""

from __future__ import annotations

import runpy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.heads import head_of
from logmedic.core.matcher import Matcher
from logmedic.core.rehearsal import Rehearsal
from logmedic.core.ruletest import run_tests
from logmedic.core.scanner import HyperscanScanner
from logmedic.model.changeset import Changeset
from logmedic.model.fix import Arming
from logmedic.model.policy import Policy
from logmedic.model.record import Block, Checkpoint, Entry, Match
from logmedic.model.rule import Mode, Rule
from logmedic.model.sample import RuleTest, SampleLine
from logmedic.model.step import UnitJob
from logmedic.rulesets import make_reviewer
from logmedic.settings import Settings
from packs.carriers import CARRIERS, carried
from packs.ordinary import ORDINARY, benign

ROOT = Path(__file__).resolve().parents[2]
PACKS = sorted((ROOT / "rules").glob("*.yaml"))
USUAL = {"syslog", "auth", "journal"}
"""What the daemon follows by itself; every other source a pack has to bring along."""
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SHARED = {
    ("mysql-too-many-connections", "php-fpm-fatal-errors"): "the words of MySQL inside of an error of PHP",
    ("sqlite-read-only", "php-fpm-fatal-errors"): "the words of SQLite inside of an error of PHP",
}
"""(whose sample, which other pack's rule matches it as well): why both should. PHP's rule counts fatal errors of every
kind; the other one knows what is behind these, and what to do."""

LOADED = RuleFileLoader(PACKS, owners=None, prove=lambda _: []).load()
RULES = LOADED.rules
by_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@cache
def matcher(scanner: str = "auto") -> Matcher:
    """Of all rules, every source being heard."""
    return Matcher(RULES, zone=UTC, scanner=scanner, timeout_s=5, any_source=frozenset({"any"}), learning=False)


def matches(text: str, line: SampleLine | None = None, scanner: str = "auto") -> tuple[Match, ...]:
    content = text.rstrip("\n").encode() + b"\n"
    fields = line.fields if line is not None else {}
    entries = (Entry(0, NOW, fields, fields.get("unit", "")),) if fields else ()
    checkpoint = Checkpoint("any", "any", len(content), NOW)
    return matcher(scanner).find(Block("any", "any", content, 0, checkpoint, NOW, entries=entries)).matches


def found(text: str, line: SampleLine | None = None) -> set[str]:
    """The ids of the rules that the text is a match of, and not only a further part."""
    return {match.rule_id for match in matches(text, line) if not match.part}


def samples(tests: Iterable[RuleTest]) -> Iterator[SampleLine]:
    return (line for test in tests for line in test.lines if not line.incident)


def called(rule: Rule, *words: str) -> list[RuleTest]:
    """Its tests whose name begins with one of `words`."""
    return [test for test in rule.tests if test.name.startswith(words)]


def test_every_pack_holds_the_strict_review() -> None:
    """Whose tests are run below."""
    reviewer = make_reviewer(Settings(), strict=True)
    reviewed = RuleFileLoader(PACKS, owners=None, prove=lambda _: [], reviewer=reviewer).load()
    assert [f"{each.file}:{each.line}: {each.text}" for each in reviewed.problems] == []


def test_the_library_is_as_large_as_it_says() -> None:
    assert len(PACKS) >= 45
    assert len(RULES) >= 250


@by_rule
def test_a_rule_proves_itself(rule: Rule) -> None:
    assert run_tests(rule) == []


def test_every_pack_loads() -> None:
    assert LOADED.problems == ()
    assert {Path(rule.file).stem for rule in RULES} == {path.stem for path in PACKS}


@pytest.mark.parametrize("rule", {rule.file: rule for rule in RULES}.values(), ids=lambda rule: Path(rule.file).stem)
def test_a_sample_passes_for_one_number_of_incidents_alone(rule: Rule) -> None:
    test = called(rule, "fires")[0]
    assert run_tests(replace(rule, tests=(replace(test, expect=replace(test.expect, fires=7)),)))


@by_rule
def test_a_rule_says_what_is_wrong_and_what_to_do_about_what(rule: Rule) -> None:
    assert rule.description
    assert rule.resolution
    assert rule.tags
    assert rule.service
    assert rule.id.startswith((f"{rule.service}-", f"{Path(rule.file).stem}-"))


@by_rule
def test_a_rule_is_born_with_its_samples(rule: Rule) -> None:
    fires, silent = called(rule, "fires"), called(rule, "near miss", "hostile")
    assert len(fires) >= 2
    assert silent
    assert len(fires) + len(silent) == len(rule.tests)
    assert all(test.expect.fires for test in fires)
    for test in silent:  # silent, or it says what does not come of it: the wrong name, an end
        assert 0 in (test.expect.fires, test.expect.matches, test.expect.resolved) or test.expect.captures, test.name


def test_rules_hear_the_usual_sources_and_what_their_pack_brings_along() -> None:
    brought = {(source.file, source.name) for source in LOADED.sources}
    unknown = {(rule.id, name) for rule in RULES for name in rule.sources if (rule.file, name) not in brought}
    assert {(rule, name) for rule, name in unknown if name not in USUAL} == set()


def test_a_pack_brings_along_no_log_that_is_followed_anyway() -> None:
    usual = {f"/var/log/{name}" for name in ("syslog", "messages", "auth.log", "secure", "kern.log", "mail.log")}
    assert {glob for source in LOADED.sources for glob in source.globs} & usual == set()


@by_rule
def test_the_samples_of_a_rule_are_no_other_packs_business(rule: Rule) -> None:
    if rule.match.incidents:
        return
    fired = {each for line in samples(called(rule, "fires")) for each in found(line.text, line)}
    assert rule.id in fired
    others = {each.id for each in RULES if each.file != rule.file}
    assert {(rule.id, other) for other in fired & others} <= SHARED.keys()


@by_rule
def test_hostile_lines_do_not_match_in_one_block_either(rule: Rule) -> None:
    silent = [test for test in called(rule, "hostile") if test.expect.matches == 0]
    assert rule.id not in found("\n".join(line.text for line in samples(silent) if not line.fields))


@cache
def firing_lines() -> tuple[str, ...]:
    """Of all rules, each line as it is, and what stands behind its head."""
    lines: dict[str, None] = {}
    for rule in RULES:
        for line in samples(called(rule, "fires")):
            for each in filter(str.strip, line.text.splitlines()):
                head = head_of(each)
                lines |= {each: None, each[head.end if head else 0 :]: None}
    return tuple(lines)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_no_firing_line_matches_inside_of_a_field_that_others_fill(carrier: str) -> None:
    by_itself = found(carried(carrier, "x"))  # a wrong password is one, whatever the name
    assert found("\n".join(carried(carrier, line) for line in firing_lines())) - by_itself == set()


@pytest.mark.parametrize("scanner", ["hyperscan", "plain"])
def test_an_ordinary_line_is_at_most_counted(scanner: str) -> None:
    counting = {rule.id for rule in RULES if getattr(rule.when.trigger, "count", 0) >= 2}
    said = {match.rule_id for match in matches("\n".join(ORDINARY), scanner=scanner)}
    assert said - counting == set()


def test_an_ordinary_day_calls_nobody() -> None:
    opened: list[str] = []

    def seen(changes: Changeset, _: datetime) -> None:
        opened.extend(incident.rule_id for incident in changes.incidents)

    policy = Policy(max_age=timedelta(days=1)).with_rules(RULES, Arming(False, "rehearsal"))
    day = sorted(matches(benign()), key=lambda match: match.record.at)
    rehearsal = Rehearsal(policy, day[0].record.at, seen)
    for match in day:
        rehearsal.match(match, match.record.at)
    rehearsal.wait(NOW + timedelta(days=1))
    assert opened == []


def test_every_shipped_pattern_is_served_by_the_fast_scanner() -> None:
    patterns = [pattern for rule in RULES for _, spec in rule.parts for pattern in spec.patterns if not spec.field]
    assert HyperscanScanner(patterns).plain_patterns == ()


def test_shipped_fixes_ask_first_and_are_bounded() -> None:
    fixes = [rule.fix for rule in RULES if rule.fix is not None]
    assert fixes
    for fix in fixes:
        assert fix.mode in (Mode.OBSERVE, Mode.APPROVE)
        assert fix.verify.quiet is not None or fix.verify.probes
        assert fix.limits.max_per_hour <= 4
        assert all(isinstance(step.action, UnitJob) for step in fix.steps)


def test_the_page_of_the_packs_is_about_these_packs() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "packs-page"))["page"]
    assert (ROOT / "docs" / "packs.md").read_text() == page(LOADED), "make packs-page"
