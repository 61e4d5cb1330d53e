"""What pages are made of. All of it is readable without scripts, without colour, and by a screen reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.core.evidence import clean
from logmedic.core.moments import span_text
from logmedic.core.rowwords import state_of
from logmedic.core.shellwords import short

Row = Mapping[str, Any]

_MARKS = {"good": "✓", "bad": "✗", "wait": "‖", "work": "▶", "soft": "·"}
"""By tone: the colour is never the only signal."""
_TONES = {"resolved": "good", "failed": "bad", "open": "wait", "fixed": "good", "not_fixed": "bad", "unknown": "wait"}
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 24


def section(title: str, *parts: Part, id: str, more: Part = None) -> Html:
    """A card with a heading. `id`: of the section, unique in its page. `more`: beside the heading."""
    head = element("div", element("h2", title, id=f"{id}-title"), more, class_="head")
    return element("section", head, *parts, id=id, class_="card", aria_labelledby=f"{id}-title")


def heading(title: Part, lead: Part = None, *, above: Part = None, more: Part = None) -> Html:
    """Of the page, its only h1. `above`: signs over it, `lead`: the line below it, `more`: what can be done."""
    words = (
        element("p", above, class_="over-title") if above else None,
        element("h1", title),
        element("p", lead, class_="soft") if lead else None,
    )
    return element(
        "div", element("div", *words), element("div", more, class_="buttons") if more else None, class_="title"
    )


def table(
    caption: str, headings: Sequence[str], rows: Iterable[Sequence[Part]], *, numbers: Sequence[str] = ()
) -> Html:
    """`caption` is for those who hear it. `numbers`: headings of columns that are set flush right. On a narrow screen a
    row is shown as a list of its named cells."""
    names = (element("th", each, scope="col", role="columnheader", class_=_right(each, numbers)) for each in headings)
    body = (_table_row(headings, cells, numbers) for cells in rows)
    return element(
        "table",
        element("caption", caption, class_="heard"),
        element("thead", element("tr", *names, role="row"), role="rowgroup"),
        element("tbody", *body, role="rowgroup"),
        class_="rows",
        role="table",
    )


def _table_row(headings: Sequence[str], cells: Sequence[Part], numbers: Sequence[str]) -> Html:
    """The roles are said, because a style that shows it as a list takes them away."""
    named = (
        element("td", element("div", cell), data_label=each, class_=_right(each, numbers), role="cell")
        for each, cell in zip(headings, cells, strict=True)
    )
    return element("tr", *named, role="row")


def _right(heading: str, numbers: Sequence[str]) -> str | None:
    return "number" if heading in numbers else None


def items(rows: Iterable[Html], empty: str) -> Html:
    """A list of what `item` made; `empty` is said where there is none."""
    made = list(rows)
    return element("ul", *made, class_="timeline plain") if made else nothing(empty)


def item(tone: str, first: Part, below: Part = None, when: Part = None) -> Html:
    """`first` is what is read first, `below` the rest, `when` stands at the end of the line."""
    return element(
        "li",
        element("span", _MARKS[tone], class_=f"mark {tone}", aria_hidden="true"),
        element("div", element("p", first), element("p", below, class_="soft") if below else None, class_="what"),
        element("span", when, class_="when") if when else None,
    )


def nothing(text: str, hint: Part = None) -> Html:
    """Where a list would be."""
    return element("p", text, " " if hint else None, hint, class_="nothing")


def tag(tone: str, text: str) -> Html:
    """`tone`: good, bad, wait, work or soft."""
    return element("span", element("span", _MARKS[tone], aria_hidden="true"), f" {text}", class_=f"tag {tone}")


def severity(row: Row) -> Html:
    level = str(row["severity"])
    return element("span", level, class_=f"severity {level}")


def state(row: Row) -> Html:
    """Of an incident."""
    return tag(_TONES.get(str(row["status"]), "work"), state_of(row))


def verdict(row: Row) -> Html:
    """Of an attempt."""
    told = row["verdict"]
    return tag(_TONES.get(str(told), "work"), str(told).replace("_", " ") if told else str(row["status"]))


_MESSAGES = {
    "pending": ("work", "to be sent"),
    "sending": ("work", "is being sent"),
    "deferred": ("wait", "waits for its time"),
    "folded": ("soft", "told in another one"),
    "sent": ("good", "arrived"),
    "dead": ("bad", "given up"),
}


def message_words(row: Row) -> tuple[str, str]:
    """Of an alert: a tone, and what became of it."""
    tone, words = _MESSAGES.get(str(row["status"]), ("soft", str(row["status"])))
    tries = f" after {row['tries']} tries" if row["tries"] > 1 else ""
    return tone, f"{words}{tries}"


def incident_link(row: Row, text: str | None = None) -> Html:
    """`row` has its id as `id`, and a title."""
    return element("a", line(text or str(row["title"])), href=f"/incidents/{quote(str(row['id']), safe='')}")


def short_id(row: Row) -> Html:
    return element("code", short(str(row["id"])))


def rule_link(rule_id: str) -> Html:
    return element("a", line(rule_id), href=f"/rules/{quote(rule_id, safe='')}")


def line(text: str, limit: int = 300) -> str:
    """Text of a log, or one that may hold some, on one line: nothing in it hides or reorders what is beside it."""
    return " ".join(clean(text, limit, keep="").split())


def log(text: str, captures: Mapping[str, str] | None = None, *, limit: int = 8000) -> Html:
    """Lines of a log as they are, with what was captured of them marked and named."""
    return element("pre", *_marked(clean(text, limit), captures or {}), class_="log", tabindex="0")


def _marked(text: str, captures: Mapping[str, str]) -> Iterable[Part]:
    """The first place of each value, none inside another."""
    places: list[tuple[int, int, str]] = []
    for name, value in sorted(captures.items(), key=lambda pair: -len(pair[1])):
        at = text.find(value) if value else -1
        if at >= 0 and all(at + len(value) <= begin or end <= at for begin, end, _ in places):
            places.append((at, at + len(value), name))
    done = 0
    for begin, end, name in sorted(places):
        yield text[done:begin]
        yield element("mark", text[begin:end], title=name)
        done = end
    yield text[done:]


def ago(at: str | None, now: datetime, none: str = "never") -> Html | str:
    """A time that was, as how long ago; the whole of it when asked. `at`: ISO 8601, as rows have it."""
    if not at:
        return none
    moment = datetime.fromisoformat(at)
    return element("time", f"{span_text(now - moment)} ago", datetime=at, title=_whole(moment), data_ago=True)


def left(at: str | None, now: datetime, none: str = "") -> Html | str:
    """A time to come, as what is left of it."""
    if not at:
        return none
    moment = datetime.fromisoformat(at)
    text = f"{span_text(moment - now)} left" if moment > now else "over"
    return element("time", text, datetime=at, title=_whole(moment), data_left=True)


def clock(at: str) -> Html:
    """The time of day, UTC."""
    moment = datetime.fromisoformat(at)
    return element("time", f"{moment:%H:%M:%S}", datetime=at, title=_whole(moment))


def _whole(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def span(seconds: float | None, none: str = "-") -> str:
    return (
        none
        if seconds is None
        else f"{seconds * 1000:.0f} ms"
        if seconds < 1
        else span_text(timedelta(seconds=seconds))
    )


def moment(at: str) -> str:
    """A time of a row, in words."""
    return _whole(datetime.fromisoformat(at))


def seconds(begin: str | None, end: str | None) -> float | None:
    """Between two times of a row."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() if begin and end else None


def percent(share: float | None, none: str = "-") -> str:
    return none if share is None else f"{share:.0%}"


def facts(pairs: Iterable[tuple[str, Part]]) -> Html:
    """Names with their values; those without one are left out."""
    shown = (joined(element("dt", name), element("dd", value)) for name, value in pairs if value not in (None, ""))
    return element("dl", *shown)


def spark(values: Sequence[float], label: str) -> Html:
    """Bars from the oldest to the newest. `label` says in words what they show, for who does not see them."""
    top = max([*values, 1])
    wide = _SPARK_WIDTH / max(len(values), 1)
    bars = (_bar(number, value / top, wide) for number, value in enumerate(values) if value)
    ground = element("line", x1="0", x2=f"{_SPARK_WIDTH}", y1=f"{_SPARK_HEIGHT - 0.5}", y2=f"{_SPARK_HEIGHT - 0.5}")
    box = f"0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}"
    return element("svg", element("title", label), ground, *bars, viewBox=box, role="img", class_="spark")


def _bar(number: int, share: float, wide: float) -> Html:
    high = max(2.0, share * (_SPARK_HEIGHT - 2))
    x, y = f"{number * wide + wide * 0.1:.2f}", f"{_SPARK_HEIGHT - 1 - high:.2f}"
    return element("rect", x=x, y=y, width=f"{wide * 0.8:.2f}", height=f"{high:.2f}")


def shell(command: str, lead: str = "In a shell: ") -> Html:
    """One line to copy; one click chooses all of it."""
    return element("p", lead, element("code", line(command)), class_="soft shell")


def tile(number: str, words: str, more: Part = None) -> Html:
    """A figure, inside `tiles`."""
    return element("li", element("b", number), element("span", words), more, class_="tile")


def tiles(*each: Html) -> Html:
    return element("ul", *each, class_="tiles")


def fold(summary: Part, *parts: Part, shown: bool = False) -> Html:
    """What is there for who asks. `shown`: at first."""
    return element("details", element("summary", summary), *parts, open=shown)


def columns(main: Part, aside: Part) -> Html:
    """Side by side where there is room."""
    return element("div", element("div", main), element("div", aside), class_="columns")


def button(text: str, path: str, tone: str = "") -> Html:
    """To the page that asks whether it is meant. `tone`: good, bad, or none."""
    return element("a", text, href=path, class_=f"button {tone}".strip())


def choices(name: str, label: str, options: Sequence[tuple[str, str]], chosen: str) -> Html:
    """`options`: value and words."""
    listed = (element("option", words, value=value, selected=value == chosen) for value, words in options)
    return element("label", element("span", label), element("select", *listed, name_=name))


def words(name: str, label: str, value: str, *, longest: int = 200, kind: str = "search") -> Html:
    """A field of a form of filters."""
    box = element("input", type=kind, name_=name, value=value, maxlength=str(longest), autocomplete="off")
    return element("label", element("span", label), box)


def filters(path: str, *fields: Html) -> Html:
    """A form whose answers are in the address."""
    return element(
        "form",
        *fields,
        element("button", "Show", type="submit"),
        method="get",
        action=path,
        class_="filters",
        role="search",
    )


def following(path: str, query: Mapping[str, str], cursor: str, text: str = "Older ones") -> Html | None:
    """The way to the rows behind these; `cursor` is empty behind the last."""
    if not cursor:
        return None
    target = f"{path}?{urlencode({**query, 'cursor': cursor})}"
    return element("p", element("a", text, href=target, rel="next"), class_="following")


def spans(ways: Iterable[tuple[str, str, str]], chosen: str) -> Html:
    """How long a time is shown. `ways`: address, value and words of each."""
    links = (
        element("a", words, href=path, class_="button", aria_current="true" if value == chosen else None)
        for path, value, words in ways
    )
    return element("nav", *links, class_="spans", aria_label="How long")
