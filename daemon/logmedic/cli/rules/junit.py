"""The results of `rules test` as JUnit XML, which build servers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from logmedic.cli.output import visible
from logmedic.model.problem import RuleProblem


def junit_xml(cases: Sequence[Mapping[str, Any]], problems: Sequence[RuleProblem]) -> str:
    """A suite a file. What keeps a rule from loading is an error in the suite of its file."""
    root = ElementTree.Element("testsuites", name="logmedic rules")
    by_file = {file: list(rows) for file, rows in groupby(cases, key=lambda case: str(case["file"]))}
    for file in dict.fromkeys((*by_file, *(problem.file for problem in problems))):
        errors = [problem for problem in problems if problem.file == file]
        _suite(root, file, by_file.get(file, []), errors)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(
    root: ElementTree.Element, file: str, cases: Sequence[Mapping[str, Any]], errors: Sequence[RuleProblem]
) -> None:
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=visible(file),
        tests=str(len(cases) + len(errors)),
        failures=str(sum(1 for case in cases if case["failure"])),
        errors=str(len(errors)),
        time=f"{sum(case['seconds'] for case in cases):.3f}",
    )
    for case in cases:
        element = _case(suite, case["rule"], case["test"], file, case["line"])
        element.set("time", f"{case['seconds']:.3f}")
        if case["failure"]:
            ElementTree.SubElement(element, "failure", message=visible(case["failure"]))
    for error in errors:
        element = _case(suite, "the file", f"loads, line {error.line}", file, error.line)
        ElementTree.SubElement(element, "error", message=visible(f"{error.text}; {error.hint}"))


def _case(suite: ElementTree.Element, rule: str, name: str, file: str, line: int) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", classname=visible(rule), name=visible(name), file=visible(file), line=str(line)
    )
