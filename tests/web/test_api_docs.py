"""docs/api.md is true: its examples run, and its table has every endpoint."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from contracts.test_store_contract import EVERYTHING
from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from fakes.served import Dashboard, serving_dashboard
from logmedic.adapters.web.apipage import with_table
from logmedic.adapters.web.refusals import status_of
from logmedic.settings.web import Web

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dashboard, Path]]:
    path = tmp_path_factory.mktemp("api") / "logmedic.sock"
    with serving_dashboard(CannedControl(MemoryStore((EVERYTHING,))), path=path) as dashboard:
        yield dashboard, path


def test_the_table_is_that_of_this_version() -> None:
    assert with_table(TEXT) == TEXT, "make schema"


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("http", 1)[-1][:30])
def test_the_examples_run(block: str, served: tuple[Dashboard, Path]) -> None:
    assert shutil.which("curl"), "curl is not installed"
    dashboard, path = served
    given = {"SOCKET": str(path), "TOKEN": dashboard.acts, "URL": dashboard.url, "PATH": "/usr/bin:/bin"}
    failing = block.replace("curl -s ", "curl -s --fail-with-body ")
    ran = subprocess.run(["bash", "-euc", failing], env=given, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    if "stream" in block:
        assert "event: alive" in ran.stdout
        assert "event: entry" in ran.stdout
    if "limit=1" in block and "-D" in block:
        assert 'rel="next"' in ran.stdout.lower() or "200 ok" in ran.stdout.lower()


def test_the_configs_of_the_page_are_read() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    for block in blocks:
        told = yaml.safe_load(block.replace("5f0c...", "5f0c" * 16))
        Web.model_validate(told["web"])
    assert len(blocks) == 2


def test_every_status_is_told_of() -> None:
    from logmedic.adapters.web import parameters
    from logmedic.model import errors

    kinds = (
        *(parameters.BadRequest, parameters.Unauthorized, parameters.Forbidden, parameters.TooLarge),
        *(parameters.WrongKind, parameters.TooOften, errors.NotFound, errors.OrderRefused, errors.TransientError),
    )
    for kind in kinds:
        assert re.search(rf"^\| [0-9, ]*{status_of(kind('x'))}[0-9, ]* \|", TEXT, re.MULTILINE), kind
