"""The list of parts of logmedic (SBOM, CycloneDX 1.6, JSON): what is installed with it, what is inside of that, and the
scripts that it serves. The same locks give the same bytes: no time, and a serial number made of the content.

The file is kept beside the locks, so that every build puts it into the wheel (dist-info/sboms, PEP 770) without
anything that a build does not have; `python -m supply sbom --check` says whether it is that of the locks.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from supply.bundled import LIBRARIES, Library, Script, scripts
from supply.licences import licence_of
from supply.parts import ROOT, Pinned, installed, locked, project, roots, run_time

FILE = ROOT / "supply" / "logmedic.cdx.json"
_SERIALS = uuid.uuid5(uuid.NAMESPACE_URL, "logmedic/sbom")
Component = dict[str, Any]


def document() -> dict[str, Any]:
    """In the order of its `bom-ref`s."""
    pinned, closure = locked(ROOT / "requirements.lock"), run_time()
    root = _root()
    packages = {name: _package(pinned[name]) for name in closure if name in pinned and pinned[name].on_linux}
    inside = [_library(each) for each in LIBRARIES if each.inside in packages]
    served = [_script(each) for each in scripts()]
    needs = {
        packages[name]["bom-ref"]: {packages[each]["bom-ref"] for each in closure[name] if each in packages}
        for name in packages
    }
    for each in LIBRARIES:
        if each.inside in packages:
            needs[packages[each.inside]["bom-ref"]].add(_library(each)["bom-ref"])
    direct = {packages[name]["bom-ref"] for name in _direct() if name in packages}
    needs[root["bom-ref"]] = direct | {each["bom-ref"] for each in served}
    components = sorted((*packages.values(), *inside, *served), key=lambda each: str(each["bom-ref"]))
    for each in components:
        needs.setdefault(each["bom-ref"], set())
    return _with_serial({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root, "properties": [_property("python", "3.11 to 3.14, Linux")]},
        "components": components,
        "dependencies": [{"ref": ref, "dependsOn": sorted(needs[ref])} for ref in sorted(needs)],
    })  # fmt: skip


def written() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def version() -> str:
    text = (ROOT / "daemon/logmedic/__init__.py").read_text()
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    return found[1] if found else "0"


def _root() -> Component:
    purl = f"pkg:pypi/logmedic@{version()}"
    return {
        "bom-ref": purl, "type": "application", "name": "logmedic", "version": version(),
        "description": project()["description"], "licenses": [{"license": {"id": project()["license"]}}], "purl": purl,
    }  # fmt: skip


def _direct() -> Iterable[str]:
    return sorted({canonicalize_name(each.name) for each in roots()["run"]})


def _package(pinned: Pinned) -> Component:
    found = installed(pinned.name)
    if found is None or found.version != pinned.version:
        raise SystemExit(
            f"{pinned.name} {pinned.version} is not installed here, so its licence is not known; type: make setup-dev"
        )
    purl = f"pkg:pypi/{pinned.name}@{pinned.version}"
    component = {
        "bom-ref": purl, "type": "library", "name": pinned.name, "version": pinned.version,
        "licenses": _licences(licence_of(found)), "purl": purl,
        "externalReferences": [{
            "type": "distribution", "url": purl,
            "hashes": [{"alg": "SHA-256", "content": each} for each in pinned.hashes],
            "comment": "one of these files is installed, by its hash in requirements.lock",
        }],
    }  # fmt: skip
    if pinned.marker:
        component["properties"] = [_property("marker", pinned.marker)]
    return component


def _library(each: Library) -> Component:
    purl = f"{each.purl}@{each.version()}"
    return {
        "bom-ref": purl, "type": "library", "name": each.name, "version": each.version(),
        "description": f"inside the wheel of {each.inside}: {each.note}", "licenses": _licences(each.licence),
        "purl": purl,
    }  # fmt: skip


def _script(each: Script) -> Component:
    purl = f"pkg:npm/{each.name}@{each.version}"
    return {
        "bom-ref": purl, "type": "library", "name": each.name, "version": each.version,
        "licenses": _licences(each.licence), "purl": purl, "hashes": [{"alg": "SHA-512", "content": each.sha512}],
        "description": "a script that the dashboard serves; the hash is that of the package that it was taken from",
        "components": [_file(file) for file in each.files],
    }  # fmt: skip


def _file(path: Path) -> Component:
    name = path.relative_to(ROOT / "daemon").as_posix()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"bom-ref": name, "type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}


def _licences(expression: str) -> list[dict[str, Any]]:
    """CycloneDX takes either one expression or identifiers."""
    if re.search(r" (AND|OR|WITH) ", expression):
        return [{"expression": expression}]
    return [{"license": {"id": expression}}] if expression else []


def _property(name: str, value: str) -> Mapping[str, str]:
    return {"name": f"logmedic:{name}", "value": value}


def _with_serial(told: Mapping[str, Any]) -> dict[str, Any]:
    serial = uuid.uuid5(_SERIALS, json.dumps(told, sort_keys=True))
    return {**told, "serialNumber": f"urn:uuid:{serial}"}


def main(arguments: Sequence[str]) -> int:
    if "--check" in arguments:
        if FILE.read_text() != written():
            print(f"{FILE.relative_to(ROOT)} is not that of the locks; type: make sbom", file=sys.stderr)
            return 1
        return 0
    FILE.write_text(written())
    (ROOT / "dist").mkdir(exist_ok=True)
    copy = ROOT / "dist" / f"logmedic-{version()}.cdx.json"
    copy.write_text(written())
    print(f"{len(document()['components'])} parts: {copy.relative_to(ROOT)}")
    return 0
