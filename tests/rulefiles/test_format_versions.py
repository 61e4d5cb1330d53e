"""The format grows: what is newer is refused with what to do, what is old goes on working and is warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.deprecations import DEPRECATED, Deprecated
from rulefiles.loading import a_file, ids, load, put, rule, texts, told

OLD = (
    Deprecated(("rules", "*", "match"), "regex", "pattern", since="9.1"),
    Deprecated(("rules", "*"), "urgency", "severity", since="9.2"),
)


def test_nothing_of_version_1_is_deprecated() -> None:
    assert DEPRECATED == ()


@pytest.mark.parametrize(
    ("version", "says", "hint"),
    [
        ("2", "version 2 of the format is newer than this logmedic, which knows 1", "upgrade logmedic"),
        ("17", "version 17 of the format is newer", "upgrade logmedic"),
        ("0", "version 0 is not known", "write `version: 1`"),
        ("one", "version one is not known", "write `version: 1`"),
        ("[1]", "version a list is not known", "write `version: 1`"),
    ],
)
def test_another_version_is_refused_with_what_to_do(tmp_path: Path, version: str, says: str, hint: str) -> None:
    loaded = load(put(tmp_path, a_file(rule()).replace("version: 1", f"version: {version}")))
    assert says in told(loaded)
    assert hint in told(loaded)
    assert ids(loaded) == []


def test_an_old_key_goes_on_working_and_is_warned_of_at_its_place(tmp_path: Path) -> None:
    path = put(tmp_path, a_file(rule(title="boom", urgency="high", match="{ regex: boom }"), rule("two")))
    loaded = load(path, deprecated=OLD)
    assert told(loaded) == ""
    assert ids(loaded) == ["one", "two"]
    assert [loaded.rules[0].match.patterns, loaded.rules[0].severity.value] == [("boom",), "high"]
    assert texts(loaded.warnings) == [
        "`regex` is the old name of `pattern` (since 9.1)",
        "`urgency` is the old name of `severity` (since 9.2)",
    ]
    assert [each.line for each in loaded.warnings] == [6, 7]
    assert ids(load(path)) == ["two"], "without the table it is an unknown key"


def test_the_old_and_the_new_name_together_are_a_mistake(tmp_path: Path) -> None:
    loaded = load(put(tmp_path, a_file(rule(title="boom", match="{ regex: a, pattern: boom }"))), deprecated=OLD)
    assert "both `regex` and `pattern`" in told(loaded)
    assert ids(loaded) == []
