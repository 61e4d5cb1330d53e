"""The pages behind links of messages, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fakes.served_links import links_to, serving_links, waiting
from logmedic.core.links import Purpose


def test_opening_a_link_shows_the_form_and_does_nothing(page: Page) -> None:
    with serving_links() as host:
        for purpose, url in links_to(host).items():
            page.goto(url)
            expect(page.locator("h1")).to_have_text("web is down")
            assert (page.locator("form").count() > 0) == (purpose is not Purpose.VIEW)
        assert host.events("approved", "rejected") == []
        assert host.alerts.did == []


def test_a_script_in_a_log_line_does_not_run(page: Page) -> None:
    evil = "</pre><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    with serving_links(waiting(title=evil, evidence=evil)) as host:
        page.goto(links_to(host)[Purpose.VIEW])
        assert page.title() == "Incident - logmedic on db1"
        assert page.locator("script, img").count() == 0
        expect(page.locator("pre")).to_contain_text("<script>")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000])
def test_its_own_style_is_used_and_nothing_sticks_out(browser: Browser, width: int, scheme: str) -> None:
    dark = scheme == "dark"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
    page = context.new_page()
    with serving_links() as host:
        page.goto(links_to(host)[Purpose.APPROVE])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()
    assert paper == ("rgb(18, 22, 28)" if dark else "rgb(246, 247, 249)")


def test_a_form_of_another_site_is_seen_to_be_one(page: Page, tmp_path: Path) -> None:
    with serving_links() as host:
        other = tmp_path / "other-site.html"
        other.write_text(
            f'<form method="post" action="{links_to(host)[Purpose.APPROVE]}"><input name="do" value="approve">'
            '<input name="name" value="Mallory"></form><script>document.forms[0].submit()</script>'
        )
        page.goto(other.as_uri())
        page.get_by_text("This form is of another site").wait_for()
        assert host.events("approved") == []


def test_pressing_the_button_approves_and_pressing_enter_does_not(page: Page) -> None:
    """A browser is asked, since what it says of its own form (Origin, Sec-Fetch-Site) depends on our headers."""
    with serving_links() as host:
        page.goto(links_to(host)[Purpose.APPROVE])
        page.locator("[name=name]").fill("Ann")
        page.locator("[name=name]").press("Enter")
        assert page.locator("form").count() == 1
        assert host.events("approved") == []
        page.locator("button.approve").click()
        page.get_by_text("Approved: its fix begins now").wait_for()
        assert host.events("approved") == ["approved by Ann (link sent to chat, from 127.0.0.1)"]
        page.reload()
        page.get_by_text("Already approved by Ann").wait_for()
        assert len(host.events("approved")) == 1
