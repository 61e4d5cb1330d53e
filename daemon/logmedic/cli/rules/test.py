"""rules test."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import color_on_stderr, print_rows, several
from logmedic.cli.rules.group import FAILED, INVALID, PATHS, loader_of, rules_command
from logmedic.cli.styled import say
from logmedic.model.errors import NotFound
from logmedic.model.rule import Rule, RuleSet

Case = dict[str, Any]
WORTH_A_PROCESS = 200
"""With fewer tests, starting processes takes longer than it saves."""


@rules_command.command("test")
@PATHS
@click.option("--rule", "wanted", multiple=True, metavar="ID", help="Only this rule; `nginx-*` takes several.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write the results as JUnit XML.")
@shared
@pass_context
def test_command(context: Context, paths: tuple[Path, ...], wanted: tuple[str, ...], junit: Path | None) -> int:
    """Run the tests inside the rules, one line a test. Exit code 6 when one fails, 3 when a file does not load."""
    from logmedic.cli.rules.junit import junit_xml

    began = time.monotonic()
    loaded = loader_of(context, paths, prove=False).load()
    rules = _chosen(loaded, wanted)
    cases = _run(rules)
    if junit is not None:
        junit.write_text(junit_xml(cases, loaded.problems))
    if context.output == "table":
        _tell(cases, rules, time.monotonic() - began)
    else:
        print_rows(cases, {}, context.output, nothing="")
    if loaded.problems:
        _complain(loaded)
        return INVALID
    return FAILED if any(case["failure"] for case in cases) else 0


def _chosen(loaded: RuleSet, wanted: Sequence[str]) -> list[Rule]:
    """Raises NotFound for a name that no rule has."""
    for pattern in wanted:
        if not any(fnmatchcase(rule.id, pattern) for rule in loaded.rules):
            raise NotFound(f"no rule that loads is called {pattern}", "logmedic rules list")
    return [rule for rule in loaded.rules if not wanted or any(fnmatchcase(rule.id, each) for each in wanted)]


def _run(rules: Sequence[Rule]) -> list[Case]:
    """In the order of the rules."""
    workers = len(os.sched_getaffinity(0))
    if workers < 2 or sum(len(rule.tests) for rule in rules) < WORTH_A_PROCESS:
        return [case for rule in rules for case in run_rule(rule)]
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        return [case for cases in pool.map(run_rule, rules, chunksize=8) for case in cases]


def run_rule(rule: Rule) -> list[Case]:
    """Its tests, in order."""
    from logmedic.core.ruletest import make_matcher, run_test

    matcher = make_matcher(rule)
    cases: list[Case] = []
    for test in rule.tests:
        began = time.perf_counter()
        failure = run_test(rule, test, matcher)
        case = {"rule": rule.id, "test": test.name, "file": rule.file, "line": test.line, "failure": failure}
        cases.append({**case, "seconds": round(time.perf_counter() - began, 6)})
    return cases


def _tell(cases: Sequence[Case], rules: Sequence[Rule], seconds: float) -> None:
    for case in cases:
        for row in _rows(case):
            say(row)
    passed = sum(1 for case in cases if not case["failure"])
    say(f"{passed} of {several(len(cases), 'test')} passed ({several(len(rules), 'rule')}, {seconds:.1f} s)")


def _rows(case: Case) -> Iterator[str]:
    yield f"{'✗' if case['failure'] else '✓'} {case['rule']}: {case['test']}"
    if case["failure"]:
        yield f"    {case['file']}:{case['line']}: {case['failure']}"


def _complain(loaded: RuleSet) -> None:
    from logmedic.yamldoc import render_problems

    click.echo(render_problems(loaded.problems, color=color_on_stderr()), err=True)
