"""What is known of rule files that are as they were: nothing of them is read again, and nobody can plant it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.adapters.rulefiles.memory import Memory
from logmedic.adapters.rulefiles.shelf import KEPT, LEFT_S, Shelf, program_stamp
from logmedic.core.ruletest import run_tests
from logmedic.model.rule import Rule, RuleSet

RULE = """\
version: 1
service: web
sources: {{ web: {{ files: /var/log/web.log }} }}
rules:
  - id: {id}
    title: "web is down"
    match: {{ pattern: '{pattern}' }}
    tests: [{{ name: it is down, lines: [web down], expect: {{ fires: 1 }} }}]
"""


class Proofs:
    """Runs the tests of rules, and remembers whose."""

    def __init__(self) -> None:
        self.of: list[str] = []

    def __call__(self, rule: Rule) -> list[tuple[int, str]]:
        self.of.append(rule.id)
        return run_tests(rule)


def write(path: Path, rule_id: str, pattern: str = "web down") -> None:
    path.write_text(RULE.format(id=rule_id, pattern=pattern))


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    directory = tmp_path / "rules"
    directory.mkdir()
    write(directory / "a.yaml", "a")
    write(directory / "b.yaml", "b")
    return directory


def loader(rules: Path, proofs: Proofs, shelf: Shelf | None = None) -> RuleFileLoader:
    return RuleFileLoader([rules], owners=None, prove=proofs, memory=Memory(shelf))


def loaded(rules: Path, proofs: Proofs, shelf: Shelf) -> RuleSet:
    """By a process that ends then."""
    one = loader(rules, proofs, shelf)
    found = one.load()
    one.save()
    return found


def test_a_reload_looks_only_at_what_changed(rules: Path) -> None:
    proofs = Proofs()
    one = loader(rules, proofs)
    first = one.load()
    write(rules / "b.yaml", "b2")
    second = one.load(first)
    assert proofs.of == ["a", "b", "b2"]
    assert [rule.id for rule in second.rules] == ["a", "b2"]
    assert second.rules[0] is first.rules[0]
    assert second.revision != first.revision
    assert one.load(second).revision == second.revision


def test_a_start_looks_at_nothing_that_an_earlier_one_knows(rules: Path, tmp_path: Path) -> None:
    shelf, proofs = Shelf(tmp_path / "cache", "stamp"), Proofs()
    before = loaded(rules, Proofs(), shelf)
    after = loaded(rules, proofs, shelf)
    assert (after, proofs.of) == (before, [])


def test_another_program_looks_at_everything_again(rules: Path, tmp_path: Path) -> None:
    proofs = Proofs()
    loaded(rules, Proofs(), Shelf(tmp_path / "cache", "stamp"))
    loaded(rules, proofs, Shelf(tmp_path / "cache", "another"))
    assert proofs.of == ["a", "b"]
    assert len(program_stamp()) == 64


def test_what_is_wrong_is_looked_at_each_time_and_told_each_time(rules: Path) -> None:
    one = loader(rules, Proofs())
    write(rules / "b.yaml", "b", "web up")
    first = one.load()
    assert len(first.problems) == 1
    assert one.load(first).problems == first.problems


def test_f34_a_file_that_is_known_can_be_in_the_way_of_a_new_one(rules: Path) -> None:
    one = loader(rules, Proofs())
    first = one.load()
    write(rules / "c.yaml", "a")
    second = one.load(first)
    (problem,) = second.problems
    assert "the id `a` is taken" in problem.text
    assert (problem.file, problem.line) == (str(rules / "c.yaml"), 5)
    assert str(rules / "a.yaml") in problem.hint
    write(rules / "0.yaml", "b")
    third = one.load(second)
    assert next((each.file, each.hint) for each in third.problems) == (
        str(rules / "0.yaml"),
        f"the other one: {rules / 'b.yaml'}:5",
    )
    assert [rule.file for rule in third.rules] == [str(rules / "a.yaml"), str(rules / "b.yaml")]


def test_a_rule_about_one_that_was_removed_is_told_of_though_its_file_is_known(rules: Path) -> None:
    one = loader(rules, Proofs())
    (rules / "c.yaml").write_text(
        "version: 1\nrules: [{ id: c, title: t, match: { incident: [a] }, when: { unless_incident: [b] } }]\n"
    )
    first = one.load()
    assert first.problems == ()
    (rules / "a.yaml").unlink()
    assert [each.text for each in one.load(first).problems] == ["there is no rule `a`"]


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "writable", "link"])
def test_what_is_damaged_or_may_be_somebody_elses_is_as_if_it_were_not_there(
    rules: Path, tmp_path: Path, harm: str
) -> None:
    shelf, proofs = Shelf(tmp_path / "cache"), Proofs()
    loaded(rules, Proofs(), shelf)
    (file,) = (tmp_path / "cache").glob("*.rules")
    content = file.read_bytes()
    match harm:
        case "cut":
            file.write_bytes(content[:-1])
        case "changed":
            file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "empty":
            file.write_bytes(b"")
        case "writable":
            file.chmod(0o666)
        case "link":
            file.rename(tmp_path / "elsewhere")
            file.symlink_to(tmp_path / "elsewhere")
    assert len(loaded(rules, proofs, shelf).rules) == 2
    assert proofs.of == ["a", "b"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_takes_nothing_that_another_user_wrote(rules: Path, tmp_path: Path) -> None:
    shelf, proofs = Shelf(tmp_path / "cache"), Proofs()
    loaded(rules, Proofs(), shelf)
    (file,) = (tmp_path / "cache").glob("*.rules")
    os.chown(file, 12345, 12345)
    loaded(rules, proofs, shelf)
    assert proofs.of == ["a", "b"]


def test_a_directory_that_cannot_be_written_is_no_trouble(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    assert len(loaded(rules, Proofs(), Shelf(tmp_path / "cache")).rules) == 2


def test_i6_only_the_last_ones_are_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cache")
    for each in range(KEPT * 3):
        shelf.put(f"db-{each}", b"x")
        shelf.put(str(each), b"y")
    assert len(list((tmp_path / "cache").iterdir())) == KEPT
    assert shelf.get(str(KEPT * 3 - 1)) == b"y"
    assert all(each.stat().st_mode & 0o077 == 0 for each in (tmp_path / "cache").iterdir())


def test_only_what_is_named_like_ours_is_removed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    for number in range(2 * KEPT):
        (cache / f"precious{number}.db").write_text("x")
        os.utime(cache / f"precious{number}.db", (number, number))
    Shelf(cache).put("key", b"x")
    assert len(list(cache.glob("precious*"))) == 2 * KEPT


def test_what_a_killed_writer_left_goes_after_an_hour(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    for name, age in (("old", LEFT_S + 60), ("new", 60)):
        left = cache / f".new-{name * 4}"
        left.write_text("half")
        os.utime(left, (left.stat().st_mtime - age,) * 2)
    Shelf(cache).put("key", b"x")
    assert [each.name for each in cache.glob(".new-*")] == [".new-newnewnewnew"]


@pytest.mark.parametrize("harm", ["link", "writable", "owner"])
def test_a_directory_that_somebody_else_can_change_is_neither_read_nor_written(tmp_path: Path, harm: str) -> None:
    if harm == "owner" and os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    cache, other = Shelf(tmp_path / "cache"), tmp_path / "other"
    cache.put("key", b"x")
    assert cache.get("key") == b"x"
    match harm:
        case "link":
            (tmp_path / "cache").rename(other)
            (tmp_path / "cache").symlink_to(other)
        case "writable":
            (tmp_path / "cache").chmod(0o777)
        case "owner":
            os.chown(tmp_path / "cache", 12345, 12345)
    cache.put("another", b"y")
    assert cache.get("key") is None
    assert len(list((tmp_path / "cache").iterdir())) == 1
