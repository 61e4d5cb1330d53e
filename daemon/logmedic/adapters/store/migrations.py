"""The form of the store, step by step. A step that was shipped is never changed."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from logmedic.adapters.store import pending, views
from logmedic.adapters.store.rows import CHECKPOINTS, FIRST_TABLES, SOURCE_EVENTS
from logmedic.model.errors import StoreTooNew


def _first(connection: duckdb.DuckDBPyConnection) -> None:
    for table in FIRST_TABLES:
        connection.execute(table.create)
    connection.execute("CREATE TABLE progress (changes BIGINT)")
    connection.execute("INSERT INTO progress VALUES (0)")


def _second(connection: duckdb.DuckDBPyConnection) -> None:
    """Gaps and quiet sources are kept; the journal's position is a cursor."""
    connection.execute(SOURCE_EVENTS.create)
    connection.execute("ALTER TABLE checkpoints ADD COLUMN IF NOT EXISTS cursor VARCHAR DEFAULT ''")


def _third(connection: duckdb.DuckDBPyConnection) -> None:
    """A commit is one row here; its tables follow."""
    connection.execute(pending.CREATE)


def _fourth(connection: duckdb.DuckDBPyConnection) -> None:
    """Two sources may read one file: each has its position."""
    connection.execute("ALTER TABLE checkpoints RENAME TO old_checkpoints")
    connection.execute(CHECKPOINTS.create)
    connection.execute("INSERT INTO checkpoints BY NAME FROM old_checkpoints")
    connection.execute("DROP TABLE old_checkpoints")


def _fifth(connection: duckdb.DuckDBPyConnection) -> None:
    """Windows remember more than times: values, stages, waits, rates."""
    for name, kind, usual in (
        ("kind", "VARCHAR", "'threshold'"),
        ("marks", "VARCHAR", "'[]'"),
        ("due_at", "TIMESTAMP", "NULL"),
        ("captures", "VARCHAR", "'{}'"),
        ("source", "VARCHAR", "''"),
        ("evidence", "VARCHAR", "''"),
        ("answered", "DOUBLE", "0"),
        ("counts", "VARCHAR", "'[]'"),
        ("since", "DOUBLE", "0"),
        ("usual", "DOUBLE", "0"),
        ("learned", "BIGINT", "0"),
        ("touched", "DOUBLE", "0"),
    ):
        connection.execute(f"ALTER TABLE windows ADD COLUMN IF NOT EXISTS {name} {kind} DEFAULT {usual}")


def _sixth(connection: duckdb.DuckDBPyConnection) -> None:
    """Issues have a life; templates are mined; what is noticed beside them is kept."""
    for table, columns, key in (
        ("onsets", 'issue_id VARCHAR, "at" TIMESTAMP', 'issue_id, "at"'),
        ("releases", "source VARCHAR, version VARCHAR, first_seen TIMESTAMP, since TIMESTAMP", "source, version"),
        ("ordinary_lines", "source VARCHAR, slot BIGINT, text VARCHAR", "source, slot"),
        (
            "diagnoses",
            'issue_id VARCHAR, ok BOOLEAN, model VARCHAR, "at" TIMESTAMP, likely_cause VARCHAR, checks VARCHAR, '
            "suggested_rule VARCHAR, tokens_in BIGINT, tokens_out BIGINT, problem VARCHAR, sent BOOLEAN, "
            "retry_after_s DOUBLE",
            'issue_id, "at"',
        ),
    ):
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key}))")
    for table, names, kind, usual in (
        ("known_issues", "rate_level episodes slot_count usual_hours muted_count", "BIGINT", "0"),
        ("known_issues", "usual confidence evidence_for evidence_against", "DOUBLE", "0"),
        ("known_issues", "onset_at slot_at muted_until", "TIMESTAMP", "NULL"),
        ("known_issues", "version first_version resolved_version muted_version", "VARCHAR", "''"),
        ("known_issues", "decided_by merged_into", "VARCHAR", "''"),
        ("learning_patterns", "updated_at", "TIMESTAMP", "NULL"),
        ("templates", "version", "BIGINT", "1"),
        ("templates", "samples shape", "VARCHAR", "'[]'"),
        ("templates", "source merged_into learning_id", "VARCHAR", "''"),
        ("templates", "learned_at", "TIMESTAMP", "NULL"),
    ):
        for name in names.split():
            connection.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {kind} DEFAULT {usual}")
    connection.execute("UPDATE known_issues SET status = 'ongoing' WHERE status = 'open'")


def _seventh(connection: duckdb.DuckDBPyConnection) -> None:
    """Fixes have ladders, trust, a record of what they earned; breakers are of a fix and a target, and begin closed."""
    connection.execute("DROP TABLE breakers")
    for table, columns, key in (
        (
            "breakers",
            "rule_id VARCHAR, fix VARCHAR, target VARCHAR, status VARCHAR, failures BIGINT, successes BIGINT, "
            "streak BIGINT, opened_at TIMESTAMP, open_until TIMESTAMP, closed_at TIMESTAMP, failed_at TIMESTAMP, "
            "opens BIGINT, trial BOOLEAN",
            "rule_id, fix, target",
        ),
        (
            "trust",
            'rule_id VARCHAR, level VARCHAR, given VARCHAR, since TIMESTAMP, "by" VARCHAR, why VARCHAR, wins BIGINT, '
            "losses BIGINT, proposed VARCHAR, fix VARCHAR, streak BIGINT, recent VARCHAR",
            "rule_id",
        ),
        (
            "trust_changes",
            'id VARCHAR, rule_id VARCHAR, "at" TIMESTAMP, kind VARCHAR, before VARCHAR, after VARCHAR, "by" VARCHAR, '
            "why VARCHAR",
            "id",
        ),
        (
            "earned",
            'rule_id VARCHAR, step VARCHAR, tried DOUBLE, fixed DOUBLE, "at" TIMESTAMP, action VARCHAR',
            "rule_id, step",
        ),
        (
            "pauses",
            'origin VARCHAR, "on" BOOLEAN, "at" TIMESTAMP, "by" VARCHAR, why VARCHAR, until TIMESTAMP',
            "origin",
        ),
    ):
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key}))")
    for table, names, kind, usual in (
        ("fix_attempts", "kind", "VARCHAR", "'step'"),
        ("fix_attempts", "fix", "VARCHAR", "''"),
        ("fix_attempts", "chain", "VARCHAR", "'[]'"),
        ("fix_attempts", "first", "BOOLEAN", "false"),
        ("incidents", "plan chain", "VARCHAR", "'[]'"),
        ("incidents", "acted guarded escalated weighed", "BOOLEAN", "false"),
        ("incidents", "approved_by fix target", "VARCHAR", "''"),
        ("incidents", "warranted", "BOOLEAN", "NULL"),
        ("incidents", "approved_until", "TIMESTAMP", "NULL"),
    ):
        for name in names.split():
            connection.execute(f'ALTER TABLE {table} ADD COLUMN IF NOT EXISTS "{name}" {kind} DEFAULT {usual}')
    connection.execute('UPDATE fix_attempts SET "first" = true WHERE step = 0 AND try_no = 1')
    connection.execute(
        "UPDATE known_issues SET status = 'resolved', resolved_at = now()::TIMESTAMP, "
        "resolution_notes = 'breakers began anew with this version' "
        "WHERE source = 'breaker' AND status NOT IN ('resolved', 'merged')"
    )


def _eighth(connection: duckdb.DuckDBPyConnection) -> None:
    """News of one kind is told together; silences, acknowledgements, and how receivers do, are kept."""
    for table, columns, key in (
        (
            "notices",
            'subject VARCHAR, event VARCHAR, severity VARCHAR, title VARCHAR, "at" TIMESTAMP, since TIMESTAMP, '
            "tags VARCHAR, labels VARCHAR, story VARCHAR, version BIGINT, lasting BOOLEAN, over BOOLEAN, "
            "groups VARCHAR, told VARCHAR, repeat_s DOUBLE, suppressed VARCHAR, suppressed_by VARCHAR, "
            "acked_by VARCHAR, acked_at TIMESTAMP, acked_until TIMESTAMP, done BOOLEAN",
            "subject",
        ),
        (
            "alert_groups",
            '"key" VARCHAR, id VARCHAR, route VARCHAR, title VARCHAR, opened_at TIMESTAMP, due_at TIMESTAMP, '
            "sent_at TIMESTAMP, called_at TIMESTAMP, level BIGINT, reminders BIGINT, done BOOLEAN",
            '"key"',
        ),
        (
            "silences",
            'id VARCHAR, starts_at TIMESTAMP, until TIMESTAMP, "by" VARCHAR, why VARCHAR, created_at TIMESTAMP, '
            "severities VARCHAR, tags VARCHAR, labels VARCHAR, ended_by VARCHAR",
            "id",
        ),
        (
            "receivers",
            "name VARCHAR, failures BIGINT, opens BIGINT, open_until TIMESTAMP, trial BOOLEAN, disabled VARCHAR, "
            "last_error VARCHAR, last_error_at TIMESTAMP, sent_at TIMESTAMP, recent VARCHAR, wait_until TIMESTAMP",
            "name",
        ),
    ):
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key}))")
    for name, usual in (("group_id", "''"), ("content", "''"), ("tells", "'[]'"), ("folded_into", "''")):
        connection.execute(f"ALTER TABLE alerts ADD COLUMN IF NOT EXISTS {name} VARCHAR DEFAULT {usual}")
    connection.execute("ALTER TABLE alerts ADD COLUMN IF NOT EXISTS passed_on BOOLEAN DEFAULT false")
    connection.execute("ALTER TABLE alerts ADD COLUMN IF NOT EXISTS give_up_at TIMESTAMP")
    connection.execute("ALTER TABLE incidents DROP COLUMN IF EXISTS told_at")


def _ninth(connection: duckdb.DuckDBPyConnection) -> None:
    """Incidents know the requests that applications reported them with."""
    connection.execute("ALTER TABLE incidents ADD COLUMN IF NOT EXISTS requests VARCHAR DEFAULT '[]'")


STEPS: tuple[Callable[[duckdb.DuckDBPyConnection], None], ...] = (
    _first,
    _second,
    _third,
    _fourth,
    _fifth,
    _sixth,
    _seventh,
    _eighth,
    _ninth,
)
NEWEST = len(STEPS)


def version_of(connection: duckdb.DuckDBPyConnection) -> int:
    """0 for a new file."""
    known = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_migrations'").fetchone()
    if not known or not known[0]:
        return 0
    newest = connection.execute("SELECT coalesce(max(version), 0) FROM schema_migrations").fetchone()
    return int(newest[0]) if newest else 0


def refuse_newer(connection: duckdb.DuckDBPyConnection) -> int:
    """The store's version. Raises StoreTooNew."""
    version = version_of(connection)
    if version > NEWEST:
        raise StoreTooNew(
            f"the store has form {version}, and this logmedic knows {NEWEST}",
            "run the newer logmedic that wrote it, or name another storage.path",
        )
    return version


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the store to the newest form, all in one transaction. Raises StoreTooNew; nothing is written then."""
    version = refuse_newer(connection)
    if version == NEWEST:
        return
    connection.execute("BEGIN")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, applied_at TIMESTAMP)"
    )
    for number in range(version, NEWEST):
        STEPS[number](connection)
        connection.execute("INSERT INTO schema_migrations VALUES (?, now()::TIMESTAMP)", [number + 1])
    views.create(connection)
    connection.execute("COMMIT")
