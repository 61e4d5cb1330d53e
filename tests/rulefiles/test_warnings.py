"""What is allowed and deserves a look: it is told, and only a strict review keeps a rule from loading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.surroundings import Surroundings
from logmedic.model.rule import RuleSet
from rulefiles.loading import a_file, ids, load, put, reviewed, rule, texts, told


def warned(loaded: RuleSet) -> str:
    assert all(each.warning for each in loaded.warnings)
    assert not any(each.warning for each in loaded.problems)
    return "\n".join(texts(loaded.warnings))


def of(pattern: str) -> str:
    return f"{{ pattern: '{pattern}' }}"


# -- slow patterns -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a+)+$", "a repeat inside of a repeat"),
        (r"user=(?:\w+\d*)+;", "a repeat inside of a repeat"),
        ("(?i)(?:[a-z]+ *)+timeout", "a repeat inside of a repeat"),
        ("(?:a|a)*b", "branches under a repeat take the same text"),
        (r"^(?:\s|.)*x$", "branches under a repeat take the same text"),
        (r"\d+\d+\d+\d+x", "repeats that follow one another take the same text"),
        ("foo.*foo.*foo.*bar", "repeats that follow one another take the same text"),
    ],
)
def test_f43_a_slow_pattern_is_warned_of_with_the_reason_and_a_text(tmp_path: Path, pattern: str, reason: str) -> None:
    loaded = reviewed(put(tmp_path, a_file(rule(title="boom", match=of(pattern)))))
    assert reason in warned(loaded)
    assert "characters like `" in warned(loaded)
    assert loaded.warnings[0].line == 6
    assert ids(loaded) == ["one"]


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d+ worker (?P<name>\S+): (?P<rest>.*)$",
        r"(?:\w+\.)+example",
        r"(?:\d{1,3}\.){3}\d{1,3}",
        r"^[^:]+: [^,]+, client: [^,]+, .*?\bupstream: x",
        "(?:a++)+b",
        "(?>a+)+b",
        r"^(\w+\s?)*$",
        r"error .* user=\S+ .* host=\S+",
        r"[[:alpha:]]+ failed",
    ],
)
def test_a_pattern_that_is_quick_is_not_warned_of(tmp_path: Path, pattern: str) -> None:
    loaded = reviewed(put(tmp_path, a_file(rule(title="boom", match=of(pattern)))))
    assert "slow" not in warned(loaded)


@pytest.mark.parametrize(
    "when",
    [
        "{ sequence: { then: ['(a+)+$'] } }",
        "{ absence: { of: '(a+)+$', within: 1m } }",
        "{ clear: { pattern: '(a+)+$' } }",
    ],
)
def test_f43_so_is_one_of_a_further_line(tmp_path: Path, when: str) -> None:
    loaded = reviewed(put(tmp_path, a_file(rule(title="boom", match="{ pattern: boom }", when=when))))
    assert "the pattern is slow" in warned(loaded)
    assert loaded.warnings[0].line == 7


# -- the daemon's own log ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "match", "is_warned"),
    [
        ("syslog", "{ pattern: 'level.: .error' }", True),
        ("[nginx, journal]", "{ pattern: '(?i)failed' }", True),
        ("journal:logmedic.service", "{ pattern: 'event.:' }", True),
        ("[]", "{ pattern: 'Traceback' }", True),
        ("app", "{ pattern: 'level.: .error' }", False),
        ("journal:nginx.service", "{ pattern: 'level.: .error' }", False),
        ("syslog", "{ pattern: 'level.: .error', program: [shop] }", False),
        ("syslog", "{ pattern: 'level.: .error', unless: 'logmedic' }", False),
        ("syslog", r"{ pattern: '^\S+ \S+ \S+ \S+ shop\[\d+\]: .*error' }", False),
    ],
)
def test_a_rule_that_would_hear_the_daemon_itself_is_warned_of(
    tmp_path: Path, source: str, match: str, is_warned: bool
) -> None:
    here = Surroundings(dict.fromkeys(("app", "nginx", "syslog", "journal"), ()))
    loaded = reviewed(put(tmp_path, a_file(rule(title="boom", source=source, match=match))), here=here)
    assert ("logmedic's own log" in warned(loaded)) is is_warned
    assert ids(loaded) == ["one"]


# -- rules that serve nobody -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "is_warned"),
    [
        ({}, True),
        ({"source": "[app, other]"}, False),
        ({"when": "{ threshold: { count: 5 } }"}, False),
        ({"enabled": "false"}, False),
        ({"match": r"{ pattern: '^boom (?P<host>\S+)', captures: { host: hostname }, unless: x }"}, False),
    ],
)
def test_a_rule_that_says_what_an_earlier_one_says_is_warned_of(
    tmp_path: Path, keys: dict[str, str], is_warned: bool
) -> None:
    here = Surroundings({"app": (), "other": ()})
    loaded = reviewed(put(tmp_path, a_file(rule(), rule("two", **keys))), here=here)
    assert ("rule one has the same pattern, sources and trigger" in warned(loaded)) is is_warned
    assert ids(loaded) == ["one", "two"]


def test_a_source_that_nobody_knows_is_warned_of_with_the_nearest_name(tmp_path: Path) -> None:
    here = Surroundings({"nginx-error": ()}, lambda: frozenset({"journal"}))
    loaded = reviewed(put(tmp_path, a_file(rule(source="[ngnix-error, 'journal:x.service']"))), here=here)
    assert texts(loaded.warnings) == ["no source is called `ngnix-error`: the rule hears nothing of it"]
    assert loaded.warnings[0].hint == "did you mean `nginx-error`?"


def test_a_source_that_another_file_brings_along_is_known(tmp_path: Path) -> None:
    put(
        tmp_path, "version: 1\nsources: { shop: { files: [/var/log/shop.log] } }\nrules:\n" + rule("two", source="shop")
    )
    put(tmp_path, a_file(rule(source="shop", title="at {host}", when="{ threshold: { count: 2 } }")), "other.yaml")
    assert warned(reviewed(tmp_path)) == ""


def test_a_rule_whose_sources_have_no_file_is_warned_of_and_strict_is_content(tmp_path: Path) -> None:
    (tmp_path / "there.log").touch()
    here = Surroundings({"gone": (f"{tmp_path}/gone*.log",), "there": (f"{tmp_path}/there*.log",)})
    path = put(tmp_path, a_file(rule(source="gone"), rule("two", source="[gone, there]")))
    loaded = reviewed(path, here=here)
    assert warned(loaded) == "no file is there for `gone`: the rule hears nothing"
    assert "no file is there for `gone`" in warned(reviewed(path, here=here, strict=True)), "another host has it"


def test_a_route_that_the_config_does_not_have_is_warned_of_and_strict_is_content(tmp_path: Path) -> None:
    path = put(tmp_path, a_file(rule(source="app", alert="{ routes: [oncal, dba] }")))
    here = Surroundings({"app": ()}, routes=frozenset({"oncall", "dba"}))
    loaded = reviewed(path, here=here)
    assert warned(loaded) == "no route is called `oncal`: the default route takes its place"
    assert loaded.warnings[0].hint == "did you mean `oncall`?"
    assert loaded.rules
    assert warned(reviewed(path, here=Surroundings({"app": ()}))) == "", "a config that tells nobody has no routes"


def test_a_unit_that_systemd_does_not_know_is_warned_of_also_behind_a_capture(tmp_path: Path) -> None:
    asked: list[str] = []

    def unknown(units: Sequence[str]) -> frozenset[str]:
        asked.extend(units)
        return frozenset({"shopp.service", "b.service"})

    match = r"{ pattern: '^boom (?P<u>\S+)', captures: { u: { type: unit, allow: [a.service, b.service] } } }"
    steps = "[{ unit: { restart: shopp.service } }, { unit: { restart: '{u}' } }]"
    path = put(tmp_path, a_file(rule(title="boom", match=match, fix=f"{{ mode: approve, steps: {steps} }}")))
    loaded = reviewed(path, here=Surroundings({"app": ()}, unknown_units=unknown))
    assert asked == ["shopp.service", "a.service", "b.service"]
    assert texts(loaded.warnings) == [
        "systemd does not know the unit `shopp.service` here",
        "systemd does not know the unit `b.service` here",
    ]


@pytest.mark.parametrize(
    ("keys", "is_warned"),
    [
        ({"title": "boom"}, True),
        ({"title": "boom at {host}"}, False),
        ({"title": "boom", "when": "{ threshold: { count: 2, by: host } }"}, False),
        ({"title": "boom", "when": "{ distinct: { of: host, count: 2 } }"}, False),
        ({"title": "boom", "alert": "{ group_by: host }"}, False),
        ({"title": "boom", "fix": "{ mode: approve, steps: [{ run: [/usr/bin/true, '{host}'] }] }"}, False),
    ],
)
def test_a_capture_that_is_used_nowhere_is_warned_of(tmp_path: Path, keys: dict[str, str], is_warned: bool) -> None:
    loaded = reviewed(put(tmp_path, a_file(rule(**keys))))
    assert ("the capture `host` is used nowhere" in warned(loaded)) is is_warned


@pytest.mark.parametrize(("then", "is_warned"), [("'bang'", True), (r"'bang (?P<host>\S+)'", False)])
def test_a_title_that_the_last_line_of_a_sequence_cannot_fill_is_warned_of(
    tmp_path: Path, then: str, is_warned: bool
) -> None:
    loaded = reviewed(put(tmp_path, a_file(rule(when=f"{{ sequence: {{ then: [{then}] }} }}"))))
    assert ("`{host}` in the title shows as `?` when then1 completes" in warned(loaded)) is is_warned


def test_a_capture_that_another_rule_asks_for_is_used(tmp_path: Path) -> None:
    listens = rule("two", match="{ incident: one, captures: { host: hostname } }")
    assert warned(reviewed(put(tmp_path, a_file(rule(title="boom"), listens)))) == ""


# -- strict ------------------------------------------------------------------------------------------------------------

TESTS = "[{ name: fires, lines: [boom web1], expect: { fires: 1 } }, { name: near, lines: [x], expect: { fires: 0 } }]"
PROVED = {"description": "It went off.", "resolution": "Run.", "tests": TESTS}


def test_a_strict_review_is_content_with_a_rule_that_has_it_all(tmp_path: Path) -> None:
    loaded = reviewed(put(tmp_path, a_file(rule(**PROVED))), strict=True)
    assert told(loaded) == ""
    assert ids(loaded) == ["one"]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"description": "''"}, "rule one has no `description`"),
        ({"resolution": "''"}, "rule one has no `resolution`"),
        ({"tests": "[{ name: near, lines: [x], expect: { fires: 0 } }]"}, "rule one has no test that fires"),
        ({"tests": "[{ name: fires, lines: [boom web1], expect: { fires: 1 } }]"}, "has no test that stays silent"),
        ({"title": "boom"}, "the capture `host` is used nowhere"),
        ({"source": "ap"}, "no source is called `ap`"),
    ],
)
def test_in_a_strict_review_a_warning_is_a_mistake(tmp_path: Path, keys: dict[str, str], says: str) -> None:
    path = put(tmp_path, a_file(rule(**{**PROVED, **keys})))
    loaded = reviewed(path, strict=True)
    assert says in told(loaded)
    assert ids(loaded) == []
    assert ids(reviewed(path)) == ["one"]


def auto(**keys: str) -> str:
    fix = "{ mode: auto, steps: [{ run: [/usr/bin/true] }], verify: { quiet: 1m } }"
    return rule(**{**PROVED, "fix": fix, **keys})


def test_i8_a_rule_in_mode_auto_needs_a_test_that_stays_silent(tmp_path: Path) -> None:
    assert ids(load(put(tmp_path, a_file(auto())))) == ["one"]
    one_sided = "[{ name: fires, lines: [boom web1], expect: { fires: 1 } }]"
    loaded = load(put(tmp_path, a_file(auto(tests=one_sided))))
    assert "`mode: auto` needs a test that stays silent" in told(loaded)
    assert ids(loaded) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"match": "{ pattern: '^boom (?P<host>web1)|(?:x|x)*y$' }"}, "the pattern is slow"),
        ({"source": "syslog", "match": "{ pattern: 'boom|event.:' }"}, "logmedic's own log"),
    ],
)
def test_i8_the_daemon_loads_no_rule_in_mode_auto_that_could_run_wild(
    tmp_path: Path, keys: dict[str, str], says: str
) -> None:
    path = put(tmp_path, a_file(auto(**{"title": "boom", **keys})))
    loaded = load(path)
    assert says in told(loaded)
    assert ids(loaded) == []
    path.write_text(path.read_text().replace("mode: auto", "mode: approve"))
    assert ids(load(path)) == ["one"]


# -- fixes -------------------------------------------------------------------------------------------------------------


def a_fix(text: str) -> str:
    return a_file(rule(fix=f"{{ mode: approve, {text} }}"))


RUN = "run: [/bin/a]"


@pytest.mark.parametrize(
    ("fix", "says"),
    [
        ("steps: [{ wait: 1s, @rollback: { run: [/bin/a] } }]", "`step 1` leaves nothing to undo"),
        (
            "steps: [{ http: { get: 'http://127.0.0.1/' }, @rollback: { run: [/bin/a] } }]",
            "`step 1` leaves nothing to undo",
        ),
        (
            "steps: [{ unit: { restart: app.service }, @sandbox: { tasks: 9 } }]",
            "`sandbox` means nothing for `step 1`: the service manager does it",
        ),
        ("steps: [{ wait: 1s, @sandbox: {} }]", "`sandbox` means nothing for `step 1`: the daemon does it"),
        (
            f"steps: [{{ {RUN}, rollback: {{ wait: 1s, @sandbox: {{}} }} }}]",
            "`sandbox` means nothing for `undo step 1`: the daemon does it",
        ),
        (
            f"steps: [{{ {RUN}, expect: {{ not: {{ tcp: {{ connect: 'a:1', @within: 9s }} }} }} }}]",
            "`within` means nothing inside `not`",
        ),
        (
            f"steps: [{{ {RUN} }}], verify: {{ not: {{ or: [{{ file: {{ path: /a }} }}, "
            "{ file: { path: /b, @every: 1s } }] } }",
            "`every` means nothing inside `not`",
        ),
        (f"steps: [{{ {RUN} }}], @guard: {{ file: {{ path: /a }} }}", "no step has a `rollback`"),
    ],
)
def test_what_a_fix_says_in_vain_is_warned_of(tmp_path: Path, fix: str, says: str) -> None:
    """`@` stands where it is."""
    loaded = reviewed(put(tmp_path, a_fix(fix.replace("@", ""))))
    assert told(loaded) == ""
    (found,) = [each for each in loaded.warnings if says in each.text]
    assert (found.line, found.column) == (7, len("    fix: { mode: approve, ") + fix.index("@") + 1)


def test_a_fix_without_needless_words_is_not_warned_of(tmp_path: Path) -> None:
    fix = (
        "steps: [{ http: { post: 'http://127.0.0.1/' }, rollback: { http: { delete: 'http://127.0.0.1/' } } }, "
        "{ unit: { restart: app.service }, rollback: { unit: { start: b.service } } }, "
        "{ kill: { unit: app.service, process: w }, sandbox: { user: app } }], "
        "guard: { file: { path: /a, within: 9s } }, verify: { not: { file: { path: /a } } }"
    )
    assert "`" not in warned(reviewed(put(tmp_path, a_fix(fix)))).replace("`description`", "").replace(
        "`resolution`", ""
    )


@pytest.mark.parametrize("strict", [False, True])
def test_root_is_warned_of_and_never_a_mistake(tmp_path: Path, strict: bool) -> None:
    fix = "steps: [{ run: [/bin/a], rollback: { run: [/bin/b], sandbox: { user: root } } }]"
    loaded = reviewed(put(tmp_path, a_fix(fix)), strict=strict)
    assert "`undo step 1` runs as root, which needs `actions.allow_root: true`" in warned(loaded)
    assert "as root" not in told(loaded)


def test_a_cause_that_is_switched_off_is_warned_of(tmp_path: Path) -> None:
    waits = rule("two", fix=f"{{ mode: approve, after: [one], steps: [{{ {RUN} }}] }}")
    loaded = reviewed(put(tmp_path, a_file(rule("one", enabled="false"), waits)))
    assert "rule one is switched off: it is never the cause" in warned(loaded)


def test_a_rule_that_is_switched_off_is_told_instead_of_nothing(tmp_path: Path) -> None:
    beside = rule("two", alert="{ not_while: one }")
    loaded = reviewed(put(tmp_path, a_file(rule("one", enabled="false"), beside)))
    assert "rule one is switched off: it has no incident" in warned(loaded)


@pytest.mark.slow
def test_f43_what_may_graduate_has_no_slow_pattern(tmp_path: Path) -> None:
    tests = "[{ name: a, lines: [aab], expect: { fires: 1 } }, { name: b, lines: [x], expect: { fires: 0 } }]"
    fix = "{ mode: observe, graduate_after: 5, steps: [{ run: [/bin/a] }], verify: { quiet: 1m } }"
    loaded = load(put(tmp_path, a_file(rule(title="boom", match=of("(?:a|a)*b"), fix=fix, tests=tests))))
    assert "the pattern is slow" in told(loaded)
    assert ids(loaded) == []
