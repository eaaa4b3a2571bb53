"""Migrations: in order, each once, each whole, however many start at once."""

from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest

from colorless.tasks import TaskGroup
from service.db import migrate as module
from service.db.migrate import Migration, migrate, migrations


@pytest.fixture
def empty(database_url: str) -> str:
    """The module's database, emptied."""
    execute(database_url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return database_url


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def given(monkeypatch: pytest.MonkeyPatch, *sql: str) -> None:
    """Let these be all the migrations there are."""
    made = [Migration(number, f"step{number}", text) for number, text in enumerate(sql, 1)]
    monkeypatch.setattr(module, "migrations", lambda: made)


def test_all_are_applied_in_order_and_then_none(empty: str) -> None:
    """The first run applies every file by its number, the second finds nothing to do."""
    applied = migrate(empty)
    assert applied == migrations() == sorted(applied)
    assert migrate(empty) == []
    recorded = execute(empty, "SELECT version FROM schema_migrations ORDER BY version")
    assert [version for (version,) in recorded] == [migration.version for migration in applied]


def test_only_what_is_missing_is_applied(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of last week gets this week's files."""
    given(monkeypatch, "CREATE TABLE one ()")
    migrate(empty)
    given(monkeypatch, "CREATE TABLE one ()", "CREATE TABLE two ()")
    assert [migration.version for migration in migrate(empty)] == [2]


def test_a_failing_file_leaves_nothing_of_itself(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before it stays applied; its own first half is undone, and it is tried again."""
    given(monkeypatch, "CREATE TABLE one ()", "CREATE TABLE two (); SELECT 1/0")
    with pytest.raises(psycopg2.errors.DivisionByZero):
        migrate(empty)
    assert execute(empty, "SELECT to_regclass('one')::text, to_regclass('two')::text") == [
        ("one", None)
    ]
    given(monkeypatch, "CREATE TABLE one ()", "CREATE TABLE two ()")
    assert [migration.version for migration in migrate(empty)] == [2]


def test_many_at_once_apply_each_file_once(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas that start together wait for one of them, and find its work done."""
    given(monkeypatch, "CREATE TABLE one (); SELECT pg_sleep(0.2)", "CREATE TABLE two ()")
    with TaskGroup() as group:
        runs = [group.go(migrate, empty) for _ in range(8)]
    assert sorted(len(run.get()) for run in runs) == [0] * 7 + [2]


def test_file_names_are_unique_numbers_without_gaps() -> None:
    """Two files of one number, from two branches, are noticed here and not in production."""
    numbers = [migration.version for migration in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_other_files_in_the_folder_are_no_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor's backup beside a migration is not run."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("SELECT 1")
    (folder / "0001_first.sql~").write_text("DROP DATABASE production")
    monkeypatch.setattr(
        module, "files", lambda package: SimpleNamespace(joinpath=tmp_path.joinpath)
    )
    assert migrations() == [Migration(1, "first", "SELECT 1")]
