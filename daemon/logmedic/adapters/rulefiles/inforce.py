"""Which rules are in force after a load: those of the new files, and the last good ones of files with a mistake."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from logmedic.adapters.rulefiles.connections import check_connections
from logmedic.adapters.rulefiles.drafts import File, RuleDraft
from logmedic.model.problem import RuleProblem
from logmedic.model.rule import Rule, RuleSet
from logmedic.yamldoc import Node


class InForce:
    """Of one load. `lost`: directories that cannot be looked into; what came from them stays."""

    def __init__(self, files: Sequence[File], lost: Sequence[Path], previous: RuleSet | None) -> None:
        self._files = files
        self._previous = previous or RuleSet()
        self._before: dict[str, list[Rule]] = {}
        for rule in self._previous.rules:
            self._before.setdefault(rule.file, []).append(rule)
        here = {file.path for file in files}
        self._lost = sorted(name for name in self._before if name in of_directories(previous, lost) - here)
        self._drafts = [draft for file in files for draft in file.drafts]

    @property
    def stale(self) -> list[str]:
        """The files of which the last good version stays, as far as it is known by now."""
        return [*(file.path for file in self._files if file.mistakes and file.path in self._before), *self._lost]

    def check(self) -> None:
        """Add what is wrong between rules, of all that are written."""
        self._check_ids()
        written = {rule.id for rule in _rules(self._drafts)}
        self._check_connections(self._drafts, {each.id: each for each in self._staying() if each.id not in written})

    def settle(self) -> None:
        """What was refused is not there for others, and what stays in the place of a file is: until nothing more is
        refused. Each round refuses a rule at least."""
        while self._refuse():
            pass

    def _refuse(self) -> bool:
        """Whether a rule that was sound is refused by this."""
        staying = {rule.id: rule for rule in self._staying()}
        coming = self._coming()
        for draft in coming:
            if (other := staying.get(draft.rule.id)) is not None:
                _taken(draft, other)
        self._check_connections([draft for draft in coming if draft.sound], staying)
        return not all(draft.sound for draft in coming)

    def _staying(self) -> list[Rule]:
        return [rule for name in self.stale for rule in self._before[name]]

    def _coming(self) -> list[RuleDraft]:
        stale = set(self.stale)
        return [draft for draft in self._drafts if draft.sound and draft.file.path not in stale]

    def _check_ids(self) -> None:
        """Who had an id before keeps it."""
        had = {(rule.id, rule.file) for rule in self._previous.rules}
        first: dict[str, Rule] = {}
        for draft in sorted(self._drafts, key=lambda each: (each.rule.id, each.file.path) not in had):
            known = first.setdefault(draft.rule.id, draft.rule)
            if known is not draft.rule and draft.rule.id:
                _taken(draft, known)

    def _check_connections(self, drafts: Sequence[RuleDraft], others: Mapping[str, Rule]) -> None:
        written = [(draft.rule, partial(_node_of, draft)) for draft in drafts]
        refused = {rule.id for rule in _rules(self._drafts)}
        for number, place, (text, hint) in list(check_connections(written, others, refused)):
            drafts[number].fields.problems.add(place, text, hint)
            drafts[number].sound = False

    def assembled(self, gone: Sequence[RuleProblem]) -> RuleSet:
        """`gone`: what is wrong with paths."""
        stale = self.stale
        sources = [each for file in self._files if file.path not in stale for each in file.sources]
        sources += [each for each in self._previous.sources if each.file in stale]
        found = (*gone, *(each for file in self._files for each in file.mistakes))
        warnings = [each for file in self._files if file.problems is not None for each in file.problems.warnings]
        return RuleSet(
            (*_rules(self._coming()), *self._staying()),
            tuple(sources),
            _in_order(found),
            (*dict.fromkeys(file.path for file in self._files), *self._lost),
            tuple(stale),
            _in_order(warnings),
        )


def of_directories(previous: RuleSet | None, lost: Sequence[Path]) -> set[str]:
    """The files of `previous` that were in one of them."""
    return {name for name in (previous.files if previous else ()) if any(path in Path(name).parents for path in lost)}


def _rules(drafts: Collection[RuleDraft]) -> list[Rule]:
    return [draft.rule for draft in drafts]


def _taken(draft: RuleDraft, other: Rule) -> None:
    where = f"{other.file}:{other.line}"
    text = f"the id `{draft.rule.id}` is taken"
    draft.fields.problems.add(draft.fields.at("id"), text, f"the other one: {where}")
    draft.sound = False


def _node_of(draft: RuleDraft) -> Node:
    return draft.fields.node


def _in_order(problems: Sequence[RuleProblem]) -> tuple[RuleProblem, ...]:
    return tuple(sorted(problems, key=lambda each: (each.file, each.line, each.column)))
