"""Reads, validates and tests rule files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from logmedic.adapters.rulefiles import reading
from logmedic.adapters.rulefiles.building import FileForm, build_form, build_rule
from logmedic.adapters.rulefiles.checks import check_rule
from logmedic.adapters.rulefiles.connections import check_connections
from logmedic.adapters.rulefiles.deprecations import DEPRECATED, Deprecated, renewed
from logmedic.adapters.rulefiles.patterns import MAX_LENGTH, PatternTester, place_in
from logmedic.adapters.rulefiles.places import parts_of, patterns_in
from logmedic.adapters.rulefiles.review import Reviewer
from logmedic.model.rule import LogFiles, Rule, RuleProblem, RuleSet
from logmedic.yamldoc import Document, DocumentInvalid, Fields, Node, Problems, parse_document

Prove = Callable[[Rule], list[tuple[int, str]]]
"""Runs the tests of a rule: the line and the text of each failure."""


@dataclass(slots=True)
class _File:
    """One rule file on its way. `drafts`: the rules with their fields and their own mistakes."""

    path: str
    problems: Problems | None = None
    refused: tuple[RuleProblem, ...] = ()
    drafts: list[_RuleDraft] = field(default_factory=list)
    form: FileForm | None = None

    @property
    def mistakes(self) -> tuple[RuleProblem, ...]:
        found = self.problems.found if self.problems is not None else []
        return (*self.refused, *found)


@dataclass(slots=True)
class _RuleDraft:
    rule: Rule
    fields: Fields
    sound: bool = True


class RuleFileLoader:
    """Implements ports.RuleFiles. `paths`: files, and directories of them. `owners`: user ids that files may belong to;
    None: anybody's. `prove` runs a rule's own tests. `reviewer` finds what deserves a look."""

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        owners: frozenset[int] | None,
        prove: Prove,
        reviewer: Reviewer | None = None,
        deprecated: Sequence[Deprecated] = DEPRECATED,
    ) -> None:
        self._paths = tuple(paths)
        self._owners = reading.Owners(owners)
        self._prove = prove
        self._patterns = PatternTester()
        self._reviewer = reviewer or Reviewer()
        self._deprecated = tuple(deprecated)

    def load(self, previous: RuleSet | None = None) -> RuleSet:
        """Never raises for a bad file. A file with a mistake: the rules that `previous` had from it stay, all of them;
        without those, its sound rules are taken and the others left out. A rules directory that is gone leaves what was
        (F36); a file that was removed from it takes its rules along."""
        found, refused = reading.found_in(self._paths)
        gone = [problem_of(path, refusal) for path, refusal in refused]
        files = [self._read(path) for path in found]
        drafts = [draft for file in files for draft in file.drafts]
        self._check_patterns(drafts)
        for draft in drafts:
            self._check(draft)
        _check_ids(drafts)
        kept = {str(path) for path in found} | _of_lost_directories(previous, [path for path, _ in refused])
        _check_connections(drafts, _elsewhere(files, previous, kept))
        self._review(files)
        return _assembled(files, gone, previous, kept)

    def _read(self, path: Path) -> _File:
        file = _File(str(path))
        try:
            document = parse_document(str(path), reading.read(path, self._owners))
        except reading.Refused as refusal:
            file.refused = (problem_of(path, refusal),)
        except DocumentInvalid as invalid:
            file.refused = invalid.problems
        else:
            self._draft(file, document)
        return file

    def _draft(self, file: _File, document: Document) -> None:
        problems = file.problems = Problems(document)
        document = replace(document, root=renewed(document.root, self._deprecated, problems))
        form = build_form(document, problems)
        if problems.found:
            return
        file.form = form
        for node in form.nodes:
            count = problems.count
            fields = Fields(node, problems, "the rule")
            rule = build_rule(fields, document.file, form.service)
            file.drafts.append(_RuleDraft(rule, fields, sound=problems.count == count))

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
        brought = frozenset(each.name for file in files if file.form is not None for each in file.form.sources)
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


def _check_ids(drafts: Sequence[_RuleDraft]) -> None:
    first: dict[str, Rule] = {}
    for draft in drafts:
        rule = draft.rule
        known = first.setdefault(rule.id, rule)
        if known is not rule and rule.id:
            where = f"{known.file}:{known.line}"
            draft.fields.problems.add(draft.fields.at("id"), f"the id `{rule.id}` is taken", f"the other one: {where}")
            draft.sound = False


def _check_connections(drafts: Sequence[_RuleDraft], others: Mapping[str, Rule]) -> None:
    written = [(draft.rule, draft.fields.node) for draft in drafts]
    for number, place, (text, hint) in check_connections(written, others):
        drafts[number].fields.problems.add(place, text, hint)
        drafts[number].sound = False


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
            sources += file.form.sources if file.form is not None else ()
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
