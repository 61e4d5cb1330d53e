"""F74: log text in a message is shown as text, and obeyed by nobody."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from alerts.sending import ALERT, ALERT_ID, mail, send_all, slack
from alerts.servers import HttpServer, SmtpServer
from logmedic.adapters.alerts.text import TITLE_LIMIT, defused, fitted, one_line, visible
from logmedic.model.alert import Receiver

HOSTILE = (
    "x\r\nBcc: evil@example.com\r\n\r\n<!channel> <@U123> <#C1> @everyone @here <https://evil.example|click>\n"
    "``` *bold* $(id) `id`\n~! id\n.\r\n"
    "\x1b[31mred\x1b]0;title\x07 \x00\x08\x9b5m \u202etxt.exe\u2066 \ud800 & <b>\ufeff"
)
OBEYED = ("\x1b", "\x00", "\x07", "\x08", "\x9b", "\u202e", "\u2066", "\ud800", "\ufeff", "\r")


@pytest.fixture(scope="module")
def arrived() -> dict[str, object]:
    """The hostile alert as each receiver got it."""
    alert = replace(ALERT, title=HOSTILE, body=f"{HOSTILE}\nalert {ALERT_ID}")
    with SmtpServer() as mails, HttpServer() as hooks:
        receivers = {
            "mail": Receiver("mail", mail(mails.port)),
            "html mail": Receiver("html mail", mail(mails.port, "html@example.org", "&format=html")),
            "slack": slack("slack", hooks.port),
            "json": Receiver("json", f"json://127.0.0.1:{hooks.port}/json"),
        }
        assert all(each.delivered for each in send_all(receivers, alert).values())
        posted = {each.path.split("/")[1]: json.loads(each.body) for each in hooks.posted}
        return {
            "recipients": list(mails.recipients),
            "mail": mails.letter_to("ops@example.org"),
            "html mail": mails.letter_to("html@example.org"),
            "slack": posted["fine"]["attachments"][0],
            "json": posted["json"],
        }


@pytest.mark.parametrize("name", ["mail", "html mail"])
def test_f74_a_mail_gets_no_header_no_recipient_and_no_markup_from_its_text(
    arrived: dict[str, object], name: str
) -> None:
    letter = arrived[name]
    assert letter["Bcc"] is None  # type: ignore[index]
    assert sorted(arrived["recipients"]) == ["html@example.org", "ops@example.org"]  # type: ignore[call-overload]
    assert letter.get_content_type() == "text/plain"  # type: ignore[attr-defined]
    text = letter.get_content()  # type: ignore[attr-defined]
    assert not any(character in text + letter["Subject"] for character in OBEYED)  # type: ignore[index]
    assert "Bcc: evil@example.com" in text
    assert "\\x1b[31mred" in text
    assert "\\u202etxt.exe" in text
    assert text.rstrip().endswith(f"alert {ALERT_ID}")
    assert letter["Subject"].startswith("x Bcc: evil@example.com <!channel>")  # type: ignore[index]


def test_f74_slack_sees_no_mention_no_link_and_no_markup(arrived: dict[str, object]) -> None:
    attachment = arrived["slack"]
    for text in (attachment["title"], attachment["text"]):  # type: ignore[index]
        assert "<" not in text
        assert ">" not in text
        assert "&lt;!channel&gt; &lt;@U123&gt;" in text
        assert not any(character in text for character in OBEYED)
    assert "mrkdwn_in" not in attachment  # type: ignore[operator]


def test_f74_other_chats_see_mentions_parted(arrived: dict[str, object]) -> None:
    message = arrived["json"]["message"]  # type: ignore[index]
    assert "@everyone" not in message
    assert "@\u200beveryone" in message
    assert "<!channel>" not in message
    assert not any(character in message for character in OBEYED)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\tb\nc\r\nd", "a\tb\nc\nd"),
        ("a\rb", "a\\x0db"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u2028\u202e\ufeff", "\\u2028\\u202e\\ufeff"),
        ("\udcff", "\\udcff"),
        ("Grüße 東京 🙂", "Grüße 東京 🙂"),
    ],
)
def test_f74_what_a_reader_would_obey_becomes_its_escape(given: str, shown: str) -> None:
    assert visible(given) == shown


def test_f74_a_title_is_one_short_line() -> None:
    title = one_line("a\r\n b\u2028c\x85" + "d" * 1000)
    assert title.startswith("a b c d")
    assert len(title) == TITLE_LIMIT


def test_f74_mentions_are_parted_but_for_receivers_that_escape() -> None:
    assert defused("@everyone <@1> @bob", "discord") == "@\u200beveryone <\u200b@1> @bob"
    assert defused("@everyone", "slack") == "@everyone"


@pytest.mark.parametrize("limit", [0, 60, 100, 10_000])
def test_f71_a_body_is_cut_above_the_line_of_its_id(limit: int) -> None:
    body = "evidence " * 100 + f"\nalert {ALERT_ID}"
    cut = fitted(body, limit)
    assert cut.endswith(f"alert {ALERT_ID}")
    assert len(cut) <= (limit or len(body))
