"""Every package has a licence that may be here, and what is not certain is a failure that says what to do."""

from __future__ import annotations

import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from supply import licences
from supply.licences import ALLOWED, ALLOWED_FOR_DEVELOPERS, is_allowed, licence_of

of_the_locks = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="docs/licences.md is made with Python 3.11")
BSD = "Redistribution and use in source and binary forms, with or without modification, are permitted"


def distribution(room: Path, *headers: str, licence: str = "") -> Distribution:
    home = room / "thing-1.0.dist-info"
    home.mkdir()
    (home / "METADATA").write_text("\n".join(("Metadata-Version: 2.4", "Name: thing", "Version: 1.0", *headers, "")))
    (home / "LICENSE").write_text(licence)
    (home / "RECORD").write_text("thing-1.0.dist-info/METADATA,,\nthing-1.0.dist-info/LICENSE,,\n")
    return Distribution.at(home)


@of_the_locks
def test_every_package_and_every_script_has_a_licence_that_may_be_here() -> None:
    assert list(licences.problems()) == []


@of_the_locks
def test_the_page_is_that_of_the_locks() -> None:
    assert licences.PAGE.read_text() == licences.page(), "make licences"


@of_the_locks
def test_what_people_install_has_no_licence_that_is_for_developers_only() -> None:
    installed = {row.licence for row in licences.rows() if not row.for_developers}
    assert all(is_allowed(each, ALLOWED) for each in installed)
    assert ALLOWED < ALLOWED_FOR_DEVELOPERS


@pytest.mark.parametrize(
    ("headers", "text", "licence"),
    [
        (("License-Expression: Apache-2.0 OR BSD-2-Clause",), "", "Apache-2.0 OR BSD-2-Clause"),
        (("License-Expression: mit",), "", "MIT"),
        (("License: Apache 2.0",), "", "Apache-2.0"),
        (("License: New BSD",), "", "BSD-3-Clause"),
        (("Classifier: License :: OSI Approved :: MIT License",), "", "MIT"),
        (("Classifier: License :: OSI Approved :: BSD License",), f"{BSD}\n* Neither the name of X", "BSD-3-Clause"),
        (("Classifier: License :: OSI Approved :: BSD License",), BSD, "BSD-2-Clause"),
        (("Classifier: License :: OSI Approved :: BSD License",), "ask us", ""),
        (("License: BSD",), BSD, ""),
        (("License-Expression: as we like it",), "", ""),
        ((), BSD, ""),
    ],
)
def test_a_licence_is_what_metadata_says_and_nothing_where_that_is_open(
    tmp_path: Path, headers: tuple[str, ...], text: str, licence: str
) -> None:
    assert licence_of(distribution(tmp_path, *headers, licence=text)) == licence


@pytest.mark.parametrize(
    ("expression", "may_be_here"),
    [
        ("MIT", True),
        ("MIT AND Apache-2.0", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("LGPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND GPL-3.0-only", False),
        ("", False),
    ],
)
def test_one_alternative_with_all_its_parts_has_to_be_allowed(expression: str, may_be_here: bool) -> None:
    assert is_allowed(expression, ALLOWED) is may_be_here


@of_the_locks
def test_an_unknown_licence_is_a_failure_that_says_what_to_do() -> None:
    (said,) = licences.problems(lambda found: "" if found.name == "regex" else "MIT")
    assert said.startswith("regex 2")
    assert "its licence is unknown; read the licence file of that package" in said
