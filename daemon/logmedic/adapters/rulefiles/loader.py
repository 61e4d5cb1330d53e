"""Reads, validates and tests rule files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from logmedic.adapters.rulefiles import reading
from logmedic.adapters.rulefiles.building import build_form, build_rule
from logmedic.adapters.rulefiles.checks import check_rule
from logmedic.adapters.rulefiles.deprecations import DEPRECATED, Deprecated, renewed
from logmedic.adapters.rulefiles.drafts import File, RuleDraft
from logmedic.adapters.rulefiles.inforce import InForce, of_directories
from logmedic.adapters.rulefiles.memory import Known, Memory, digest_of
from logmedic.adapters.rulefiles.patterns import MAX_LENGTH, PatternTester, place_in
from logmedic.adapters.rulefiles.places import parts_of, patterns_in
from logmedic.adapters.rulefiles.review import Reviewer
from logmedic.model.problem import RuleProblem
from logmedic.model.rule import Rule, RuleSet
from logmedic.yamldoc import Document, DocumentInvalid, Fields, Node, Problems

Prove = Callable[[Rule], list[tuple[int, str]]]
"""Runs the tests of a rule: the line and the text of each failure."""


class RuleFileLoader:
    """Implements ports.RuleFiles. `paths`: files, and directories of them. `owners`: user ids that files may belong to;
    None: anybody's. `prove` runs a rule's own tests. `reviewer` finds what deserves a look. `memory`: what is known of
    files that do not change; not for a reviewer that looks at the host as well. `optional`: those of `paths` that need
    not be there."""

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        owners: frozenset[int] | None,
        prove: Prove,
        reviewer: Reviewer | None = None,
        deprecated: Sequence[Deprecated] = DEPRECATED,
        memory: Memory | None = None,
        optional: Collection[Path] = (),
    ) -> None:
        self._paths = tuple(paths)
        self._optional = frozenset(optional)
        self._owners = reading.Owners(owners)
        self._prove = prove
        self._patterns = PatternTester()
        self._reviewer = reviewer or Reviewer()
        self._deprecated = tuple(deprecated)
        self._memory = memory or Memory()
        self._digests: dict[str, str] = {}
        """Of each file: that of the content which is in force."""

    def load(self, previous: RuleSet | None = None) -> RuleSet:
        """Never raises for a bad file. A file with a mistake: the rules that `previous` had from it stay, all of them;
        without those, its sound rules are taken and the others left out. A rules directory that is gone leaves what was
        (F36); a file that was removed from it takes its rules along."""
        found, refused = reading.found_in(self._paths)
        refused = [(path, refusal) for path, refusal in refused if not self._may_lack(path, refusal, previous)]
        gone = [problem_of(path, refusal) for path, refusal in refused]
        files = [self._read(path) for path in found]
        new = [draft for file in files if not file.known for draft in file.drafts]
        self._check_patterns(new)
        for draft in new:
            self._check(draft)
        in_force = InForce(files, [path for path, _ in refused], previous)
        in_force.check()
        in_force.settle()
        self._review([file for file in files if not file.known])
        in_force.settle()
        ruleset = in_force.assembled(gone)
        self._remember(files, ruleset)
        return replace(ruleset, revision=self._revision(ruleset))

    def _may_lack(self, path: Path, refusal: reading.Refused, previous: RuleSet | None) -> bool:
        """It was there only where rules came from it."""
        return refusal.missing and path in self._optional and not of_directories(previous, [path])

    def save(self) -> None:
        """See ports.RuleFiles."""
        self._memory.save()

    def _remember(self, files: Sequence[File], ruleset: RuleSet) -> None:
        here = {file.path: digest_of(file.content) for file in files if file.path not in ruleset.stale_files}
        self._digests = {name: here.get(name) or self._digests.get(name, "") for name in ruleset.files}
        well = [file for file in files if file.is_well and file.content]
        self._memory.keep(
            {
                file.path: Known(digest_of(file.content), tuple(each.rule for each in file.drafts), file.sources)
                for file in well
            }
        )

    def _revision(self, ruleset: RuleSet) -> str:
        told = sorted(self._digests.items())
        return digest_of(repr((told, [rule.id for rule in ruleset.rules])).encode())[:12]

    def _read(self, path: Path) -> File:
        file = File(str(path))
        try:
            file.content = reading.read(path, self._owners)
            known = self._memory.of(file.path, digest_of(file.content))
            if known is None:
                self._draft(file, file.document)
        except reading.Refused as refusal:
            file.refused = (problem_of(path, refusal),)
        except DocumentInvalid as invalid:
            file.refused = invalid.problems
        else:
            if known is not None:
                file.known, file.sources = True, known.sources
                file.drafts = [RuleDraft(rule, file, number) for number, rule in enumerate(known.rules)]
        return file

    def _draft(self, file: File, document: Document) -> None:
        problems = file.problems = Problems(document)
        document = replace(document, root=renewed(document.root, self._deprecated, problems))
        form = build_form(document, problems)
        if problems.found:
            return
        file.sources = form.sources
        for number, node in enumerate(form.nodes):
            count = problems.count
            fields = Fields(node, problems, "the rule")
            rule = build_rule(fields, document.file, form.service)
            file.drafts.append(RuleDraft(rule, file, number, fields, sound=problems.count == count))

    def _check_patterns(self, drafts: Sequence[RuleDraft]) -> None:
        """Of all files at once: they compile in one child."""
        wanted = [each for draft in drafts for each in _patterns(draft.rule) if len(each) <= MAX_LENGTH]
        verdicts = self._patterns.test(wanted)
        for draft in drafts:
            for _, spec, part in parts_of(draft.rule, draft.fields.node):
                for _, node in patterns_in(part):
                    if not node.text or node.text not in (*spec.patterns, *spec.unless):
                        continue  # no text, or none of it: said already
                    wrong = verdicts.get(node.text, f"is longer than {MAX_LENGTH} characters")
                    if wrong:
                        _report_pattern(draft.fields.problems, node, wrong)
                        draft.sound = False

    def _check(self, draft: RuleDraft) -> None:
        """What it means, and, when it is sound, its own tests."""
        problems = draft.fields.problems
        count = problems.count
        check_rule(draft.rule, draft.fields, self._patterns.compiled(_patterns(draft.rule)))
        draft.sound = draft.sound and problems.count == count
        if not draft.sound:
            return
        for line, failure in self._prove(draft.rule):
            problems.add((line, 1), f"rule {draft.rule.id}: {failure}", "correct the pattern or the sample")
            draft.sound = False

    def _review(self, files: Sequence[File]) -> None:
        """Of what is sound so far."""
        drafts = [draft for file in files for draft in file.drafts if draft.sound]
        brought = frozenset(each.name for file in files for each in file.sources)
        for finding in self._reviewer.review([(draft.rule, draft.fields.node) for draft in drafts], brought):
            draft = drafts[finding.number]
            if self._reviewer.is_mistake(finding, draft.rule):
                draft.fields.problems.add(finding.place, finding.text, finding.hint)
                draft.sound = False
            else:
                draft.fields.problems.warn(finding.place, finding.text, finding.hint)


def _patterns(rule: Rule) -> tuple[str, ...]:
    return tuple(each for _, spec in rule.parts for each in (*spec.patterns, *spec.unless))


def _report_pattern(problems: Problems, node: Node, wrong: str) -> None:
    words, position = place_in(wrong)
    if position is None:
        problems.add(node, f"the pattern {words}", "make it shorter; split it into several patterns")
        return
    column = problems.column_in(node, position)
    around = " ".join(node.text[max(0, position - 10) : position + 10].split())
    at = "" if column else f" at its character {position + 1}: {around}"
    problems.add((node.line, column or node.column), f"the pattern: {words}{at}", "escape what is meant literally")


def problem_of(path: Path, refusal: reading.Refused) -> RuleProblem:
    return RuleProblem(str(path), 0, 0, refusal.text, refusal.hint)
