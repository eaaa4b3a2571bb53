"""A prepared statement means what psycopg2's literals mean, or is not prepared at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorless.postgres.placeholders import signature, translate


@pytest.mark.parametrize(
    "sql, body, placeholders",
    [
        ("SELECT %s, %s", "SELECT $1, $2", ["%s", "%s"]),
        ("SELECT %(b)s, %(a)s, %(b)s", "SELECT $1, $2, $3", ["%(b)s", "%(a)s", "%(b)s"]),
        ("select 'it''s', %s", "select 'it''s', $1", ["%s"]),
        ("SELECT 5 %% %s", "SELECT 5 % $1", ["%s"]),
        ("SELECT 'ten %%', %s", "SELECT 'ten %', $1", ["%s"]),
        ("  WITH x AS (SELECT 1) SELECT %s ; ", "  WITH x AS (SELECT 1) SELECT $1 ", ["%s"]),
        ("SELECT $tag$ ; '%%' $tag$, %s", "SELECT $tag$ ; '%' $tag$, $1", ["%s"]),
        (r"SELECT E'\'; %%', %s", r"SELECT E'\'; %', $1", ["%s"]),
        ("SELECT 1 -- it's; odd\n, %s", "SELECT 1 -- it's; odd\n, $1", ["%s"]),
        ('SELECT 1 AS "a;b", /* ; */ %s', 'SELECT 1 AS "a;b", /* ; */ $1', ["%s"]),
    ],
)
def test_what_is_prepared(sql: str, body: str, placeholders: list[str]) -> None:
    """Placeholders become numbered parameters; all else stays as psycopg2 would send it."""
    assert translate(sql, formatted=True) == (body, placeholders)


@pytest.mark.parametrize("sql", ["SELECT 5 % 3", "SELECT 'ten %s'", "SELECT '%%'"])
def test_without_parameters_a_percent_is_a_percent(sql: str) -> None:
    """psycopg2 does not look at it either."""
    assert translate(sql, formatted=False) == (sql, [])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT interval '%s days'",  # psycopg2 writes a literal into the string
        "SELECT 1; DELETE FROM everything",  # PREPARE would run the second one
        "SELECT %s; SELECT %s",
        "BEGIN",
        "VACUUM",
        "SET x = %s",
        "SELECT %d",
        "SELECT $1",
        "SELECT 'never closed",
        "SELECT /* never closed",
        "SELECT /* /* */ %s */ 1",  # nested comments are PostgreSQL's own
        r"SELECT '\'; DELETE FROM everything --'",
        "-- nothing\nSELECT 1",
        "",
    ],
)
def test_what_is_left_alone(sql: str) -> None:
    """What could mean something else as a prepared statement is sent as it is."""
    assert translate(sql, formatted=True) is None


@given(st.text(alphabet="SELECT '\"$;%s-/*\\E\n1a", max_size=40))
def test_no_second_statement_gets_through(tail: str) -> None:
    """However it is quoted: what is prepared has no semicolon outside of quotes."""
    translated = translate("SELECT " + tail, formatted=False)
    if translated is not None and ";" in translated.body:
        assert any(quote in translated.body for quote in ("'", '"', "$", "--", "/*"))


@pytest.mark.parametrize(
    "value, type_",
    [
        (5, "int4"),
        (2**31 - 1, "int4"),
        (2**31, "int8"),
        (-(2**31), "int4"),
        (-(2**31) - 1, "int8"),
        ("x", "unknown"),
        (None, "unknown"),
        (True, "boolean"),
        (1.5, "numeric"),
        (float("inf"), "float8"),
        (Decimal("1.5"), "numeric"),
        (datetime(2026, 1, 1), "timestamp"),
        (datetime(2026, 1, 1, tzinfo=UTC), "timestamptz"),
        (date(2026, 1, 1), "date"),
        (timedelta(1), "interval"),
        (b"x", "bytea"),
        ([], "unknown"),
        (["a", "b"], "text[]"),
        ([1, 2], "int4[]"),
        ([1, 2**40], "int8[]"),
    ],
)
def test_types_are_those_of_the_literals(value: object, type_: str) -> None:
    """The declared type is the one that the literal in the SQL would have."""
    assert signature([value]) == (type_,)


class Colour(IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value", [2**63, [1, "a"], [None], [2**63], [[1]], (1,), {}, Colour.RED, object()]
)
def test_unknown_types_are_not_prepared(value: object) -> None:
    """Whatever psycopg2 makes of it, it makes of it without us."""
    assert signature([1, value]) is None
