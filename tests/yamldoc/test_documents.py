"""YAML as people mean it, with the place of every mistake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.model.problem import RuleProblem
from logmedic.model.severity import Severity
from logmedic.yamldoc import (
    DocumentInvalid,
    Fields,
    Problems,
    duration_text,
    moment,
    parse_document,
    parse_duration,
    parse_size,
    render_problems,
)


def plain(text: str) -> object:
    return parse_document("a.yaml", text.encode()).plain()


def mistakes(content: bytes | str) -> list[RuleProblem]:
    with pytest.raises(DocumentInvalid) as told:
        parse_document("a.yaml", content if isinstance(content, bytes) else content.encode())
    return list(told.value.problems)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("0o17", "0o17"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("2026-11-24", "2026-11-24"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("17", 17),
        ("-3", -3),
        ("2.5", 2.5),
        ("'17'", "17"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_values_are_what_they_look_like(written: str, meant: object) -> None:
    assert plain(f"key: {written}\n") == {"key": meant}


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("a: 1\na: 2\n", (2, 1), "`a` is written twice"),
        ("a: &x 1\nb: *x\n", (1, 4), "anchors and aliases"),
        ("a: !!python/object:os.system x\n", (1, 4), "tag"),
        ("a: 1\n---\nb: 2\n", (2, 1), "second document"),
        ("a: [1, 2\nb: 3\n", (2, 2), "not YAML"),
        ("a: b: c\n", (1, 5), "not YAML"),
        ("a:\n\t- b\n", (2, 1), "not YAML"),
        ("a: 'unclosed\n", (2, 1), "not YAML"),
        ("{[a]: 1}\n", (1, 2), "a key that is no text"),
        ("a: \x07\n", (1, 4), "control character"),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(text: str, place: tuple[int, int], says: str) -> None:
    first = mistakes(text)[0]
    assert says in first.text
    assert (first.line, first.column) == place
    assert first.hint


@pytest.mark.parametrize(
    "content", [b"a: \xff\n", "a: b\n".encode("utf-16"), "a: b\n".encode("utf-16-le"), b"a: \x00\n"]
)
def test_what_is_no_text_is_told(content: bytes) -> None:
    assert mistakes(content)


def test_a_byte_order_mark_and_carriage_returns_are_fine() -> None:
    assert parse_document("a.yaml", b"\xef\xbb\xbfa: 1\r\nb: x\r\n").plain() == {"a": 1, "b": "x"}


def test_depth_and_size_are_bounded() -> None:
    assert "nested deeper" in mistakes("[" * 10_000)[0].text
    assert "larger than" in mistakes(b"a: " + b"x" * 2_000_000)[0].text


def test_an_empty_file_is_nothing() -> None:
    assert plain("") is None
    assert plain("# only a comment\n") is None


def outcome(content: bytes) -> tuple[RuleProblem, ...]:
    """The mistakes of any bytes; none when they are a document."""
    try:
        parse_document("a.yaml", content)
    except DocumentInvalid as invalid:
        return invalid.problems
    return ()


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    assert isinstance(render_problems(outcome(content)), str)


@given(st.text(alphabet="ab:- []{}#&*!|>'\"%@`,?\n\t ", max_size=80))
def test_no_text_raises_anything_else_and_every_mistake_has_its_line(text: str) -> None:
    assert all(each.line >= 1 for each in outcome(text.encode()))


def test_every_value_knows_its_place() -> None:
    document = parse_document("a.yaml", b"rules:\n  - id: x\n    tags: [a, b]\n")
    assert (document.place(("rules", 0, "tags")).line, document.place(("rules", 0, "tags")).column) == (3, 5)
    mark = document.place(("rules", 0, "tags", 1))
    assert (mark.line, mark.column, mark.excerpt) == (3, 15, "    tags: [a, b]")
    nearest = document.place(("rules", 0, "nothing", "there"))
    assert nearest.line == 2


def test_a_mistake_is_shown_with_its_line_a_caret_and_what_to_write() -> None:
    problem = RuleProblem("a.yaml", 3, 9, "unknown key `titel`", "did you mean `title`?", "    id: titel")
    assert render_problems([problem]) == (
        "a.yaml:3:9: error: unknown key `titel`\n"
        "    3 |     id: titel\n"
        "      |         ^\n"
        "        hint: did you mean `title`?"
    )


def test_the_caret_is_seen_in_a_line_of_any_length() -> None:
    line = "x" * 5000 + "HERE" + "y" * 5000
    shown = render_problems([RuleProblem("a.yaml", 1, 5001, "wrong", "", line)])
    _, excerpt, caret = shown.splitlines()
    assert len(excerpt) < 130
    assert excerpt[caret.index("^") :].startswith("HERE")


def test_a_file_does_not_steer_the_terminal_of_its_reader() -> None:
    shown = render_problems([RuleProblem("a.yaml", 1, 1, "bad \x1b[2J", "\x07", "\x1b]0;title\x07 \u202e")])
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604800), ("1.5s", 1.5)]
)
def test_durations_have_units(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds
    assert parse_duration(duration_text(parse_duration(text))) == parse_duration(text)


@pytest.mark.parametrize("text", ["30", "", "s", "-5s", "5 minutes", "1h30m", "٣s", "9" * 30 + "d"])
def test_what_is_no_duration_is_told_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="with its unit"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "count"), [("4096", 4096), ("64K", 65536), ("64M", 64 << 20), ("1GiB", 1 << 30)])
def test_sizes_are_powers_of_1024(text: str, count: int) -> None:
    assert parse_size(text) == count


def test_a_moment_is_a_time_or_so_long_ago() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert moment("24h", now) == now - timedelta(hours=24)
    assert moment("2026-11-24T03:00:00Z", now) == datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert moment("2026-11-24", now) == datetime(2026, 11, 24, tzinfo=UTC)
    with pytest.raises(ValueError, match="is no time"):
        moment("yesterday", now)


def read(text: str) -> tuple[Fields, Problems]:
    document = parse_document("a.yaml", text.encode())
    problems = Problems(document)
    return Fields(document.root, problems, "the thing"), problems


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("n: x", "`n` has to be a whole number from 1 to 9"),
        ("n: 10", "`n` has to be a whole number from 1 to 9"),
        ("n: 2.0", "`n` has to be a whole number from 1 to 9"),
        ("n: true", "`n` has to be a whole number from 1 to 9"),
        ("n: ''", "`n` has to be a whole number from 1 to 9"),
        ("n:", "`n` is empty"),
        ("b: yes", "`b` has to be true or false, and is `yes`"),
        ("t: [a]", "`t` has to be text, and is a list"),
        ("t: {a: 1}", "`t` has to be text, and is a mapping"),
        ("d: 30", "`30` is no duration"),
        ("d: 90d", "`d` has to be from 1s to 1h, and is 90d"),
        ("s: many", "`many` is no size"),
        ("s: 1G", "`s` has to be from 1 to 1M"),
        ("c: hihg", "`hihg` is no c"),
        ("m: text", "`m` has to be a mapping, and is text"),
        ("l: [a, [b]]", "`l` has to be text, and is a list"),
        ("x: 1", "unknown key `x` in the thing"),
    ],
)
def test_wrong_values_are_told_and_reading_goes_on(text: str, says: str) -> None:
    fields, problems = read(text)
    assert fields.integer("n", 1, minimum=1, maximum=9) in range(1, 10)
    assert fields.boolean("b", True) is True
    assert isinstance(fields.text("t"), str)
    fields.duration("d", timedelta(seconds=5), minimum=timedelta(seconds=1), maximum=timedelta(hours=1))
    fields.size("s", 5, minimum=1, maximum=1 << 20)
    assert fields.choice("c", Severity, Severity.LOW) is Severity.LOW
    fields.mapping("m")
    fields.texts("l")
    fields.done()
    (problem,) = problems.found
    assert problem.text.startswith(says)
    assert problem.line == 1


def test_one_and_a_list_of_one_are_the_same() -> None:
    assert read("l: a")[0].texts("l") == read("l: [a]")[0].texts("l") == ["a"]


def test_a_mistyped_key_or_value_is_recognised() -> None:
    fields, problems = read("severty: hihg\nseverity: hihg\n")
    fields.choice("severity", Severity, None)
    fields.done()
    assert [each.hint for each in problems.found] == ["did you mean `high`?", "did you mean `severity`?"]
