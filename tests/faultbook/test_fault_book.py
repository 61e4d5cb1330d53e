"""docs/faults.md cannot rot: each fault has a test, each test a fault that there is, and the page says both."""

from __future__ import annotations

import re
import string
import textwrap
from pathlib import Path

import pytest

from faultbook import named, results
from faultbook.book import FAULTS, INVARIANTS
from faultbook.page import PAGE, written

TESTS = named.everything()
KNOWN = {each.name for each in (*FAULTS, *INVARIANTS)}
_NAMED_ANYHOW = re.compile(r"def (test_\w*?(?:f\d\d|i\d)_\w*)")


def test_the_faults_are_numbered_without_a_gap() -> None:
    assert [each.number for each in FAULTS] == list(range(1, 76))
    assert [each.number for each in INVARIANTS] == list(range(1, 9))


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_each_fault_and_each_invariant_has_a_test(name: str) -> None:
    assert any(name in each.names for each in TESTS) or any(name in each for each in named.modules().values())


def test_no_test_is_named_after_a_fault_that_there_is_not() -> None:
    assert [each.id for each in TESTS if not KNOWN.issuperset(each.names)] == []


def test_no_name_of_a_fault_is_written_where_it_is_not_found() -> None:
    found = {each.function for each in TESTS}
    for path in named.TESTS.rglob("test_*.py"):
        written_there = _NAMED_ANYHOW.findall(path.read_text())
        assert [each for each in written_there if each not in found] == [], path.name


def test_the_faults_of_an_invariant_exist() -> None:
    numbers = {each.number for each in FAULTS}
    assert all(numbers.issuperset(each.faults) for each in INVARIANTS)


def test_the_page_has_the_present_faults_tests_and_results() -> None:
    page = PAGE.read_text()
    assert written(page, TESTS, named.modules(), results.load()) == page, (
        "make faults-page, or make faults-page RUN= (without running them)"
    )


def test_results_are_of_tests_that_there_are() -> None:
    files = {str(path.relative_to(named.TESTS)): path for path in named.TESTS.rglob("test_*.py")}
    for test_id in results.load().tests:
        file, _, function = test_id.partition("::")
        assert f"def {function.rpartition('::')[2]}(" in files[file].read_text(), "make faults-page"


@pytest.mark.parametrize("more", sorted({each.more for each in FAULTS}))
def test_what_the_page_refers_to_is_there(more: str) -> None:
    file, _, anchor = more.partition("#")
    text = (PAGE.parent / file).read_text()
    assert not anchor or anchor in {_anchor(each) for each in re.findall(r"^#+ (.+)$", text, re.M)}


def _anchor(heading: str) -> str:
    kept = "".join(each for each in heading.lower() if each not in string.punctuation or each in "-_")
    return kept.replace(" ", "-")


# -- how it is found ---------------------------------------------------------------------------------------------------


def test_names_tell_what_a_test_is_about() -> None:
    assert named.names_in("test_f05_f08_a_stale_offset") == ("F05", "F08")
    assert named.names_in("test_i1_f47_once") == ("I1", "F47")
    assert named.names_in("test_a_file_of_f05_words") == ()
    assert named.Named("a.py", "test_f05_i1_it_holds", ("F05", "I1")).claim == "it holds"


def test_a_module_is_about_the_invariants_that_it_begins_with(tmp_path: Path) -> None:
    (tmp_path / "test_all.py").write_text('"""I3 and I7, seen from below: it is so."""\n')
    (tmp_path / "test_none.py").write_text('"""What I3 is about (I3)."""\n')
    assert named.modules(tmp_path) == {"test_all.py": ("I3", "I7")}


def test_what_pytest_reports_is_read(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        textwrap.dedent("""\
        <testsuites><testsuite>
          <testcase classname="tests.tail.test_a" name="test_f01_good"/>
          <testcase classname="tests.tail.test_a" name="test_f02_half[a]"/>
          <testcase classname="tests.tail.test_a" name="test_f02_half[b]"><failure message="no">...</failure></testcase>
          <testcase classname="tests.tail.test_a" name="test_f03_error"><error message="no">...</error></testcase>
          <testcase classname="tests.tail.test_a" name="test_f04_not[a]"><skipped message="no FUSE"/></testcase>
          <testcase classname="tests.tail.test_a" name="test_f05_partly[a]"><skipped message="no FUSE"/></testcase>
          <testcase classname="tests.tail.test_a" name="test_f05_partly[b]"/>
        </testsuite></testsuites>""")
    )
    assert results.read([report]) == {
        "tail/test_a.py::test_f01_good": "passed",
        "tail/test_a.py::test_f02_half": "failed",
        "tail/test_a.py::test_f03_error": "failed",
        "tail/test_a.py::test_f04_not": "not run: no FUSE",
        "tail/test_a.py::test_f05_partly": "passed",
    }


def test_results_are_kept(tmp_path: Path) -> None:
    told = results.Results("today", {"a.py::test_f01_good": "passed"})
    results.save(told, tmp_path / "kept.json")
    assert results.load(tmp_path / "kept.json") == told
    assert results.load(tmp_path / "none.json").of("a.py::test_f01_good") == "not run"
