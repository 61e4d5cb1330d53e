"""Fixes, Pulse, Rules, Alerts: what each shows of a varied day, of a calm one, and of hostile text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.furnished import calm, furnished
from fakes.furnished_day import HOSTILE
from fakes.paged import Paged, Read, read_page
from logmedic.adapters.web.html import Html
from logmedic.adapters.web.pages import alerts, charts, fixes, lanes, rules
from logmedic.adapters.web.pages.charts import Chart, Line

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
PATHS = ("/fixes", "/pulse", "/rules", "/alerts")
RAN = {
    "kind": "ran",
    "target": "app.service",
    "rule_id": "web-down",
    "incident_id": "0193-i1",
    "title": "it is down",
    "step_name": "restart app",
    "started_at": "2026-11-26T08:00:00Z",
    "finished_at": "2026-11-26T08:00:02Z",
    "verdict": "fixed",
    "hold": None,
}
WOULD = {**RAN, "kind": "would", "finished_at": None, "verdict": None, "hold": "observe"}


@pytest.fixture(scope="module")
def pages() -> Iterator[Paged]:
    with Paged(furnished()) as opened:
        yield opened


@pytest.fixture(scope="module")
def happy() -> Iterator[Paged]:
    with Paged(calm()) as opened:
        yield opened


def page(pages: Paged, path: str) -> Read:
    answer = pages.get(path)
    assert answer.status_code == 200, answer.text
    return read_page(answer.text)


def ways(read: Read) -> list[str]:
    return [str(each.get("href")) for each in read.of("a")]


# -- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PATHS, "/rules/nginx-upstream-down"])
def test_each_answers_the_same_as_json(path: str, pages: Paged) -> None:
    answer = pages.get(f"{path}.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json()


@pytest.mark.parametrize("path", [*PATHS, "/rules/ssh-guessing", "/silences/new"])
def test_nothing_of_a_page_is_style_or_script_of_its_own(path: str, pages: Paged) -> None:
    read = page(pages, path)
    assert not [tag for tag, given in read.tags if "style" in given or any(name.startswith("on") for name in given)]
    assert all("src" in each for each in read.of("script"))


@pytest.mark.parametrize("path", PATHS)
def test_a_host_where_nothing_happened_yet_is_told_what_belongs_there(path: str, happy: Paged) -> None:
    assert [each for each in page(happy, path).of("p") if each.get("class") == "nothing"] or path == "/pulse"


@pytest.mark.parametrize(
    "path",
    [
        "/fixes?verdict=odd",
        "/fixes?since=soon",
        "/fixes?cursor=odd",
        "/pulse?span=2y",
        "/rules?show=odd",
        "/rules?from=x",
        "/rules?line=" + "x" * 4001,
        "/alerts?status=odd",
        "/alerts?r_ask=yes&r_severity=grave",
        "/alerts?r_ask=yes&r_at=noon",
        "/silences/new?severity=grave",
    ],
)
def test_what_cannot_be_meant_is_refused(path: str, pages: Paged) -> None:
    assert pages.get(path).status_code == 400


def test_every_table_has_a_caption_and_every_figure_one(pages: Paged) -> None:
    for path in PATHS:
        read = page(pages, path)
        assert len(read.of("caption")) == len(read.of("table"))
        assert len(read.of("figcaption")) == len(read.of("figure"))


# -- fixes -------------------------------------------------------------------------------------------------------------


def test_what_runs_and_what_is_held_back_comes_first(pages: Paged) -> None:
    read = page(pages, "/fixes")
    assert read.text.index("Running now") < read.text.index("Held back") < read.text.index("By target")
    assert "/breakers/reset?rule=worker-oom&target=worker.service" in ways(read)


def test_a_breaker_is_closed_only_by_who_may_act(pages: Paged) -> None:
    rows = [{**row, "status": "open"} for row in pages.get("/fixes.json").json()["breakers"]]
    assert rows
    shown = str(fixes._breakers(rows, pages.view()))
    assert "/breakers/reset" in shown


@pytest.mark.parametrize(
    ("query", "how_many"), [("", 8), ("verdict=fixed", 4), ("target=pgbouncer.service", 2), ("rule=redis-memory", 2)]
)
def test_the_address_says_which_fixes(query: str, how_many: int, pages: Paged) -> None:
    assert len(pages.get(f"/fixes.json?{query}").json()["fixes"]) == how_many


def drawn(*rows: dict[str, Any]) -> Read:
    return read_page(str(lanes.drawn(rows, NOW - timedelta(hours=24), NOW)))


def test_each_mark_says_in_words_what_it_is_and_leads_to_its_incident() -> None:
    read = drawn(RAN, WOULD)
    assert "it is down: restart app, fixed after 2 s, 2026-11-26 08:00:00 UTC" in read.text
    assert "restart app, would have run (held: observe)" in read.text
    assert ways(read) == ["/incidents/0193-i1"] * 2


def test_what_would_have_run_is_hatched_and_has_its_own_sign() -> None:
    read = drawn(WOULD)
    assert [each for each in read.of("circle") if each.get("fill") == "url(#hatch)"]
    assert [each["class"] for each in read.of("a")] == ["fix would"]
    assert len(read.of("pattern")) == 1


def test_marks_that_would_cover_one_another_stand_below_one_another_and_the_rest_is_counted() -> None:
    read = drawn(*[RAN] * 7)
    assert len({each["cy"] for each in read.of("circle")}) == lanes.ROWS_DEEP
    assert "+3" in read.text


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)))  # noqa: DTZ001
def test_every_moment_has_a_place_inside_the_drawing(at: datetime) -> None:
    assert 0 <= lanes.place(at.isoformat(), NOW - timedelta(hours=1), NOW) <= 100


def test_hostile_names_are_text_in_a_lane() -> None:
    read = drawn({**RAN, "title": HOSTILE, "target": HOSTILE, "step_name": HOSTILE})
    assert not read.of("script")
    assert not read.of("img")
    assert "\u202e" not in read.text


# -- pulse -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("span", ["1h", "24h", "7d", "30d"])
def test_each_span_has_its_six_metrics_and_six_charts_with_tables(span: str, pages: Paged) -> None:
    read = page(pages, f"/pulse?span={span}")
    assert len([each for each in read.of("li") if each.get("class") == "tile"]) == 6
    assert len(read.of("figure")) == 6
    assert [each["href"] for each in read.of("a") if each.get("aria-current") == "true"] == [f"/pulse?span={span}"]


def test_a_script_finds_the_figures_in_the_json_of_the_page(pages: Paged) -> None:
    told = pages.get("/pulse.json?span=24h").json()["charts"]
    assert [each["id"] for each in told["charts"]] == ["lines", "errors", "incidents", "fixes", "recovery", "alerts"]
    lengths = {len(line["values"]) for each in told["charts"] for line in each["lines"]}
    assert len(lengths) == 1
    assert {each["data-chart"] for each in page(pages, "/pulse").of("figure")} == {
        each["id"] for each in told["charts"]
    }


def test_a_source_that_is_not_read_says_so(pages: Paged) -> None:
    assert "not read" in page(pages, "/pulse").text


def test_a_line_is_broken_where_nothing_is_known() -> None:
    chart = Chart("c", "C", "said", (Line("a", [1.0, None, 3.0]), Line("b", [0, 0, 0], "bad")))
    read = read_page(str(charts.shown(chart, NOW, timedelta(minutes=1))))
    assert str(read.of("path")[0]["d"]).count("M") == 2
    assert len(read.of("tr")) == 4
    assert "2026-11-26 09:01--" not in read.text.replace("-0", "0")


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e12)), min_size=1, max_size=80))
def test_whatever_is_measured_can_be_drawn_inside_its_frame(values: list[float | None]) -> None:
    chart = Chart("c", "C", "said", (Line("a", values),))
    read = read_page(str(charts.shown(chart, NOW, timedelta(minutes=1))))
    points = [pair for each in read.of("path") for pair in str(each["d"]).split(" ") if pair[0] in "ML"]
    assert all(0 <= float(pair[1:].split(",")[1]) <= 120 for pair in points)
    assert len(points) == sum(value is not None for value in values)


# -- rules -------------------------------------------------------------------------------------------------------------


def test_rules_come_with_what_they_brought_what_fired_most_first(pages: Paged) -> None:
    rows = pages.get("/rules.json").json()["rules"]
    assert len(rows) == 8
    assert (rows[0]["id"], rows[0]["stats"]["incidents"]) == ("nginx-upstream-down", 4)
    assert "100% of 2" in page(pages, "/rules").text


@pytest.mark.parametrize(
    ("query", "how_many"),
    [("show=fix", 6), ("show=silent", 0), ("text=REDIS", 1), ("service=ssh", 1), ("show=gone", 0), ("from=5", 3)],
)
def test_the_address_says_which_rules(query: str, how_many: int, pages: Paged) -> None:
    assert len(pages.get(f"/rules.json?{query}").json()["rules"]) == how_many


@pytest.mark.parametrize(
    ("changes", "noisy"),
    [({}, False), ({"noise": 0.9, "by_itself": 9}, True), ({"noise": 0.9, "by_itself": 9, "needed_people": 9}, False)],
    ids=["nothing known", "over by itself", "people were called"],
)
def test_noise_is_what_nobody_needed_to_hear(changes: dict[str, Any], noisy: bool) -> None:
    assert rules.is_noisy({**rules._NO_STATS, **changes}) is noisy


def test_what_is_wrong_with_the_files_is_told_first(pages: Paged) -> None:
    text = page(pages, "/rules").text
    assert text.index("1 mistake in the rule files") < text.index("quarantined not heard") < text.index("Name or title")


def test_a_line_is_explained_by_the_rules_in_force(pages: Paged) -> None:
    read = page(pages, "/rules?line=it+is+down")
    assert "known to nginx-upstream-down" in read.text
    assert "it opens an incident" in read.text or "is part of the open incident" in read.text


def test_a_line_that_no_rule_knows_says_what_becomes_of_it(pages: Paged) -> None:
    assert "no rule matches" in page(pages, "/rules?line=ERROR+cannot+write").text
    assert "learned as an unknown error" in page(pages, "/rules?line=ERROR+cannot+write").text
    assert "it does not look like an error" in page(pages, "/rules?line=all+is+well").text


def test_a_hostile_line_is_text(pages: Paged) -> None:
    read = read_page(pages.get("/rules?line=%3C/textarea%3E%3Cscript%3Ealert(1)%3C/script%3E+down").text)
    assert all("src" in each for each in read.of("script"))
    assert "<script>alert(1)" in read.text


def test_a_rule_says_all_that_is_in_it(pages: Paged) -> None:
    read = page(pages, "/rules/nginx-upstream-down")
    for words in ("When it speaks", "restart app.service", "one line opens it", "the first match", "auto"):
        assert words in read.text
    assert "/rules/nginx-upstream-down/test" in ways(read)


def test_a_rule_that_nobody_knows_is_not_found(pages: Paged) -> None:
    assert pages.get("/rules/no-such").status_code == 404


def test_a_rule_that_is_not_in_force_any_more_has_its_past() -> None:
    control = furnished()
    control.rules = [each for each in control.rules if each.id != "redis-memory"]
    with Paged(control) as pages:
        text = page(pages, "/rules/redis-memory").text
        rows = pages.get("/rules.json?show=gone").json()["rules"]
    assert "not in force" in text
    assert "Redis refuses writes" in text
    assert [each["id"] for each in rows] == ["redis-memory"]


# -- alerts ------------------------------------------------------------------------------------------------------------


def test_what_was_given_up_can_be_sent_again(pages: Paged) -> None:
    read = page(pages, "/alerts?status=dead")
    assert len([way for way in ways(read) if way.endswith("/resend")]) == 1
    assert "550 5.1.1 no such user" in read.text


@pytest.mark.parametrize(
    ("query", "how_many"), [("", 5), ("status=dead", 1), ("receiver=oncall-chat", 4), ("event=fix_failed", 1)]
)
def test_the_address_says_which_messages(query: str, how_many: int, pages: Paged) -> None:
    assert len(pages.get(f"/alerts.json?{query}").json()["alerts"]) == how_many


def test_receivers_say_how_they_do_and_can_be_tried(pages: Paged) -> None:
    read = page(pages, "/alerts")
    assert "1 of 2 receivers work" in read.text
    assert "/receivers/oncall-mail/test" in ways(read)


def test_a_silence_says_what_it_covers_and_can_be_ended(pages: Paged) -> None:
    read = page(pages, "/alerts")
    assert "rule certificate-*" in read.text
    assert [way for way in ways(read) if way.startswith("/silences/") and way.endswith("/end")]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"severities": ["low"], "tags": ["web"], "labels": {"rule": "pg-*"}}, "severity low, tag web, rule pg-*"),
        ({"severities": [], "tags": [], "labels": {}}, "everything"),
    ],
    ids=["some of it", "everything"],
)
def test_a_silence_is_said_in_words(row: dict[str, Any], words: str) -> None:
    assert alerts.meant(row) == words


def test_where_news_would_go_is_explained_by_the_config(pages: Paged) -> None:
    read = page(pages, "/alerts?r_ask=yes&r_severity=critical&r_rule=redis-memory")
    assert "default_route" in read.text
    assert "nobody would be told: no route takes it" in read.text


def test_a_new_silence_says_what_it_would_cover_before_it_is_added() -> None:
    control = furnished()
    with Paged(control) as pages:
        assert "things that are open" in page(pages, "/silences/new?severity=critical").text
        answer = pages.post("/silences/new", pages.form("/silences/new", why="a release", rule="pg-*", **{"for": "4h"}))
    assert answer.status_code == 200
    assert control.silenced[-1]["labels"] == {"rule": "pg-*"}
    assert control.did[-1][0] == "silence"


def test_hostile_rows_are_text_everywhere(pages: Paged) -> None:
    row = {
        **pages.get("/alerts.json").json()["alerts"][0],
        "title": HOSTILE,
        "receiver": HOSTILE,
        "last_error": HOSTILE,
    }
    cells = [each for each in alerts._message(row, pages.view()) if isinstance(each, Html)]
    read = read_page("".join(cells))
    assert not read.of("script")
    assert not read.of("img")
    assert "\x1b" not in read.text
