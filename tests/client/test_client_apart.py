"""The client in an application's environment: what it brings along, and what it starts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {
    *("logmedic", "logmedic.client", "logmedic.core", "logmedic.core.backoff", "logmedic.core.breaker"),
    *("logmedic.model", "logmedic.model.circuit"),
}
EVERYTHING = """\
import sys
before = set(sys.modules)
import logmedic.client as client
light = set(sys.modules) - before
for name in client.__all__:
    getattr(client, name)
import logmedic.client.asgi, logmedic.client.wsgi, logmedic.client.requestid
import threading
print(threading.active_count())
print(*sorted(each for each in set(sys.modules) if each.split(".")[0] == "logmedic"))
print(*sorted(light))
"""


def told(path: list[str], code: str = EVERYTHING) -> list[str]:
    """What a bare interpreter prints with nothing but the standard library and `path`."""
    begin = f"import sys; sys.path[:0] = {path!r}\n"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", begin + code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A directory with stamina and what it needs, and nothing else."""
    made = tmp_path_factory.mktemp("libraries")
    for name in ("stamina", "tenacity"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations
        (made / name).symlink_to(spec.submodule_search_locations[0])
    return str(made)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The distribution for applications, as it is shipped."""
    built = tmp_path_factory.mktemp("wheel")
    hatchling = shutil.which("hatchling", path=str(Path(sys.executable).parent))
    assert hatchling is not None
    command = [hatchling, "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(command, cwd=ROOT / "distributions" / "client", check=True, capture_output=True, timeout=60)
    (found,) = built.glob("logmedic_client-*.whl")
    return str(found)


def test_the_wheel_for_applications_is_whole_and_needs_stamina_alone(wheel: str, libraries: str) -> None:
    _, ours, _ = told([wheel, libraries])
    assert {each for each in ours.split() if not each.startswith("logmedic.client")} == OURS - {"logmedic.client"}


def test_the_daemons_own_distribution_brings_the_same_along(libraries: str) -> None:
    _, ours, _ = told([str(ROOT / "daemon"), libraries])
    assert {each for each in ours.split() if not each.startswith("logmedic.client.")} == OURS


def test_to_import_it_starts_nothing_and_loads_next_to_nothing(wheel: str, libraries: str) -> None:
    threads, _, light = told([wheel, libraries])
    assert threads == "1"
    assert not {"stamina", "tenacity", "asyncio", "logging", "socket", "threading", "ssl"} & set(light.split())
