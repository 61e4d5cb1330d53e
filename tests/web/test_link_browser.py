"""The pages behind links in a real browser: chromium, headless, without scripts. Skipped where there is none,
unless CI asks for all of it."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from fakes.served_links import links_to, serving_links, waiting
from logmedic.core.links import Purpose

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM and not os.environ.get("CI"), reason="chromium is not installed: apt-get install chromium"
    ),
]
LIGHT, DARK = "1", "0"


def browser(directory: Path, url: str, *more: str) -> str:
    """What it prints. Everything but this host is out of its reach."""
    ran = subprocess.run(
        [
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={directory / 'profile'}",
            *more,
            url,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ran.stdout


def test_opening_a_link_shows_the_form_and_does_nothing(tmp_path: Path) -> None:
    with serving_links() as host:
        for purpose, url in links_to(host).items():
            shown = browser(tmp_path, url, "--dump-dom")
            assert "web is down" in shown
            assert ("<form" in shown) == (purpose is not Purpose.VIEW)
        assert host.events("approved", "rejected") == []
        assert host.alerts.did == []


def test_a_script_in_a_log_line_does_not_run(tmp_path: Path) -> None:
    evil = "</pre><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    with serving_links(waiting(title=evil, evidence=evil)) as host:
        shown = browser(tmp_path, links_to(host)[Purpose.VIEW], "--dump-dom")
    assert "<title>Incident - logmedic on db1</title>" in shown
    assert "<script" not in shown
    assert "<img" not in shown


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000])
def test_its_own_style_is_used_and_nothing_sticks_out(tmp_path: Path, width: int, scheme: str) -> None:
    picture = tmp_path / "page.png"
    with serving_links() as host:
        url = links_to(host)[Purpose.APPROVE]
        style = f"--blink-settings=preferredColorScheme={scheme}"
        browser(tmp_path, url, f"--screenshot={picture}", f"--window-size={width},900", style)
    raw = picture.read_bytes()
    assert struct.unpack(">II", raw[16:24]) == (width, 900)
    assert len(raw) > 10_000, "an empty page is smaller"


def test_a_form_of_another_site_is_seen_to_be_one(tmp_path: Path) -> None:
    with serving_links() as host:
        page = tmp_path / "other-site.html"
        page.write_text(
            f'<form method="post" action="{links_to(host)[Purpose.APPROVE]}"><input name="do" value="approve">'
            '<input name="name" value="Mallory"></form><script>document.forms[0].submit()</script>'
        )
        shown = browser(tmp_path, page.as_uri(), "--dump-dom", "--virtual-time-budget=3000")
        assert "This form is of another site" in shown
        assert host.events("approved") == []


def test_pressing_the_button_approves_and_pressing_enter_does_not(tmp_path: Path) -> None:
    """A browser is asked, since what it says of its own form (Origin, Sec-Fetch-Site) depends on our headers."""
    with serving_links() as host, Driven(tmp_path) as page:
        page.open(links_to(host)[Purpose.APPROVE])
        page.run("document.querySelector('[name=name]').value = 'Ann'; document.querySelector('[name=name]').focus()")
        for kind in ("keyDown", "char", "keyUp"):
            page.ask(
                "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13
            )
        assert page.run("document.querySelector('form') !== null") is True
        assert host.events("approved") == []
        page.run("document.querySelector('button.approve').click()")
        page.until("document.body.innerText.includes('Approved: its fix begins now')")
        assert host.events("approved") == ["approved by Ann (link sent to chat, from 127.0.0.1)"]
        page.ask("Page.reload")
        page.until("document.body.innerText.includes('Already approved by Ann')")
        assert len(host.events("approved")) == 1


class Driven:
    """One page of a browser, told what to do over a pipe: JSON with a zero byte behind each message."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._number = 0
        self._session = ""

    def __enter__(self) -> Driven:
        orders, self._to = os.pipe()
        self._from, answers = os.pipe()
        self._browser = subprocess.Popen(
            [
                *("/bin/bash", "-c", f'exec "$@" 3<&{orders} 4>&{answers}', "bash"),
                *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"),
                *(f"--user-data-dir={self._directory / 'driven'}", "about:blank"),
            ],
            pass_fds=(orders, answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(orders)
        os.close(answers)
        self._answers = os.fdopen(self._from, "rb")
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.terminate()
        self._browser.wait(20)
        self._answers.close()
        os.close(self._to)

    def ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        order = {"id": self._number, "method": method, "params": params}
        order |= {"sessionId": self._session} if self._session else {}
        os.write(self._to, json.dumps(order).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        return self.ask("Runtime.evaluate", expression=script)["result"].get("value")

    def until(self, claim: str) -> None:
        for _ in range(200):
            if self.run(claim) is True:
                return
            threading.Event().wait(0.05)  # the browser has no other way to tell that a page is there
        raise AssertionError(self.run("document.body.innerText"))

    def _read(self) -> Any:
        message = bytearray()
        while (byte := self._answers.read(1)) not in (b"\0", b""):
            message += byte
        return json.loads(message)
