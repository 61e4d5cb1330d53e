"""The mail that people get: threads, parts, files; and that no text becomes a header."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from alerts.messages import ALERT_ID, INCIDENT, MESSAGES, THREAD, TRACE, alert_of
from alerts.sending import mail, send_one
from alerts.servers import SmtpServer
from logmedic.model.alert import Delivery, Receiver


@pytest.fixture(scope="module")
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture(scope="module")
def letters(server: SmtpServer) -> dict[str, EmailMessage]:
    for kind, message in MESSAGES.items():
        alert = alert_of(message)
        receiver = Receiver(kind, mail(server.port, f"{kind}@example.org"))
        sent = send_one(receiver, title=alert.title, body=alert.body, content=alert.content)
        assert sent == Delivery(True)
    return {kind: server.letter_to(f"{kind}@example.org") for kind in MESSAGES}


@pytest.mark.slow
def test_letters_of_a_thread_keep_their_subject_and_answer_to_one_root(letters: dict[str, EmailMessage]) -> None:
    first, last = letters["approval"], letters["recovered"]
    assert first["Subject"] == last["Subject"] == MESSAGES["approval"].subject
    assert first["References"] == last["In-Reply-To"] == f"<{THREAD}.thread@example.com>"


@pytest.mark.slow
def test_a_letter_is_known_by_its_alert_and_as_made_by_a_program(letters: dict[str, EmailMessage]) -> None:
    letter = letters["approval"]
    assert letter["Message-ID"] == f"<{ALERT_ID}@example.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert (letter["X-Logmedic-Alert"], letter["X-Logmedic-Incident"]) == (ALERT_ID, INCIDENT)


def test_text_html_and_the_whole_evidence_are_in_it(letters: dict[str, EmailMessage]) -> None:
    letter = letters["approval"]
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().rstrip().endswith(f"alert {ALERT_ID}")
    assert "logmedic approve 456789ab" in html.get_content()
    (evidence,) = letter.iter_attachments()
    assert evidence.get_filename() == "evidence.txt"
    assert TRACE in evidence.get_content()


def test_f74_no_text_becomes_a_header_a_recipient_or_a_tag(
    server: SmtpServer, letters: dict[str, EmailMessage]
) -> None:
    letter = letters["hostile"]
    assert letter["Bcc"] is None
    assert not any("evil" in each for each in server.recipients)
    html = letter.get_body(("html",))
    assert html is not None
    content = html.get_content()
    assert "<script" not in content
    assert "&lt;script&gt;" in content
    assert "49" not in content.replace("0149", "")[: content.find("{{ 7*7 }}")][-20:]


@pytest.mark.parametrize("kind", MESSAGES)
def test_nothing_is_fetched_from_anywhere(letters: dict[str, EmailMessage], kind: str) -> None:
    html = letters[kind].get_body(("html",))
    assert html is not None
    assert not any(word in html.get_content() for word in ("<img", "src=", "<link", "@import", "url("))
