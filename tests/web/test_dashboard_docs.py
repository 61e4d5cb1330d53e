"""docs/dashboard.md is true: it names every page, every key, and its pictures are there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from logmedic.adapters.web.pages import site, static
from logmedic.settings.web import Web

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "dashboard.md").read_text(encoding="utf-8")


def test_every_page_is_named() -> None:
    named = set(re.findall(r"`(/[^` ]*)`", TEXT))
    shown = {each.path for each in site.PAGES if not each.path.startswith("/issues/")}
    assert shown <= named, shown - named


def test_every_key_is_named() -> None:
    script = (Path(static.__file__).parents[1] / "static" / "live.js").read_text(encoding="utf-8")
    ways = re.search(r"const WAYS = \{(.*?)\}", script)
    assert ways is not None
    rows = [row for row in TEXT.splitlines() if row.startswith("| `")]
    for key in re.findall(r"(\w): \"/", ways[1]):
        assert any(f"`{key}`" in row for row in rows), key


def test_its_pictures_are_there() -> None:
    pictures = re.findall(r"!\[(.+?)\]\((images/.+?)\)", TEXT)
    assert len(pictures) >= 8
    assert [path for _, path in pictures if not (DOCS / path).is_file()] == []


def test_what_it_tells_to_write_into_the_config_is_taken() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert Web(**yaml.safe_load(block)["web"]).dashboard == "127.0.0.1:8632"
