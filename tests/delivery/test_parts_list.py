"""The list of parts (SBOM): valid, whole, that of the locks, the same each time, and inside the wheel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from supply import sbom
from supply.parts import ROOT, locked, needed, roots

LIST: dict[str, Any] = json.loads(sbom.FILE.read_text())
BY_NAME = {each["name"]: each for each in LIST["components"]}


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="it is made with Python 3.11")
def test_it_is_that_of_the_locks_and_the_same_each_time() -> None:
    assert sbom.FILE.read_text() == sbom.written(), "make sbom"


def test_it_is_what_cyclonedx_says_such_a_list_is() -> None:
    home = resources.files("cyclonedx.schema").joinpath("_res")
    told = {
        name: json.loads(home.joinpath(f"{name}.SNAPSHOT.schema.json").read_text())
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    registry: Registry[Any] = Registry().with_resources(
        (f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", Resource.from_contents(each))
        for name, each in told.items()
    )
    jsonschema.Draft7Validator(told["bom-1.6"], registry=registry).validate(LIST)


def test_it_names_everything_that_is_installed_with_it() -> None:
    pinned = locked(ROOT / "requirements.lock")
    for name in needed(roots()["run"]):
        if not pinned[name].on_linux:
            continue
        component = BY_NAME[name]
        assert (component["purl"], component["version"]) == (
            f"pkg:pypi/{name}@{pinned[name].version}",
            pinned[name].version,
        )
        assert [each["content"] for each in component["externalReferences"][0]["hashes"]] == list(pinned[name].hashes)
        assert component["licenses"]


def test_it_names_what_is_inside_packages_and_what_the_dashboard_serves() -> None:
    assert {"vectorscan", "libyaml", "zstd", "htmx.org", "idiomorph", "uplot"} <= BY_NAME.keys()
    needs = {each["ref"]: each["dependsOn"] for each in LIST["dependencies"]}
    assert BY_NAME["vectorscan"]["bom-ref"] in needs[BY_NAME["hyperscan"]["bom-ref"]]
    assert BY_NAME["htmx.org"]["components"][0]["name"].endswith("static/vendor/htmx.min.js")


def test_every_part_is_reached_from_logmedic() -> None:
    needs = {each["ref"]: each["dependsOn"] for each in LIST["dependencies"]}
    reached: set[str] = set()
    left = [LIST["metadata"]["component"]["bom-ref"]]
    while left:
        reached.add(ref := left.pop())
        left += [each for each in needs[ref] if each not in reached]
    assert reached == {each["bom-ref"] for each in LIST["components"]} | {LIST["metadata"]["component"]["bom-ref"]}


def test_it_has_no_time_no_chance_and_no_address_of_a_registry() -> None:
    assert "timestamp" not in LIST["metadata"]
    addresses = set(re.findall(r"https?://[^/\"]+", sbom.FILE.read_text()))
    assert addresses == {"http://cyclonedx.org"}


def test_the_wheel_has_it(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("logmedic-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [each for each in packed.namelist() if "/sboms/" in each]
        assert name == f"logmedic-{sbom.version()}.dist-info/sboms/logmedic.cdx.json"
        assert packed.read(name) == sbom.FILE.read_bytes()
