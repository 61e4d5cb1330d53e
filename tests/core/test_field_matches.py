"""Rules about a field or a level: the same whatever scanner finds the candidates."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.core.matcher import Matcher
from logmedic.model.match import Capture, CaptureType, Level, MatchSpec
from logmedic.model.record import Block, Checkpoint, Entry, Findings
from logmedic.model.rule import Rule

READ = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)


def find(text: str, *rules: Rule, scanner: str = "auto", entries: tuple[Entry, ...] = ()) -> Findings:
    mark = Checkpoint("a.log", "app", len(text), READ)
    block = Block("app", "a.log", text.encode(), 0, mark, READ, complete=True, entries=entries)
    return Matcher(rules, zone=UTC, scanner=scanner).find(block)


def rule(pattern: str, field: str = "", level: Level | None = None, **more: object) -> Rule:
    return Rule("r", "t", MatchSpec((pattern,), field=field, level=level, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("scanner", ["auto", "plain"])
@pytest.mark.parametrize(
    ("line", "field", "pattern", "matches"),
    [
        ('{"message":"timeout","other":"x"}', "message", "^timeout$", True),
        ('{"message":"a timeout here"}', "message", "^timeout$", False),
        ('{"other":"timeout"}', "message", "timeout", False),
        ('{"message":"say \\"no\\" now"}', "message", 'say "no"', True),
        ('{"message":"stra\\u00dfe is closed"}', "message", "straße is closed", True),
        ('{"message":"straße is closed"}', "message", "straße is closed", True),
        ('{"message":"one\\ntwo"}', "message", "one\ntwo", True),
        ('{"path":"a\\/b\\/c"}', "path", "^a/b/c$", True),
        ('{"http":{"status":502}}', "http.status", r"^5\d\d$", True),
        ('{"took":1.50}', "took", r"^1\.50$", True),
        ('{"tags":["db", "slow"]}', "tags.1", "^slow$", True),
        ('level=error msg="it \\"broke\\" badly"', "msg", '^it "broke"', True),
        ("timeout without any field", "message", "timeout", False),
    ],
)
def test_a_pattern_about_a_field_sees_its_value(
    line: str, field: str, pattern: str, matches: bool, scanner: str
) -> None:
    assert bool(find(f"{line}\n", rule(pattern, field), scanner=scanner).matches) is matches


def test_captures_and_exceptions_are_those_of_the_field() -> None:
    known = rule(
        r"^from (?P<client>\S+)$", "msg", unless=(r"10\.0\.0\.9$",), captures={"client": Capture(CaptureType.IP)}
    )
    lines = "".join(f'{{"msg":"from {ip}","note":"10.0.0.9"}}\n' for ip in ("10.0.0.1", "10.0.0.9", "nobody"))
    found = find(lines, known)
    assert [match.captures for match in found.matches] == [{"client": "10.0.0.1"}]
    assert found.captures_refused == 1


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        ('{"level":"error","msg":"disk"}', True),
        ('{"level":"fatal","msg":"disk"}', True),
        ('{"level":"warn","msg":"disk"}', False),
        ("2026-11-24 03:12:41 ERROR disk", True),
        ("2026-11-24 03:12:41 INFO disk", False),
        ("disk, and no level", False),
    ],
)
def test_a_level_means_so_bad_or_worse(line: str, matches: bool) -> None:
    assert bool(find(f"{line}\n", rule("disk", level=Level.ERROR)).matches) is matches


@pytest.mark.parametrize("scanner", ["auto", "plain"])
def test_what_an_origin_says_of_an_entry_is_a_field_though_no_line_holds_it(scanner: str) -> None:
    entries = (Entry(0, READ, {"ORDER": "17", "priority": "3"}), Entry(4, READ, {"ORDER": "18", "priority": "6"}))
    found = find("one\ntwo\n", rule("^17$", "ORDER"), scanner=scanner, entries=entries)
    assert [match.record.text for match in found.matches] == ["one"]
    found = find("one\ntwo\n", rule("o", level=Level.WARNING), scanner=scanner, entries=entries)
    assert [match.record.text for match in found.matches] == ["one"]


WORDS = st.text(st.sampled_from('ab"\\/ü\n\t é'), max_size=8)


@given(
    st.lists(st.dictionaries(st.sampled_from(["m", "n"]), WORDS, min_size=1), min_size=1, max_size=6),
    st.text(st.sampled_from('ab"ü\n'), min_size=1, max_size=3),
    st.booleans(),
)
def test_no_scanner_misses_a_value(rows: list[dict[str, str]], wanted: str, ascii_only: bool) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows)
    pattern = wanted.replace("\n", r"\n")
    expected = [json.dumps(row, ensure_ascii=ascii_only) for row in rows if wanted in row.get("m", "")]
    for scanner in ("hyperscan", "plain"):
        found = find(lines, rule(pattern, "m"), scanner=scanner)
        assert [match.record.text for match in found.matches] == expected
