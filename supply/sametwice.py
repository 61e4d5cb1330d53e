"""Whether the same sources give the same bytes: each distribution is built twice, from copies in two directories, with
other times, umask, time zone, language and hash seed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from supply.parts import ROOT

DISTRIBUTIONS = {".": ("wheel", "sdist"), "distributions/client": ("wheel",)}


@dataclass(frozen=True, slots=True)
class World:
    """What must not matter."""

    directory: str
    umask: int
    modified_s: float
    environment: Mapping[str, str]


WORLDS = (
    World("one", 0o022, 1_000_000_000.0, {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}),
    World("another/place", 0o077, 1_700_000_000.0, {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "2"}),
)


def sources() -> list[Path]:
    """What git knows and what is new and not ignored; in an unpacked sdist, everything."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [Path(os.fsdecode(each)) for each in listed.stdout.split(b"\0") if each]
    else:
        found = [each.relative_to(ROOT) for each in ROOT.rglob("*") if "__pycache__" not in each.parts]
    return sorted(each for each in found if (ROOT / each).is_file())


def built(world: World, room: Path, files: Sequence[Path]) -> dict[str, str]:
    """The sha256 of each distribution, by its name."""
    tree, out = room / world.directory / "tree", room / world.directory / "dist"
    before = os.umask(world.umask)
    try:
        for each in files:
            (tree / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / each, tree / each)
            mode = 0o777 if os.access(ROOT / each, os.X_OK) else 0o666
            (tree / each).chmod(mode & ~world.umask)
            os.utime(tree / each, (world.modified_s, world.modified_s))
        for distribution, targets in DISTRIBUTIONS.items():
            _build(tree / distribution, targets, out, world)
    finally:
        os.umask(before)
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in sorted(out.iterdir())}


def _build(tree: Path, targets: Sequence[str], out: Path, world: World) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *(f"-t{each}" for each in targets), "-d", str(out)],
        cwd=tree, env={**environment, **world.environment}, check=True, capture_output=True,
    )  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    files = sources()
    with tempfile.TemporaryDirectory() as room:
        one, another = (built(world, Path(room), files) for world in WORLDS)
    differing = sorted(name for name in one.keys() | another.keys() if one.get(name) != another.get(name))
    for name in differing:
        print(f"NOT THE SAME: {name}: {one.get(name)} and {another.get(name)}", file=sys.stderr)
    if not differing:
        for name, digest in one.items():
            print(f"{digest}  {name}")
    return 1 if differing else 0
