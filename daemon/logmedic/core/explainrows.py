"""Why a record is known, or not, as rows: the same for the command line, the API and the page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from logmedic.core.explain import Explanation, Verdict

Row = dict[str, Any]
LONGEST = 4000
"""Characters of a record that others may ask a daemon about: it stands in an address."""
Now = Callable[[Verdict], Row | None]
"""What would come of a match now, as ports.Control.rule with `asked` answers it, with `daemon` (whether the daemon
says so) and `note` (why not); None: nobody was asked."""


def explained(explanation: Explanation, source: str, now: Now) -> Row:
    """Keys: text, source (None: every one), at, program (None: its head names none), rules_asked, candidates (ids of
    rules that the scanner had a hit for), matched (ids), rules (a row a verdict, what matches first), unknown
    ({component, template, fingerprint} of what is learned of it, or None)."""
    return {
        "text": explanation.text,
        "source": source or None,
        "at": iso(explanation.at),
        "program": explanation.program or None,
        "rules_asked": explanation.rules,
        "candidates": list(explanation.candidates),
        "matched": [each.rule.id for each in explanation.matches],
        "rules": [_verdict(each, now) for each in explanation.verdicts],
        "unknown": _unknown(explanation),
    }


def _verdict(verdict: Verdict, now: Now) -> Row:
    rule, match, miss = verdict.rule, verdict.match, verdict.miss
    spec = dict(rule.parts).get(verdict.part)
    captures = match.captures if match is not None and spec is not None else {}
    return {
        "rule": rule.id,
        "part": verdict.part or "match",
        "file": rule.file,
        "line": rule.line,
        "verdict": verdict.why.value,
        "reason": verdict.text,
        "hit": verdict.hit,
        "captures": [
            {"name": name, "type": spec.captures[name].type.value if spec else "", "value": value}
            for name, value in captures.items()
        ],
        "group": dict(verdict.by),
        "near_miss": None
        if miss is None
        else {
            **{key: getattr(miss, key) for key in ("pattern", "got", "matched", "wanted", "found", "at")},
            "share": round(miss.share, 3),
            "from_end": miss.from_end,
        },
        "misfits": [{"key": each.key, "wanted": list(each.wanted), "found": each.found} for each in verdict.misfits],
        "now": now(verdict) if match is not None else None,
    }


def _unknown(explanation: Explanation) -> Row | None:
    error = explanation.unknown
    if error is None:
        return None
    return {"component": error.component, "template": error.template, "fingerprint": error.fingerprint}


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
