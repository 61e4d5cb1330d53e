"""Reads, validates and tests rule files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from logmedic.adapters.rulefiles import reading
from logmedic.adapters.rulefiles.building import build_form, build_rule
from logmedic.adapters.rulefiles.checks import check_rule
from logmedic.adapters.rulefiles.connections import check_connections
from logmedic.adapters.rulefiles.deprecations import DEPRECATED, Deprecated, renewed
from logmedic.adapters.rulefiles.memory import Known, Memory, digest_of
from logmedic.adapters.rulefiles.patterns import MAX_LENGTH, PatternTester, place_in
from logmedic.adapters.rulefiles.places import parts_of, patterns_in
from logmedic.adapters.rulefiles.review import Reviewer
from logmedic.model.rule import LogFiles, Rule, RuleProblem, RuleSet
from logmedic.yamldoc import Document, DocumentInvalid, Fields, Node, Problems, parse_document

Prove = Callable[[Rule], list[tuple[int, str]]]
"""Runs the tests of a rule: the line and the text of each failure."""


@dataclass
class _File:
    """One rule file on its way. `drafts`: the rules with their own mistakes. `known`: it is as it was when nothing was
    wrong with it, and so nothing of it was read again."""

    path: str
    content: bytes = b""
    problems: Problems | None = None
    refused: tuple[RuleProblem, ...] = ()
    drafts: list[_RuleDraft] = field(default_factory=list)
    sources: tuple[LogFiles, ...] = ()
    known: bool = False

    @property
    def mistakes(self) -> tuple[RuleProblem, ...]:
        found = self.problems.found if self.problems is not None else []
        return (*self.refused, *found)

    @property
    def is_well(self) -> bool:
        """Without so much as a warning."""
        return not (self.mistakes or (self.problems is not None and self.problems.warnings))

    @cached_property
    def document(self) -> Document:
        """Raises DocumentInvalid, but not of a file that is known."""
        return parse_document(self.path, self.content)

    @cached_property
    def nodes(self) -> tuple[Fields, ...]:
        """Of a file that is known: where its rules stand, for what is wrong with them now."""
        self.problems = self.problems or Problems(self.document)
        form = build_form(self.document, self.problems)
        return tuple(Fields(node, self.problems, "the rule") for node in form.nodes)


@dataclass(slots=True)
class _RuleDraft:
    """`number`: of the rule in its file."""

    rule: Rule
    file: _File
    number: int
    read: Fields | None = None
    sound: bool = True

    @property
    def fields(self) -> Fields:
        return self.read or self.file.nodes[self.number]


class RuleFileLoader:
    """Implements ports.RuleFiles. `paths`: files, and directories of them. `owners`: user ids that files may belong to;
    None: anybody's. `prove` runs a rule's own tests. `reviewer` finds what deserves a look. `memory`: what is known of
    files that do not change; not for a reviewer that looks at the host as well."""

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        owners: frozenset[int] | None,
        prove: Prove,
        reviewer: Reviewer | None = None,
        deprecated: Sequence[Deprecated] = DEPRECATED,
        memory: Memory | None = None,
    ) -> None:
        self._paths = tuple(paths)
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
        gone = [problem_of(path, refusal) for path, refusal in refused]
        files = [self._read(path) for path in found]
        drafts = [draft for file in files for draft in file.drafts]
        new = [draft for file in files if not file.known for draft in file.drafts]
        self._check_patterns(new)
        for draft in new:
            self._check(draft)
        _check_ids(drafts, previous)
        kept = {str(path) for path in found} | _of_lost_directories(previous, [path for path, _ in refused])
        _check_connections(drafts, _elsewhere(files, previous, kept))
        self._review([file for file in files if not file.known])
        ruleset = _assembled(files, gone, previous, kept)
        self._remember(files, ruleset)
        return replace(ruleset, revision=self._revision(ruleset))

    def save(self) -> None:
        """See ports.RuleFiles."""
        self._memory.save()

    def _remember(self, files: Sequence[_File], ruleset: RuleSet) -> None:
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

    def _read(self, path: Path) -> _File:
        file = _File(str(path))
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
                file.drafts = [_RuleDraft(rule, file, number) for number, rule in enumerate(known.rules)]
        return file

    def _draft(self, file: _File, document: Document) -> None:
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
            file.drafts.append(_RuleDraft(rule, file, number, fields, sound=problems.count == count))

    def _check_patterns(self, drafts: Sequence[_RuleDraft]) -> None:
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

    def _check(self, draft: _RuleDraft) -> None:
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

    def _review(self, files: Sequence[_File]) -> None:
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


def _check_ids(drafts: Sequence[_RuleDraft], previous: RuleSet | None) -> None:
    """Who had an id before keeps it."""
    had = {(rule.id, rule.file) for rule in previous.rules} if previous is not None else set()
    first: dict[str, Rule] = {}
    for draft in sorted(drafts, key=lambda each: (each.rule.id, each.file.path) not in had):
        rule = draft.rule
        known = first.setdefault(rule.id, rule)
        if known is not rule and rule.id:
            where = f"{known.file}:{known.line}"
            draft.fields.problems.add(draft.fields.at("id"), f"the id `{rule.id}` is taken", f"the other one: {where}")
            draft.sound = False


def _check_connections(drafts: Sequence[_RuleDraft], others: Mapping[str, Rule]) -> None:
    written = [(draft.rule, partial(_node_of, draft)) for draft in drafts]
    for number, place, (text, hint) in check_connections(written, others):
        drafts[number].fields.problems.add(place, text, hint)
        drafts[number].sound = False


def _node_of(draft: _RuleDraft) -> Node:
    return draft.fields.node


def _elsewhere(files: Sequence[_File], previous: RuleSet | None, kept: set[str]) -> dict[str, Rule]:
    """The rules that stay in force though nothing of their files can be read now."""
    read = {file.path for file in files if file.drafts}
    before = previous.rules if previous is not None else ()
    return {rule.id: rule for rule in before if rule.file in kept and rule.file not in read}


def _of_lost_directories(previous: RuleSet | None, lost: Sequence[Path]) -> set[str]:
    return {name for name in (previous.files if previous else ()) if any(path in Path(name).parents for path in lost)}


def _assembled(files: Sequence[_File], gone: list[RuleProblem], previous: RuleSet | None, kept: set[str]) -> RuleSet:
    before: dict[str, list[Rule]] = {}
    for rule in previous.rules if previous else ():
        before.setdefault(rule.file, []).append(rule)
    here = dict.fromkeys(file.path for file in files)
    stale = [file.path for file in files if file.mistakes and file.path in before]
    stale += sorted(name for name in before if name in kept and name not in here)
    rules: dict[str, Rule] = {}
    sources: list[LogFiles] = []
    for file in files:
        if file.path not in stale:
            rules.update((draft.rule.id, draft.rule) for draft in file.drafts if draft.sound)
            sources += file.sources
    for name in stale:
        for rule in before[name]:
            rules.setdefault(rule.id, rule)
    sources += [each for each in (previous.sources if previous else ()) if each.file in stale]
    found = (*gone, *(each for file in files for each in file.mistakes))
    warnings = [each for file in files if file.problems is not None for each in file.problems.warnings]
    every = (*here, *(name for name in stale if name not in here))
    return RuleSet(tuple(rules.values()), tuple(sources), _in_order(found), every, tuple(stale), _in_order(warnings))


def _in_order(problems: Sequence[RuleProblem]) -> tuple[RuleProblem, ...]:
    return tuple(sorted(problems, key=lambda each: (each.file, each.line, each.column)))


def problem_of(path: Path, refusal: reading.Refused) -> RuleProblem:
    return RuleProblem(str(path), 0, 0, refusal.text, refusal.hint)
