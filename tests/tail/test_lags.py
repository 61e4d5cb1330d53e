"""How far each file is behind can be asked in parts, and is what `health` says."""

from __future__ import annotations

import asyncio
from pathlib import Path

from logmedic.adapters.sources.files import NOT_THERE
from tail.collector import append, following


def test_of_many_files_and_of_one_that_is_not_there_it_is_what_health_says(tmp_path: Path) -> None:
    missing = tmp_path / "missing.log"
    for number in range(30):
        (tmp_path / f"app-{number}.log").write_bytes(b"from before\n")

    async def scenario() -> None:
        async with following(tmp_path / "app-*.log", missing) as seen:
            await seen.until(lambda: len(seen.checkpoints) >= 30)
            for number in range(0, 30, 2):
                append(tmp_path / f"app-{number}.log", "new")
            await seen.until(lambda: len(seen.lines) == 15)
            rows = [(row["origin"], row["lag_bytes"], row["problem"]) for row in seen.source.health()]
            assert list(seen.source.lags()) == rows
            assert (str(missing), 0, NOT_THERE) in rows
            assert len(rows) == 31

    asyncio.run(scenario())


def test_files_may_come_and_go_while_it_is_asked(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"app-{number}.log").write_bytes(b"from before\n")

    async def scenario() -> None:
        async with following(tmp_path / "app-*.log", reconcile_s=0.05) as seen:
            await seen.until(lambda: len(seen.checkpoints) >= 10)
            asked = seen.source.lags()
            first = next(asked)
            (tmp_path / "app-3.log").unlink()
            append(tmp_path / "app-new.log", "hello")
            await seen.until(lambda: seen.lines == ["hello"])
            rest = list(asked)
            assert len({first, *rest}) == 10, "those that were there when it was asked"

    asyncio.run(scenario())
