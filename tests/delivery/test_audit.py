"""An audit in which nothing was looked up is no pass, whatever exit code the tool had."""

from __future__ import annotations

import json

import pytest

from supply.audit import CLEAN, NOT_AUDITED, VULNERABLE, Answer, read, told

SKIPPED = {
    "name": "aiofiles",
    "skip_reason": "Dependency not found on PyPI and could not be audited: aiofiles (25.1.0)",
}
CLEAR = {"name": "attrs", "version": "26.1.0", "vulns": []}
FLAWED = {"name": "jinja2", "version": "3.1.5", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"], "aliases": []}]}


def said(*packages: object) -> Answer:
    return read(json.dumps({"dependencies": packages, "fixes": []}), "")


def outcome(*answers: Answer) -> int:
    return told("requirements.lock", [(f"service {number}", each) for number, each in enumerate(answers)])


def test_packages_that_were_looked_up_and_are_clear_are_a_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(said(CLEAR, CLEAR)) == CLEAN
    assert "requirements.lock: 2 packages, no known vulnerability" in capsys.readouterr().out


@pytest.mark.parametrize(
    "answer",
    [
        said(SKIPPED, SKIPPED),
        said(CLEAR, *[SKIPPED] * 5),
        said(),
        read("", "Traceback\nConnectionError: no such host"),
        read("[]", ""),
        read("No known vulnerabilities found", ""),
    ],
    ids=["nothing known", "hardly anything known", "no package", "no service", "another form", "only words"],
)
def test_whatever_was_not_looked_up_is_not_audited(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(answer) == NOT_AUDITED
    assert "NOT AUDITED: requirements.lock" in capsys.readouterr().err


def test_it_says_why_of_each_service(capsys: pytest.CaptureFixture[str]) -> None:
    outcome(said(SKIPPED), read("", "Traceback\nConnectionError: no such host"))
    told_of = capsys.readouterr().err
    assert "service 0: 1 of 1 packages were not looked up (Dependency not found on PyPI" in told_of
    assert "service 1: ConnectionError: no such host" in told_of


def test_the_answer_of_a_second_service_counts() -> None:
    assert outcome(said(SKIPPED), said(CLEAR)) == CLEAN


@pytest.mark.parametrize("others", [(CLEAR,), (SKIPPED,) * 9], ids=["of all", "of the only one that is known"])
def test_a_flaw_is_told_with_what_mends_it(others: tuple[object, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(said(FLAWED, *others)) == VULNERABLE
    assert "VULNERABLE: jinja2 3.1.5: PYSEC-1, mended in 3.1.6" in capsys.readouterr().err


def test_the_three_outcomes_have_exit_codes_of_their_own() -> None:
    assert len({CLEAN, VULNERABLE, NOT_AUDITED}) == 3
