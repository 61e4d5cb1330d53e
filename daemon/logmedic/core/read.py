"""What is read of one record while rules are asked: its head, its fields, its level; each once, when it is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from logmedic.core.asking import No
from logmedic.core.fields import fields_of, level_of
from logmedic.core.heads import Head, head_of, programs
from logmedic.core.reportmatch import fits, said_of
from logmedic.model.match import Level, MatchSpec
from logmedic.model.record import Entry
from logmedic.model.report import Report


class Read:
    """One record while rules are asked. Fields are looked for once, when a rule asks for them."""

    def __init__(self, text: str, entry: Entry) -> None:
        self.text = text
        self._entry = entry

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """What the line says, and what its origin says, which knows better."""
        return {**fields_of(self.text), **self._entry.fields}

    @cached_property
    def head(self) -> Head | None:
        return head_of(self.text)

    def said_by(self, names: tuple[str, ...]) -> str | None:
        """Its message; None when its head names another program."""
        if self.head is None:
            return self.text
        return self.text[self.head.end :] if programs(names).fullmatch(self.head.program) else None

    @property
    def level(self) -> Level | None:
        return level_of(self.fields, self.text)

    def about(self, spec: MatchSpec) -> str | No:
        """The text that its patterns are about; else the condition that does not hold."""
        if spec.report is not None:
            return self._reported(spec)
        if not spec.program and not spec.field and spec.level is None:
            return self.text
        text = self.said_by(spec.program) if spec.program else self.text
        if text is None:
            return No.PROGRAM
        if spec.field and (text := self.fields.get(spec.field)) is None:
            return No.FIELD
        told = self.level if spec.level is not None else None
        if spec.level is not None and (told is None or told.rank < spec.level.rank):
            return No.LEVEL
        return text

    @property
    def report(self) -> Report | None:
        return self._entry.report

    @property
    def told(self) -> Mapping[str, str]:
        """What its origin says of it: of a report, its fields, which no text of a log can have."""
        return self._entry.fields

    @cached_property
    def _said(self) -> str:
        return said_of(self.text)

    def _reported(self, spec: MatchSpec) -> str | No:
        """Of what is about reports."""
        report = self._entry.report
        if report is None or spec.report is None or not fits(spec.report, report):
            return No.REPORT
        return self.told.get(spec.field, No.FIELD) if spec.field else self._said

    def instead(self, no: No) -> str:
        """What it has where that condition wants something else."""
        match no:
            case No.PROGRAM if self.head is not None:
                return self.head.program
            case No.LEVEL if self.level is not None:
                return self.level.value
        return ""
