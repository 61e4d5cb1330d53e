"""A pattern made from what was seen of a template takes it, takes the rest of its kind, and takes no ordinary line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.adapters.rulefiles.attacks import slow_patterns
from logmedic.core import templates
from logmedic.core.mining.masks import shape_of
from logmedic.core.promotion import ATTEMPTS, MAX_PATTERN, Promoted, pattern_of, similar
from logmedic.core.secrets import MASK, masked
from logmedic.model.issue import IssueSource, KnownIssue, Template
from logmedic.model.learned import FixedBefore
from logmedic.model.severity import Severity
from logmedic.model.shape import text_of

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SYSLOG = "Nov 24 03:12:41 web1 app[811]: "
STAMPED = "2026-11-24 03:12:41,123 ERROR shop.db: "
PARTS = ("cannot open", "refused by", "after retry of", "in zone", "lost", "(code", "while syncing", "to:", "=", "-> ")


def template_of(lines: Sequence[str], text: str = "") -> Template:
    """As the miner knows it; without `text` from the first line alone."""
    text = text or text_of(shape_of(templates.message_of(lines[0])))
    return Template("f" * 16, text, templates.component_of(lines[0], "app"), lines[0], 3, NOW, NOW, source="app")


def takes(pattern: str, line: str) -> bool:
    return regex.search(pattern, line) is not None


KINDS: dict[str, st.SearchStrategy[str]] = {
    "ip": st.ip_addresses(v=4).map(str),
    "hostport": st.tuples(st.ip_addresses(v=4), st.integers(1, 65535)).map(lambda pair: f"{pair[0]}:{pair[1]}"),
    "uuid": st.uuids().map(str),
    "hex": st.integers(0, 2**48).map(lambda n: f"0x{n:x}"),
    "path": st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), min_size=2, max_size=4).map(
        lambda names: "/" + "/".join(names)
    ),
    "url": st.integers(1, 10**6).map(lambda n: f"http://api.example:8080/v1/items/{n}?page={n % 7}"),
    "n": st.integers(0, 10**9).map(str),
    "dur": st.integers(1, 10**5).map(lambda n: f"{n}ms"),
    "size": st.integers(1, 10**5).map(lambda n: f"{n}KB"),
    "quoted": st.from_regex(r"[a-z]{1,8} [a-z0-9 ]{0,12}[a-z]", fullmatch=True).map(lambda text: f'"{text}"'),
    "mail": st.from_regex(r"[a-z]{1,8}@[a-z]{2,8}\.example", fullmatch=True),
    "time": st.integers(1_600_000_000, 1_900_000_000)
    .map(lambda s: datetime.fromtimestamp(s, UTC))
    .map(lambda at: f"{at:%Y-%m-%d %H:%M:%S}"),
}
FRONTS = st.sampled_from(("ERROR ", SYSLOG, STAMPED, "[2026-11-24T03:12:41Z] ERROR: "))


@st.composite
def families(draw: Callable[..., object]) -> list[str]:
    """Twelve lines of one template with values of its own."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    words = draw(st.lists(st.sampled_from(PARTS), min_size=len(kinds), max_size=len(kinds)))  # type: ignore[arg-type]
    front = draw(FRONTS)
    lines = []
    for _ in range(12):
        said = [f"{word} {draw(KINDS[kind])}" for word, kind in zip(words, kinds, strict=True)]  # type: ignore[call-overload]
        lines.append(f"{front}job broke: {' '.join(said)}")
    return lines


@settings(deadline=None)
@given(families())
def test_a_pattern_made_from_five_of_a_family_takes_all_of_it(family: list[str]) -> None:
    promoted = pattern_of(template_of(family), family[:5], ())
    assert promoted.pattern
    assert [line for line in family if not takes(promoted.pattern, line)] == []


WORDS = (
    "boom",
    "lost",
    "job",
    "17",
    "-",
    ":",
    "10.0.0.1:80",
    '"q w"',
    "(",
    ")",
    "\\",
    "*",
    "[masked]",
    "é",
    "  ",
    "/x/y",
)
ODD = st.lists(st.one_of(st.text(max_size=20), st.sampled_from(WORDS)), max_size=12).map(" ".join)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("ERROR ", SYSLOG, "")), ODD).map("".join), min_size=1, max_size=6), ODD)
def test_whatever_the_samples_a_pattern_takes_them_and_no_ordinary_line(samples: list[str], ordinary: str) -> None:
    samples = [each for each in samples if each.strip()] or ["ERROR boom"]
    promoted = pattern_of(template_of(samples), samples, [ordinary])
    if not promoted.pattern:
        assert promoted.reason
        return
    assert len(promoted.pattern) <= MAX_PATTERN
    assert all(takes(promoted.pattern, sample) for sample in samples)
    assert not takes(promoted.pattern, ordinary)


@pytest.mark.slow
def test_patterns_of_families_are_not_slow() -> None:
    patterns: set[str] = set()

    @settings(deadline=None, max_examples=60, database=None)
    @given(families(), st.lists(ODD, min_size=2, max_size=4))
    def collect(family: list[str], odd: list[str]) -> None:
        patterns.add(pattern_of(template_of(family), family[:5], ()).pattern)
        varied = [f"ERROR job broke: {each} in zone {each}{n} of {each}" for n, each in enumerate(odd)]
        patterns.add(pattern_of(template_of(varied, "job broke: <*> in zone <*> of <*>"), varied, ()).pattern)

    collect()
    assert slow_patterns(sorted(patterns)) == {}


TYPED = {
    "addresses, numbers and users": (
        [
            f"{SYSLOG}error: bad login of user bob from 203.0.113.9 port 4022",
            f"{SYSLOG}error: bad login of user al-x from 203.0.113.77 port 99",
        ],
        r"\berror: bad login of user [\w.-]+ from [0-9A-Fa-f:.]+ port \d+$",
    ),
    "a message inside of JSON": (
        ['{"level":"error","msg":"job 12 failed","n":1}', '{"level":"error","msg":"job 13 failed","n":2}'],
        r"\bjob [\w.-]+ failed",
    ),
    "the last line of a trace": (
        [f"ERROR x\nTraceback (most recent call last):\n  File {n}\nshop.DbError: lost db{n}" for n in (1, 2)],
        r"(?m)^shop\.DbError: lost db\d+$",
    ),
    "numbers with and without a unit": (
        ["ERROR gave up after 5ms", "ERROR gave up after 17"],
        r"\bgave up after -?\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|[KMGT]i?B?|%)?$",
    ),
    "reasons of several words": (
        ["ERROR send failed: no route to host (28)", "ERROR send failed: permission denied (13)"],
        r"\bsend failed: .*? \(\d+\)$",
    ),
    "what some lines do not have": (["ERROR pool drained", "ERROR pool drained at last"], r"\bpool drained"),
}


@pytest.mark.parametrize(("samples", "pattern"), TYPED.values(), ids=TYPED.keys())
def test_literal_parts_stay_and_variables_are_typed(samples: list[str], pattern: str) -> None:
    assert pattern_of(template_of(samples), samples, ()).pattern == pattern


def test_a_word_that_the_template_knows_to_vary_is_no_constant() -> None:
    samples = ["ERROR worker alpha died"]
    assert pattern_of(template_of(samples, "worker <*> died"), samples, ()).pattern == r"\bworker [\w.-]+ died$"


def test_a_pattern_that_takes_ordinary_lines_is_narrowed_step_by_step() -> None:
    samples = [f"{STAMPED}order {n} lost" for n in (12, 13)]
    template = template_of(samples)

    def pattern(*ordinary: str) -> tuple[str, int]:
        promoted = pattern_of(template, samples, ordinary)
        return promoted.pattern.rpartition("db: ")[2], promoted.narrowed

    calm = samples[0].replace("ERROR", "INFO")
    assert pattern() == (r"\border \d+ lost$", 0)
    assert pattern(calm) == (r"order \d+ lost$", 2)
    assert pattern(calm, f"{STAMPED}order 77 lost") == ("order (?:12|13) lost$", len(ATTEMPTS) - 1)


def test_a_word_that_looks_like_a_value_is_one_when_that_is_enough() -> None:
    samples = [f"ERROR refused from 10.0.0.{n} user=root" for n in (1, 2)]
    promoted = pattern_of(template_of(samples), samples, ["ERROR refused from 10.0.0.9 user=guest"])
    assert promoted.pattern == r"\brefused from [0-9A-Fa-f:.]+ user=root$"


def test_without_any_way_out_it_says_which_ordinary_line_looks_the_same() -> None:
    samples = ["ERROR order 12 lost, token=abcdef012345"]
    promoted = pattern_of(template_of(samples), samples, ["fine", samples[0]])
    assert promoted.pattern == ""
    assert promoted.reason.startswith(
        "1 of 2 ordinary lines of its source look the same, as: ERROR order 12 lost, token="
    )
    assert "abcdef" not in promoted.reason


def test_what_says_nothing_but_its_level_is_known_by_the_whole_line() -> None:
    samples = ["ERROR 12", "ERROR 13"]
    assert pattern_of(template_of(samples), samples, ()).pattern == r"^ERROR \d+$"


def test_samples_with_too_little_in_common_have_no_pattern() -> None:
    samples = ["12 : 7", "(x) y"]
    assert pattern_of(template_of(samples), samples, ()) == Promoted("", "its samples have too little in common")


def test_no_secret_gets_into_a_pattern_and_real_lines_still_match() -> None:
    samples = [f"ERROR login refused: password={word} for user bob" for word in ("hunter2", "s3cr;et", "x,y")]
    ordinary = ["ERROR login refused: password=zzz for user ann and more"]
    promoted = pattern_of(template_of(samples), samples, ordinary)
    assert not any(secret in promoted.pattern for secret in ("hunter2", "s3cr", "x,y", MASK))
    assert all(takes(promoted.pattern, each) for sample in samples for each in (sample, masked(sample)))
    assert takes(promoted.pattern, "ERROR login refused: password=other9 for user bob")


def test_samples_that_were_cut_do_not_spoil_it() -> None:
    trace = "ERROR x\nTraceback (most recent call last):\n" + '  File "a"\n' * 80 + "shop.DbError: lost db1"
    other = trace.replace("ERROR x", "ERROR y")[:600]
    assert (
        pattern_of(template_of([trace]), (trace, trace[:600], other), ()).pattern == r"(?m)^shop\.DbError: lost db\d+$"
    )


# -- what was fixed before ---------------------------------------------------------------------------------------------

ISSUE = KnownIssue(
    "i1",
    IssueSource.LEARNED,
    "learned:f",
    "recurring_error",
    "nginx: connect() failed while connecting to upstream",
    Severity.HIGH,
    NOW,
    NOW + timedelta(hours=1),
)
NGINX = Template(
    "f", "connect() failed (<n>: Connection refused) while connecting to upstream", "nginx", "x", 3, NOW, NOW
)


def fixed(rule_id: str, title: str, evidence: str = "", source: str = "", worked: int = 1) -> FixedBefore:
    return FixedBefore(rule_id, title, source, evidence, "restart it", ("/usr/bin/true",), worked, NOW)


def test_what_says_the_same_words_is_similar_and_what_worked_more_comes_first() -> None:
    once = fixed("upstream-down", "connecting to upstream refused")
    often = fixed("upstream-gone", "connecting to upstream refused", worked=9)
    other = fixed("disk-full", "no space left on device")
    assert similar(ISSUE, NGINX, (once, other, often)) == (often, once)


def test_the_line_that_was_fixed_counts_as_well_as_its_title() -> None:
    line = (
        "2026/11/24 [error] connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.7"
    )
    assert similar(ISSUE, NGINX, (fixed("web-down", "web is down", line),))


def test_the_same_component_needs_fewer_words_but_never_none() -> None:
    near = fixed("nginx-upstream-stuck", "upstream connection of nginx hangs for some other reasons")
    assert similar(ISSUE, NGINX, (near,)) == (near,)
    assert similar(ISSUE, NGINX, (fixed("nginx-config-broken", "bad syntax"),)) == ()


def test_at_most_three_are_named() -> None:
    many = [fixed(f"upstream-{n}", "connecting to upstream refused") for n in range(9)]
    assert len(similar(ISSUE, NGINX, many)) == 3
