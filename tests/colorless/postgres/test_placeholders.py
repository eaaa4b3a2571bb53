"""A prepared statement means what psycopg2's literals mean, or is not prepared at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorless.postgres.placeholders import signature, translate


@pytest.mark.parametrize(
    "sql, count, body",
    [
        ("SELECT %s, %s", 2, "SELECT $1, $2"),
        ("select 'it''s', %s", 1, "select 'it''s', $1"),
        ("SELECT 5 %% %s", 1, "SELECT 5 % $1"),
        ("SELECT 'ten %%', %s", 1, "SELECT 'ten %', $1"),
        ("SELECT 5 % 3", None, "SELECT 5 % 3"),
        ("SELECT 'ten %s'", None, "SELECT 'ten %s'"),
        ("  WITH x AS (SELECT 1) SELECT %s ; ", 1, "  WITH x AS (SELECT 1) SELECT $1 "),
        ("SELECT $tag$ ; '%%' $tag$, %s", 1, "SELECT $tag$ ; '%' $tag$, $1"),
        (r"SELECT E'\'; %%', %s", 1, r"SELECT E'\'; %', $1"),
        ("SELECT 1 -- it's; odd\n, %s", 1, "SELECT 1 -- it's; odd\n, $1"),
        ('SELECT 1 AS "a;b", /* ; */ %s', 1, 'SELECT 1 AS "a;b", /* ; */ $1'),
    ],
)
def test_what_is_prepared(sql: str, count: int | None, body: str) -> None:
    """Placeholders become numbered parameters; all else stays as psycopg2 would send it."""
    assert translate(sql, count) == body


@pytest.mark.parametrize(
    "sql, count",
    [
        ("SELECT interval '%s days'", 1),  # psycopg2 writes a literal into the string
        ("SELECT 1; DELETE FROM everything", None),  # PREPARE would run the second one
        ("SELECT %s; SELECT %s", 2),
        ("BEGIN", None),
        ("VACUUM", None),
        ("SET x = %s", 1),
        ("SELECT %s", 2),  # psycopg2 has an error for these two
        ("SELECT %s, %s", 1),
        ("SELECT %d", 1),
        ("SELECT $1", 0),
        ("SELECT 'never closed", None),
        ("SELECT /* never closed", None),
        ("SELECT /* /* */ %s */ 1", 1),  # nested comments are PostgreSQL's own
        (r"SELECT '\'; DELETE FROM everything --'", None),
        ("-- nothing\nSELECT 1", None),
        ("", None),
    ],
)
def test_what_is_left_alone(sql: str, count: int | None) -> None:
    """What could mean something else as a prepared statement is sent as it is."""
    assert translate(sql, count) is None


@given(st.text(alphabet="SELECT '\"$;%s-/*\\E\n1a", max_size=40))
def test_no_second_statement_gets_through(tail: str) -> None:
    """However it is quoted: what is prepared has no semicolon outside of quotes."""
    body = translate("SELECT " + tail, None)
    if body is not None and ";" in body:
        assert any(quote in body for quote in ("'", '"', "$", "--", "/*"))


@pytest.mark.parametrize(
    "value, type_",
    [
        (5, "int4"),
        (2**31 - 1, "int4"),
        (2**31, "int8"),
        (-(2**31), "int8"),
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
    ],
)
def test_types_are_those_of_the_literals(value: object, type_: str) -> None:
    """The declared type is the one that the literal in the SQL would have."""
    assert signature([value]) == (type_,)


class Colour(IntEnum):
    RED = 1


@pytest.mark.parametrize("value", [2**63, [1], (1,), {}, Colour.RED, object()])
def test_unknown_types_are_not_prepared(value: object) -> None:
    """Whatever psycopg2 makes of it, it makes of it without us."""
    assert signature([1, value]) is None
