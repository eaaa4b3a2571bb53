"""What runs often is prepared, and nobody can tell by the answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extras import Json

from colorless import fail_after
from colorless.postgres import Connection
from colorless.postgres.statements import CAPACITY, COUNTED, THRESHOLD
from tests.colorless.postgres.conftest import MakePool, Server


@pytest.fixture
def connection(make_pool: MakePool) -> Iterator[Connection]:
    with make_pool().connection() as connection:
        yield connection


def prepared(connection: Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchall()[0][0])


def warm(connection: Connection, sql: str, params: Any = None) -> Any:
    """Run it until it is prepared; the last answer."""
    for _ in range(THRESHOLD):
        answer = connection.fetch_all(sql, params)
    return answer


def test_a_statement_is_prepared_when_it_runs_often(connection: Connection) -> None:
    """Not before the threshold, once after it, and once for each set of types."""
    for _ in range(THRESHOLD - 1):
        assert connection.fetch_one("SELECT %s + 1", (1,)) == (2,)
    assert prepared(connection) == 0
    for number in range(5):
        assert connection.fetch_one("SELECT %s + 1", (number,)) == (number + 1,)
    assert prepared(connection) == 1
    assert warm(connection, "SELECT %s + 1", (2**40,)) == [(2**40 + 1,)]
    assert prepared(connection) == 2


def test_what_is_known_of_some_integers_is_not_taken_for_others(connection: Connection) -> None:
    """Values of one Python type with different types in PostgreSQL, and the other way round."""
    sql = "SELECT pg_typeof(%s)::text, %s"
    warm(connection, sql, (1, "a"))
    warm(connection, sql, (-1, "it's 100 %s"))
    for bits, within, beyond in [(31, "integer", "bigint"), (63, "bigint", "numeric")]:
        for number in (2**bits - 1, -(2**bits)):
            assert warm(connection, sql, (number, "%d")) == [(within, "%d")]
        for number in (2**bits, -(2**bits) - 1):
            assert warm(connection, sql, (number, None)) == [(beyond, None)]
    assert connection.fetch_all(sql, (True, "b")) == [("boolean", "b")]
    assert connection.fetch_all(sql, [5, "d"]) == [("integer", "d")]


def test_named_parameters(connection: Connection) -> None:
    """In any order, used twice or not at all; each name keeps its own value."""
    sql = "SELECT %(a)s, %(b)s, %(a)s::int8"
    for _ in range(THRESHOLD + 1):
        assert connection.fetch_one(sql, {"a": 1, "b": "x", "c": 0}) == (1, "x", 1)
        assert connection.fetch_one(sql, {"c": 0, "b": "y", "a": 2}) == (2, "y", 2)
    assert prepared(connection) == 2


@pytest.mark.parametrize("params", [(1,), (1, 2, 3), {"a": 1}, []])
def test_parameters_that_do_not_match(connection: Connection, params: Any) -> None:
    """psycopg2's own errors, however often."""
    for _ in range(THRESHOLD + 2):
        with pytest.raises((IndexError, TypeError)):
            connection.fetch_one("SELECT %s, %s", params)
    assert prepared(connection) == 0


def test_a_table_that_changed(connection: Connection, server: Server) -> None:
    """'cached plan must not change result type' is ours to deal with, not the caller's."""
    connection.execute("CREATE TABLE changing (a int)")
    connection.execute("INSERT INTO changing VALUES (1)")
    assert warm(connection, "SELECT * FROM changing") == [(1,)]
    server.ask("ALTER TABLE changing ADD COLUMN b int DEFAULT 2")
    assert connection.fetch_all("SELECT * FROM changing") == [(1, 2)]
    assert warm(connection, "SELECT * FROM changing") == [(1, 2)]
    server.ask("DROP TABLE changing")


def test_a_table_that_changed_under_a_transaction(make_pool: MakePool, server: Server) -> None:
    """A running transaction is lost, as psycopg 3's would be, and the next one works."""
    server.ask("CREATE TABLE changing (a int)")
    pool = make_pool()
    with pool.connection() as c:
        warm(c, "SELECT * FROM changing")
    server.ask("ALTER TABLE changing ADD COLUMN b int")
    with pytest.raises(psycopg2.errors.FeatureNotSupported), pool.transaction() as tx:
        tx.fetch_all("SELECT * FROM changing")
    with pool.transaction() as tx:
        assert tx.fetch_all("SELECT * FROM changing") == []
    server.ask("DROP TABLE changing")


@pytest.mark.parametrize("command", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_statements_that_somebody_threw_away(connection: Connection, command: str) -> None:
    """They are made again when they are run often again."""
    warm(connection, "SELECT %s", (1,))
    connection.execute(command)
    assert prepared(connection) == 0
    assert warm(connection, "SELECT %s", (1,)) == [(1,)]


def test_what_postgres_refuses_to_prepare_runs_as_it_is(connection: Connection) -> None:
    """A type that cannot be inferred for a parameter is no error."""
    sql = "SELECT jsonb_build_object('a', %s)"
    for _ in range(THRESHOLD + 2):
        assert connection.fetch_all(sql, ("b",)) == [({"a": "b"},)]
    assert prepared(connection) == 0


def test_a_refusal_does_not_break_a_transaction(make_pool: MakePool) -> None:
    """It is tried behind a savepoint there."""
    with make_pool().transaction() as tx:
        tx.execute("CREATE TEMPORARY TABLE kept (n int) ON COMMIT DROP")
        for _ in range(THRESHOLD + 2):
            assert tx.fetch_one("SELECT jsonb_build_object('a', %s)", ("b",)) == ({"a": "b"},)
            tx.execute("INSERT INTO kept VALUES (%s)", (1,))
        assert tx.fetch_one("SELECT count(*) FROM kept") == (THRESHOLD + 2,)
        assert prepared(tx) == 1


def test_an_error_in_a_prepared_statement_is_the_same_error(connection: Connection) -> None:
    """And the statement works again afterwards."""
    warm(connection, "SELECT 1 / %s", (1,))
    with pytest.raises(psycopg2.errors.DivisionByZero):
        connection.fetch_all("SELECT 1 / %s", (0,))
    assert connection.fetch_all("SELECT 1 / %s", (1,)) == [(1,)]


def test_the_number_of_statements_is_bounded(connection: Connection) -> None:
    """A program that makes ever new SQL fills neither its own memory nor the server's."""
    for number in range(CAPACITY + 50):
        warm(connection, f"SELECT {number}")
    assert prepared(connection) <= CAPACITY + 1
    for number in range(COUNTED + 50):
        connection.fetch_all(f"SELECT 'once', {number}")
    assert connection.statements is not None
    assert len(connection.statements._uses) <= COUNTED


def test_behind_a_transaction_pooler_nothing_is_kept_in_the_session(make_pool: MakePool) -> None:
    """The setting turns off prepared statements and statement_timeout."""
    with make_pool(transaction_pooler=True).connection() as c, fail_after(10):
        warm(c, "SELECT 1")
        warm(c, "SELECT 1")
        assert prepared(c) == 0
        assert c.fetch_one("SHOW statement_timeout") == ("0",)


def test_the_deadline_is_told_to_the_server(connection: Connection) -> None:
    """The time left, rounded up to a power of two; without a deadline, the server's own."""
    show = "SHOW statement_timeout"
    assert connection.fetch_one(show) == ("0",)
    for seconds, told in [(30, "32s"), (3, "4s"), (0.5, "1s"), (10**9, "0")]:
        with fail_after(seconds):
            assert connection.fetch_one(show) == (told,)
    assert connection.fetch_one(show) == ("0",)


def test_a_rollback_does_not_undo_the_statement_timeout(make_pool: MakePool) -> None:
    """It is set before BEGIN, and what we believe is what the server has."""
    pool = make_pool()
    with fail_after(3):
        with pytest.raises(ZeroDivisionError), pool.transaction() as tx:
            assert tx.fetch_one("SHOW statement_timeout") == ("4s",)
            raise ZeroDivisionError
        with pool.connection() as c:
            assert c.fetch_one("SHOW statement_timeout") == ("4s",)


def test_a_deadline_inside_a_transaction_is_not_told(make_pool: MakePool) -> None:
    """The server would forget it at ROLLBACK, and we would not."""
    pool = make_pool()
    with pytest.raises(ZeroDivisionError), fail_after(30), pool.transaction() as tx:
        with fail_after(3):
            assert tx.fetch_one("SHOW statement_timeout") == ("32s",)
        raise ZeroDivisionError
    with fail_after(3), pool.connection() as c:
        assert c.fetch_one("SHOW statement_timeout") == ("4s",)


values = st.one_of(
    st.integers(-(2**66), 2**66),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.none(),
    st.booleans(),
    st.floats(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1e9, max_value=1e9),
    st.datetimes(min_value=datetime(1, 1, 2), timezones=st.sampled_from([None, UTC])),
    st.dates(),
    st.timedeltas(timedelta(-10000), timedelta(10000)),
    st.binary(),
    st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
    st.lists(st.integers(-(2**66), 2**66)),
    st.builds(Json, st.dictionaries(st.text("abc"), st.integers())),
)
templates = st.sampled_from(
    [
        "SELECT pg_typeof(%s)::text",
        "SELECT (%s)::text",
        "SELECT a FROM typed WHERE a = %s",
        "SELECT a FROM typed WHERE b = %s",
        "SELECT a FROM typed WHERE c < %s",
        "SELECT a FROM typed WHERE d <= %s",
        "SELECT a FROM typed WHERE e > %s",
        "SELECT a FROM typed WHERE f = %s OR g = %s",
        "SELECT coalesce(%s, %s)",
        "SELECT a FROM typed WHERE a = ANY(%s)",
        "SELECT a FROM typed WHERE b = ANY(%s)",
        "SELECT unnest(%s::text[])",
        "INSERT INTO typed (b) VALUES (%s) RETURNING b",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_prepared_or_not_the_answer_is_the_same(
    connection: Connection, data: st.DataObject
) -> None:
    """Any value in any place: as psycopg2's literal and as a parameter, and the same error too."""
    connection.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS typed AS SELECT 1 AS a, 'x'::text AS b,"
        " DATE '2026-01-01' AS c, TIMESTAMPTZ '2026-01-01' AS d, 1.5::numeric AS e,"
        " 1.5::float8 AS f, 2::bigint AS g"
    )
    sql = data.draw(templates)
    params = data.draw(st.tuples(*[values] * sql.count("%s")))

    def outcome(run: Any) -> Any:
        try:
            return run()
        except psycopg2.Error as error:
            return type(error)

    def plain() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return repr(cursor.fetchall())

    expected = outcome(plain)
    answers = [
        outcome(lambda: repr(connection.fetch_all(sql, params))) for _ in range(THRESHOLD + 3)
    ]
    assert answers == [expected] * len(answers)
