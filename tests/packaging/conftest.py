"""The packages are built once for all of these tests, whoever of several workers needs them first."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from bareroot import NEWER, NEWER_FORM, Bare, Packages, bare_system, build_deb


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    base = tmp_path_factory.getbasetemp()
    room = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "packages"
    room.mkdir(exist_ok=True)
    with (room / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Packages(
            present=_built(room / "present"),
            newer=_built(room / "newer", "--version", NEWER, "--store-form", str(NEWER_FORM)),
        )


def _built(room: Path, *options: str) -> Path:
    found = list(room.glob("*.deb"))
    return found[0] if found else build_deb(room, "--fast", *options)


@pytest.fixture(scope="session")
def with_packages(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer with both in /root."""
    room = tmp_path_factory.mktemp("with-packages")
    with bare_system(room) as bare:
        for package in (packages.present, packages.newer):
            shutil.copy(package, bare.root / "root")
    return room / "changed"


@pytest.fixture(scope="session")
def with_present(packages: Packages, with_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer with the present version installed, to be put over `with_packages`."""
    return _installed(tmp_path_factory.mktemp("with-present"), with_packages, packages.present)


@pytest.fixture(scope="session")
def with_newer(packages: Packages, with_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _installed(tmp_path_factory.mktemp("with-newer"), with_packages, packages.newer)


def _installed(room: Path, below: Path, package: Path) -> Path:
    with bare_system(room, over=[below]) as bare:
        bare.run("dpkg", "-i", f"/root/{package.name}")
    return room / "changed"


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
