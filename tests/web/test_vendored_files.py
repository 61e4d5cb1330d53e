"""The scripts of others that the dashboard serves are the ones that were looked at, with their licences, and reach the
wheel. `make vendor` fetches them again."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from importlib import resources
from pathlib import Path

import pytest

from logmedic.adapters.web.pages import static

PINNED = {
    "htmx.LICENSE": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
    "htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "idiomorph-ext.min.js": "5811b9a7eda14878b7dab4378bf60432e1bb6f11fcfb970cc26540642650181e",
    "idiomorph.LICENSE": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uplot.LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
VENDOR = resources.files("logmedic.adapters.web").joinpath("static", "vendor")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(PINNED))
def test_a_vendored_file_is_the_one_that_was_looked_at(name: str) -> None:
    assert sha256(VENDOR.joinpath(name).read_bytes()).hexdigest() == PINNED[name]


def test_nothing_else_is_vendored() -> None:
    assert sorted(each.name for each in VENDOR.iterdir()) == sorted(PINNED)


def test_what_is_served_is_in_the_package_that_the_wheel_takes_whole() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["daemon/logmedic"]
    assert not {"exclude", "only-include"} & set(wheel)
    for name in static.NAMES:
        assert (ROOT / "daemon/logmedic/adapters/web/static" / name).is_file()


def test_the_address_of_a_file_changes_with_what_it_holds() -> None:
    stamp = sha256(VENDOR.joinpath("htmx.min.js").read_bytes()).hexdigest()[:16]
    assert static.address("vendor/htmx.min.js") == f"/static/{stamp}/vendor/htmx.min.js"
