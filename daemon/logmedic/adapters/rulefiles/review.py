"""What is allowed, and deserves a look: warnings. In a strict review they are mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto

from logmedic.adapters.rulefiles.attacks import SlowPattern, slow_patterns
from logmedic.adapters.rulefiles.connections import Place, Written
from logmedic.adapters.rulefiles.fixreview import odd_in_fix, of_root, off_causes
from logmedic.adapters.rulefiles.ownlog import taken_lines
from logmedic.adapters.rulefiles.placeholders import names_in, possible
from logmedic.adapters.rulefiles.places import child, items, key_in, parts_of, patterns_in, steps_of
from logmedic.adapters.rulefiles.reporting import of_anybody, users_of
from logmedic.adapters.rulefiles.safety import may_run_alone
from logmedic.adapters.rulefiles.surroundings import Surroundings
from logmedic.core.targets import texts_of_fix
from logmedic.model.rule import Rule
from logmedic.model.step import KillProcess, UnitJob
from logmedic.model.when import Distinct
from logmedic.model.when import Sequence as Sequenced
from logmedic.yamldoc import Node


class Weight(Enum):
    """HOST: it is so on this host, and never a mistake. GRAVE: a rule that fixes by itself does not load with it."""

    HOST = auto()
    USUAL = auto()
    GRAVE = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """`number`: of the rule, as it was given."""

    number: int
    place: Place
    text: str
    hint: str
    weight: Weight = Weight.USUAL


class Reviewer:
    """Without `surroundings` only what is grave for rules in mode auto: what a daemon has to know before it loads."""

    def __init__(self, surroundings: Surroundings | None = None, *, strict: bool = False) -> None:
        self._surroundings = surroundings
        self._strict = strict

    def review(self, written: Sequence[Written], brought: frozenset[str] = frozenset()) -> Iterator[Finding]:
        """Of rules that are sound. `brought`: the sources that their files bring along."""
        if self._surroundings is None:
            chosen = [(n, each) for n, each in enumerate(written) if is_auto(each[0])]
            yield from _grave(chosen)
            return
        numbered = list(enumerate(written))
        yield from _grave(numbered)
        yield from _same_again(numbered)
        yield from _unused(numbered)
        yield from _untold(numbered)
        yield from _fixes(numbered)
        yield from _untold_beside(numbered)
        yield from _reported(numbered)
        yield from _unproved([each for each in numbered if self._strict or is_auto(each[1][0])])
        yield from _sources(numbered, self._surroundings, brought)
        yield from _routes(numbered, self._surroundings.routes)
        yield from _units(numbered, self._surroundings)
        yield from _users(numbered, self._surroundings)

    def is_mistake(self, finding: Finding, rule: Rule) -> bool:
        if finding.weight is Weight.HOST:
            return False
        return self._strict or (finding.weight is Weight.GRAVE and is_auto(rule))


def is_auto(rule: Rule) -> bool:
    """Or may become so without another look at its file."""
    return rule.fix is not None and may_run_alone(rule.fix)


_Numbered = Sequence[tuple[int, Written]]


# -- what is grave -----------------------------------------------------------------------------------------------------


def _grave(written: _Numbered) -> Iterator[Finding]:
    specs = [spec for _, (rule, _) in written for _, spec in rule.parts]
    slow = slow_patterns([each for spec in specs for each in (*spec.patterns, *spec.unless)])
    own = taken_lines([rule for _, (rule, _) in written])
    for number, (rule, node) in written:
        for part, _, at in parts_of(rule, node):
            for _, pattern in patterns_in(at):
                if (found := slow.get(pattern.text)) is not None:
                    yield Finding(number, pattern, *_slow(found), Weight.GRAVE)
            if (line := own.get((rule.id, part))) is not None:
                place = next((each for _, each in patterns_in(at)), at)
                yield Finding(number, place, *_own(line), Weight.GRAVE)


def _slow(found: SlowPattern) -> tuple[str, str]:
    shown = found.text if len(found.text) <= 40 else f"{found.text[:40]}..."
    time = f"{found.seconds:.1f} s" if found.seconds < 1 else "more than 1 s"
    return (
        f"the pattern is slow: {found.reason}; {found.characters} characters like `{shown}` take {time}",
        "let each repeat end where the next begins: [^,]* instead of .*, or make it possessive: \\w++",
    )


def _own(line: str) -> tuple[str, str]:
    message = line.partition("]: ")[2]
    return (
        f"it takes lines of logmedic's own log, which would go round in a circle: {message[:120]}",
        "say more of what the program writes, or name it: program: [nginx]",
    )


# -- what is useless ---------------------------------------------------------------------------------------------------


def _same_again(written: _Numbered) -> Iterator[Finding]:
    """Every line of it is one of an earlier rule as well, and means the same there."""
    first: dict[object, Rule] = {}
    for number, (rule, node) in written:
        for pattern in rule.match.patterns or rule.match.incidents or ("",):
            same = first.setdefault(_meaning(rule, pattern), rule) if rule.enabled else rule
            if same is not rule:
                text = f"rule {same.id} has the same pattern, sources and trigger: both would always speak"
                yield Finding(number, key_in(node, "match"), text, f"the other one: {same.file}:{same.line}")
                break


def _meaning(rule: Rule, pattern: str) -> object:
    match = rule.match
    heard = frozenset(rule.sources)
    about = match.field, match.level, match.program, match.report, match.on
    return pattern, match.unless, about, heard, repr(rule.when)


def _unused(written: _Numbered) -> Iterator[Finding]:
    told: dict[str, set[str]] = {}
    for _, (rule, _) in written:
        for _, spec in rule.parts:
            for heard in spec.incidents:
                told.setdefault(heard, set()).update(spec.captures)
    for number, (rule, node) in written:
        captures = child(child(node, "match"), "captures")
        for name in sorted(set(rule.match.captures) - _used(rule) - told.get(rule.id, set())):
            text = f"the capture `{name}` is used nowhere"
            hint = f"put {{{name}}} into the title, count by it, or remove its type: the group stays evidence"
            yield Finding(number, key_in(captures, name), text, hint)


def _untold(written: _Numbered) -> Iterator[Finding]:
    """The line that completes a sequence names the incident."""
    for number, (rule, node) in written:
        for name in names_in(rule.title) if isinstance(rule.when.trigger, Sequenced) else ():
            silent = [part for part, spec in rule.when.parts if name not in spec.captures]
            if silent:
                text = f"`{{{name}}}` in the title shows as `?` when {silent[0]} completes the sequence"
                yield Finding(number, key_in(node, "title"), text, f"capture `{name}` in each pattern of `then` too")


def _used(rule: Rule) -> set[str]:
    trigger = rule.when.trigger
    used = {*rule.when.by, *rule.alert.group_by, *names_in(rule.title)}
    if isinstance(trigger, Distinct):
        used.add(trigger.of)
    for text in texts_of_fix(rule.fix) if rule.fix is not None else ():
        used.update(names_in(text))
    return used


def _fixes(written: _Numbered) -> Iterator[Finding]:
    off = {rule.id for _, (rule, _) in written if not rule.enabled}
    for number, (rule, node) in written:
        at = child(node, "fix")
        if rule.fix is None or at is None:
            continue
        for place, (text, hint) in (*odd_in_fix(rule.fix, at), *off_causes(rule.fix, at, off)):
            yield Finding(number, place, text, hint)
        for place, (text, hint) in of_root(rule.fix, at):
            yield Finding(number, place, text, hint, Weight.HOST)


def _untold_beside(written: _Numbered) -> Iterator[Finding]:
    off = {rule.id for _, (rule, _) in written if not rule.enabled}
    for number, (_, node) in written:
        for at in items(child(child(node, "alert"), "not_while")):
            if at.text in off:
                text = f"rule {at.text} is switched off: it has no incident"
                yield Finding(number, at, text, "enable it, or remove it from `not_while`")


def _reported(written: _Numbered) -> Iterator[Finding]:
    for number, (rule, node) in written:
        for place, text, hint in of_anybody(rule, node) if is_auto(rule) else ():
            yield Finding(number, place, text, hint)


# -- what is not proved ------------------------------------------------------------------------------------------------


def _unproved(written: _Numbered) -> Iterator[Finding]:
    for number, (rule, node) in written:
        place = key_in(node, "id")
        if not rule.description:
            yield Finding(number, place, f"rule {rule.id} has no `description`", "say what it means, and its causes")
        if not rule.resolution:
            yield Finding(number, place, f"rule {rule.id} has no `resolution`", "say what a tired person does now")
        if not any(test.expect.fires for test in rule.tests):
            hint = "add to `tests` real lines with `expect: { fires: 1 }`"
            yield Finding(number, place, f"rule {rule.id} has no test that fires", hint)
        if not any(test.expect.fires == 0 for test in rule.tests):
            hint = "add to `tests` a near miss with `expect: { fires: 0 }`"
            yield Finding(number, place, f"rule {rule.id} has no test that stays silent", hint)


# -- what this host does not have --------------------------------------------------------------------------------------


def _routes(written: _Numbered, routes: frozenset[str] | None) -> Iterator[Finding]:
    """Nothing where the config tells nobody anyway."""
    if routes is None:
        return
    for number, (_, node) in written:
        for at in items(child(child(node, "alert"), "routes")):
            if at.text not in routes:
                close = get_close_matches(at.text, routes, n=1)
                hint = f"did you mean `{close[0]}`?" if close else "name it in `alerts.routes` of the config"
                text = f"no route is called `{at.text}`: the default route takes its place"
                yield Finding(number, at, text, hint, Weight.HOST)


def _sources(written: _Numbered, here: Surroundings, brought: frozenset[str]) -> Iterator[Finding]:
    named = [(n, at, at.text.partition(":")[0]) for n, (_, node) in written for at in items(child(node, "source"))]
    known = {*here.sources, *brought}
    if any(name not in known for _, _, name in named):
        known |= here.known()
    for number, at, name in named:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean `{close[0]}`?" if close else "name it in `sources` of the config or of this file"
            yield Finding(number, at, f"no source is called `{name}`: the rule hears nothing of it", hint)
    for number, (rule, node) in written:
        if rule.sources and all(here.is_silent(name) for name in rule.sources):
            text = f"no file is there for {', '.join(f'`{name}`' for name in rule.sources)}: the rule hears nothing"
            hint = "correct the globs in `sources` of the config"
            yield Finding(number, key_in(node, "source"), text, hint, Weight.HOST)


def _units(written: _Numbered, here: Surroundings) -> Iterator[Finding]:
    wanted = [(number, place, unit) for number, each in written for place, unit in _units_of(*each)]
    unknown = here.unknown_units(list(dict.fromkeys(unit for _, _, unit in wanted)))
    for number, place, unit in wanted:
        if unit in unknown:
            text = f"systemd does not know the unit `{unit}` here"
            yield Finding(number, place, text, "see systemctl list-unit-files", Weight.HOST)


def _units_of(rule: Rule, node: Node) -> Iterator[tuple[Place, str]]:
    """The units that its fix acts on."""
    nodes = (at for _, at in steps_of(child(node, "fix")))
    for step, at in zip(rule.fix.steps if rule.fix is not None else (), nodes, strict=False):
        match step.action:
            case UnitJob(_, unit) | KillProcess(unit):
                key = "unit" if isinstance(step.action, UnitJob) else "kill"
                yield from ((key_in(at, key), each) for each in possible(rule, unit))


def _users(written: _Numbered, here: Surroundings) -> Iterator[Finding]:
    wanted = [(number, place, user) for number, each in written for place, user in users_of(*each)]
    unknown = here.unknown_users(list(dict.fromkeys(user for _, _, user in wanted)))
    for number, place, user in wanted:
        if user in unknown:
            text = f"no user is called `{user}` here: nobody can report as that"
            yield Finding(number, place, text, "see getent passwd", Weight.HOST)
