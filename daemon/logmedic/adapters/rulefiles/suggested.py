"""A rule file that a stranger wrote, for people to look at: it loads, its tests pass, and it does nothing but match."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from logmedic.core.evidence import clean
from logmedic.model.rule import RuleSet
from logmedic.yamldoc import DocumentInvalid, parse_document

NAME = "suggested.yaml"
LINES_MAX = 2000
"""Of its tests: they run here, and whoever wrote them could keep the daemon busy."""
LOADING = "the suggested rule was left out: it does not load"


def sound_suggestion(text: str, load: Callable[[Path], RuleSet]) -> tuple[str, str]:
    """The file, or an empty text; and what was taken out of it, or why it was left out. `load`: the ordinary loader of
    one file, of any owner. Blocks for as long as a load takes. Never raises for what `text` is."""
    try:
        document = parse_document(NAME, text.encode("utf-8", "replace"))
    except DocumentInvalid as invalid:
        return "", _left_out(invalid.problems[0].text if invalid.problems else "")
    root = document.plain()
    if not isinstance(root, dict) or not isinstance(root.get("rules"), list):
        return "", _left_out("it is no rule file")
    if _repeats(root) > LINES_MAX:
        return "", _left_out(f"its tests have more than {LINES_MAX} lines")
    dropped = _disarmed(root)
    if dropped:
        text = yaml.safe_dump(root, sort_keys=False, allow_unicode=True, width=120)
    problem = _problem_in(text, load)
    if problem:
        return "", _left_out(problem)
    note = f"taken out of the suggested rule: {', '.join(dropped)}; a model arms nothing" if dropped else ""
    return text, note


def _disarmed(root: dict[str, Any]) -> list[str]:
    """Takes out what would do more than match: fixes, and files to be read."""
    dropped = ["its sources"] if root.pop("sources", None) is not None else []
    fixes = [rule.pop("fix", None) for rule in root["rules"] if isinstance(rule, dict)]
    return [*dropped, *(["its fix"] if any(each is not None for each in fixes) else [])]


def _repeats(value: Any) -> int:
    """Lines that its tests would play, at the least."""
    match value:
        case dict():
            own = value.get("repeat", 0)
            return (own if isinstance(own, int) else 0) + sum(map(_repeats, value.values()))
        case list():
            return sum(map(_repeats, value))
    return 0


def _problem_in(text: str, load: Callable[[Path], RuleSet]) -> str:
    """Empty when it is well."""
    with TemporaryDirectory(prefix="logmedic-") as directory:
        path = Path(directory) / NAME
        path.write_text(text, errors="replace")
        loaded = load(path)
    if loaded.problems:
        return loaded.problems[0].text
    if any(each.fix for each in loaded.rules):
        return "it has a fix, and a model arms nothing"
    return "" if loaded.rules else "it has no rule"


def _left_out(why: str) -> str:
    said = " ".join(clean(why, 200).split())
    return f"{LOADING}: {said}" if said else LOADING
