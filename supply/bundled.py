"""What is inside a package, and no package of its own: scripts that the dashboard serves, libraries inside wheels."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from supply.parts import ROOT

VENDORED = ROOT / "daemon/logmedic/adapters/web/static/vendor"
_FETCHED = re.compile(
    r"^fetch (?P<name>\S+) (?P<version>\S+) \\\n +(?P<sha512>[0-9a-f]{128}) \\\n +(?P<files>.+)$", re.M
)
_FIRST_LINES = {"Zero-Clause BSD": "0BSD", "The MIT License (MIT)": "MIT"}


@dataclass(frozen=True, slots=True)
class Script:
    """From npm, served by the dashboard."""

    name: str
    version: str
    sha512: str
    """Of the package that npm has."""
    files: tuple[Path, ...]
    licence: str
    """SPDX; empty when its licence file begins with no known line."""


@dataclass(frozen=True, slots=True)
class Library:
    """Inside the wheel of a package, as machine code."""

    name: str
    inside: str
    licence: str
    version: Callable[[], str]
    purl: str
    """Without a version."""
    note: str = ""


def scripts() -> list[Script]:
    """As scripts/vendor fetches them."""
    return [
        Script(
            each["name"],
            each["version"],
            each["sha512"],
            tuple(VENDORED / Path(file).name for file in each["files"].split()),
            _licence(VENDORED / f"{each['name'].removesuffix('.org')}.LICENSE"),
        )
        for each in _FETCHED.finditer((ROOT / "scripts/vendor").read_text())
    ]


def _licence(file: Path) -> str:
    return _FIRST_LINES.get(file.read_text().partition("\n")[0].strip(), "")


def _vectorscan() -> str:
    import hyperscan

    database = hyperscan.Database()
    database.compile(expressions=[b"x"], ids=[0], elements=1, flags=[0])
    return re.sub(rb"\AVersion: (\S+) .*", rb"\1", database.info(), flags=re.DOTALL).decode()


def _libyaml() -> str:
    from yaml import _yaml

    return str(_yaml.get_version_string())


def _zstd() -> str:
    from backports import zstd

    return str(zstd.zstd_version)


LIBRARIES = (
    Library("vectorscan", "hyperscan", "BSD-3-Clause", _vectorscan, "pkg:github/VectorCamp/vectorscan",
            "the wheel of hyperscan carries it; the version is what the library says of itself"),
    Library("libyaml", "pyyaml", "MIT", _libyaml, "pkg:github/yaml/libyaml", "reads rule files and the config"),
    Library("zstd", "backports-zstd", "BSD-3-Clause", _zstd, "pkg:github/facebook/zstd", "unpacks rotated logs"),
)  # fmt: skip
"""Where a library is known for flaws of its own, it is listed. duckdb, regex and pydantic-core are their own code, with
sources of others among it that have no version here."""
