"""Mail through a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts.sending import ALERT, ALERT_ID, BODY, mail, send_all
from alerts.servers import Greeting, SmtpServer, closed_port
from logmedic.model.alert import Delivery, Receiver

REFUSALS = {"gone": "550 no such user", "later": "450 busy", "full": "552 mailbox full", "closing": "421 going down"}


@pytest.fixture(scope="module")
def server() -> Iterator[SmtpServer]:
    with SmtpServer(REFUSALS) as running:
        yield running


@pytest.fixture(scope="module")
def deliveries(server: SmtpServer) -> dict[str, Delivery]:
    with Greeting(b"421 too many connections\r\n") as away, Greeting(b"554 go away\r\n") as never:
        urls = {
            "accepted": mail(server.port),
            **{name: mail(server.port, f"{name}@example.org") for name in REFUSALS},
            "one of two gone": mail(server.port, "second@example.org,gone@example.org"),
            "turned away": mail(away.port),
            "turned away for good": mail(never.port),
            "login": mail(server.port).replace("mailto://", "mailto://bob:hunter2secret@"),
            "starttls": mail(server.port).replace("mode=insecure", "mode=starttls"),
            "refused": mail(closed_port()),
        }
        return send_all({name: Receiver(name, url) for name, url in urls.items()})


def test_a_mail_arrives_whole_as_plain_text_with_the_id_in_it(
    server: SmtpServer, deliveries: dict[str, Delivery]
) -> None:
    assert deliveries["accepted"] == Delivery(True)
    letter = server.letter_to("ops@example.org")
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().rstrip() == BODY
    assert ALERT_ID in letter.get_content()
    assert (letter["Subject"], letter["From"]) == (ALERT.title, "logmedic@example.com")


@pytest.mark.parametrize(
    ("name", "detail", "permanent"),
    [
        ("gone", "SMTP 550 no such user", True),
        ("later", "SMTP 450 busy", False),
        ("closing", "SMTP 421 going down", False),
        ("full", "SMTP 552 mailbox full", False),
        ("turned away", "SMTP 421 too many connections", False),
        ("turned away for good", "SMTP 554 go away", False),
        ("login", "SMTP: the server lacks what the receiver asks for (login or STARTTLS)", True),
        ("starttls", "SMTP: the server lacks what the receiver asks for (login or STARTTLS)", True),
        ("refused", "SMTP: Connection refused", False),
    ],
)
def test_f67_a_failure_says_why_and_whether_trying_again_can_help(
    deliveries: dict[str, Delivery], name: str, detail: str, permanent: bool
) -> None:
    assert deliveries[name] == Delivery(False, detail, permanent=permanent)


def test_f67_one_refused_recipient_keeps_the_letter_from_no_other(
    server: SmtpServer, deliveries: dict[str, Delivery]
) -> None:
    assert deliveries["one of two gone"] == Delivery(False, "SMTP 550 no such user", permanent=True)
    assert server.recipients.count("second@example.org") == 1
