"""Which licence each package has, by its own metadata, and whether that is one that may be here.

Metadata says it in three ways: an SPDX expression, free text, or a classifier that may mean several licences. What is
not certain is unknown, and unknown is a failure: `JUDGED` is where a person writes down what the licence file says.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from supply.bundled import LIBRARIES, Script, scripts
from supply.parts import ROOT, Pinned, Why, installed, locked, whys

PAGE = ROOT / "docs" / "licences.md"
ALLOWED = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CNRI-Python", "ISC", "MIT", "MPL-2.0", "PSF-2.0",
})  # fmt: skip
"""In what people install. MPL-2.0 binds changes of its own files, and nobody changes them here."""
ALLOWED_FOR_DEVELOPERS = ALLOWED | {"LGPL-3.0-only"}
"""In what only builds and tests use: nothing of it is handed on."""
JUDGED = {"axe-playwright-python": "MIT AND MPL-2.0", "hypothesis-jsonschema": "MPL-2.0", "pyte": "LGPL-3.0-only"}
"""Where metadata does not say it: what the licence files in the packages say."""
_TEXTS = {
    "mit": "MIT", "mit license": "MIT", "apache-2.0": "Apache-2.0", "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0", "bsd-2-clause": "BSD-2-Clause", "bsd 2-clause license": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause", "3-clause bsd license": "BSD-3-Clause", "new bsd": "BSD-3-Clause", "isc": "ISC",
    "mpl-2.0": "MPL-2.0", "psf-2.0": "PSF-2.0",
}  # fmt: skip
_CLASSIFIERS = {
    "OSI Approved :: MIT License": "MIT",
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: ISC License (ISCL)": "ISC",
    "OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
_ANY_BSD = "OSI Approved :: BSD License"
_LICENCE_FILE = re.compile(r"(^|/)(LICEN[CS]E|COPYING)[^/]*$", re.IGNORECASE)
Licence = Callable[[Distribution], str]
WHAT_TO_DO = (
    "read the licence file of that package; then either name its licence in JUDGED (supply/licences.py) with the SPDX "
    "identifier, or add the identifier to ALLOWED when it may be here, or do without the package"
)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    version: str
    licence: str
    """An SPDX expression; empty when unknown."""
    why: str
    for_developers: bool

    @property
    def may_be_here(self) -> bool:
        return is_allowed(self.licence, ALLOWED_FOR_DEVELOPERS if self.for_developers else ALLOWED)


def licence_of(found: Distribution) -> str:
    """As an SPDX expression; empty when its metadata leaves it open."""
    told = found.metadata
    name = told["Name"].lower().replace("_", "-")
    classified = [each.removeprefix("License :: ") for each in told.get_all("Classifier") or ()]
    known = sorted({_CLASSIFIERS[each] for each in classified if each in _CLASSIFIERS})
    if _ANY_BSD in classified:
        known += [bsd for bsd in (_which_bsd(found),) if bsd]
    return (
        JUDGED.get(name)
        or _expression(told.get("License-Expression") or "")
        or _TEXTS.get((told.get("License") or "").strip().lower(), "")
        or " OR ".join(known)
    )


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """One of the alternatives, with all of its parts. Parentheses are not understood, so not allowed."""
    return any(
        all(part.strip() in allowed for part in each.split(" AND ")) for each in expression.split(" OR ") if expression
    )


def _expression(text: str) -> str:
    try:
        return str(canonicalize_license_expression(text)) if text else ""
    except InvalidLicenseExpression:
        return ""


def _which_bsd(found: Distribution) -> str:
    """The third clause forbids to endorse with the names of the authors."""
    for file in found.files or ():
        if _LICENCE_FILE.search(str(file)):
            text = " ".join(file.read_text().split()).lower()
            if "redistribution and use in source and binary forms" in text:
                return (
                    "BSD-3-Clause"
                    if re.search(r"neither the names? |the names? of .{1,80} may not", text)
                    else "BSD-2-Clause"
                )
    return ""


def rows(licence: Licence = licence_of) -> list[Row]:
    """Of every package that a lock names for Linux and this Python has, sorted by name."""
    reasons = whys()
    return [
        _row(each, reasons[name], licence)
        for name, each in sorted(locked(ROOT / "requirements-dev.lock").items())
        if each.on_linux
    ]


def _row(pinned: Pinned, why: Why, licence: Licence) -> Row:
    found = installed(pinned.name)
    said = why.group + (f" (for {', '.join(why.through)})" if why.through else "")
    return Row(
        pinned.name, pinned.version, licence(found) if found else "", said, why.group in ("build", "demo", "dev")
    )


def problems(licence: Licence = licence_of) -> Iterator[str]:
    """What keeps this from being handed on, each with what to do."""
    for row in rows(licence):
        found = installed(row.name)
        if found is None or found.version != row.version:
            here = found.version if found else "not there"
            yield f"{row.name}: the lock names {row.version}, and here it is {here}; type: make setup-dev"
        elif not row.may_be_here:
            yield f"{row.name} {row.version}: its licence is {row.licence or 'unknown'}; {WHAT_TO_DO}"
    for script in scripts():
        if not is_allowed(script.licence, ALLOWED):
            yield f"{script.name} (vendored): its licence is {script.licence or 'unknown'}; {WHAT_TO_DO}"
    for library in LIBRARIES:
        if not is_allowed(library.licence, ALLOWED):
            yield f"{library.name} (inside {library.inside}): its licence is {library.licence}; {WHAT_TO_DO}"


_HEAD = """\
# Licences of what logmedic consists of

logmedic itself is under the MIT licence. This page is made by `make licences`, of the metadata of the packages
that the locks name, as they are installed; it fails when a licence is unknown, or not one of those that may be here.

May be here: {allowed}. In what only builds
and tests use, and nobody hands on, also: {more}. MPL-2.0 asks that changes of its own files are published; nothing
here changes them.

## What is installed with logmedic
"""


def page() -> str:
    all_rows = rows()
    head = _HEAD.format(allowed=", ".join(sorted(ALLOWED)), more=", ".join(sorted(ALLOWED_FOR_DEVELOPERS - ALLOWED)))
    return "\n".join((
        head + _table([row for row in all_rows if not row.for_developers]),
        "## Inside those packages",
        "Machine code of others that a wheel carries. The wheel of hyperscan has all of vectorscan in it.\n",
        "| library | version | inside | licence | |\n|---|---|---|---|---|",
        *(f"| {each.name} | {each.version()} | {each.inside} | {each.licence} | {each.note} |" for each in LIBRARIES),
        "\n## Scripts that the dashboard serves",
        "In `adapters/web/static/vendor`, each with its licence beside it; `make vendor` fetches them.\n",
        "| script | version | licence | files |\n|---|---|---|---|",
        *map(_served, scripts()),
        "\n## What only builds and tests use",
        _table([row for row in all_rows if row.for_developers]).rstrip("\n"),
        "",
    ))  # fmt: skip


def _served(script: Script) -> str:
    files = ", ".join(each.name for each in script.files)
    return f"| {script.name} | {script.version} | {script.licence} | {files} |"


def _table(of: Sequence[Row]) -> str:
    lines = [f"| {row.name} | {row.version} | {row.licence or 'unknown'} | {row.why} |" for row in of]
    return "\n".join(("| package | version | licence | why it is here |", "|---|---|---|---|", *lines, ""))


def main(arguments: Sequence[str]) -> int:
    found = list(problems())
    for each in found:
        print(f"LICENCE: {each}", file=sys.stderr)
    if found:
        return 1
    if "--check" not in arguments:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        print("docs/licences.md is not that of the locks; type: make licences", file=sys.stderr)
        return 1
    print(f"{len(rows())} packages, all with a licence that may be here: docs/licences.md")
    return 0
