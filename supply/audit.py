"""Whether a package that the locks name has a known vulnerability, asked of whoever answers: PyPI, then OSV.

An answer is only one when something was looked up: a service that is away, or that does not know the packages, ends in
NOT AUDITED and another exit code than a clean bill, never in a pass.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supply.parts import ROOT

CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3
SERVICES = ("pypi", "osv")
LOCKS = ("requirements.lock", "requirements-dev.lock")
LIMIT_S = 120.0
"""Of one service and one lock."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service said of one lock."""

    looked_up: int
    skipped: int
    flaws: tuple[str, ...]
    trouble: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is one: packages that a service does not know are not clean. A few unknown ones are told."""
        return not self.trouble and self.looked_up > 0 and self.skipped <= self.looked_up // 10


def read(told: str, errors: str) -> Answer:
    """Of the JSON and the errors of pip-audit."""
    try:
        packages: list[dict[str, Any]] = json.loads(told)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return Answer(0, 0, (), last[:300])
    skipped = [each for each in packages if "skip_reason" in each]
    trouble = (
        f"{len(skipped)} of {len(packages)} packages were not looked up ({skipped[0]['skip_reason']})"
        if skipped
        else ""
    )
    if len(packages) == len(skipped):
        return Answer(0, len(skipped), (), trouble or "it looked at no package")
    flaws = tuple(_flaw(each, flaw) for each in packages for flaw in each.get("vulns", ()))
    answer = Answer(len(packages) - len(skipped), len(skipped), flaws)
    return answer if answer.counts else Answer(answer.looked_up, answer.skipped, flaws, trouble)


def _flaw(package: dict[str, Any], flaw: dict[str, Any]) -> str:
    mended = ", ".join(flaw.get("fix_versions") or ()) or "no version yet"
    return f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}"


def ask(service: str, lock: Path) -> Answer:
    """The lock has every package with its hash, so nothing is resolved or installed."""
    command = [
        sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip",
        "--vulnerability-service", service, "--format", "json", "--progress-spinner", "off",
    ]  # fmt: skip
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return Answer(0, 0, (), f"no answer within {LIMIT_S:g} s")
    return read(ran.stdout, ran.stderr)


def told(lock: str, answers: Sequence[tuple[str, Answer]]) -> int:
    """Print what was found of one lock; the exit code."""
    flaws = sorted({flaw for _, answer in answers for flaw in answer.flaws})
    for flaw in flaws:
        print(f"VULNERABLE: {flaw} ({lock})", file=sys.stderr)
    whole = [(service, answer) for service, answer in answers if answer.counts]
    if flaws:
        print(
            "take the mended version (make locks), or say in SECURITY.md why it does not matter here", file=sys.stderr
        )
        return VULNERABLE
    if not whole:
        print(f"NOT AUDITED: {lock}: no service could be asked for known vulnerabilities", file=sys.stderr)
        for service, answer in answers:
            print(f"  {service}: {answer.trouble}", file=sys.stderr)
        return NOT_AUDITED
    service, answer = whole[0]
    left = f", {answer.skipped} that it does not know" if answer.skipped else ""
    print(f"{lock}: {answer.looked_up} packages, no known vulnerability ({service}){left}")
    return CLEAN


def main(arguments: Sequence[str]) -> int:
    """`--lenient`: a service that is away is told as loudly, and ends in 0 (for a CI without a way to one)."""
    codes = [told(lock, _asked(ROOT / lock)) for lock in LOCKS]
    if VULNERABLE in codes:
        return VULNERABLE
    if NOT_AUDITED in codes:
        print("NOT AUDITED is no pass: run `make audit` where a service can be reached", file=sys.stderr)
        return CLEAN if "--lenient" in arguments else NOT_AUDITED
    return CLEAN


def _asked(lock: Path) -> list[tuple[str, Answer]]:
    """Until one gives an answer that counts."""
    answers = []
    for service in SERVICES:
        answers.append((service, ask(service, lock)))
        if answers[-1][1].counts:
            break
    return answers
