"""Live: the newest first, and what a script needs to go on from there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakes.furnished import calm, furnished
from fakes.paged import Paged, read_page


@pytest.fixture(scope="module")
def pages() -> Iterator[Paged]:
    with Paged(furnished()) as opened:
        yield opened


def test_the_newest_come_first_and_each_once(pages: Paged) -> None:
    rows = pages.get("/live.json").json()["events"]
    ids = [each["id"] for each in rows]
    shown = [each["id"] for each in read_page(pages.get("/live").text).of("li") if "id" in each]
    assert ids == sorted(ids, reverse=True)
    assert shown[: len(ids)] == [f"e-{each}" for each in ids]


def test_a_script_goes_on_behind_the_newest_whatever_is_shown(pages: Paged) -> None:
    newest = pages.get("/live.json").json()["events"][0]["id"]
    for query in ("", "?severity=low", "?topic=alerts"):
        (shown,) = read_page(pages.get(f"/live{query}").text).of("ol")
        assert shown["data-after"] == newest


@pytest.mark.parametrize(
    ("query", "name", "value"), [("severity=low", "severity", "low"), ("topic=alerts", "topic", "alerts")]
)
def test_the_address_says_what_is_shown_and_a_script_is_told(pages: Paged, query: str, name: str, value: str) -> None:
    rows = pages.get(f"/live.json?{query}").json()["events"]
    (shown,) = read_page(pages.get(f"/live?{query}").text).of("ol")
    assert {each[name] for each in rows} == {value}
    assert shown[f"data-{name}"] == value


def test_each_leads_to_what_it_is_about(pages: Paged) -> None:
    rows = pages.get("/live.json").json()["events"]
    of_incidents = {
        each["subject"].removeprefix("incident:") for each in rows if each["subject"].startswith("incident:")
    }
    links = {str(each.get("href")) for each in read_page(pages.get("/live").text).of("a")}
    assert {f"/incidents/{each}" for each in of_incidents} <= links


def test_without_scripts_there_is_a_link_and_no_button_that_does_nothing(pages: Paged) -> None:
    page = read_page(pages.get("/live?severity=low").text)
    (pause,) = (each for each in page.of("button") if each.get("id") == "pause")
    assert "hidden" in pause
    assert "/live?severity=low" in [each.get("href") for each in page.of("a")]


def test_the_form_of_an_entry_has_a_place_for_each_of_its_words(pages: Paged) -> None:
    text = pages.get("/live").text
    form = read_page(text[text.index("<template") : text.index("</template>")])
    assert {each.get("data-put") for _, each in form.tags} >= {"kind", "severity", "title", "text"}
    assert len(form.of("time")) == 1


def test_where_nothing_happened_yet_it_says_so() -> None:
    with Paged(calm()) as pages:
        page = read_page(pages.get("/live").text)
    (nothing,) = (each for each in page.of("p") if each.get("id") == "no-entries")
    assert "hidden" not in nothing
