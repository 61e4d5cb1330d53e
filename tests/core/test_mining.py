"""Errors of one kind become one template, whatever varies in them; those of two kinds never do."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.core.mining.groups import groups
from logmedic.core.mining.masks import MAX_MESSAGE, shape_of
from logmedic.core.mining.placing import fingerprint, place
from logmedic.core.mining.restoring import restored
from logmedic.model.grove import Grove
from logmedic.model.issue import Template
from logmedic.model.shape import MASKS, WILD, skeleton, text_of

BEGIN = datetime(2026, 11, 23, 3, tzinfo=UTC)


class Miner:
    """The least that a caller does."""

    def __init__(self) -> None:
        self.grove = Grove()
        self.stored: dict[str, Template] = {}

    def take(self, message: str, component: str = "shop") -> str:
        """The fingerprint of its template."""
        placed = place(self.grove.over(), shape_of(message), component)
        template = placed.template
        if placed.fresh:
            at = BEGIN + timedelta(seconds=len(self.stored))
            template = replace(template, sample=message, first_seen=at, last_seen=at)
        template = replace(template, occurrences=template.occurrences + 1)
        for each in (*placed.absorbed, template):
            self.grove.put(each)
            self.stored[each.fingerprint] = each
        return template.fingerprint

    def restart(self, seed: int) -> None:
        self.grove = Grove()
        rows = list(self.stored.values())
        random.Random(seed).shuffle(rows)
        for each in rows:
            self.grove.put(each)

    @property
    def texts(self) -> set[str]:
        return {each.template for each in self.stored.values() if not each.merged_into}


def mined(messages: Sequence[str]) -> set[str]:
    miner = Miner()
    for each in messages:
        miner.take(each)
    return miner.texts


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("order 4711 lost by 10.0.0.7:80", "order <n> lost by <ip>"),
        ("user 3f2b8c1e-1d2e-4f5a-9b8c-0a1b2c3d4e5f gone", "user <uuid> gone"),
        ("took 12.5ms at 0xdeadbeef", "took <dur> at <hex>"),
        ("cache of 64MB is full", "cache of <size> is full"),
        ("cannot open /srv/a/b.txt: no such file", "cannot open <path>: no such file"),
        ('open "/srv/a b" failed', 'open "<quoted>" failed'),
        ("mail to ann@shop.example bounced", "mail to <mail> bounced"),
        ("connect to 2001:db8::1 failed", "connect to <ip> failed"),
        ("connect to db-7.shop.internal:5432 failed", "connect to <hostport> failed"),
        ("name db.shop.internal not found", "name <host> not found"),
        ("link 00:1b:44:11:3a:b7 lost", "link <mac> lost"),
        ("GET https://shop.example/a?b=c failed", "GET https://<url> failed"),
        ("last seen 2026-11-23 03:12:41,123 here", "last seen <time> here"),
        ("driver v2.4.1 refused", "driver <version> refused"),
        ("block blk_-38865049064139660 lost", "block <id> lost"),
        ("ready=false, next=null", "ready=<value>, next=<value>"),
        ("status of eth0 and ssh2 is unknown", "status of eth0 and ssh2 is unknown"),
        ("job.4711 of pool-12 died", "job.<n> of pool-<n> died"),
        ("slots 1, 2, 3 are bad", "slots <n> are bad"),
        ("it said 'disk is full'", "it said 'disk is full'"),
        ('"GET /a/1 HTTP/1.1" refused', '"GET <path> HTTP/<n>" refused'),
        ("AH00957: no backend", "AH00957: no backend"),
        ("a\t b\n c", "a b c"),
    ],
)
def test_values_are_masked_by_their_type(message: str, template: str) -> None:
    assert text_of(shape_of(message)) == template


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_which_numbers_there_are_makes_no_other_template(first: int, second: int) -> None:
    assert shape_of(f"order {first} of {second} lost") == shape_of("order 1 of 2 lost")


@given(st.sampled_from(sorted(MASKS)))
def test_f43_text_of_a_log_is_never_taken_for_a_mask(mask: str) -> None:
    shape = shape_of(f"order {mask} lost")
    assert not MASKS & set(shape)
    assert text_of(shape) == f"order \\{mask} lost"


@settings(max_examples=300)
@given(st.text(max_size=700) | st.text(alphabet="a1.:/-_<>*\"'[](){}=@#0x ", max_size=700))
def test_any_message_has_a_place(message: str) -> None:
    miner = Miner()
    assert miner.take(message) == miner.take(message)
    assert len(miner.texts) == 1


@pytest.mark.parametrize(
    "hostile",
    [
        *("1" * 10_000, "a:" * 5000, '"' + "\\" * 9999, "/" * 5000 + "1", "0a" * 5000, "1.1." * 2500, "a-" * 5000),
        *("a.b/" * 2000, "0:" * 5000, "'a " * 3000, "[" * 9000, "a@" * 5000, "<*>" * 3000, "x " * 5000, "é1" * 5000),
        *("~/" * 4000, "ab.-" * 3000, "a_" * 5000, "."),
        "",
    ],
)
def test_f43_hostile_messages_are_placed_and_stay_short(hostile: str) -> None:
    miner = Miner()
    miner.take(hostile)
    (template,) = miner.stored.values()
    assert len(template.template) <= 4 * MAX_MESSAGE
    assert sum(map(len, template.shape)) <= 4 * MAX_MESSAGE


def test_words_that_vary_after_a_lead_are_values_by_the_third() -> None:
    lines = [f"payment refused for user {name} by the bank" for name in ("ann", "bob", "cyd")]
    assert len(mined(lines[:2])) == 2
    assert mined(lines) == {"payment refused for user <*> by the bank"}


def test_what_comes_after_a_merge_needs_no_evidence_of_its_own() -> None:
    miner = Miner()
    first, *_, last = (
        miner.take(f"payment refused for user {name}, giving up") for name in ("ann", "bob", "cyd", "dan")
    )
    assert last == first


def test_a_word_where_a_value_stood_is_a_value() -> None:
    assert mined(["exit code of the worker is 7", "exit code of the worker is unknown"]) == {
        "exit code of the worker is <*>"
    }


def test_names_that_differ_in_digits_are_one_kind_at_once_and_a_single_one_is_kept() -> None:
    assert mined(["link eth0 is down"]) == {"link eth0 is down"}
    assert mined(["link eth0 is down", "link eth1 is down"]) == {"link <value> is down"}


def test_units_may_differ() -> None:
    assert mined(["wrote 5.2 KB in 3 ms", "wrote 1.1 MB in 2 s"]) == {"wrote <n> <value> in <n> <value>"}


def test_two_words_may_vary_at_once_where_values_stand() -> None:
    people, hosts = ("ann", "bob", "cyd", "dan"), ("kiel", "bonn", "ulm", "jena")
    lines = [f"login refused for {who} from {where} today" for who, where in zip(people, hosts, strict=True)]
    assert mined(lines) == {"login refused for <*> from <*> today"}


@pytest.mark.parametrize(
    "lines",
    [
        ["cannot read the file", "cannot write the file"],
        ["node is in state LEADING now", "node is in state LOOKING now", "node is in state FOLLOWING now"],
        ["pump started late", "valve started late", "fan started late", "belt started late", "door started late"],
        [
            f"job ended with {each}Error at once"
            for each in ("Key", "Value", "Type", "Index", "Name", "Zip", "Os", "Io", "Eof")
        ],
        ["disk full", "disk failed", "disk slow"],
        [f"payment of the order failed: {each}" for each in ("late", "denied", "closed", "lost", "broken")],
    ],
    ids=["two words", "states", "the first word", "classes of faults", "little else", "reasons"],
)
def test_what_tells_kinds_apart_is_no_value(lines: list[str]) -> None:
    assert len(mined(lines)) == len(lines)


def test_templates_of_two_components_are_never_one() -> None:
    miner = Miner()
    assert miner.take("order 7 lost", "shop") != miner.take("order 7 lost", "till")


def test_the_oldest_survives_and_keeps_its_fingerprint() -> None:
    miner = Miner()
    first = miner.take("payment refused for user ann by the bank")
    younger = miner.take("payment refused for user bob by the bank")
    assert miner.take("payment refused for user cyd by the bank") == first
    assert miner.stored[younger].merged_into == first
    survivor = miner.grove.survivor(younger)
    assert survivor is not None
    assert survivor.fingerprint == first


_WORDS = ["".join(each) for each in itertools.product("bdfgklm", "aeiou", "nrst", ("", "a"))]
_NAMES = st.sampled_from(
    ["ann", "bob", "cyd", "eth0", "eth1", "10.0.0.7", "/srv/a", "A", "UP", "org.shop.Pay", "a.b.C", "x1", "''"]
)
_LINES = st.builds(
    lambda form, names: form.format(*names),
    st.sampled_from(
        [
            "refused for {} by {} today",
            "{} went away from {}",
            "state={} of user {}: {}",
            "cannot use {} here",
            "cannot {} entry for {}",
            "part ({}) and part ({}) clash",
            "{}",
        ]
    ),
    st.tuples(_NAMES, _NAMES, _NAMES),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_LINES, max_size=60), st.sets(st.integers(0, 60)), st.integers(0, 99))
def test_one_that_was_started_again_goes_on_as_one_that_never_stopped(
    lines: list[str], stops: set[int], seed: int
) -> None:
    steady, stopped = Miner(), Miner()
    for n, line in enumerate(lines):
        if n in stops:
            stopped.restart(seed + n)
        assert steady.take(line) == stopped.take(line)
    assert steady.stored == stopped.stored


@settings(max_examples=100, deadline=None)
@given(st.lists(_LINES, max_size=40), _LINES)
def test_what_is_remembered_changes_nothing(lines: list[str], last: str) -> None:
    miner, fresh = Miner(), Miner()
    for line in lines:
        assert miner.take(line) == fresh.take(line)
        fresh.restart(0)
    assert miner.take(last) == fresh.take(last)
    assert miner.stored == fresh.stored


@settings(max_examples=100, deadline=None)
@given(st.lists(_LINES, max_size=40))
def test_a_survivor_is_never_part_of_another_and_merges_stick(lines: list[str]) -> None:
    miner, merged = Miner(), {}
    for line in lines:
        miner.take(line)
        for each in miner.stored.values():
            survivor = miner.grove.survivor(each.fingerprint)
            assert survivor is not None
            assert not survivor.merged_into
            assert not merged.get(each.fingerprint) or each.merged_into
        merged = {each.fingerprint: each.merged_into for each in miner.stored.values()}


def takes(general: Template, other: Template) -> bool:
    pairs = zip(general.shape, skeleton(general.shape), skeleton(other.shape), strict=False)
    return len(general.shape) == len(other.shape) and all(token == WILD or a == b for token, a, b in pairs)


@settings(max_examples=200, deadline=None)
@given(st.lists(_LINES, max_size=40))
def test_no_template_takes_another_one(lines: list[str]) -> None:
    """Else what an error is would depend on whether the other one came again."""
    miner = Miner()
    for line in lines:
        miner.take(line)
        alive = [each for each in miner.stored.values() if not each.merged_into]
        for one, other in itertools.permutations(alive, 2):
            assert not takes(one, other), (one.template, other.template)


def test_what_was_seen_before_belongs_to_what_is_more_general_by_now_without_coming_again() -> None:
    """The first differs from all others in two places, and so by itself shows nothing."""
    lines = ["cannot hans entry for bert", "cannot 17 entry for anna", "cannot fred entry for 10.0.0.1"]
    assert mined(lines) == {"cannot <*> entry for <*>"}
    assert mined([*lines, lines[0]]) == mined(lines)


def test_what_is_dropped_is_found_no_more() -> None:
    miner = Miner()
    name = miner.take("order 7 lost")
    miner.grove.drop(name)
    assert place(miner.grove, shape_of("order 8 lost"), "shop").fresh
    assert miner.grove.get(name) is None


def test_i6_a_flood_leaves_nothing_behind_but_what_is_kept() -> None:
    miner, chance, kept = Miner(), random.Random(7), []
    for _ in range(2000):
        kept.append(miner.take(" ".join(chance.choices(_WORDS, k=9)) + f" {chance.random()}"))
        if len(kept) > 50:
            miner.grove.drop(kept.pop(0))
    for each in kept:
        miner.grove.drop(each)
    assert not miner.grove.size


def test_an_overlay_leaves_what_is_under_it() -> None:
    miner = Miner()
    name = miner.take("order 7 lost")
    over = miner.grove.over()
    over.drop(name)
    assert place(over, shape_of("order 8 lost"), "shop").fresh
    assert not place(miner.grove, shape_of("order 8 lost"), "shop").fresh


def test_a_template_of_an_older_version_keeps_its_fingerprint_and_is_found() -> None:
    text = "2026-11-23 03:12:41,123 ERROR shop.pay: order 4711 lost by 10.0.0.7"
    old = Template("0123456789abcdef", "order <n> lost by <ip>", "shop.pay", text, 5, BEGIN, BEGIN)
    grove = Grove()
    grove.put(restored(old))
    placed = place(grove, shape_of("order 12 lost by 10.0.0.12"), "shop.pay")
    assert not placed.fresh
    assert placed.template.fingerprint == "0123456789abcdef"
    assert placed.template.version == 1


def test_a_fingerprint_tells_component_and_shape() -> None:
    shape = shape_of("order 7 lost")
    assert len(fingerprint("shop", shape)) == 16
    assert (
        len({fingerprint("shop", shape), fingerprint("till", shape), fingerprint("shop", shape_of("order lost"))}) == 3
    )


def test_groups_are_those_of_the_end() -> None:
    lines = [f"payment refused for user {name} by the bank" for name in ("ann", "bob", "cyd")]
    first, second, third = groups(lines)
    assert first == second == third
    assert first[1] == "payment refused for user <*> by the bank"


def test_a_value_and_a_word_in_one_place_are_of_one_kind_whichever_comes_first() -> None:
    lines = ["cannot book entry 17 for the ledger", "cannot book entry anna for the ledger"]
    for order in (lines, lines[::-1]):
        (template,) = {template for _, template in groups(order)}
        assert template == "cannot book entry <*> for the ledger"
