"""Blocks whose origin knows its entries: records, their times, fields and units."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from logmedic.core.matcher import Matcher
from logmedic.model.match import MatchSpec
from logmedic.model.record import Block, Checkpoint, Entry, Findings
from logmedic.model.rule import Rule

READ = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def find(texts: list[tuple[str, str]], *rules: Rule, scanner: str = "auto") -> Findings:
    """`texts`: unit and text of each entry."""
    data, entries = b"", []
    for unit, text in texts:
        entries.append(Entry(len(data), AT, {"unit": unit}, unit))
        data += f"{text}\n".encode()
    mark = Checkpoint("journal:host", "host", len(data), READ, cursor="c")
    block = Block("host", "journal:host", data, 100, mark, READ, complete=True, entries=tuple(entries))
    return Matcher(rules, zone=UTC, scanner=scanner).find(block)


def rule(pattern: str, *sources: str) -> Rule:
    return Rule("r", "t", MatchSpec((pattern,)), sources=sources)


@pytest.mark.parametrize("scanner", ["auto", "plain"])
def test_an_entry_is_one_record_whatever_newlines_it_holds(scanner: str) -> None:
    found = find([("a", "one\ntwo"), ("b", "three"), ("c", "one\n\ntwo")], rule(r"one\n+two"), scanner=scanner)
    assert [(match.record.text, match.record.start, match.record.end) for match in found.matches] == [
        ("one\ntwo", 100, 108),
        ("one\n\ntwo", 114, 123),
    ]


@pytest.mark.parametrize("scanner", ["auto", "plain"])
def test_a_trace_does_not_reach_into_the_next_entry(scanner: str) -> None:
    found = find([("a", "boom error"), ("b", "  indented")], rule("boom"), scanner=scanner)
    assert [match.record.text for match in found.matches] == ["boom error"]


def test_the_time_and_the_fields_are_those_of_the_entry() -> None:
    [match] = find([("a", "2020-01-01 00:00:00 boom")], rule("boom")).matches
    assert match.record.at == AT
    assert match.record.fields == {"unit": "a"}


@pytest.mark.parametrize(
    ("sources", "heard"),
    [
        ((), ["a", "b"]),
        (("host",), ["a", "b"]),
        (("host:a",), ["a"]),
        (("host:b", "other"), ["b"]),
        (("host:ab",), []),
        (("a",), []),
    ],
)
def test_a_rule_listens_to_a_source_or_to_a_unit_of_it(sources: tuple[str, ...], heard: list[str]) -> None:
    found = find([("a", "boom"), ("b", "boom")], rule("boom", *sources))
    assert [match.record.fields["unit"] for match in found.matches] == heard
