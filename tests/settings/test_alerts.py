"""`alerts` of the config: what reaches the plan, short forms, and mistakes with their places."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.model.alert import AlertPlan, DigestPlan, Escalation, Inhibition, LinkPlan, ReceiverPlan, Route, Selector
from logmedic.model.alertevent import AlertEvent
from logmedic.model.errors import ConfigInvalid
from logmedic.model.hours import Hours
from logmedic.model.severity import Severity
from logmedic.settings import Settings, config_warnings, load_settings
from logmedic.settings.hours import WEEK as WEEK_DAYS
from logmedic.settings.hours import HoursSettings, days_of, never_end
from logmedic.settings.selectors import SelectorSettings

BERLIN, TOKYO, HOST = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
WEEK, WORKDAYS = frozenset(range(7)), frozenset(range(5))
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TWO = 'receivers: { chat: "json://x", mail: "mailto://y" }'
"""Two receivers."""


def load(tmp_path: Path, text: str, **env: str) -> Settings:
    path = tmp_path / "logmedic.yaml"
    path.write_text(text)
    return load_settings(path, env)


def alerts_of(tmp_path: Path, *lines: str) -> AlertPlan:
    text = "alerts:\n" + "".join(f"  {line}\n" for line in lines)
    return load(tmp_path, text).policy(hostname="h", started_at=datetime.now(UTC), zone=HOST).alerts


def mistakes(tmp_path: Path, *lines: str) -> str:
    with pytest.raises(ConfigInvalid) as told:
        alerts_of(tmp_path, *lines)
    return told.value.text.replace(str(tmp_path), "")


def warnings(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "logmedic.yaml"
    path.write_text(text)
    return [f"{each.line}:{each.column} {each.text}; {each.hint}" for each in config_warnings(path, {})]


# -- what reaches the plan ---------------------------------------------------------------------------------------------


def test_what_nobody_sets_is_as_the_model_has_it(tmp_path: Path) -> None:
    plan = alerts_of(tmp_path, "receivers: { chat: json://x }", "routes: { oncall: chat }")
    receivers = {"chat": ReceiverPlan("chat", scheme="json")}
    assert plan == AlertPlan({"oncall": Route("oncall", ("chat",))}, "oncall", receivers=receivers)
    nothing = Settings().policy(hostname="h", started_at=datetime.now(UTC)).alerts
    assert nothing == AlertPlan()


def test_a_receiver_is_told_as_its_reader_wants(tmp_path: Path) -> None:
    plan = alerts_of(
        tmp_path,
        "receivers:",
        '  chat: "slack://T/B/C"',
        '  mail: { url: "MAILTO://x", timezone: Europe/Berlin, max_per_hour: 10,',
        '    quiet_hours: { from: "22:00", to: "07:00", days: mon-fri, except: { tags: [db] } },',
        '    digest: { at: "08:00", severity: low, days: mon-fri } }',
        '  phone: { url: "json://z", quiet_hours: [{ from: "22:00", to: "07:00" }, { from: "12:00", to: "13:00", '
        "timezone: Asia/Tokyo }] }",
    )
    assert plan.receivers["chat"] == ReceiverPlan("chat", "slack")
    assert plan.receivers["mail"] == ReceiverPlan(
        name="mail",
        scheme="mailto",
        zone=BERLIN,
        quiet_hours=(Hours(WORKDAYS, time(22), time(7), BERLIN),),
        quiet_except=Selector(tags=frozenset({"db"})),
        digest=DigestPlan(Selector(severities=frozenset({Severity.LOW})), time(8), BERLIN, WORKDAYS),
        max_per_hour=10,
    )
    phone = plan.receivers["phone"]
    assert phone.zone is None, "its messages have no second clock"
    assert phone.quiet_hours == (Hours(WEEK, time(22), time(7), HOST), Hours(WEEK, time(12), time(13), TOKYO))
    assert phone.quiet_except == ReceiverPlan("").quiet_except


def test_a_route_says_how_or_the_defaults_of_all_routes_do(tmp_path: Path) -> None:
    plan = alerts_of(
        tmp_path,
        'receivers: { chat: "json://x", mail: "json://y", phone: "json://z" }',
        "routes:",
        "  own: { to: chat, fallback: mail, group_by: [source], group_wait: 0s, group_interval: 30m, "
        "repeat_every: never, repeat_max: 7d, ",
        "    escalate: [{ after: 15m, to: phone }, { after: 1h, to: [mail, phone] }] }",
        "  usual: [chat, mail]",
        "  one: { to: chat, group_by: [], escalate: { after: 5m, to: mail } }",
        "group_by: [rule, source]",
        "group_wait: 10s",
        "group_interval: 2m",
        "repeat_every: 1h",
        "repeat_max: 12h",
    )
    links = (Escalation(15 * MINUTE, ("phone",)), Escalation(HOUR, ("mail", "phone")))
    assert plan.routes["own"] == Route(
        "own", ("chat",), ("mail",), ("source",), timedelta(0), 30 * MINUTE, None, timedelta(days=7), links
    )
    assert plan.routes["usual"] == Route(
        "usual", ("chat", "mail"), (), ("rule", "source"), timedelta(seconds=10), 2 * MINUTE, HOUR, 12 * HOUR
    )
    assert plan.routes["one"].group_by == ()
    assert plan.routes["one"].escalate == (Escalation(5 * MINUTE, ("mail",)),)
    assert plan.default_route == ""


def test_never_can_be_the_default_and_a_route_may_repeat_all_the_same(tmp_path: Path) -> None:
    plan = alerts_of(tmp_path, TWO, "routes: { a: chat, b: { to: mail, repeat_every: 2h } }", "repeat_every: never")
    assert plan.routes["a"].repeat_every is None
    assert plan.routes["b"].repeat_every == 2 * HOUR


def test_the_tree_keeps_its_order_its_depth_and_its_places(tmp_path: Path) -> None:
    plan = alerts_of(
        tmp_path,
        TWO,
        "routes: { oncall: chat, desk: mail }",
        "tree:",
        '  - when: { severity: [high, critical], tags: db, rule: "pg-*", source: [a, b], service: shop, event: opened,',
        '      labels: { role: db, rack: 7, site: [fra, "ams*"] },',
        '      hours: { days: mon-fri, from: "08:00", to: "18:00" } }',
        "    to: oncall",
        "    continue: true",
        "    then:",
        "      - { when: { severity: critical }, to: [oncall, desk] }",
        "  - to: desk",
    )
    first, second = plan.tree
    assert first.when == Selector(
        severities=frozenset({Severity.HIGH, Severity.CRITICAL}),
        events=frozenset({AlertEvent.OPENED}),
        tags=frozenset({"db"}),
        labels={
            "rule": ("pg-*",),
            "source": ("a", "b"),
            "service": ("shop",),
            "role": ("db",),
            "rack": ("7",),
            "site": ("fra", "ams*"),
        },
        hours=(Hours(WORKDAYS, time(8), time(18), HOST),),
    )
    assert (first.routes, first.go_on, first.place) == (("oncall",), True, "alerts.tree[0]")
    assert [(each.routes, each.place) for each in first.then] == [(("oncall", "desk"), "alerts.tree[0].then[0]")]
    assert (second.when, second.routes, second.go_on) == (Selector(), ("desk",), False)


def test_the_rest_reaches_the_plan_as_well(tmp_path: Path) -> None:
    plan = alerts_of(
        tmp_path,
        "labels: { role: db, rack: 7 }",
        "page_after: 0s",
        "inhibit: [{ while: { rule: switch-down }, mute: { tags: network }, equal: source }]",
        "inhibit_by_precursor: true",
    )
    by, of = Selector(labels={"rule": ("switch-down",)}), Selector(tags=frozenset({"network"}))
    assert plan.inhibit == (Inhibition(by, of, ("source",)),)
    assert (plan.labels, plan.page_after, plan.by_precursor) == ({"role": "db", "rack": "7"}, timedelta(0), True)


def test_a_maintenance_window_can_silence(tmp_path: Path) -> None:
    text = 'actions: { maintenance: [{ name: a, from: "01:00", to: "02:00", silence: true }] }\n'
    (window,) = load(tmp_path, text).policy(hostname="h", started_at=datetime.now(UTC)).maintenance
    assert window.silence


def test_links_need_a_key_and_a_place_to_listen_at(tmp_path: Path) -> None:
    def links(text: str, key: bytes | None) -> LinkPlan | None:
        policy = load(tmp_path, text).policy(hostname="h", started_at=datetime.now(UTC), link_key=key)
        return policy.alerts.links

    assert links("{}\n", b"key") is None
    assert links('web: { listen: "127.0.0.1:8633" }\n', None) is None
    assert links('web: { listen: "127.0.0.1:8633" }\n', b"key") == LinkPlan("http://127.0.0.1:8633", b"key")
    text = 'web: { listen: "[::1]:80", url: "https://h.example/logmedic/" }\n'
    assert links(text, b"key") == LinkPlan("https://h.example/logmedic", b"key")


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_the_heartbeats_address_is_a_secret(tmp_path: Path) -> None:
    secret = tmp_path / "beat"
    secret.write_text("https://beats.example/s3cret\n")
    settings = load(tmp_path, f"alerts: {{ heartbeat: '${{file:{secret}}}' }}\n")
    beat = settings.alerts.heartbeat
    assert beat is not None
    assert (beat.url.get_secret_value(), beat.every) == ("https://beats.example/s3cret", 5 * MINUTE)
    for shown in (repr(settings), json.dumps(settings.model_dump(mode="json"))):
        assert "s3cret" not in shown


def test_a_mistake_in_a_secret_does_not_show_it(tmp_path: Path) -> None:
    secret = tmp_path / "beat"
    secret.write_text("beats.example/s3cret")
    told = mistakes(tmp_path, f"heartbeat: {{ url: '${{file:{secret}}}', every: 5m }}")
    assert "`alerts.heartbeat.url`: it is no http:// or https:// address" in told
    assert "s3cret" not in told


def test_a_secret_that_is_not_there_is_one_mistake(tmp_path: Path) -> None:
    told = mistakes(tmp_path, "heartbeat: '${env:NOT_SET}'")
    assert "the variable NOT_SET is not set" in told
    assert told.count("error: ") == 1


# -- mistakes ----------------------------------------------------------------------------------------------------------

ROUTES = "routes: { oncall: chat, desk: mail }"


@pytest.mark.parametrize(
    ("line", "place", "says", "hint"),
    [
        ("routes: { a: { to: [chat, mial] } }", "3:29", "names the receiver `mial`", "did you mean `mail`?"),
        ("routes: { a: [chat, mial] }", "3:23", "names the receiver `mial`", "did you mean `mail`?"),
        ("routes: { a: mial }", "3:13", "names the receiver `mial`", "did you mean `mail`?"),
        ("routes: { a: { to: chat, fallback: mial } }", "3:28", "names the receiver `mial`", "did you mean `mail`?"),
        (
            "routes: { a: { to: chat, escalate: { after: 1m, to: mial } } }",
            "3:51",
            "names the receiver `mial`",
            "did you mean `mail`?",
        ),
        (f"{ROUTES}\n  tree: [{{ to: oncal }}]", "4:12", "`oncal` is no route", "did you mean `oncall`?"),
        (
            f"{ROUTES}\n  tree: [{{ then: [{{ to: [desk, oncal] }}] }}]",
            "4:32",
            "`oncal` is no route",
            "did you mean `oncall`?",
        ),
        (f"{ROUTES}\n  default_route: dsk", "4:3", "`dsk` is no route", "did you mean `desk`?"),
    ],
)
def test_names_that_stand_for_nothing_are_told_at_their_places(
    tmp_path: Path, line: str, place: str, says: str, hint: str
) -> None:
    told = mistakes(tmp_path, TWO, line)
    assert f"/logmedic.yaml:{place}: error: " in told
    assert says in told
    assert hint in told
    assert "^" in told


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tree: [{ when: { severity: hihg }, to: oncall }]", "did you mean `high`?"),
        ("tree: [{ when: { event: openend }, to: oncall }]", "did you mean `opened`?"),
        ("tree: [{ when: { sevrity: high }, to: oncall }]", "did you mean `severity`?"),
        ("tree: [{ then: [{ then: [{ when: { tag: db }, to: desk }] }] }]", "did you mean `tags`?"),
        ("tree: [{ wen: { tags: db }, to: desk }]", "did you mean `when`?"),
        ("tree: [{ when: db, to: desk }]", "`alerts.tree.0.when` has to be a mapping"),
        ("tree: { to: desk }", "`alerts.tree` has to be a list"),
        ("tree: [{ when: { tags: db } }]", "it leads nowhere; name a route with `to`, or branches with `then`"),
        ("tree: [{ when: { severity: [] }, to: desk }]", "`alerts.tree.0.when.severity`"),
        ("tree: [{ when: { labels: { rule: a } }, to: desk }]", "`rule` has a key of its own"),
        ("tree: [{ when: { labels: { a b: c } }, to: desk }]", "`a b` is no name of a label"),
        ("tree: [{ when: { hours: { from: 08:00 } }, to: desk }]", "`alerts.tree.0.when.hours.0.to` is missing"),
        (
            "tree: [{ when: { hours: [{ from: 08:00, to: 18:00, zone: x }] }, to: desk }]",
            "did you mean `timezone`?",
        ),
        (
            "tree: [{ when: { hours: { from: 08:00, to: 18:00, timezone: Europe/Berln } }, to: desk }]",
            "did you mean `Europe/Berlin`?",
        ),
        ("routes: { a: { to: [] } }", "`alerts.routes.a.to`"),
        ("routes: { a: { to: chat, repeat_every: nevr } }", "`nevr` is no duration"),
        ("routes: { a: { to: chat, repeat_every: 5s } }", "`5s` is too often; write 1m or more, or never"),
        ("routes: { a: { to: chat, escalate: { to: mail } } }", "`alerts.routes.a.escalate.0.after` is missing"),
        ("routes: { a: { to: chat, fallbak: mail } }", "did you mean `fallback`?"),
        ("inhibit: [{ while: { tags: a } }]", "`alerts.inhibit.0.mute` is missing"),
        ("inhibit: [{ while: {}, mute: { tags: a } }]", "`alerts.inhibit.0.while`: it names nothing"),
        ("inhibit: [{ while: { tags: a }, mute: {} }]", "`alerts.inhibit.0.mute`: it names nothing"),
        ("inhibit: [{ while: { tgs: a }, mute: { tags: b } }]", "did you mean `tags`?"),
        ("heartbeat: beats.example", "`alerts.heartbeat.url`: it is no http:// or https:// address"),
        ("heartbeat: { url: https://x, every: 5s }", "it is too often; write 30s or more"),
        ("heartbeat: { url: https://x, evry: 5m }", "did you mean `every`?"),
        ("labels: { host: a }", "`host` is what news is labelled with by itself"),
        ("labels: { a b: c }", "`a b` is no name of a label"),
        ("templates: templates", "`templates` is no absolute path"),
        ("receivers: { c: { url: json://x, endpoint: y } }", "`alerts.receivers.c.endpoint`: it is no http://"),
        ("receivers: { c: { url: json://x, timezone: Berlin } }", "`Berlin` is no time zone that this host knows"),
        ("receivers: { c: { url: json://x, max_per_hour: 0 } }", "`alerts.receivers.c.max_per_hour`"),
        ("receivers: { c: { url: json://x, digest: { severity: low } } }", "`alerts.receivers.c.digest.at` is missing"),
        ("receivers: { c: { url: json://x, digest: { at: 08:00 } } }", "it does not say what waits for it"),
        ("receivers: { c: { url: json://x, digest: { at: 8, tags: a } } }", "`8` is no time of day"),
        (
            "receivers: { c: { url: json://x, quiet_hours: { from: 22:00, to: 06:00, except: {} } } }",
            "it names nothing, which would be everything",
        ),
        ("receivers: { c: { url: json://x, quiet_hours: { from: 00:00, to: 00:00 } } }", "they never end"),
        (
            "receivers: { c: { url: json://x, quiet_hours: [{ from: 22:00, to: 6:00 }, { from: 6:00, to: 22:00 }] } }",
            "they never end",
        ),
        (
            "receivers: { c: { url: json://x, quiet_hours: "
            "[{ from: 22:00, to: 06:00 }, { days: sat, from: 06:00, to: 22:00, except: { tags: a } }] } }",
            "they differ in `except`",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_write(tmp_path: Path, line: str, says: str) -> None:
    key = line.partition(":")[0]
    lines = [each for each in (TWO, ROUTES) if not each.startswith(f"{key}:")]
    told = mistakes(tmp_path, *lines, line)
    assert says in told
    assert f"/logmedic.yaml:{len(lines) + 2}:" in told
    assert "^" in told


@pytest.mark.parametrize(
    ("web", "says"),
    [
        ('{ listen: "8633" }', '`8633` is no host and port; write "127.0.0.1:8633"'),
        ('{ listen: "127.0.0.1:0" }', "is no host and port"),
        ('{ listen: "127.0.0.1:70000" }', "is no host and port"),
        ('{ listen: "::1:8633" }', "is no host and port"),
        ('{ listen: "127.0.0.1:8633", url: logmedic.example }', "write https://logmedic.example"),
        ('{ listen: "127.0.0.1:8633", url: "https://u:p@logmedic.example" }', "it has a user, a query or a fragment"),
        ('{ listen: "0.0.0.0:8633" }', "`url` is missing"),
        ('{ url: "https://logmedic.example" }', "`url` is of no use without `listen`"),
        ('{ listen: "127.0.0.1:8633", user_header: "X User" }', "`X User` is no name of a header"),
        ('{ listn: "127.0.0.1:8633" }', "did you mean `listen`?"),
    ],
)
def test_pages_behind_links_are_somewhere(tmp_path: Path, web: str, says: str) -> None:
    with pytest.raises(ConfigInvalid) as told:
        load(tmp_path, f"web: {web}\n")
    assert says in told.value.text
    assert "/logmedic.yaml:1:" in told.value.text


@pytest.mark.parametrize(
    ("lines", "place", "says"),
    [
        (
            ["routes: { a: { to: chat, group_wait: 2m } }"],
            "3:28",
            "`group_interval` (1m) is less than `group_wait` (2m)",
        ),
        (["routes: { a: { to: chat, group_interval: 1s } }"], "3:28", "`group_interval` (1s) is less than"),
        ([ROUTES, "group_wait: 2m"], "4:3", "`group_interval` (1m) is less than `group_wait` (2m)"),
        (
            ["routes: { a: { to: chat, repeat_every: 2d } }"],
            "3:28",
            "`repeat_max` (1d) is less than `repeat_every` (2d)",
        ),
        (
            ["routes: { a: { to: chat, escalate: [{ after: 15m, to: mail }, { after: 15m, to: chat }] } }"],
            "3:67",
            "`after` (15m) is not later than the one before it",
        ),
    ],
)
def test_times_that_contradict_one_another_are_told_once(
    tmp_path: Path, lines: list[str], place: str, says: str
) -> None:
    told = mistakes(tmp_path, TWO, *lines)
    assert f"/logmedic.yaml:{place}: error: {says}" in told
    assert told.count("error: ") == 1


# -- branches that nothing comes to ------------------------------------------------------------------------------------


def tree(tmp_path: Path, *branches: str) -> str:
    """What is wrong with it, or empty."""
    lines = (TWO, ROUTES, "tree:", *(f"  - {each}" for each in branches))
    try:
        alerts_of(tmp_path, *lines)
    except ConfigInvalid as invalid:
        return invalid.text
    return ""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{ to: desk }", "{ when: { tags: db }, to: oncall }"),
        ("{ to: desk }", "{ to: oncall }"),
        ("{ then: [{ to: desk }] }", "{ when: { tags: db }, to: oncall }"),
        ("{ when: { tags: [db, web] }, to: desk }", "{ when: { tags: db, severity: high }, to: oncall }"),
        ("{ when: { severity: [low, high] }, to: desk }", "{ when: { severity: high }, to: oncall }"),
        ("{ when: { rule: [a, b] }, to: desk }", "{ when: { rule: a }, to: oncall }"),
        ("{ when: { labels: { role: db } }, to: desk }", "{ when: { labels: { role: db, rack: 1 } }, to: oncall }"),
        (
            "{ when: { hours: { from: 08:00, to: 18:00 } }, to: desk }",
            "{ when: { tags: a, hours: [{ from: '08:00', to: '18:00' }] }, to: oncall }",
        ),
    ],
)
def test_a_branch_behind_one_that_takes_all_of_it_is_a_mistake(tmp_path: Path, first: str, second: str) -> None:
    told = tree(tmp_path, first, second)
    assert "/logmedic.yaml:6:7: error: nothing comes to this branch: alerts.tree[0] takes all that it means" in told
    assert tree(tmp_path, second, first) == "" or first == "{ to: desk }"


@pytest.mark.parametrize(
    "branches",
    [
        ("{ to: desk, continue: true }", "{ to: oncall }"),
        ("{ when: { tags: db }, to: desk }", "{ to: oncall }"),
        ("{ when: { tags: db }, to: desk }", "{ when: { tags: [db, web] }, to: oncall }"),
        ("{ then: [{ when: { tags: db }, to: desk }] }", "{ to: oncall }"),
        ("{ when: { rule: 'a*' }, to: desk }", "{ when: { rule: b }, to: oncall }"),
        ("{ when: { labels: { role: db } }, to: desk }", "{ when: { labels: { rack: 1 } }, to: oncall }"),
        ("{ when: { severity: low }, to: desk, then: [{ when: { severity: [low, high] }, to: oncall }] }",),
    ],
)
def test_a_branch_that_something_may_come_to_is_none(tmp_path: Path, branches: tuple[str, ...]) -> None:
    assert tree(tmp_path, *branches) == ""


@pytest.mark.parametrize(("asked", "inner"), [("severity: low", "severity: high"), ("event: opened", "event: held")])
def test_a_branch_that_contradicts_the_one_around_it_is_a_mistake(tmp_path: Path, asked: str, inner: str) -> None:
    told = tree(tmp_path, f"{{ when: {{ {asked} }}, then: [{{ then: [{{ when: {{ {inner} }}, to: desk }}] }}] }}")
    assert f"nothing comes to this branch: one around it asks for another {asked.partition(':')[0]}" in told


SELECTORS = st.builds(
    SelectorSettings,
    severity=st.lists(st.sampled_from(list(Severity)), min_size=1, max_size=2),
    tags=st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2),
    rule=st.lists(st.sampled_from(["x", "y*"]), min_size=1, max_size=2),
)


@given(SELECTORS, SELECTORS, SELECTORS)
def test_covering_is_an_order(one: SelectorSettings, two: SelectorSettings, three: SelectorSettings) -> None:
    assert one.covers(one)
    assert SelectorSettings().covers(one)
    assert not one.covers(SelectorSettings())
    assert not (one.covers(two) and two.covers(three)) or one.covers(three)
    assert not (one.covers(two) and one.excludes(two))


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1439)), min_size=1, max_size=9))
def test_hours_never_end_when_no_minute_of_the_week_is_free(given_hours: list[tuple[int, int, int]]) -> None:
    hours = [
        HoursSettings.model_validate({"days": WEEK_DAYS[day], "from": clock(start), "to": clock(end)})
        for day, start, end in given_hours
    ]
    free = [minute for minute in range(7 * 1440) if not any(_takes(each, minute) for each in hours)]
    assert never_end(hours) is not bool(free)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _takes(hours: HoursSettings, minute: int) -> bool:
    start, end = (at.hour * 60 + at.minute for at in (hours.start, hours.end))
    day, of_day = divmod(minute, 1440)
    days = days_of(hours.days)
    if end > start:
        return day in days and start <= of_day < end
    return (day in days and of_day >= start) or ((day - 1) % 7 in days and of_day < end)


# -- what deserves a look ----------------------------------------------------------------------------------------------


def test_what_is_odd_is_warned_of_and_loads(tmp_path: Path) -> None:
    text = """\
alerts:
  receivers: { chat: "json://x", mail: "json://y" }
  routes: { a: chat, b: { to: chat, group_by: [sevrity] } }
  tree: [{ when: { labels: { datacentre: fra } }, to: a }]
  labels: { datacenter: fra }
web: { listen: "192.0.2.1:8633" }
"""
    assert warnings(tmp_path, text) == [
        "6:8 `192.0.2.1:8633` can be reached from other hosts, over http:// without encryption; "
        "listen on 127.0.0.1, and put a proxy with TLS and a login before it",
        "3:3 nobody is told of news that no branch of the tree takes; write default_route: a",
        "2:34 no route leads to `mail`: it is told nothing; name it in a route",
        "3:48 no label is called `sevrity`, unless a rule captures it; did you mean `severity`?",
        "4:30 no label is called `datacentre`, unless a rule captures it; did you mean `datacenter`?",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{}\n",
        'alerts: { receivers: { a: "json://x", b: "json://y" } }\n',
        'alerts: { receivers: { a: "json://x" }, routes: { r: a, s: a }, default_route: r }\n',
        'alerts: { receivers: { a: "json://x" }, routes: { r: a, s: a }, tree: [{ to: r }] }\n',
        'alerts: { receivers: { a: "json://x" }, routes: { r: { to: a, group_by: [upstream] } } }\n',
        'web: { listen: "localhost:8633" }\n',
    ],
)
def test_nothing_is_said_of_what_is_usual(tmp_path: Path, text: str) -> None:
    assert warnings(tmp_path, text) == []


# -- variables, and what is shown --------------------------------------------------------------------------------------


def test_a_tree_can_be_set_by_a_variable_which_is_named_in_mistakes(tmp_path: Path) -> None:
    text = f"alerts: {{ {TWO}, {ROUTES} }}\n"
    settings = load(tmp_path, text, LOGMEDIC_ALERTS__TREE=json.dumps([{"to": "desk"}]))
    assert settings.alerts.tree[0].to == ("desk",)
    with pytest.raises(ConfigInvalid) as told:
        load(tmp_path, text, LOGMEDIC_ALERTS__TREE=json.dumps([{"to": "dsk"}]))
    assert "environment LOGMEDIC_ALERTS__TREE: error: `dsk` is no route" in told.value.text


def test_what_is_in_force_is_shown_as_it_is_written(tmp_path: Path) -> None:
    text = f"alerts: {{ {TWO}, routes: {{ a: {{ to: chat, repeat_every: never }} }}, page_after: 90s }}\n"
    shown = load(tmp_path, text).model_dump(mode="json")["alerts"]
    assert (shown["routes"]["a"]["repeat_every"], shown["repeat_every"]) == ("never", "4h")
    assert shown["page_after"] in ("90s", "1m30s", "1.5m")
