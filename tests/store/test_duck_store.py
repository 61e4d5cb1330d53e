"""What only the real store can show: locks, rights, damage, kills, full disks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from disks import FileLimit, Tmpfs, may_mount
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import child, counted, use, was_killed

import builders as make
from crash.process import is_gone, until
from logmedic.adapters.store import copies
from logmedic.adapters.store.connection import Lock
from logmedic.adapters.store.duck import DuckStore
from logmedic.adapters.store.reading import open_readonly
from logmedic.adapters.store.rows import TABLES
from logmedic.adapters.store.walog import find_gap
from logmedic.adapters.store.writer import Writer
from logmedic.model.changeset import Changeset
from logmedic.model.errors import NotFound, PermanentError, StoreBusy, StoreFull, StoreLocked, StoreTooNew
from logmedic.model.issue import (
    Incident,
    IncidentStatus,
    IssueSource,
    IssueStatus,
    KnownIssue,
    Learning,
    Template,
    Window,
)
from logmedic.model.record import Checkpoint
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState

NOW = datetime.now(UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logmedic.duckdb"


async def fill(store: DuckStore, _: EngineState, n: int = 50) -> None:
    for each in range(1, n + 1):
        await store.commit(counted(each))


KILLED = """
import asyncio, os, signal
from pathlib import Path
from logmedic.adapters.store.duck import DuckStore
from stores import counted, fill

async def main():
    store, n = DuckStore(Path(sys.argv[1])), int(sys.argv[2])
    await store.open()
    await fill(store, n)
    if sys.argv[3] == "True":
        task = asyncio.ensure_future(store.commit(counted(n + 1)))
        await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def killed_after(path: Path, n: int, *, in_commit: bool = False) -> None:
    """A process commits `n` changesets and dies by SIGKILL, its write-ahead log left behind."""
    assert was_killed(child(KILLED, path, n, in_commit))


async def whole(store: DuckStore, state: EngineState) -> int:
    """How many changesets are there, all of each."""
    n = state.checkpoints["web", "a.log"].offset if state.checkpoints else 0
    assert (await store.ask("counts")).get("lines", 0) == n
    rows = await store.ask("incidents", everything=True, limit=10_000)
    assert [each["id"] for each in reversed(rows)] == [f"i{each:06d}" for each in range(1, n + 1)]
    for row in rows[:3]:
        assert len((await store.ask("incident", incident_id=row["id"]))["events"]) == 1
    return n


def test_the_file_and_its_directory_are_for_the_owner_alone(path: Path) -> None:
    async def looks(store: DuckStore, state: EngineState) -> None:
        await fill(store, state, 3)
        assert stat.S_IMODE(path.with_name(f"{path.name}.wal").stat().st_mode) == 0o600

    before = os.umask(0)
    try:
        use(path, looks)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_f45_a_second_process_is_refused_with_the_pid_of_the_first(path: Path) -> None:
    async def scenario(store: DuckStore, _: EngineState) -> None:
        program = (
            "import asyncio, sys\nfrom pathlib import Path\nfrom logmedic.adapters.store.duck import DuckStore\n"
            "asyncio.run(DuckStore(Path(sys.argv[1])).open())"
        )
        ran = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
        assert "StoreLocked" in ran.stderr
        assert f"process {os.getpid()}" in ran.stderr
        with pytest.raises(StoreLocked, match=str(os.getpid())), open_readonly(path):
            pass

    use(path, scenario)


def test_f52_a_file_of_a_newer_form_is_refused_and_left_as_it_is(path: Path) -> None:
    use(path, fill)
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (999, now()::TIMESTAMP)")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="999"):
        use(path, fill)
    assert path.read_bytes() == before


def test_f52_a_newer_form_with_its_write_ahead_log_is_left_as_it_is(path: Path) -> None:
    use(path, fill)
    program = (
        f"import duckdb, os; c = duckdb.connect({str(path)!r}); "
        "c.execute('INSERT INTO schema_migrations VALUES (999, now()::TIMESTAMP)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    wal = path.with_name(f"{path.name}.wal")
    before = (path.read_bytes(), wal.read_bytes())
    with pytest.raises(StoreTooNew, match="999"):
        use(path, fill)
    assert (path.read_bytes(), wal.read_bytes()) == before


@pytest.mark.parametrize("in_commit", [False, True])
def test_f30_a_kill_leaves_whole_changesets(path: Path, in_commit: bool) -> None:
    killed_after(path, 20, in_commit=in_commit)
    assert use(path, whole) in ((20, 21) if in_commit else (20,))


@contextlib.contextmanager
def held_open(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process has the file open without our lock, as what a killed daemon has left behind may have."""
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield holder
        finally:
            holder.kill()


def test_f30_a_store_that_a_leftover_process_has_open_opens_once_it_is_gone(path: Path) -> None:
    killed_after(path, 5)
    with held_open(path) as holder, ThreadPoolExecutor(1) as pool:
        opening = pool.submit(use, path, whole)
        with pytest.raises(TimeoutError):
            opening.result(1)
        holder.kill()
        assert opening.result(20) == 5
    assert list(path.parent.glob("*.damaged-*")) == []


@pytest.mark.slow
def test_f30_a_store_that_stays_open_in_another_process_is_refused_and_left_as_it_is(path: Path) -> None:
    killed_after(path, 5)

    def content() -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in path.parent.iterdir() if each.suffix != ".lock"}

    with held_open(path):
        before = content()
        with pytest.raises(StoreBusy, match="lock"):
            use(path, whole)
        assert content() == before
    assert use(path, whole) == 5


def test_f30_what_looks_at_a_store_dies_with_who_asked_for_it(path: Path) -> None:
    killed_after(path, 5)
    program = (
        "import sys\nfrom pathlib import Path\nfrom logmedic.adapters.store.children import Children\n"
        "Children().report('read', Path(sys.argv[1]))"
    )
    with held_open(path), subprocess.Popen([sys.executable, "-c", program, str(path)]) as asker:
        children = Path(f"/proc/{asker.pid}/task/{asker.pid}/children")
        until(lambda: children.read_text() != "", 10, lambda: "it looks")
        looking = Path("/proc") / children.read_text().strip()

        def waits() -> bool:
            return "duckdb" in (looking / "maps").read_text() and "(sleeping)" in (looking / "status").read_text()

        until(waits, 10, lambda: "it waits")
        asker.kill()
        until(lambda: is_gone(int(looking.name)), 10, lambda: "it is gone")


@pytest.mark.slow
@pytest.mark.parametrize("where", [0.02, 0.5, 0.97])
def test_f46_a_damaged_write_ahead_log_is_cut_where_it_is_damaged(path: Path, where: float) -> None:
    killed_after(path, 40)
    wal = path.with_name(f"{path.name}.wal")
    with wal.open("r+b") as file:
        file.seek(int(wal.stat().st_size * where))
        file.write(b"\xff" * 8)
    damaged = wal.read_bytes()

    async def scenario(store: DuckStore, state: EngineState) -> int:
        assert any("damaged" in each for each in store.notices)
        return await whole(store, state)

    saved = use(path, scenario)
    assert saved <= 40
    assert saved >= int(40 * where) - 20
    (kept,) = path.parent.glob("*.damaged-*.wal")
    assert kept.read_bytes() == damaged


def first_entry_behind_the_middle(log: bytes) -> int:
    """Where it starts: 5 bytes of length stand before the content that ends a transaction."""
    return log.index(END_OF_CHANGE, len(log) // 2) + len(END_OF_CHANGE)


END_OF_CHANGE = bytes.fromhex("0500000000000000e7fe7d722fed3d5e640064ffff")
SILENT = {
    "huge length": (0, b"\xff" * 8),
    "length past the end": (3, b"\xff"),
    "no length": (0, b"\x00" * 8),
    "a page of zeros": (0, b"\x00" * 4096),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SILENT)
def test_f46_changes_that_duckdb_would_leave_out_in_silence_are_told(path: Path, kind: str) -> None:
    killed_after(path, 40)
    wal = path.with_name(f"{path.name}.wal")
    log = wal.read_bytes()
    place, (shift, damage) = first_entry_behind_the_middle(log), SILENT[kind]
    whole_before = log[:place].count(END_OF_CHANGE) - 1  # the first change made the tables
    damaged = log[: place + shift] + damage + log[place + shift + len(damage) :]
    wal.write_bytes(damaged)

    async def scenario(store: DuckStore, state: EngineState) -> int:
        assert any("cannot be followed" in each for each in store.notices)
        return await whole(store, state)

    assert use(path, scenario) == whole_before
    (kept,) = path.parent.glob("*.damaged-*.wal")
    assert kept.read_bytes() == damaged


def test_f46_a_damaged_head_of_the_write_ahead_log_is_told(path: Path) -> None:
    killed_after(path, 5)
    wal = path.with_name(f"{path.name}.wal")
    wal.write_bytes(b"\x00" + wal.read_bytes()[1:])

    async def scenario(store: DuckStore, state: EngineState) -> None:
        assert any("cannot be followed from byte 0" in each for each in store.notices)
        assert state == EngineState()

    use(path, scenario)


def test_f46_what_a_kill_leaves_is_not_taken_for_damage(path: Path) -> None:
    killed_after(path, 5)
    wal = path.with_name(f"{path.name}.wal")
    log = wal.read_bytes()
    assert log.count(END_OF_CHANGE) == 6, "each change ends with this entry, else gaps go unnoticed"
    for left in (log, log[:-1], log + b"\x00" * 4096, log + log[-90:-30], log[:20], b""):
        wal.write_bytes(left)
        gap = find_gap(wal)
        assert gap is None


def test_f46_a_torn_write_ahead_log_loses_the_last_change_alone(path: Path) -> None:
    killed_after(path, 30)
    wal = path.with_name(f"{path.name}.wal")
    os.truncate(wal, wal.stat().st_size - 5)
    assert use(path, whole) == 29


@pytest.mark.parametrize("garbage", [b"", b"garbage" * 3000, b"\x00" * 12288], ids=["empty", "garbage", "zeros"])
def test_f47_garbage_is_set_aside_and_a_new_store_begun(path: Path, garbage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(garbage)

    async def scenario(store: DuckStore, state: EngineState) -> None:
        assert any("new store" in each and "logmedic resume" in each for each in store.notices)
        assert state == EngineState(pauses=state.pauses)
        assert [each.on for each in state.pauses.values()] == [True], "nobody knows what held fixes back"
        await fill(store, state, 3)

    use(path, scenario)
    (kept,) = path.parent.glob("*.damaged-*")
    assert kept.read_bytes() == garbage
    assert use(path, whole) == 3


def test_i4_f47_damage_inside_the_file_never_keeps_the_daemon_from_starting(path: Path) -> None:
    use(path, lambda store, state: fill(store, state, 150))
    sound = path.read_bytes()
    rescued: list[bool] = []
    for place in range(4096, len(sound), max(4096, len(sound) // 5)):
        path.write_bytes(sound[:place] + b"\xa5" * 512 + sound[place + 512 :])

        async def starts(store: DuckStore, state: EngineState) -> None:
            try:
                await store.commit(counted(1000))
            except StoreBusy:  # the damage showed only now: the engine tries again
                await store.commit(counted(1000))
            rescued.append(bool(state.checkpoints))

        use(path, starts)
    assert any(rescued), "what is not damaged is taken over"


MEANS = [Tmpfs, FileLimit] if may_mount() else [FileLimit]


@pytest.mark.parametrize("means", MEANS)
def test_f48_a_full_disk_is_told_and_nothing_is_lost_once_there_is_room(
    path: Path, means: type[Tmpfs] | type[FileLimit]
) -> None:
    disk = means(path)

    async def until_full(store: DuckStore) -> tuple[int, StoreFull]:
        for n in range(2, 2000):
            try:
                await store.commit(counted(n))
            except StoreFull as error:
                return n, error
        raise AssertionError("it never got full")

    async def scenario(store: DuckStore, _: EngineState) -> None:
        await store.commit(counted(1))
        disk.fill()
        failed, told = await until_full(store)
        assert "df -h" in told.hint
        disk.free()
        for n in (failed, failed + 1):
            await store.commit(counted(n))
        assert (await store.ask("counts"))["lines"] == failed + 1

    try:
        use(path, scenario)
        assert use(path, whole) > 1
    finally:
        disk.close()


def test_reading_beside_no_daemon_changes_nothing(path: Path) -> None:
    killed_after(path, 10)
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    with open_readonly(path) as queries:
        assert queries.counts() == {"lines": 10}
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before


def test_where_no_store_is_the_command_to_type_is_told(path: Path) -> None:
    with pytest.raises(NotFound, match="no store at") as told, open_readonly(path):
        pass
    assert "logmedic run" in told.value.hint


@pytest.mark.parametrize(("form", "says"), [(6, "older form"), (99, "has form 99")])
def test_f52_a_store_of_another_form_is_not_read_beside_no_daemon_and_says_why(
    path: Path, form: int, says: str
) -> None:
    use(path, fill)
    with duckdb.connect(str(path)) as other:
        other.execute("DELETE FROM schema_migrations WHERE version > 6")
        other.execute("INSERT OR IGNORE INTO schema_migrations VALUES (?, now()::TIMESTAMP)", [form])
    with pytest.raises(PermanentError, match=says) as told, open_readonly(path):
        pass
    assert told.value.hint


TEXTS = st.text(max_size=20)
WINDOWS = st.builds(Window, st.sampled_from("ab"), TEXTS, st.tuples(st.floats(0, 2e9)))
INCIDENTS = st.builds(
    Incident,
    id=st.sampled_from(["i1", "i2", "i3"]),
    issue_id=TEXTS,
    rule_id=st.sampled_from("ab"),
    group_key=TEXTS,
    title=TEXTS,
    severity=st.sampled_from(Severity),
    opened_at=st.just(NOW),
    last_match_at=st.just(NOW),
    captures=st.dictionaries(TEXTS, TEXTS, max_size=2),
    status=st.sampled_from([IncidentStatus.OPEN, IncidentStatus.FAILED, IncidentStatus.RESOLVED]),
)
CHANGESETS = st.builds(
    Changeset,
    incidents=st.lists(INCIDENTS, max_size=2, unique_by=lambda each: each.id).map(tuple),
    windows=st.lists(WINDOWS, max_size=3, unique_by=lambda each: (each.rule_id, each.group_key)).map(tuple),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(CHANGESETS, max_size=6))
def test_what_is_loaded_is_the_fold_over_what_was_committed(changesets: list[Changeset]) -> None:
    async def commit(store: DuckStore, _: EngineState) -> None:
        for changeset in changesets:
            await store.commit(changeset)

    async def loaded(_: DuckStore, state: EngineState) -> EngineState:
        return state

    newest: dict[str, Incident] = {}
    expected = EngineState()
    for changeset in changesets:
        newest.update((each.id, each) for each in changeset.incidents)
        expected.apply(Changeset(windows=changeset.windows))
    expected.apply(Changeset(incidents=tuple(newest[key] for key in sorted(newest))))
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "logmedic.duckdb"
        use(path, commit)
        state = use(path, loaded)
    assert state.windows == expected.windows
    assert state.incidents == expected.incidents


def test_a_store_of_an_earlier_form_is_brought_to_the_newest_with_all_that_it_holds(path: Path) -> None:
    use(path, lambda store, state: fill(store, state, 3))
    with duckdb.connect(str(path)) as old:  # as form 2 was: one position an origin, and no table of changes
        old.execute("CREATE TABLE old AS FROM checkpoints")
        old.execute("DROP TABLE checkpoints")
        old.execute(
            'CREATE TABLE checkpoints (origin VARCHAR PRIMARY KEY, source VARCHAR, "offset" BIGINT, "at" TIMESTAMP, '
            "device BIGINT, inode BIGINT, fingerprint VARCHAR, fingerprint_len BIGINT, tail_hash VARCHAR, "
            "cursor VARCHAR DEFAULT '')"
        )
        old.execute("INSERT INTO checkpoints BY NAME FROM old")
        old.execute("DROP TABLE old")
        old.execute("DROP TABLE changes")
        old.execute("DROP TABLE windows")
        old.execute(
            "CREATE TABLE windows (rule_id VARCHAR, group_key VARCHAR, times VARCHAR, PRIMARY KEY (rule_id, group_key))"
        )
        old.execute("INSERT INTO windows VALUES ('web-down', 'a', '[1.5, 2.25]')")
        old.execute("DELETE FROM schema_migrations WHERE version > 2")
    assert use(path, whole) == 3

    async def its_window_is_there(_: DuckStore, state: EngineState) -> None:
        assert state.windows["web-down", "a"] == Window("web-down", "a", (1.5, 2.25), "threshold")

    use(path, its_window_is_there)

    async def two_sources(store: DuckStore, _: EngineState) -> None:
        for source in ("web", "audit"):
            await store.commit(Changeset(checkpoints=(replace(make.checkpoint(9), source=source, at=NOW),)))

    use(path, two_sources)

    async def both_are_there(_: DuckStore, state: EngineState) -> None:
        assert {source for source, _ in state.checkpoints} == {"web", "audit"}

    use(path, both_are_there)


def test_f48_what_a_kill_left_is_loaded_on_a_full_disk_as_well(path: Path) -> None:
    """The last changes are in no table yet, and cannot be brought there now."""
    killed_after(path, 10)
    disk = FileLimit(path)
    disk.fill()

    async def scenario(store: DuckStore, state: EngineState) -> None:
        assert state.checkpoints["web", "a.log"].offset == 10
        assert len(state.incidents) == 10
        with pytest.raises(StoreFull):
            await store.commit(counted(11))
        disk.free()
        await store.commit(counted(11))

    try:
        use(path, scenario)
    finally:
        disk.close()
    assert use(path, whole) == 11


class Struck(Writer):
    """Meets damage once, right after a change became durable, as an automatic checkpoint does."""

    struck = False

    def guarded(self, write: Callable[[], None]) -> None:
        def and_then() -> None:
            write()
            if self.struck:
                self.struck = False
                raise duckdb.IOException("Corrupt database file: the checksum does not fit")

        super().guarded(and_then)


def test_i1_f47_a_change_that_was_durable_when_the_damage_showed_is_there_once(path: Path) -> None:
    async def scenario() -> None:
        writer = Struck(path)
        store = DuckStore(path, writer)
        await store.open()
        try:
            for n in range(1, 6):
                writer.struck = n == 3
                try:
                    await store.commit(counted(n))
                except StoreBusy:  # the engine tries again
                    await store.commit(counted(n))
            assert (await store.ask("counts"))["lines"] == 5
            assert store.notices
        finally:
            await store.close()

    asyncio.run(scenario())
    assert use(path, whole) == 5


def test_f47_damage_that_shows_while_a_query_runs_costs_nothing_that_is_committed_afterwards(path: Path) -> None:
    """The instance lives for as long as the query does: what was committed then would go into a file without a name."""

    async def scenario() -> int:
        writer = Struck(path)
        store = DuckStore(path, writer)
        await store.open()
        try:
            await fill(store, EngineState(), 5)
            cursor, _ = await store.between_commits(Writer.pinned)
            begun, endless = threading.Event(), "SELECT sum(a.range * b.range) FROM range(100000000) a, range(1000) b"

            def read() -> None:
                begun.set()
                try:
                    cursor.execute(endless)
                finally:
                    cursor.close()

            reading = asyncio.ensure_future(copies.beside(cursor.interrupt, read))
            await asyncio.to_thread(begun.wait)
            writer.struck = True
            n = 5
            while n < 11 or not reading.done():
                n += 1
                await committed(store, n)
            with pytest.raises(StoreBusy):
                await reading
            return n
        finally:
            await store.close()

    n = asyncio.run(scenario())
    assert use(path, whole) == n


async def committed(store: DuckStore, n: int) -> None:
    for _ in range(200):
        with contextlib.suppress(StoreBusy):  # the engine tries again
            return await store.commit(counted(n))
        await asyncio.to_thread(os.sched_yield)
    raise AssertionError("it is never taken")


def _left_behind(path: Path, body: str) -> None:
    """A store with one change that was committed, and not brought into its tables before the kill."""
    use(path, fill)
    connection = duckdb.connect(str(path))
    connection.execute("INSERT INTO changes SELECT changes + 1, ? FROM progress", [body])
    connection.close()


async def _loaded(store: DuckStore, state: EngineState) -> tuple[Sequence[str], EngineState]:
    return store.notices, state


def test_f38_what_a_version_before_committed_and_did_not_fold_is_read(path: Path) -> None:
    """Its rows lack the fields that came since. All windows were of thresholds then, as the migration says."""
    window = '{"rule_id": "web", "group_key": "a", "times": "[1.0, 2.0]"}'
    checkpoint = '{"origin": "o", "source": "app", "offset": 7, "at": "2026-11-24 03:00:00"}'
    body = f'{{"forgotten": [], "rows": {{"windows": [{window}], "checkpoints": [{checkpoint}]}}}}'
    _left_behind(path, body)
    for _ in range(2):  # from the changes, and from the tables
        notices, state = use(path, _loaded)
        assert not notices
        assert state.windows[("web", "a")] == Window("web", "a", (1.0, 2.0), "threshold")
        at = datetime(2026, 11, 24, 3, tzinfo=UTC)
        assert state.checkpoints[("app", "o")] == Checkpoint("o", "app", 7, at)


def test_a_store_of_form_5_opens_with_its_issues_and_templates(path: Path) -> None:
    """Also what was committed and not brought into its tables: issues were `open` then."""
    use(path, lambda store, state: fill(store, state, 1))
    learned = replace(ISSUE_5, id="i-2", fingerprint="learned:f2")
    with duckdb.connect(str(path)) as old:
        for table, columns in (("known_issues", KnownIssue), ("templates", Template), ("learning_patterns", Learning)):
            for each in fields(columns)[FORM_5[table] :]:
                old.execute(f'ALTER TABLE {table} DROP COLUMN "{each.name}"')
        for table in ("onsets", "releases", "ordinary_lines", "diagnoses"):
            old.execute(f"DROP TABLE {table}")
        old.execute("DELETE FROM schema_migrations WHERE version > 5")
        old.execute("DELETE FROM known_issues")
        old.execute(
            "INSERT INTO known_issues BY NAME SELECT 'i-1' AS id, 'learned' AS source, 'learned:f1' AS fingerprint, "
            "'recurring_error' AS issue_type, 'boom' AS title, 'medium' AS severity, 'open' AS status, "
            "7 AS occurrences, "
            "TIMESTAMP '2026-11-24 03:00:00' AS first_seen, TIMESTAMP '2026-11-24 03:00:00' AS last_seen, "
            "'' AS description, '' AS error_pattern, '' AS resolution_strategy, '[]' AS tags, '' AS resolution_notes, "
            "'' AS escalation_reason, 1 AS escalation_level"
        )
        row = {**dict.fromkeys(("description", "error_pattern", "resolution_strategy", "resolution_notes"), "")}
        row |= {
            "id": learned.id,
            "source": "learned",
            "fingerprint": learned.fingerprint,
            "issue_type": "recurring_error",
        }
        row |= {"title": "boom", "severity": "medium", "first_seen": "2026-11-24 03:00:00", "tags": "[]"}
        row |= {"last_seen": "2026-11-24 03:00:00", "status": "open", "occurrences": 7, "resolved_at": None}
        row |= {"escalation_reason": "", "escalation_level": 1}
        body = json.dumps({"forgotten": [], "rows": {"known_issues": [row]}})
        old.execute("INSERT INTO changes VALUES (99, ?)", [body])

    async def they_are_there(store: DuckStore, state: EngineState) -> None:
        assert not store.notices
        assert state.issues["learned:f1"] == ISSUE_5
        assert state.issues["learned:f2"] == learned

    for _ in range(2):  # from the changes, and from the tables
        use(path, they_are_there)
    with duckdb.connect(str(path)) as new:
        for table in TABLES:
            columns = {row[1]: row[2] for row in new.execute(f"PRAGMA table_info('{table.name}')").fetchall()}
            assert columns == {each.name: each.type for each in table.columns}, table.name
            keys = {row[1] for row in new.execute(f"PRAGMA table_info('{table.name}')").fetchall() if row[5]}
            assert keys == set(table.key), table.name


ISSUE_5 = KnownIssue(
    "i-1",
    IssueSource.LEARNED,
    "learned:f1",
    "recurring_error",
    "boom",
    Severity.MEDIUM,
    datetime(2026, 11, 24, 3, tzinfo=UTC),
    datetime(2026, 11, 24, 3, tzinfo=UTC),
    status=IssueStatus.ONGOING,
    occurrences=7,
    escalation_level=1,
)
FORM_5 = {"known_issues": 18, "templates": 10, "learning_patterns": 6}
"""How many columns each had."""


def test_f38_a_start_waits_for_who_only_reads_the_file(tmp_path: Path) -> None:
    """`logmedic status` in that very moment must not keep the daemon from starting."""
    path = tmp_path / "store.duckdb"
    asyncio.run(opened_and_closed(path))
    reader, writer = Lock(path), Lock(path)
    reader.take(shared=True)
    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(writer.take)
        with pytest.raises(TimeoutError):
            taking.result(0.2)
        reader.release()
        taking.result(5)
    with pytest.raises(StoreLocked):
        Lock(path).take(shared=True)
    writer.release()


async def opened_and_closed(path: Path) -> None:
    store = DuckStore(path)
    await store.open()
    await store.close()
