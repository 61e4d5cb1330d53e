"""The packages are built once for all of these tests, and so is each system with one installed, whoever of several
workers needs it first."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bareroot import NEWER, NEWER_FORM, Bare, Packages, bare_system, build_deb


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for all workers."""
    base = tmp_path_factory.getbasetemp()
    room = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "packaging"
    room.mkdir(exist_ok=True)
    return room


def _made_once(at: Path, make: Callable[[Path], None]) -> Path:
    """`make` fills the directory that it is given; whoever comes meanwhile waits."""
    with at.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not at.exists():
            unfinished = at.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(at)
    return at


@pytest.fixture(scope="session")
def packages(shared: Path) -> Packages:
    return Packages(
        present=_built(shared / "present"),
        newer=_built(shared / "newer", "--version", NEWER, "--store-form", str(NEWER_FORM)),
    )


def _built(room: Path, *options: str) -> Path:
    (found,) = _made_once(room, lambda out: build_deb(out, "--fast", *options)).glob("*.deb")
    return found


@pytest.fixture(scope="session")
def with_packages(packages: Packages, shared: Path) -> Path:
    """A layer with both in /root."""

    def make(room: Path) -> None:
        with bare_system(room) as bare:
            for package in (packages.present, packages.newer):
                shutil.copy(package, bare.root / "root")

    return _made_once(shared / "with-packages", make) / "changed"


@pytest.fixture(scope="session")
def with_present(packages: Packages, with_packages: Path, shared: Path) -> Path:
    """A layer with the present version installed, to be put over `with_packages`."""
    return _installed(shared / "with-present", with_packages, packages.present)


@pytest.fixture(scope="session")
def with_newer(packages: Packages, with_packages: Path, shared: Path) -> Path:
    return _installed(shared / "with-newer", with_packages, packages.newer)


def _installed(at: Path, below: Path, package: Path) -> Path:
    def make(room: Path) -> None:
        with bare_system(room, over=[below]) as bare:
            bare.run("dpkg", "-i", f"/root/{package.name}")

    return _made_once(at, make) / "changed"


@pytest.fixture(scope="session")
def tree(packages: Packages, shared: Path) -> Path:
    """The files of the present version, and DEBIAN; nobody changes them."""

    def make(room: Path) -> None:
        subprocess.run(["dpkg-deb", "--raw-extract", packages.present, room], check=True)

    return _made_once(shared / "tree", make)


@pytest.fixture
def bare(with_packages: Path, tmp_path: Path) -> Iterator[Bare]:
    """Nothing is installed."""
    with bare_system(tmp_path / "bare", over=[with_packages]) as made:
        yield made


@pytest.fixture
def installed(with_packages: Path, with_present: Path, tmp_path: Path) -> Iterator[Bare]:
    """The present version is installed."""
    with bare_system(tmp_path / "installed", over=[with_present, with_packages]) as made:
        yield made


@pytest.fixture
def ahead(with_packages: Path, with_newer: Path, tmp_path: Path) -> Iterator[Bare]:
    """The newer version is installed."""
    with bare_system(tmp_path / "ahead", over=[with_newer, with_packages]) as made:
        yield made
