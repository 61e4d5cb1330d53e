"""The pulse of the host: figures over time, the six metrics, sources, and the daemon itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from fakes.furnished import calm, furnished
from fakes.furnished_day import HOSTILE
from fakes.paged import Paged, read_page
from logmedic.adapters.web.pages import charts, pulse
from logmedic.adapters.web.pages.charts import Chart, Line
from logmedic.core.trendwords import MEANINGS
from logmedic.model.report import ReportCounts
from logmedic.runtime.reportrow import report_row

BEGIN, STEP = datetime(2026, 11, 26, 3, 0, tzinfo=UTC), timedelta(minutes=1)


@pytest.fixture(scope="module")
def pages() -> Iterator[Paged]:
    with Paged(furnished()) as opened:
        yield opened


def test_a_chart_is_a_drawing_with_words_and_the_same_as_a_table() -> None:
    chart = Chart("lines", "Lines read", "6 lines", (Line("lines/s", [1, 2, 3]),), "/s")
    page = read_page(charts.shown(chart, BEGIN, STEP))
    assert "Lines read: 6 lines" in page.text
    assert "2026-11-26 03:023/s" in page.text
    assert len(page.of("svg")) == len(page.of("table")) == len(page.of("figcaption")) == 1


@pytest.mark.parametrize("values", [[], [None, None], [0, 0], [None, 5, None]], ids=["no", "unknown", "zero", "one"])
def test_a_chart_of_little_is_drawn_as_well(values: list[float | None]) -> None:
    made = charts.shown(Chart("a", "A", "said", (Line("a", values),)), BEGIN, STEP)
    assert "nan" not in made
    assert "inf" not in made


def test_a_second_line_is_known_by_its_dash_as_well() -> None:
    chart = Chart("a", "A", "said", (Line("one", [1.0, 2.0]), Line("two", [2.0, 1.0])))
    paths = read_page(charts.shown(chart, BEGIN, STEP)).of("path")
    assert [str(each["class"]).split()[-1] for each in paths] == ["n0", "n1"]


@pytest.mark.parametrize(("span", "step"), [("1h", 60), ("24h", 1500), ("7d", 10140), ("30d", 43200)])
def test_the_address_says_how_long(pages: Paged, span: str, step: float) -> None:
    answer = pages.get(f"/pulse.json?span={span}").json()
    assert answer["span"] == span
    assert abs(answer["charts"]["step"] - step) <= 60
    assert len({len(line["values"]) for chart in answer["charts"]["charts"] for line in chart["lines"]}) == 1


def test_another_time_is_refused_with_a_hint(pages: Paged) -> None:
    assert pages.get("/pulse.json?span=2h").status_code == 400
    assert pages.get("/pulse.json?span=2h").json()["hint"]


def test_all_six_metrics_are_told_in_words(pages: Paged) -> None:
    page = read_page(pages.get("/pulse").text)
    assert all(words in page.text for words in MEANINGS.values())


def test_every_drawing_of_the_script_has_its_place_on_the_page(pages: Paged) -> None:
    drawn = {each["id"] for each in pages.get("/pulse.json").json()["charts"]["charts"]}
    page = read_page(pages.get("/pulse").text)
    assert {each["data-chart"] for each in page.of("figure")} == drawn
    assert [str(each["src"]).rsplit("/", 1)[-1] for each in page.of("script")][-1] == "charts.js"


def test_nothing_on_the_page_has_a_style_of_its_own(pages: Paged) -> None:
    assert [each for _, each in read_page(pages.get("/pulse").text).tags if "style" in each] == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"problem": "gone"}, "not read"),
        ({"quiet_since": "2026-11-26T03:00:00Z"}, "quiet"),
        ({"lag_bytes": 9}, "catching up"),
        ({}, "read"),
    ],
    ids=["problem", "quiet", "behind", "well"],
)
def test_a_source_says_how_it_is(more: dict[str, object], says: str) -> None:
    assert pulse.source_state({"problem": "", "quiet_since": None, "lag_bytes": 0, **more})[1] == says


def test_a_hostile_problem_of_a_source_stays_text(pages: Paged) -> None:
    control = furnished()
    usual = control.sources

    async def hostile(name: str = "") -> list[dict[str, object]]:
        return [{**each, "problem": HOSTILE, "origin": HOSTILE} for each in await usual(name)]

    control.sources = hostile  # type: ignore[method-assign]
    with Paged(control) as opened:
        made = opened.get("/pulse").text
    assert "<script>document" not in made
    assert "\x1b" not in made
    assert "\u202e" not in made


def test_a_new_host_has_a_pulse_as_well() -> None:
    with Paged(calm()) as opened:
        page = read_page(opened.get("/pulse").text)
    assert "too little is known of the time before to compare" in page.text
    assert len(page.of("figure")) == 6


def test_reports_of_applications_are_told_below_the_sources() -> None:
    control = calm()
    counts = ReportCounts(taken=12, refused={"rate": 3, "form": 1}, connections=1, questions=2)
    control.reports = report_row("/run/logmedic/report.sock", counts, f"more comes than is taken {HOSTILE}")
    with Paged(control) as opened:
        page = opened.get("/pulse").text
    said = "Reports of applications: 12 taken, 4 refused (1 form, 3 rate), 1 connection, 2 wait for an answer."
    assert said in read_page(page).text
    assert "not all are taken more comes than is taken" in read_page(page).text
    assert "<script>document" not in page


def test_a_daemon_that_takes_no_reports_does_not_speak_of_them() -> None:
    control = calm()
    control.reports = None
    with Paged(control) as opened:
        assert "Reports of applications" not in opened.get("/pulse").text
