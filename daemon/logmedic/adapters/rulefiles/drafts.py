"""Rule files and their rules on their way to be loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from logmedic.adapters.rulefiles.building import build_form
from logmedic.model.problem import RuleProblem
from logmedic.model.rule import LogFiles, Rule
from logmedic.yamldoc import Document, Fields, Problems, parse_document


@dataclass
class File:
    """One rule file on its way. `drafts`: the rules with their own mistakes. `known`: it is as it was when nothing was
    wrong with it, and so nothing of it was read again."""

    path: str
    content: bytes = b""
    problems: Problems | None = None
    refused: tuple[RuleProblem, ...] = ()
    drafts: list[RuleDraft] = field(default_factory=list)
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
class RuleDraft:
    """`number`: of the rule in its file."""

    rule: Rule
    file: File
    number: int
    read: Fields | None = None
    sound: bool = True

    @property
    def fields(self) -> Fields:
        return self.read or self.file.nodes[self.number]
