"""HTML that is safe by the way it is made: a text is text, and only what `element` answers is markup."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"br", "hr", "input", "link", "meta"})


class Html(str):
    """Markup. Made here alone."""

    __slots__ = ()


Part = str | None
"""None is left out; a str that is no Html is text."""


def element(name: str, *parts: Part, **attributes: str | bool | None) -> Html:
    """`attributes`: True has no value, False and None are left out; an underscore at the end is left out, others
    become dashes."""
    shown = "".join(_attribute(key, value) for key, value in attributes.items())
    inner = joined(*parts)
    return Html(f"<{name}{shown}>") if name in _VOID else Html(f"<{name}{shown}>{inner}</{name}>")


def joined(*parts: Part) -> Html:
    return Html("".join(_shown(each) for each in parts if each is not None))


def style(css: str) -> Html:
    """`css` is our own: inside this element browsers know no escapes."""
    return Html(f"<style>{css}</style>")


def document(head: Html, body: Html) -> Html:
    return Html(f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n')


def _shown(part: str) -> str:
    return part if isinstance(part, Html) else escape(part)


def _attribute(name: str, value: str | bool | None) -> str:
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(value)}"'
