"""How tests ended when they were run last: results.json, which is written from what pytest reports in JUnit's form."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

KEPT = Path(__file__).with_name("results.json")
PASSED, FAILED = "passed", "failed"
NOT_RUN = "not run"
MAX_WHY = 80
"""Characters of why one was skipped."""


@dataclass(frozen=True, slots=True)
class Results:
    """`tests`: by `file::function`, PASSED, FAILED, or NOT_RUN with a reason; of one with many parameters the worst.
    `on`: what they were run with and when, in words."""

    on: str = ""
    tests: Mapping[str, str] = field(default_factory=dict)

    def of(self, test_id: str) -> str:
        return self.tests.get(test_id, NOT_RUN)

    def of_file(self, file: str) -> list[str]:
        return [result for test_id, result in self.tests.items() if test_id.startswith(f"{file}::")] or [NOT_RUN]


def load(kept: Path = KEPT) -> Results:
    return Results(**json.loads(kept.read_text())) if kept.exists() else Results()


def save(results: Results, kept: Path = KEPT) -> None:
    kept.write_text(json.dumps(asdict(results), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read(reports: Iterable[Path]) -> dict[str, str]:
    """Of JUnit reports that pytest wrote."""
    found: dict[str, list[str]] = {}
    for report in reports:
        for case in ET.parse(report).iter("testcase"):
            if not case.get("classname"):  # a file that could not be collected, a run that was broken off
                continue
            file = case.get("classname", "").removeprefix("tests.").replace(".", "/") + ".py"
            function = case.get("name", "").partition("[")[0]
            found.setdefault(f"{file}::{function}", []).append(_ended(case))
    return {test_id: worst(each) for test_id, each in found.items()}


def worst(results: list[str]) -> str:
    """What failed; else what did not run, if none did; else PASSED."""
    if FAILED in results:
        return FAILED
    return PASSED if PASSED in results else results[0]


def _ended(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED
    if (skipped := case.find("skipped")) is not None:
        return f"{NOT_RUN}: {skipped.get('message', '')[:MAX_WHY]}"
    return PASSED
