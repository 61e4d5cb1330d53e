"""ports.Source, by everything that implements it here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fakes.manual_wake import ManualDiscovery, ManualWake
from logmedic.adapters.sources.files import FileSource
from logmedic.adapters.sources.stdin import StdinSource
from logmedic.ports import Source
from tail.collector import Collector, SystemClock

CONTENT = b"one\ntwo\n\nfour\nunfinished"


@pytest.fixture(params=["files", "stdin"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    log = tmp_path / "app.log"
    log.write_bytes(CONTENT)
    with ExitStack() as stack:
        if request.param == "stdin":
            yield StdinSource("source", stream=stack.enter_context(log.open("rb")), clock=SystemClock())
        else:
            yield FileSource(
                "source", [str(log)], clock=SystemClock(), wake=ManualWake(), discovery=ManualDiscovery(), once=True
            )


def _read(source: Source) -> Collector:
    async def scenario() -> Collector:
        async with Collector(source) as seen:
            await seen.ended()
        return seen

    return asyncio.run(scenario())


def test_blocks_are_whole_in_order_and_end_when_exhausted(source: Source) -> None:
    seen = _read(source)
    assert seen.text == CONTENT
    assert {block.source for block in seen.blocks} == {"source"} == {source.name}
    assert seen.blocks[-1].complete


def test_each_checkpoint_is_the_position_after_its_block(source: Source) -> None:
    for block in _read(source).blocks:
        assert block.checkpoint.offset == block.start + len(block.data)
        assert (block.checkpoint.origin, block.checkpoint.source) == (block.origin, "source")


def test_health_has_a_row_an_origin(source: Source) -> None:
    seen = _read(source)
    (row,) = source.health()
    assert set(row) == {"origin", "offset", "size", "lag_bytes", "last_read_at", "problem"}
    assert (row["origin"], row["offset"], row["lag_bytes"], row["problem"]) == (
        seen.blocks[0].origin,
        len(CONTENT),
        0,
        "",
    )
    assert row["last_read_at"].endswith("Z")
