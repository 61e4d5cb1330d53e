"""What all pages have around them: the head, the navigation, and what keeps them alive."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from logmedic.adapters.web.html import Html, Part, document, element, joined
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.adapters.web.pages.static import address
from logmedic.core.evidence import clean

NAVIGATION = (
    ("/", "Needs you"),
    ("/incidents", "Incidents"),
    ("/fixes", "Fixes"),
    ("/pulse", "Pulse"),
    ("/learned", "Learned"),
    ("/rules", "Rules"),
    ("/alerts", "Alerts"),
    ("/live", "Live"),
)
_HTMX = '{"includeIndicatorStyles": false, "allowEval": false, "selfRequestsOnly": true, "historyCacheSize": 0}'
"""What a strict policy allows; and no page stays in the browser's storage."""
_SCRIPTS = ("vendor/htmx.min.js", "vendor/idiomorph-ext.min.js", "live.js")


def whole(page: Page, answer: Answer, view: View) -> str:
    """The document of a page. Its <main> is fetched again, and morphed, when one of its topics changes."""
    return framed(page.title(answer), page.render(answer, view), view, scripts=page.scripts, alive=_alive(page, view))


def framed(
    title: str,
    content: Html,
    view: View,
    *,
    scripts: tuple[str, ...] = (),
    alive: Mapping[str, str] | None = None,
    machine: bool = True,
) -> str:
    """`content` with what all pages have around it. `alive`: attributes of its <main>. `machine`: it has
    its JSON."""
    body = joined(
        element("a", "Skip to the content", href="#main", class_="skip"),
        _header(view),
        element("main", content, id="main", tabindex="-1", **(alive or {})),
        element("footer", _foot(view, machine=machine)),
        _keys(),
    )
    head = _head(f"{title} - logmedic on {view.host}", (*_SCRIPTS, *scripts))
    return document(head, body)


def _alive(page: Page, view: View) -> dict[str, str]:
    """Nothing of what is only asked once is fetched again."""
    if not page.topics:
        return {}
    return {
        "data_topics": " ".join(sorted(page.topics)),
        "hx_get": here(view),
        "hx_trigger": "logmedic:changed",
        "hx_select": "#main",
        "hx_swap": "morph:outerHTML",
        "hx_ext": "morph",
    }


def bare(title: str, *parts: Part) -> str:
    """A page without navigation, for who has not signed in, and for troubles."""
    body = joined(element("header", element("b", "logmedic"), class_="bare"), element("main", *parts, id="main"))
    return document(_head(f"{title} - logmedic", ()), body)


def trouble(text: str, hint: str) -> str:
    """Where there is nothing to show. What was asked for may stand in it: links of others ask, too."""
    text, hint = clean(text, 600, keep=""), clean(hint, 600, keep="")
    said = element("h1", f"{text[:1].upper()}{text[1:]}")
    back = element("p", element("a", "Needs you", href="/"), class_="soft")
    return bare(text, element("section", said, element("p", hint) if hint else None, back, class_="card order"))


def here(view: View) -> str:
    """The path with its query, as it was asked."""
    return f"{view.path}?{urlencode(view.query)}" if view.query else view.path


def _head(title: str, scripts: tuple[str, ...]) -> Html:
    sheets = ("tokens.css", "style.css", "charts.css")
    return joined(
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("meta", name_="robots", content="noindex, nofollow"),
        element("meta", name_="htmx-config", content=_HTMX),
        element("title", title),
        element("link", rel="icon", href=address("icon.svg"), type="image/svg+xml"),
        *(element("link", rel="stylesheet", href=address(each)) for each in sheets),
        *(element("link", rel="stylesheet", href=address(each)) for each in _sheets_of(scripts)),
        *(element("script", src=address(each), defer=True) for each in scripts),
    )


def _sheets_of(scripts: tuple[str, ...]) -> tuple[str, ...]:
    return ("vendor/uPlot.min.css",) if "charts.js" in scripts else ()


def _header(view: View) -> Html:
    return element(
        "header",
        element("p", element("b", "logmedic"), " on ", element("b", view.host), class_="brand"),
        navigation(view),
        element("p", "not live", id="live", class_="live", role="status", hidden=True, data_keep=True),
    )


def navigation(view: View) -> Html:
    """The ways to all pages, with what waits on each; fetched again by itself when that changes."""
    return element(
        "nav",
        element("ul", *(_way(path, name, view) for path, name in NAVIGATION)),
        id="pages",
        aria_label="Pages",
        hx_get=f"/navigation?{urlencode({'at': view.path})}",
        hx_trigger="logmedic:counts",
        hx_swap="morph:outerHTML",
        hx_ext="morph",
    )


def _way(path: str, name: str, view: View) -> Html:
    current = view.path == path or (path != "/" and view.path.startswith(f"{path}/"))
    number = view.counts.get(path, 0)
    badge = element("span", f"{number:,}", class_="badge", data_path=path) if number else None
    return element("li", element("a", name, " " if badge else None, badge, href=path, aria_current=_page(current)))


def _page(current: bool) -> str | None:
    return "page" if current else None


def _foot(view: View, *, machine: bool) -> Html:
    right = "may act" if view.caller.may_act else "may look"
    out = element(
        "form",
        element("input", type="hidden", name_="csrf", value=view.caller.csrf),
        element("button", "Sign out", type="submit", class_="quiet"),
        method="post",
        action="/sign-out",
    )
    as_json = element("a", "This page as JSON", href=json_path(view)) if machine else None
    return joined(
        element("p", f"{view.caller.name}, who {right}. ", as_json, class_="soft"),
        element(
            "div",
            element("button", "Keys", type="button", id="ask-keys", class_="quiet", hidden=True, data_scripted=True),
            out if view.caller.door == "session" else None,
            class_="tags",
        ),
    )


_KEYS = (
    ("g then n, i, f, p", "go to Needs you, Incidents, Fixes, Pulse"),
    ("g then l, r, a, v", "go to Learned, Rules, Alerts, Live"),
    ("j, k", "the next row, and the one before"),
    ("Enter", "open it"),
    ("/", "search"),
    ("p", "on Live: pause, and go on"),
    ("?", "this list"),
    ("Esc", "close it"),
)


def _keys() -> Html:
    """Opened by live.js; without it nobody misses it."""
    listed = (joined(element("dt", element("kbd", keys)), element("dd", words)) for keys, words in _KEYS)
    shut = element("form", element("button", "Close", type="submit"), method="dialog", class_="buttons")
    return element(
        "dialog",
        element("h2", "Keys", id="keys-title"),
        element("dl", *listed),
        shut,
        id="keys",
        aria_labelledby="keys-title",
    )


def json_path(view: View) -> str:
    path, _, query = here(view).partition("?")
    return f"{'/needs-you' if path == '/' else path}.json{f'?{query}' if query else ''}"
