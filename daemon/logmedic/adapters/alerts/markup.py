"""Text as a service's own syntax shows it: every character as it is, no part of it obeyed (F74)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

PARTED = "\u200b"
"""A zero-width space: what it parts is no markup any more, and looks the same."""

_MRKDWN_MARK = re.compile(r"(?<![A-Za-z0-9])[*_~](?=\S)|`")
_MRKDWN_QUOTE = re.compile(r"^(?=&gt;)", re.MULTILINE)
_MARKDOWN = re.compile(r"([\\`*_~|<>\[\]()#@:])|^(\s*)([-+=]|\d+(?=[.)]))", re.MULTILINE)
_BACKTICKS = re.compile(r"`(?=`)")


@dataclass(frozen=True, slots=True)
class Markup:
    """How a service writes things. All but `line_end` and `link`, whose second argument is a URL, take plain text."""

    prose: Callable[[str], str]
    bold: Callable[[str], str]
    fence: Callable[[str], str]
    link: Callable[[str, str], str]
    line_end: str = "\n"


def slack_plain(text: str) -> str:
    """For Slack's plain_text: no mark means anything there, and &, < and > are escaped as everywhere."""
    return html.escape(text, quote=False)


def mrkdwn_escape(text: str) -> str:
    """&, < and > once. Slack knows no escape for the other marks: one that could begin something, and a > that begins
    a line (it arrives as &gt; and would quote), are parted from what they would mark."""
    escaped = html.escape(text, quote=False)
    return _MRKDWN_QUOTE.sub(PARTED, _MRKDWN_MARK.sub(rf"\g<0>{PARTED}", escaped))


def mrkdwn_fence(text: str) -> str:
    """Slack has one fence, of three backticks; the next three end it, wherever they stand, and none can be escaped.
    Backticks that stand together are therefore parted: the fence is then longer than any run in it. Mentions and
    links, which Slack takes also from inside a fence, need a < that is escaped."""
    return f"```\n{_BACKTICKS.sub(f'`{PARTED}', html.escape(text, quote=False))}\n```"


def mrkdwn_link(label: str, url: str) -> str:
    return f"<{html.escape(url.replace('|', '%7C'), quote=False)}|{mrkdwn_escape(label)}>"


def markdown_escape(text: str) -> str:
    """For CommonMark and Discord: a backslash before each mark. Also before @ and :, which some readers obey."""
    return _MARKDOWN.sub(lambda hit: f"\\{hit[1]}" if hit[1] else _list_parted(hit[2], hit[3]), text)


def _list_parted(blanks: str, mark: str) -> str:
    """What would begin a list: a digit has no escape, so what follows it is parted."""
    return f"{blanks}{mark}{PARTED}" if mark.isdecimal() else f"{blanks}\\{mark}"


def markdown_fence(text: str) -> str:
    """Discord ends a block at the first three backticks, whatever began it, and CommonMark at a run as long as the
    first: runs are parted, so that three are longer than any in it."""
    return f"```\n{_BACKTICKS.sub(f'`{PARTED}', text)}\n```"


def markdown_link(label: str, url: str) -> str:
    return f"[{markdown_escape(label)}](<{url.replace('<', '%3C').replace('>', '%3E')}>)"


def html_escape(text: str) -> str:
    return html.escape(text)


def html_link(label: str, url: str) -> str:
    return f'<a href="{html.escape(url)}">{html.escape(label)}</a>'


MRKDWN = Markup(mrkdwn_escape, lambda text: f"*{mrkdwn_escape(text)}*", mrkdwn_fence, mrkdwn_link)
MARKDOWN = Markup(markdown_escape, lambda text: f"**{markdown_escape(text)}**", markdown_fence, markdown_link)
TELEGRAM = Markup(
    html_escape,
    lambda text: f"<b>{html.escape(text)}</b>",
    lambda text: f"<pre>{html.escape(text)}</pre>",
    html_link,
)
MATRIX = Markup(
    lambda text: html.escape(text).replace("\n", "<br>"),
    lambda text: f"<strong>{html.escape(text)}</strong>",
    lambda text: f"<pre><code>{html.escape(text)}\n</code></pre>",
    html_link,
    line_end="<br>",
)
