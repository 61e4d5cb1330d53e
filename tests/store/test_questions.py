"""docs/questions.md: every question gives rows, and the views have the columns that are told."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logmedic.adapters.store import reading, views
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.query import Limits
from store.history import history

PAGE = (Path(__file__).parents[2] / "docs" / "questions.md").read_text()
QUESTIONS = re.findall(r"^### (\d+)\. (.+)\n```sql\n((?:.+\n)+?)```\n([\w`].+)", PAGE, re.MULTILINE)
TITLES = [title for _, title, _, _ in QUESTIONS]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("questions") / "state" / "logmedic.duckdb"

    async def fill() -> None:
        store = DuckStore(path)
        await store.open()
        for changeset in history(datetime.now(UTC)):
            await store.commit(changeset)
        await store.close()

    asyncio.run(fill())
    return path


def test_questions_are_numbered_each_with_a_word_on_its_answer() -> None:
    assert [int(number) for number, _, _, _ in QUESTIONS] == list(range(1, 23))
    assert len(set(TITLES)) == 22


@pytest.mark.parametrize("sql", [sql for _, _, sql, _ in QUESTIONS], ids=TITLES)
def test_a_question_gives_rows_without_a_daemon(store: Path, sql: str) -> None:
    answer = reading.query(store, sql, Limits())
    assert answer["rows"], sql
    assert len(answer["columns"]) == len(answer["types"]) == len(answer["rows"][0])


@pytest.mark.slow
def test_every_question_gives_the_same_rows_through_the_daemons_store(store: Path) -> None:
    """But for what says how long something is open by now."""

    async def ask_all() -> dict[str, Any]:
        daemon = DuckStore(store)
        await daemon.open()
        try:
            return {title: json.loads(await daemon.query(sql, Limits(time_s=60))) for _, title, sql, _ in QUESTIONS}
        finally:
            await daemon.close()

    for (_, title, sql, _), answer in zip(QUESTIONS, asyncio.run(ask_all()).values(), strict=True):
        beside = reading.query(store, sql, Limits())
        assert answer["rows"], title
        assert (answer["columns"], answer["types"]) == (beside["columns"], beside["types"]), title
        if "open_s" not in sql and "ANY_VALUE" not in sql.upper() and "list(" not in sql:
            assert _comparable(answer["rows"]) == _comparable(beside["rows"]), title


def _comparable(rows: list[list[Any]]) -> list[str]:
    """Sums of fractions depend on the order of rows, in their last digits."""
    return sorted(str([round(each, 6) if isinstance(each, float) else each for each in row]) for row in rows)


def test_the_page_tells_every_view_and_every_column() -> None:
    told: dict[str, list[str]] = {}
    for section in re.split(r"^### ", PAGE.partition("## The views")[2], flags=re.MULTILINE)[1:]:
        first_cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
        told[section.split()[0]] = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    real = {name: list(types) for name, types in reading.documented().items()}
    assert told == real
    assert set(views.ABOUT) == set(real)
