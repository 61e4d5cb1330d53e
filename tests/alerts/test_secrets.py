"""URLs are secrets: no part of one is in an answer, in arguments, or in an environment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.sending import ALERT, TOKENS, mail, send_all, slack, spying_python
from alerts.servers import Answer, HttpServer, SmtpServer, closed_port
from logmedic.adapters.alerts.sender import AppriseSender
from logmedic.adapters.alerts.text import scrubbed
from logmedic.model.alert import Delivery, Receiver

CANARY = "hunter2canary"


@pytest.mark.slow
def test_no_detail_holds_a_part_of_the_url_also_when_the_server_repeats_it() -> None:
    token = TOKENS.rpartition("/")[2]
    with (
        SmtpServer({"ops": f"550 5.1.1 {CANARY}@example.org is not welcome"}) as mails,
        HttpServer({"echo": Answer(403, token.encode()), "fail": Answer(500, CANARY.encode())}) as hooks,
    ):
        receivers = {
            "mail": Receiver("mail", mail(mails.port, more=f"&reply={CANARY}@example.org")),
            "echo": slack("echo", hooks.port, "echo"),
            "fail": Receiver("fail", f"json://bob:{CANARY}@127.0.0.1:{hooks.port}/fail/{CANARY}?+X-Key={CANARY}"),
            "refused": Receiver("refused", f"json://bob:{CANARY}@127.0.0.1:{closed_port()}/{CANARY}"),
            "no host": Receiver("no host", f"mailto://bob:{CANARY}@"),
            "unknown": Receiver("unknown", f"nosuch://bob:{CANARY}@host/{CANARY}"),
            "no url": Receiver("no url", CANARY),
            "bracket": Receiver("bracket", f"json://bob:{CANARY}@[::1/{CANARY}"),
            "bad hook": Receiver("bad hook", f"slack://{CANARY}/{CANARY}"),
        }
        deliveries = send_all(receivers)
    for name, delivery in deliveries.items():
        assert not delivery.delivered, name
        assert delivery.detail, name
        assert CANARY not in delivery.detail, name
        assert token not in delivery.detail, name
    assert deliveries["mail"].detail == "SMTP 550 5.1.1 *** is not welcome"


def test_a_receiver_does_not_show_its_url() -> None:
    assert CANARY not in repr(Receiver("it", f"json://{CANARY}"))


def test_the_worker_gets_nothing_of_the_environment_but_what_leads_to_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGMEDIC_SECRET_CANARY", CANARY)
    python, notes = spying_python(tmp_path)
    given = {"NO_PROXY": "127.0.0.1", "LOGMEDIC_ALERTS": CANARY, "CREDENTIALS_DIRECTORY": CANARY, "LD_PRELOAD": CANARY}

    async def scenario(port: int) -> Delivery:
        sender = AppriseSender(deadline_s=20, python=python, environment=given)
        return await sender.send(ALERT, Receiver("it", f"json://bob:{CANARY}@127.0.0.1:{port}/{CANARY}"))

    with HttpServer() as server:
        assert asyncio.run(scenario(server.port)) == Delivery(True)
    told = notes.read_text()
    assert CANARY not in told
    names = {line.partition("=")[0] for line in told.splitlines() if "=" in line}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LANG", "NO_PROXY"}  # the shell adds those


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("cannot load tgram://123456:AAbb/ops", "tgram://123456:AAbb/ops"),
        ("bad key s3cr3t!", "json://bob:s3cr3t%21@host"),
        ("AAbbCC is revoked", "discord://1234567890/AAbbCC"),
        ("who is 12345678?", "nosuch://12345678"),
        ("pass longpassword", "mailto://host.example?user=bob&pass=longpassword"),
    ],
)
def test_parts_of_the_url_are_hidden_decoded_or_not(said: str, url: str) -> None:
    shown = scrubbed(said, url)
    assert "***" in shown
    assert not any(secret in shown for secret in ("AAbb", "s3cr3t", "12345678", "longpassword"))
