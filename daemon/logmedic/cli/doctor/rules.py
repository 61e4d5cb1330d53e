"""Whether the rules load, here and in the daemon that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logmedic.cli.doctor.finding import Finding, warning, well, wrong

if TYPE_CHECKING:
    from logmedic.settings import Settings

CHECK = "logmedic rules check"
SHOWN = 5
LIMIT_S = 60.0
"""A cold load of thousands of rules, with their tests."""


def of_load(rules: int, files: int, problems: Sequence[str]) -> Iterator[Finding]:
    """`problems`: file, line and text of each."""
    if rules:
        yield well("rules", f"{rules} load, of {files} files")
    else:
        yield wrong("rules", "none loads: nothing is recognised", f"{CHECK}; logmedic config show")
    for each in problems[:SHOWN]:
        yield wrong("rules", each, CHECK)
    if len(problems) > SHOWN:
        yield wrong("rules", f"and {len(problems) - SHOWN} more mistakes", CHECK)


def of_daemon(rules: Mapping[str, Any], revision: str) -> Iterator[Finding]:
    """`rules`: of the daemon's status; `revision`: of what would be loaded now."""
    for each in rules["quarantined"][:SHOWN]:
        found = f"{each['rule']} is quarantined: {each['reason']}"
        yield warning("rules", found, f"make its pattern cheaper (logmedic rules check), then: {_RELOAD}")
    if rules["stale_files"]:
        files = ", ".join(rules["stale_files"][:SHOWN])
        yield warning("rules", f"the daemon has the last good version of {files}", f"{CHECK}; {_RELOAD}")
    elif rules["revision"] != revision:
        yield warning("rules", "the daemon has other rules in force than those on the disk", _RELOAD)


def look(settings: Settings, status: Mapping[str, Any] | None) -> Iterator[Finding]:
    from logmedic.adapters.rulefiles.memory import Memory
    from logmedic.cli.rules.group import shelf_of
    from logmedic.rulesets import make_rule_loader

    loader = make_rule_loader(settings, memory=Memory(shelf_of("proved")))
    ruleset = loader.load()
    loader.save()
    problems = [f"{each.file}:{each.line}: {each.text}" for each in ruleset.problems]
    yield from of_load(len(ruleset.rules), len(ruleset.files), problems)
    if status is not None:
        yield from of_daemon(status["rules"], ruleset.revision)


_RELOAD = "logmedic reload"
