"""From bytes to matches and unknown errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import perf_counter, thread_time

import pytest

from logmedic.core.budget import QUARANTINE_AFTER, RETRY_S
from logmedic.core.matcher import Matcher
from logmedic.model.match import Capture, CaptureType, MatchSpec
from logmedic.model.record import Block, Checkpoint, Findings
from logmedic.model.rule import Rule
from logmedic.model.when import Threshold, When

READ = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
REFUSED = (
    "2026/11/23 03:12:41 [error] 611#611: *9 connect() failed (111: Connection refused) while connecting to upstream, "
    'client: 203.0.113.7, server: shop.example, request: "GET / HTTP/1.1", upstream: "http://10.0.0.12:8080/"\n'
)
UPSTREAM = Rule(
    "upstream",
    "t",
    MatchSpec(
        (r'connect\(\) failed .*, client: (?P<client>\S+), .* upstream: "http://(?P<up>[^/"]+)',),
        (r'upstream: "http://10\.0\.0\.99:',),
        {
            "client": Capture(CaptureType.IP),
            "up": Capture(CaptureType.HOSTPORT, allow=("10.0.0.0/8",)),
        },
    ),
    when=When(Threshold(by=("up", "client"))),
)
EXPLODES = Rule("explodes", "t", MatchSpec((r"\p{Ll}?^(?:a?){0,30}(a|aa)+$",)))
"""Outside of what Hyperscan takes, so that every record reaches `regex`."""


def rule(pattern: str, *more: str, rule_id: str = "r", sources: tuple[str, ...] = (), enabled: bool = True) -> Rule:
    return Rule(rule_id, "t", MatchSpec((pattern, *more)), sources=sources, enabled=enabled)


def block(text: str | bytes, source: str = "app", start: int = 0) -> Block:
    content = text.encode() if isinstance(text, str) else text
    return Block(source, f"/var/log/{source}", content, start, Checkpoint("o", source, 0, READ), READ)


def find(rules: list[Rule], text: str | bytes, source: str = "app", scanner: str = "auto") -> Findings:
    return Matcher(rules, zone=UTC, scanner=scanner).find(block(text, source))


@pytest.mark.parametrize("scanner", ["auto", "hyperscan", "plain"])
def test_a_match_carries_its_typed_captures_its_group_and_its_place(scanner: str) -> None:
    text = "nothing here\n" + REFUSED
    found = Matcher([UPSTREAM], zone=UTC, scanner=scanner).find(block(text, start=1000))
    (match,) = found.matches
    assert match.captures == {"client": "203.0.113.7", "up": "10.0.0.12:8080"}
    assert match.group == "10.0.0.12:8080\x1f203.0.113.7"
    assert (match.record.start, match.record.end) == (1013, 1000 + len(text))
    assert match.record.text == REFUSED.rstrip("\n")
    assert match.record.at == datetime(2026, 11, 23, 3, 12, 41, tzinfo=UTC)
    assert (found.lines, found.unknown, found.captures_refused) == (2, (), 0)


def test_a_capture_that_is_not_allowed_is_no_match_and_is_counted() -> None:
    found = find([UPSTREAM], REFUSED.replace("10.0.0.12", "198.51.100.1"))
    assert found.matches == ()
    assert found.captures_refused == 1
    assert len(found.unknown) == 1, "the line is still an error"


def test_a_forged_part_does_not_hide_what_another_pattern_sees() -> None:
    typed = MatchSpec((r"disk (?P<n>\S+) lost", r"drive=(?P<n>\d+)"), captures={"n": Capture(CaptureType.INT)})
    found = find([Rule("r", "t", typed)], "disk $(id) lost drive=7\n")
    assert [match.captures for match in found.matches] == [{"n": "7"}]
    assert found.captures_refused == 0


def test_a_group_that_took_no_part_is_refused() -> None:
    spec = MatchSpec((r"lost( disk (?P<n>\d+))?",), captures={"n": Capture(CaptureType.INT)})
    assert find([Rule("r", "t", spec)], "lost\n").captures_refused == 1


def test_unless_keeps_a_rule_silent_and_the_line_known() -> None:
    found = find([UPSTREAM], REFUSED.replace("10.0.0.12", "10.0.0.99"))
    assert (found.matches, found.unknown) == ((), ())


def test_a_rule_hears_its_sources_only() -> None:
    wanted = [rule("down", sources=("nginx-error",))]
    assert find(wanted, "down\n", source="nginx-error").matches
    assert not find(wanted, "down\n", source="app").matches
    assert Matcher(wanted, zone=UTC, any_source=frozenset({"app"})).find(block("down\n")).matches


def test_a_disabled_rule_hears_nothing() -> None:
    assert not find([rule("down", enabled=False)], "down\n").matches


def test_every_rule_that_knows_a_record_gets_it_once() -> None:
    found = find([rule("down", "web", rule_id="a"), rule("web", rule_id="b")], "web down down\n")
    assert [match.rule_id for match in found.matches] == ["a", "b"]
    assert found.matches[0].record is found.matches[1].record


def test_an_error_that_no_rule_knows_is_an_unknown_error() -> None:
    (error,) = find([UPSTREAM], "2026-11-23 03:12:41,123 CRITICAL shop.pay: order 4711 lost by 10.0.0.7\n").unknown
    assert error.component == "shop.pay"
    assert error.template == "order <n> lost by <ip>"
    assert error.critical
    assert not error.trace


def test_a_known_error_is_not_unknown() -> None:
    assert find([rule("order \\d+ lost")], "2026-11-23 03:12:41 ERROR shop: order 4711 lost\n").unknown == ()


@pytest.mark.parametrize("scanner", ["auto", "plain"])
def test_a_traceback_is_one_unknown_error_with_its_last_line(scanner: str) -> None:
    text = (
        "2026-11-23 03:12:41,123 ERROR shop: payment failed\n"
        "Traceback (most recent call last):\n"
        '  File "/srv/pay.py", line 41, in pay\n'
        "    raise KeyError(name)\n"
        "KeyError: 'amount'\n"
        "2026-11-23 03:12:42,000 INFO shop: up\n"
    )
    (error,) = find([], text, scanner=scanner).unknown
    assert error.trace
    assert error.template == "payment failed: KeyError: 'amount'"
    assert error.record.text.endswith("KeyError: 'amount'")


def test_a_rule_may_match_inside_of_a_trace() -> None:
    text = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    import x\nMemoryError\n'
    (match,) = find([rule(r"(?m)^MemoryError$")], text).matches
    assert match.record.text.startswith("Traceback")


def test_the_same_error_with_other_values_has_the_same_fingerprint() -> None:
    (error,) = find([], "ERROR shop: order 1 lost\nERROR shop: order 23456 lost\n").unknown
    assert (error.count, error.record.text) == (2, "ERROR shop: order 1 lost")


@pytest.mark.parametrize(
    "text",
    ["2026-11-23 03:12:41 INFO shop: no error: all well", "errors: 0", "GET /error.html 200", "level=info error=nil"],
)
def test_calm_lines_are_no_errors(text: str) -> None:
    assert find([], text + "\n").unknown == ()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"web down\r\n", "web down"),
        (b"\xff web down\n", "\ufffd web down"),
        (b"\x00web down\x00\n", "\x00web down\x00"),
        (b"web down", "web down"),
    ],
    ids=["f19", "f18", "f17", "f15"],
)
@pytest.mark.parametrize("scanner", ["auto", "plain"])
def test_f15_f17_f18_f19_odd_bytes_do_not_hide_a_match(content: bytes, text: str, scanner: str) -> None:
    (match,) = find([rule("web down")], content, scanner=scanner).matches
    assert match.record.text == text


@pytest.mark.parametrize("scanner", ["auto", "plain"])
def test_f43_a_rule_that_explodes_is_quarantined_and_the_others_go_on(scanner: str) -> None:
    matcher = Matcher([EXPLODES, rule("down")], zone=UTC, scanner=scanner, timeout_s=0.01)
    hostile = ("a" * 60 + "! down\n") * 500
    first = matcher.find(block(hostile))
    assert first.timeouts == {"explodes": QUARANTINE_AFTER}
    assert set(matcher.quarantined) == {"explodes"}
    assert len(first.matches) == 500
    second = matcher.find(block(hostile))
    assert second.timeouts == {}
    assert len(second.matches) == 500


def test_f43_a_single_overrun_is_counted_and_forgiven() -> None:
    matcher = Matcher([EXPLODES], zone=UTC, timeout_s=0.01)
    assert matcher.find(block("a" * 60 + "!\n")).timeouts == {"explodes": 1}
    assert matcher.quarantined == {}
    assert matcher.find(block("aaa\n")).matches


class Steps:
    """A clock that goes on by `step` with each look."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_f43_a_thread_that_has_to_wait_makes_no_rule_slow() -> None:
    """Each look at the wall's clock is half a second on: other threads and programs were busy."""
    matcher = Matcher([rule("down")], zone=UTC, timer=Steps(0.5), worked=Steps(0.000_01))
    matcher.find(block("web down\n" * 500))
    assert matcher.quarantined == {}
    assert matcher.uses["r"].spent_s == pytest.approx(500 * 0.000_01)


def test_f43_a_thread_that_works_long_makes_its_rule_slow() -> None:
    matcher = Matcher([rule("down")], zone=UTC, timer=Steps(0.05), worked=Steps(0.05))
    matcher.find(block("web down\n" * 500))
    assert set(matcher.quarantined) == {"r"}


def test_f43_no_rule_pays_for_what_is_read_of_a_record_for_all() -> None:
    """Fields are looked for between two looks at the clock that charges; what they take is not in it."""
    spec = MatchSpec(("down",), field="msg")
    looked: list[float] = []

    def timer() -> float:
        looked.append(0.0)
        return 0.0

    matcher = Matcher([Rule("r", "t", spec)], zone=UTC, timer=timer)
    assert matcher.find(block('level=error msg="web down"\n')).matches
    assert len(looked) == 2


@pytest.mark.parametrize("scanner", ["auto", "plain"])
def test_f43_a_quarantined_rule_is_heard_again_after_an_hour(scanner: str) -> None:
    clock = Steps(0.0)
    matcher = Matcher([EXPLODES, rule("down")], zone=UTC, scanner=scanner, timeout_s=0.01, timer=clock)
    matcher.find(block(("a" * 60 + "! down\n") * QUARANTINE_AFTER))
    assert [each.rule_id for each in matcher.find(block("aaa\n")).matches] == []
    clock.now = RETRY_S
    assert [each.rule_id for each in matcher.find(block("aaa\n")).matches] == ["explodes"]
    assert matcher.quarantined == {}


@pytest.mark.parametrize("threads", [4])
def test_f43_threads_that_wait_for_one_another_quarantine_nobody(threads: int) -> None:
    """By the wall, such a rule is over its budget within seconds."""
    matcher = Matcher([rule("down")], zone=UTC, timer=perf_counter, worked=thread_time)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: matcher.find(block("web down\n" * 5000)), range(2 * threads)))
    assert matcher.uses["r"].slow_s < 0.1


def test_f43_an_unless_that_explodes_fails_closed() -> None:
    spec = MatchSpec(("down",), (r"^(?:a?){0,30}(a|aa)+$",))
    found = Matcher([Rule("r", "t", spec)], zone=UTC, timeout_s=0.01).find(block("a" * 60 + "! down\n"))
    assert found.matches == ()
    assert found.timeouts == {"r": 1}


@pytest.mark.slow
def test_f43_waiting_for_other_threads_is_no_overrun() -> None:
    matcher = Matcher([rule(r"\p{Lu}x"), UPSTREAM], zone=UTC)
    whole = block(("hay\n" * 500 + REFUSED) * 20)
    with ThreadPoolExecutor(8) as pool:
        assert all(found.timeouts == {} for found in pool.map(matcher.find, [whole] * 60))


def test_blocks_are_searched_in_several_threads_at_once() -> None:
    matcher = Matcher([UPSTREAM], zone=UTC)
    whole = block(("nothing\n" * 99 + REFUSED) * 10)
    with ThreadPoolExecutor(4) as pool:
        assert all(len(found.matches) == 10 for found in pool.map(matcher.find, [whole] * 20))


def test_an_empty_block_gives_nothing() -> None:
    assert find([UPSTREAM], b"") == Findings()


@pytest.mark.parametrize("scanner", ["hyperscan", "plain"])
@pytest.mark.parametrize(
    ("line", "template"),
    [
        ("2026-11-25 03:12:41 \x1b[31mERROR\x1b[0m shop: cannot reach db 17", "cannot reach db <n>"),
        ("\x1b[1;31merror\x1b[0m: cannot reach db 17", "error: cannot reach db <n>"),
        ("[\x1b[31merror\x1b[0m] cannot reach \x1b[1mdb\x1b[0m 17", "cannot reach db <n>"),
    ],
)
def test_colours_hide_no_error_and_are_no_part_of_it(line: str, template: str, scanner: str) -> None:
    assert [each.template for each in find([], line, scanner=scanner).unknown] == [template]
    calm = line.replace("ERROR", "INFO").replace("error", "info")
    assert not find([], calm, scanner=scanner).unknown


def test_errors_of_one_block_are_sampled_by_the_first_and_the_last() -> None:
    (error,) = find([], "ERROR a: lost 1\nERROR a: lost 2\nERROR a: lost 3\n").unknown
    assert (error.record.text, error.last_text, error.count) == ("ERROR a: lost 1", "ERROR a: lost 3", 3)
